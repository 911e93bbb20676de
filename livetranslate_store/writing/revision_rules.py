"""The rules of revisions as SQL over two sets of columns, the `stored` version and the `new` one.

The same expression serves a table, an alias, a CTE and `excluded`, so that each rule is written once. A new
transcript without a number has revision 0.

A person's edit comes before all that machines send, whatever they send afterwards. Of two edits the later one
wins, and of two at the same moment the last different one.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.writing.encoding import TRANSCRIPT_COLUMNS, TRANSLATION_COLUMNS

Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]


class VersionRule(Protocol):
    """How versions of one kind of row follow each other."""

    def accepts(self, stored: Columns, new: Columns) -> ColumnElement[bool]:
        """Return whether the new version replaces the stored one."""

    def same(self, stored: Columns, new: Columns) -> ColumnElement[bool]:
        """Return whether a refused version is the stored one again, not an older one."""

    def revised(self, stored: Columns, new: Columns) -> dict[str, ColumnElement[Any]]:
        """Return the columns of the row once the new version is accepted."""


class TranscriptRule:
    """A final replaces an interim, never the reverse; else the higher number, or the last different one.

    An accepted version always counts up, so that a translation of an earlier one is known to be stale.
    """

    # A text that was a draft is the same text.
    _content = tuple(
        name
        for name in TRANSCRIPT_COLUMNS
        if name not in {"session_id", "id", "revision", "is_final", "text", "draft"}
    )

    def accepts(self, stored: Columns, new: Columns) -> ColumnElement[bool]:
        """Return whether the new version replaces the stored one."""
        return case(
            *_of_edits(stored, new, self._differs(stored, new)),
            (stored.is_final != new.is_final, new.is_final),
            (new.revision == literal_column("0"), self._differs(stored, new)),
            else_=new.revision > stored.revision,
        )

    def same(self, stored: Columns, new: Columns) -> ColumnElement[bool]:
        """Return whether content and finality are equal."""
        return and_(stored.is_final == new.is_final, ~self._differs(stored, new))

    def revised(self, stored: Columns, new: Columns) -> dict[str, ColumnElement[Any]]:
        """Return the new content under its own number, or the next one."""
        return _contents(stored, new, self._content) | {
            "text": new.text,
            "draft": new.draft,
            "is_final": new.is_final,
            "revision": func.greatest(new.revision, stored.revision + literal_column("1")),
        }

    def _differs(self, stored: Columns, new: Columns) -> ColumnElement[bool]:
        is_other_text = spoken_text(stored).is_distinct_from(spoken_text(new))
        return or_(_differs(stored, new, self._content), is_other_text)


class TranslationRule:
    """The translation of the higher transcript revision wins; of equal revisions, the last different one."""

    _content = tuple(
        name
        for name in TRANSLATION_COLUMNS
        if name not in {"session_id", "transcript_id", "target_language", "transcript_revision"}
    )

    def accepts(self, stored: Columns, new: Columns) -> ColumnElement[bool]:
        """Return whether the new version replaces the stored one."""
        differs = _differs(stored, new, self._content)
        return case(
            *_of_edits(stored, new, differs),
            (new.transcript_revision == stored.transcript_revision, differs),
            else_=new.transcript_revision > stored.transcript_revision,
        )

    def same(self, stored: Columns, new: Columns) -> ColumnElement[bool]:
        """Return whether the content is equal; its revision does not matter."""
        return ~_differs(stored, new, self._content)

    def revised(self, stored: Columns, new: Columns) -> dict[str, ColumnElement[Any]]:
        """Return the new content with its transcript revision."""
        return _contents(stored, new, self._content) | {"transcript_revision": new.transcript_revision}


def is_edit(version: Columns) -> ColumnElement[bool]:
    """Return whether a version is a person's."""
    edited_by: ColumnElement[str | None] = version.edited_by
    return edited_by.is_not(None)


def is_later_edit(stored: Columns, new: Columns, differs: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a new edit replaces the stored version; `differs` decides between equal moments."""
    return or_(
        stored.edited_by.is_(None),
        new.edited_at > stored.edited_at,
        and_(new.edited_at == stored.edited_at, differs),
    )


def _of_edits(
    stored: Columns, new: Columns, differs: ColumnElement[bool]
) -> list[tuple[ColumnElement[bool], ColumnElement[bool]]]:
    """Return the first cases of a rule: whether the new version is accepted if either is an edit."""
    return [
        (is_edit(new), is_later_edit(stored, new, differs)),
        (is_edit(stored), literal_column("false")),
    ]


def _differs(stored: Columns, new: Columns, content: Sequence[str]) -> ColumnElement[bool]:
    values = _contents(stored, new, content)
    return or_(*(stored[name].is_distinct_from(value) for name, value in values.items()))


def _contents(stored: Columns, new: Columns, content: Sequence[str]) -> dict[str, ColumnElement[Any]]:
    values = {name: new[name] for name in content}
    if "audio_file_id" in values:
        # The audio of a segment is sent once; the revisions that follow come without it.
        values["audio_file_id"] = func.coalesce(new.audio_file_id, stored.audio_file_id)
    return values
