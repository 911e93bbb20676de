"""A person's edit on its way in: checked against the stored text, and turned into a row like any other."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import object_mapper

from livetranslate_store.checks import (
    MAX_BIG_INTEGER,
    checked_name,
    checked_text,
    encode_json,
    optional_integer,
)
from livetranslate_store.errors import ConflictError
from livetranslate_store.models import Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.models.sparse import plain_type, stored_value
from livetranslate_store.writing.encoding import COLUMNS, Row

# Two edits of one text are never of the same moment: the later one wins.
_NEXT_MOMENT = timedelta(microseconds=1)


class Edit(NamedTuple):
    """A text by a person, and what the person has seen before, if that matters."""

    text: str
    edited_by: str
    expected_revision: int | None = None
    expected_text: str | None = None

    def check(self) -> None:
        """Raise InvalidInputError for an edit that cannot be stored."""
        checked_text(self.text, "text")
        checked_name(self.edited_by, "edited_by")
        optional_integer(self.expected_revision, "expected_revision", maximum=MAX_BIG_INTEGER)
        if self.expected_text is not None:
            checked_text(self.expected_text, "expected_text")

    def row(self, stored: Transcript | Translation, now: datetime, **changed: Any) -> Row:
        """Return the row of the edited text, with these columns `changed` too.

        The same text by a person once more is the stored version again. Raises ConflictError if the stored
        text is not the expected one.
        """
        self._check_expected(stored)
        values = {"text": self.text, **changed}
        edited_by, edited_at = self.edited_by, now
        if stored.edited_by is not None and stored.edited_at is not None:
            edited_at = max(now, stored.edited_at + _NEXT_MOMENT)
            if all(getattr(stored, name) == value for name, value in values.items()):
                edited_by, edited_at = stored.edited_by, stored.edited_at
        return _row(stored, values | {"edited_by": edited_by, "edited_at": edited_at})

    def _check_expected(self, stored: Transcript | Translation) -> None:
        is_spoken = isinstance(stored, Transcript)
        revision = stored.revision if isinstance(stored, Transcript) else stored.transcript_revision
        if self.expected_revision not in {None, revision}:
            subject = "The transcript has" if is_spoken else "The translation was made from"
            raise ConflictError(
                f"{subject} revision {revision}, not {self.expected_revision}: read it again, then edit.",
                transient=False,
            )
        if self.expected_text not in {None, stored.text}:
            raise ConflictError(
                "The stored text is another one than the expected one: read it again, then edit.",
                transient=False,
            )


def _row(stored: Transcript | Translation, changed: Mapping[str, Any]) -> Row:
    """Return the row of a stored text with changed columns."""
    mapper, table = object_mapper(stored), table_of(type(stored))
    values = []
    for name in COLUMNS[table.name]:
        column = table.c[name]
        value = getattr(stored, mapper.get_property_by_column(column).key)
        value = stored_value(changed.get(name, value), getattr(column.type, "usual", None))
        is_json = value is not None and isinstance(plain_type(column), JSONB)
        values.append(encode_json(value).decode() if is_json else value)
    return tuple(values)
