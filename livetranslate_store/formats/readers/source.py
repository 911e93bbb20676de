"""A file to read: its bytes, its text and its JSON, each made once and only if a reader asks for it."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import PurePath
from typing import TypeAlias

from livetranslate_store.formats.readers.decoding import Decoded, decode

#: What Python's own parser makes of JSON; NaN and infinities, which some programs write, included.
JSON: TypeAlias = "str | int | float | bool | Mapping[str, JSON] | Sequence[JSON] | None"


class Source:
    """One file; `language` is the known language of it, which helps to guess an encoding."""

    def __init__(self, data: bytes, name: str = "", language: str | None = None) -> None:
        self.data = data
        self.name = name
        self.language = language

    @property
    def suffix(self) -> str:
        """The end of the file's name in lower case: `.vtt`."""
        return PurePath(self.name).suffix.lower()

    @cached_property
    def decoded(self) -> Decoded:
        """The text and how it was encoded; raises InvalidInputError if the bytes are no text."""
        return decode(self.data, self.language)

    @property
    def text(self) -> str:
        """The text; raises InvalidInputError if the bytes are no text."""
        return self.decoded.text

    @property
    def json(self) -> JSON:
        """The parsed JSON; None if the text is none."""
        return self._parsed[0]

    @property
    def json_problem(self) -> str | None:
        """Why a text that begins as JSON does is none."""
        return self._parsed[1]

    @cached_property
    def _parsed(self) -> tuple[JSON, str | None]:
        if self.text.lstrip()[:1] not in {"{", "["}:
            return None, None
        try:
            return json.loads(self.text), None
        except json.JSONDecodeError as error:
            return None, f"line {error.lineno} is no JSON ({error.msg})"
        except RecursionError:
            return None, "it is nested too deeply"
        except ValueError:
            return None, "it holds a number of too many digits"
