"""One JSON document that holds a session side by side; its schema is in `docs/session.schema.json`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.values import SessionDocument, SessionFacts, TranscriptRow

_encode = msgspec.json.Encoder().encode


class JSONWriter:
    """Writes one session, a segment per line."""

    def __init__(self, session: SessionFacts, languages: Sequence[str]) -> None:
        self._empty = SessionDocument("livetranslate-store session", 1, session, languages, ())
        self._is_first = True

    def begin(self) -> str:
        """Return everything before the first segment."""
        return _encode(self._empty).decode().removesuffix("]}")

    def add(self, row: TranscriptRow) -> str:
        """Return the next segment."""
        comma, self._is_first = "" if self._is_first else ",", False
        return f"{comma}\n{_encode(row).decode()}"

    def end(self) -> str:
        """Return what closes the document."""
        return "\n]}\n"


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    schema = msgspec.json.schema(SessionDocument)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def read_document(data: bytes) -> SessionDocument:
    """Return the session that a JSON document holds; raises InvalidInputError for anything else."""
    try:
        return msgspec.json.decode(data, type=SessionDocument)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"This is no session in JSON: {error}.") from error
