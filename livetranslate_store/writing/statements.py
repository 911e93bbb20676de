"""Each write in two forms: as the insert of rows that are probably new, and as the merge by the rules.

Most rows are new, or lone revisions, and judging a row costs more than writing it: a lone revision has a form
of its own. A write is one statement and one round trip. `protocol.py` runs the forms.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    Table,
    and_,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.database.statement import Statement
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import Binding, StatementFactory, input_rows
from livetranslate_store.writing.encoding import COLUMNS, KEYS, TRANSLATION_COLUMNS
from livetranslate_store.writing.outcomes import (
    REVISION_COLUMNS,
    constant,
    lost_race_row,
    outcome_rows,
    position,
    position_row,
)
from livetranslate_store.writing.revision_rules import TranscriptRule
from livetranslate_store.writing.upserts import (
    AUDIO_FILES,
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    Upsert,
    looked_up,
    revision_of,
    upsert_audio_files,
    upsert_speakers,
    upsert_transcripts,
    upsert_translations,
)

Query = TypeVar("Query", Select[Any], CompoundSelect[Any])


@cache
def insert_segments(binding: Binding) -> Statement:
    """Return the insert of segments that are not stored: all of them, or only their speakers if one is.

    Its one row has `found`, whether one is stored, and `position`. Translations come with all that they take
    from their transcripts. The server reports a DuplicateError if a concurrent transaction stores one.
    """
    found = [any_stored(binding, each) for each in (TRANSCRIPTS, AUDIO_FILES) if binding.holds(each)]
    stored = select(or_(*found).label("found")).cte("stored")
    are_free = not_(select(stored.c.found).scalar_subquery())
    query = select(stored.c.found, position().label("position"))
    for table in (AUDIO_FILES, TRANSCRIPTS, TRANSLATIONS):
        if binding.holds(table):
            query = query.add_cte(_insert_if(are_free, binding, table))
    return Statement.compiled("segments.insert", _with_speakers(query, binding))


@cache
def revise_segment(binding: Binding) -> Statement:
    """Return the revision of a stored segment that brings its transcript alone: most of a live meeting.

    Its one row has `revision` and `position`. There is none if the rules refuse the revision, or if there is
    more to write, such as a new speaker: that is left to the merge, which costs the server twice as much.
    """
    rows = binding.rows(TRANSCRIPTS, COLUMNS["transcripts"]).subquery("revision")
    query = revision_of(TRANSCRIPTS, rows, TranscriptRule())
    if binding.holds(SPEAKERS):
        speaker = binding.rows(SPEAKERS, COLUMNS["speakers"]).subquery("speaker")
        query = query.where(speaker_is_known(speaker))
    returned = query.returning(TRANSCRIPTS.c.revision, position().label("position"))
    return Statement.compiled("segments.revise", returned)


@cache
def merge_segments(binding: Binding) -> Statement:
    """Return the merge of whole segments, all or nothing."""
    results = merged_segments(
        input_rows(binding, AUDIO_FILES) if binding.holds(AUDIO_FILES) else None,
        input_rows(binding, TRANSCRIPTS),
        input_rows(binding, TRANSLATIONS) if binding.holds(TRANSLATIONS) else None,
    )
    query = union_all(*results, position_row())
    return Statement.compiled("segments.merge", _with_speakers(query, binding))


def merged_segments(audio_files: CTE | None, transcripts: CTE, translations: CTE | None) -> list[Select[Any]]:
    """Return the merge of audio files, transcripts, and translations of these, as the parts of a union."""
    upserts = {"transcripts": upsert_transcripts(transcripts)}
    if audio_files is not None:
        upserts["audio_files"] = upsert_audio_files(audio_files)
    if translations is not None:
        completed = completed_by_written(translations, transcripts, upserts["transcripts"].outcomes)
        upserts["translations"] = upsert_translations(completed)
    lost = sum((each.lost for each in upserts.values()), start=literal_column("0"))
    outcomes = [outcome_rows(each.outcomes, table) for table, each in upserts.items()]
    return [*outcomes, lost_race_row(lost, all_or_nothing=True)]


@cache
def _insert_audio_files(binding: Binding) -> Statement:
    query = _insert_missing(AUDIO_FILES, binding.rows(AUDIO_FILES, COLUMNS["audio_files"]).subquery())
    return Statement.compiled("audio_files.insert", query)


@cache
def _merge_audio_files(binding: Binding) -> Statement:
    audio_files = upsert_audio_files(input_rows(binding, AUDIO_FILES))
    return Statement.compiled("audio_files.merge", _merged("audio_files", audio_files))


@cache
def _insert_transcripts(binding: Binding) -> Statement:
    query = _insert_missing(TRANSCRIPTS, binding.rows(TRANSCRIPTS, COLUMNS["transcripts"]).subquery())
    return Statement.compiled("transcripts.insert", _with_speakers(query, binding))


@cache
def _merge_transcripts(binding: Binding) -> Statement:
    query = _merged("transcripts", upsert_transcripts(input_rows(binding, TRANSCRIPTS)))
    return Statement.compiled("transcripts.merge", _with_speakers(query, binding))


@cache
def _insert_translations(binding: Binding) -> Statement:
    completed = _completed_by_stored(input_rows(binding, TRANSLATIONS))
    return Statement.compiled("translations.insert", _insert_missing(TRANSLATIONS, completed))


@cache
def _merge_translations(binding: Binding) -> Statement:
    translations = upsert_translations(_completed_by_stored(input_rows(binding, TRANSLATIONS)))
    return Statement.compiled("translations.merge", _merged("translations", translations))


class TableWrite(NamedTuple):
    """The write of one table's rows, each by itself; both forms return the outcomes of rows that they met."""

    table: str
    insert: StatementFactory
    merge: StatementFactory


