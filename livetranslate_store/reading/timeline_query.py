"""What a caller asks of the timeline, checked, and the one statement that answers it.

Three ordered parts are merged: transcripts, translations that take the times of their transcript, and
translations that have times of their own. Each walks an index in the order of the timeline, from the cursor
on and no further than the limit, so that a page reads as many rows wherever it lies.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from livetranslate_store.checks import (
    checked_choice,
    checked_integer,
    checked_languages,
    checked_name,
    checked_uuid,
    optional_number,
)
from livetranslate_store.database.compiling import CompiledStatement, compiled
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.models import Speaker, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.values import ENTRY_KINDS, EntryKind

_T = table_of(Transcript)
_X = table_of(Translation)
_S = table_of(Speaker)


class TimelineQuery(NamedTuple):
    """Which entries of which session; None leaves a filter out."""

    session_id: UUID
    start: float | None
    end: float | None
    languages: Sequence[str] | None
    speakers: Sequence[str] | None
    kinds: frozenset[EntryKind]
    finals_only: bool
    untimed: bool
    limit: int | None
    after: Cursor | None

    def statement(self) -> tuple[str, list[Any]]:
        """Return the text and the values to bind; its columns are the fields of TimelineEntry."""
        given = frozenset(
            name
            for name in ("start", "end", "languages", "speakers", "limit", "after")
            if getattr(self, name) is not None
        )
        text, parameters = _statement(given, self.kinds, self.finals_only, self.untimed)
        values = self._asdict()
        if self.after is not None:
            values |= {f"after_{name}": getattr(self.after, name) for name in Cursor.__struct_fields__}
        if self.languages is not None:
            values["languages"] = [
                pattern for tag in self.languages for pattern in (tag.lower(), f"{tag.lower()}-%")
            ]
        return text, [values[name] for name in parameters]


def checked_query(
    session_id: UUID,
    *,
    start: float | None,
    end: float | None,
    languages: Sequence[str] | None,
    speakers: Sequence[str] | None,
    kinds: Sequence[EntryKind] | None,
    finals_only: bool,
    untimed: bool,
    limit: int | None,
    after: str | None,
) -> TimelineQuery:
    """Return the query that the arguments describe; raises InvalidInputError."""
    checked_uuid(session_id, "session_id")
    start, end = optional_number(start, "start"), optional_number(end, "end")
    if start is not None and end is not None and end <= start:
        raise InvalidInputError(f"The window ends at {end:g}, not after its start {start:g}.")
    if isinstance(speakers, str) or isinstance(kinds, str):
        raise InvalidInputError("speakers and kinds are sequences, such as ['SPEAKER_00'].")
    if kinds is not None and not kinds:
        raise InvalidInputError(f"kinds needs one of {', '.join(ENTRY_KINDS)} at least.")
    return TimelineQuery(
        session_id=session_id,
        start=start,
        end=end,
        languages=None if languages is None else checked_languages(languages, "languages"),
        speakers=None if speakers is None else [checked_name(each, "speakers") for each in speakers],
        kinds=frozenset(
            ENTRY_KINDS if kinds is None else (checked_choice(k, "kinds", ENTRY_KINDS) for k in kinds)
        ),
        finals_only=finals_only,
        untimed=untimed,
        limit=None if limit is None else checked_integer(limit, "limit", minimum=1),
        after=None if after is None else Cursor.decoded(after),
    )


@lru_cache(maxsize=256)
def _statement(
    given: frozenset[str], kinds: frozenset[EntryKind], finals_only: bool, untimed: bool
) -> CompiledStatement:
    parts = []
    if "transcript" in kinds:
        parts.append(_transcripts(given, untimed=untimed))
    if "translation" in kinds:
        parts.append(_translations(given, own_times=False, untimed=untimed))
        parts.append(_translations(given, own_times=True, untimed=untimed))
    if finals_only:
        parts = [part.where(_T.c.is_final) for part in parts]
    order: list[ColumnElement[Any]] = [
        literal_column(name)
        for name in ("timestamp", "segment_index", "transcript_id", "kind", "language", "id")
    ]
    if "limit" in given:
        limit = bindparam("limit", type_=BigInteger)
        parts = [part.order_by(*order).limit(limit) for part in parts]
        return compiled(parts[0] if len(parts) == 1 else union_all(*parts).order_by(*order).limit(limit))
    return compiled(union_all(*parts).order_by(*order))


def _transcripts(given: frozenset[str], *, untimed: bool) -> Select[Any]:
    part = _select(
        kind="transcript",
        row=_T,
        times=_T,
        source_language=_T.c.language,
        language=_T.c.language,
        source=_T.c.source,
        revision=_T.c.revision,
        is_stale=literal_column("false"),
    ).select_from(_with_speaker(_T))
    if "after" in given:
        part = part.where(_place(_T.c.timestamp) > _after())
    return part.where(*_filters(given, _T, _T.c.language, untimed=untimed))


def _translations(given: frozenset[str], *, own_times: bool, untimed: bool) -> Select[Any]:
    times = _X if own_times else _T
    its_transcript = and_(_X.c.session_id == _T.c.session_id, _X.c.transcript_id == _T.c.id)
    part = (
        _select(
            kind="translation",
            row=_X,
            times=times,
            source_language=_X.c.source_language,
            language=_X.c.target_language,
            source=_X.c.service,
            revision=_X.c.transcript_revision,
            is_stale=_X.c.transcript_revision != _T.c.revision,
        )
        .select_from(_with_speaker(_T.join(_X, its_transcript)))
        .where(
            _X.c.session_id == _session_id(),
            _X.c.timestamp.is_not(None) if own_times else _X.c.timestamp.is_(None),
        )
    )
    if "after" in given:
        inside = tuple_(*_place(times.c.timestamp), _X.c.target_language, _X.c.id)
        reached = inside > tuple_(*_after(), _bound("target_language", Text), _bound("id", Uuid))
        # The first condition alone can be answered by the index.
        first = (
            _X.c.timestamp >= _bound("timestamp", DOUBLE_PRECISION)
            if own_times
            else _place(_T.c.timestamp) >= _after()
        )
        part = part.where(first, reached)
    return part.where(*_filters(given, times, _X.c.target_language, untimed=untimed))


def _select(
    *,
    kind: EntryKind,
    row: Table,
    times: Table,
    source_language: ColumnElement[str],
    language: ColumnElement[str],
    source: ColumnElement[str],
    revision: ColumnElement[int],
    is_stale: ColumnElement[bool],
) -> Select[Any]:
    """Return the columns of one part, in the order of the fields of TimelineEntry."""
    return select(
        literal_column(f"'{kind}'").label("kind"),
        row.c.id.label("id"),
        _T.c.id.label("transcript_id"),
        times.c.timestamp.label("timestamp"),
        # GREATEST passes over NULL: an unknown side gives 0.
        func.greatest(times.c.end_time - times.c.start_time, literal_column("0.0")).label("duration"),
        times.c.start_time.label("start_time"),
        times.c.end_time.label("end_time"),
        row.c.text.label("text"),
        language.label("language"),
        source_language.label("source_language"),
        _T.c.speaker_label,
        _S.c.name.label("speaker_name"),
        row.c.confidence.label("confidence"),
        _T.c.segment_index.label("segment_index"),
        source.label("source"),
        revision.label("revision"),
        _T.c.is_final,
        is_stale.label("is_stale"),
        row.c.metadata.label("metadata"),
    )


def _with_speaker(rows: FromClause) -> FromClause:
    return rows.outerjoin(_S, and_(_S.c.session_id == _T.c.session_id, _S.c.label == _T.c.speaker_label))


def _filters(
    given: frozenset[str], times: Table, language: ColumnElement[str], *, untimed: bool
) -> list[ColumnElement[bool]]:
    has_no_time = and_(times.c.start_time.is_(None), times.c.end_time.is_(None))
    conditions: list[ColumnElement[bool]] = [_T.c.session_id == _session_id()]
    window: list[ColumnElement[bool]] = []
    if "start" in given:
        start = bindparam("start", type_=DOUBLE_PRECISION)
        # An entry without length lies in the window that it begins in.
        window.append(or_(times.c.end_time > start, times.c.timestamp >= start))
    if "end" in given:
        window.append(times.c.timestamp < bindparam("end", type_=DOUBLE_PRECISION))
    if not untimed:
        conditions += [~has_no_time, *window]
    elif window:
        conditions.append(or_(has_no_time, and_(*window)))
    if "languages" in given:
        patterns = bindparam("languages", type_=ARRAY(Text))
        conditions.append(func.lower(language).op("LIKE")(any_(patterns)))
    if "speakers" in given:
        speakers = bindparam("speakers", type_=ARRAY(Text))
        conditions.append(or_(_T.c.speaker_label == any_(speakers), _S.c.name == any_(speakers)))
    return conditions


def _session_id() -> ColumnElement[UUID]:
    return bindparam("session_id", type_=Uuid)


def _place(timestamp: ColumnElement[float]) -> Any:
    return tuple_(timestamp, _T.c.segment_index, _T.c.id)


def _after() -> Any:
    return tuple_(
        _bound("timestamp", DOUBLE_PRECISION),
        _bound("segment_index", BigInteger),
        _bound("transcript_id", Uuid),
    )


def _bound(field: str, kind: Any) -> ColumnElement[Any]:
    return bindparam(f"after_{field}", type_=kind)
