"""Languages as programs write them: a tag, a code of three letters, or a name such as "english"."""

from functools import lru_cache
from pathlib import PurePath
from re import compile as pattern

from langcodes import find, tag_is_valid

from livetranslate_store.checks import MAX_TAG_CHARACTERS, checked_language
from livetranslate_store.errors import InvalidInputError

# Codes of ISO 639 for no language, for several, and for one that nobody knows.
_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
# Shorter words are codes, or names of languages by accident.
_SHORTEST_NAME = 4
# "talk.en.vtt", "talk.pt-BR.srt": two letters first, because most words of three are some language's code.
_IN_FILE_NAME = pattern(r"[A-Za-z]{2}(?:-[A-Za-z0-9]{2,8})*")

# Kinds of subtitles; behind a language they are none, though `hi` alone is Hindi.
_KINDS = frozenset({"hi", "sdh", "cc", "forced", "default", "full", "orig"})


@lru_cache(maxsize=256)
def tag_of(said: str) -> str | None:
    """Return the BCP-47 tag of a language: `en_us` is `en-US`, `eng` and `english` are `en`; else None."""
    said = said.strip().replace("_", "-")
    if said.lower() in _NO_LANGUAGE or not said.isascii() or len(said) > MAX_TAG_CHARACTERS:
        return None
    if tag_is_valid(said):
        return checked_language(said)
    return _tag_of_name(said) if len(said) >= _SHORTEST_NAME else None


def language_in_name(name: str) -> str | None:
    """Return the language in a file's name: `pt-BR` of `talk.pt-BR.srt`, `en` of `talk.en.sdh.srt`."""
    parts = [suffix[1:].replace("_", "-") for suffix in PurePath(name).suffixes[:-1]]
    languages = [tag_of(part) if _IN_FILE_NAME.fullmatch(part) else None for part in parts]
    while any(languages[:-1]) and parts[-1].lower() in _KINDS:
        languages.pop()
        parts.pop()
    return languages[-1] if languages else None


def _tag_of_name(name: str) -> str | None:
    try:
        return checked_language(str(find(name)))
    except LookupError:
        return None
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            f"The file names its language {name[:40]!r}, and reading such a name needs an extra: "
            "pip install 'livetranslate-store[formats]'."
        ) from error