AUDIO_FILE_WRITE = TableWrite("audio_files", _insert_audio_files, _merge_audio_files)
#: With the speakers of the transcripts.
TRANSCRIPT_WRITE = TableWrite("transcripts", _insert_transcripts, _merge_transcripts)
#: Of stored transcripts: a translation without one has no outcome.
TRANSLATION_WRITE = TableWrite("translations", _insert_translations, _merge_translations)


def any_stored(
    binding: Binding, table: Table, here: Sequence[ColumnElement[bool]] = ()
) -> ColumnElement[bool]:
    """Return the condition that one of the input rows of a table is stored, by its key."""
    keys = binding.rows(table, ("session_id", "id")).subquery(f"{table.name}_keys")
    one: list[ColumnElement[Any]] = [literal_column("1")]
    stored = looked_up(table, keys, f"{table.name}_found", here, columns=one)
    return select(*one).select_from(keys.join(stored, true())).exists()


def speaker_is_known(speaker: FromClause, here: Sequence[ColumnElement[bool]] = ()) -> ColumnElement[bool]:
    """Return whether the one `speaker` is stored, with a name if it has one."""
    known: Select[Any] = select(literal_column("1")).where(
        *here,
        SPEAKERS.c.session_id == speaker.c.session_id,
        SPEAKERS.c.label == speaker.c.label,
        or_(SPEAKERS.c.name.is_not(None), speaker.c.name.is_(None)),
    )
    return known.exists()


def _with_speakers(query: Query, binding: Binding) -> Query:
    if not binding.holds(SPEAKERS):
        return query
    return query.add_cte(upsert_speakers(input_rows(binding, SPEAKERS)))


def _merged(table: str, upsert: Upsert) -> CompoundSelect[Any]:
    return union_all(outcome_rows(upsert.outcomes, table), position_row(), lost_race_row(upsert.lost))


def _insert_if(condition: ColumnElement[bool], binding: Binding, table: Table) -> CTE:
    columns = COLUMNS[table.name]
    new = binding.rows(table, columns).subquery()
    rows = select(*(new.c[name] for name in columns)).where(condition)
    return insert(table).from_select(columns, rows).cte(f"{table.name}_written")


def _insert_missing(table: Table, rows: FromClause) -> CompoundSelect[Any]:
    columns: Sequence[str] = COLUMNS[table.name]
    revision = REVISION_COLUMNS[table.name]
    written = (
        insert(table)
        .from_select(columns, select(*(rows.c[name] for name in columns)))
        .on_conflict_do_nothing(index_elements=KEYS[table.name])
        .returning(
            *(table.c[name] for name in (*KEYS[table.name], *([] if revision is None else [revision])))
        )
        .cte(f"{table.name}_written")
    )
    outcome = constant(Outcome.INSERTED).label("outcome")
    return union_all(outcome_rows(select(written, outcome).subquery(), table.name), position_row())


def completed_by_written(translations: CTE, sent: CTE, written: CTE) -> CTE:
    """Return translations completed from the transcripts `sent` with them, now that these are `written`.

    A translation of a refused revision is kept under the number of that revision if it is a lower one, so
    that the order of arrival does not matter. Without a number it is refused too: its revision is NULL.
    """
    refused_number = func.nullif(sent.c.revision, literal_column("0"))
    made_from = case(
        (written.c.outcome != constant(Outcome.STALE), written.c.revision),
        (refused_number < written.c.revision, refused_number),
    )
    its_transcript = and_(
        written.c.session_id == translations.c.session_id, written.c.id == translations.c.transcript_id
    )
    same_key = and_(sent.c.session_id == written.c.session_id, sent.c.id == written.c.id)
    sources = translations.join(written, its_transcript).join(sent, same_key)
    return completed(translations, sources, language=sent.c.language, revision=made_from).cte(
        "translations_completed"
    )


def _completed_by_stored(translations: CTE) -> CTE:
    """Return translations completed from stored transcripts; those without one are left out."""
    stored = looked_up(
        TRANSCRIPTS,
        translations,
        "transcripts_stored",
        key={"session_id": "session_id", "id": "transcript_id"},
    )
    sources = translations.join(stored, true())
    return completed(translations, sources, language=stored.c.language, revision=stored.c.revision).cte(
        "translations_completed"
    )


def completed(
    translations: FromClause,
    sources: FromClause,
    *,
    language: ColumnElement[str],
    revision: ColumnElement[int],
) -> Select[Any]:
    """Return translations with all that they take from their transcripts."""
    filled = {
        "source_language": func.coalesce(translations.c.source_language, language),
        "transcript_revision": func.coalesce(translations.c.transcript_revision, revision),
    }
    columns = (filled.get(name, translations.c[name]).label(name) for name in TRANSLATION_COLUMNS)
    return select(*columns).select_from(sources)
