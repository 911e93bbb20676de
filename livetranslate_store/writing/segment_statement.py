"""One statement per write: chained INSERTs fed by arrays, the write rules inside, one round trip.

It is built once from the models and kept as text; what depends on the call is bound.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.database.compiling import compiled
from livetranslate_store.models import AudioFile, Speaker, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.rows import (
    AUDIO_COLUMNS,
    SPEAKER_COLUMNS,
    TRANSCRIPT_COLUMNS,
    TRANSLATION_COLUMNS,
    Row,
    as_arrays,
)
from livetranslate_store.writing.rules import TranscriptRule, TranslationRule
from livetranslate_store.writing.upserts import (
    Step,
    constant,
    count_of,
    looked_up,
    rows_given,
    same_key,
    upsert,
)

_AUDIO_FILES = table_of(AudioFile)
_SPEAKERS = table_of(Speaker)
_TRANSCRIPTS = table_of(Transcript)
_TRANSLATIONS = table_of(Translation)

_COLUMNS: Mapping[str, Sequence[str]] = {
    "audio_files": AUDIO_COLUMNS,
    "speakers": SPEAKER_COLUMNS,
    "transcripts": TRANSCRIPT_COLUMNS,
    "translations": TRANSLATION_COLUMNS,
}

#: The kind of the row that no receipt is made of: a concurrent transaction came in between.
OVERTAKEN = "overtaken"
#: How often a statement that was overtaken is run: it happens once, hardly ever twice.
ATTEMPTS = 5

_NO_REVISION: ColumnElement[int] = literal_column("NULL::bigint")


class WriteStatement:
    """The text of a write, and what to bind to it.

    Its rows are `(kind, session_id, id, outcome, revision)`: kind is the table that was written, revision
    the transcript's, or the one that a translation was made from.
    """

    def __init__(self, query: CompoundSelect[Any] | Select[Any], *tables: str) -> None:
        self.text, parameters = compiled(query)
        self._tables = tables
        names = [f"{table}_{column}" for table in tables for column in _COLUMNS[table]]
        self._order = [names.index(name) for name in parameters]

    def arguments(self, **rows: Iterable[Row]) -> tuple[Sequence[Any], ...]:
        """Return what to bind: `rows` by table, each row in the order of the columns of `rows.py`."""
        arrays = [
            array for table in self._tables for array in as_arrays(rows.get(table, ()), _COLUMNS[table])
        ]
        return tuple(arrays[place] for place in self._order)


def _write_audio_files(given: CTE) -> Step:
    """Insert the chunks that are not there yet: an id stands for its bytes, so that a row never changes."""
    stored = looked_up(_AUDIO_FILES, given, "audio_files_stored", session_id="session_id", id="id")
    judged = (
        select(given, stored.c.storage_key.label("stored_storage_key"))
        .select_from(given.outerjoin(stored, true()))
        .cte("audio_files_judged")
    )
    is_missing = judged.c.stored_storage_key.is_(None)
    pending = (
        select(*(judged.c[name] for name in AUDIO_COLUMNS))
        .where(is_missing)
        .order_by(judged.c.session_id, judged.c.id)
    )
    written = (
        insert(_AUDIO_FILES)
        .from_select(AUDIO_COLUMNS, pending)
        .on_conflict_do_nothing(index_elements=["session_id", "id"])
        .returning(_AUDIO_FILES.c.session_id, _AUDIO_FILES.c.id)
        .cte("audio_files_written")
    )
    # A row that refers to this very object is ours, from an attempt whose answer was lost.
    is_ours = judged.c.stored_storage_key == judged.c.storage_key
    found = case((is_ours, constant(Outcome.INSERTED)), else_=constant(Outcome.UNCHANGED))
    current = union_all(
        select(written.c.session_id, written.c.id, constant(Outcome.INSERTED).label("outcome")),
        select(judged.c.session_id, judged.c.id, found.label("outcome")).where(~is_missing),
    ).cte("audio_files_current")
    return Step(current, count_of(judged, is_missing) - count_of(written))


def write_speakers(given: CTE) -> CTE:
    """Make the speakers that are not there yet, and name those that have no name."""
    stored = looked_up(_SPEAKERS, given, "speakers_stored", session_id="session_id", label="label")
    is_news = or_(stored.c.label.is_(None), and_(stored.c.name.is_(None), given.c.name.is_not(None)))
    method = case((given.c.name.is_(None), constant("diarization")), else_=constant("transcriber"))
    pending = (
        select(*(given.c[name] for name in SPEAKER_COLUMNS), method)
        .select_from(given.outerjoin(stored, true()))
        .where(is_news)
        .order_by(given.c.session_id, given.c.label)
    )
    statement = insert(_SPEAKERS).from_select([*SPEAKER_COLUMNS, "identification_method"], pending)
    new = statement.excluded
    return (
        statement.on_conflict_do_update(
            index_elements=["session_id", "label"],
            set_={
                "name": new.name,
                "identification_method": new.identification_method,
                "updated_at": func.statement_timestamp(),
            },
            where=and_(_SPEAKERS.c.name.is_(None), new.name.is_not(None)),
        )
        .returning(_SPEAKERS.c.label)
        .cte("speakers_written")
    )


def _write_transcripts(given: CTE) -> Step:
    return upsert(given, _TRANSCRIPTS, TRANSCRIPT_COLUMNS, TranscriptRule(), tells="revision")


def _write_translations(given: CTE) -> Step:
    return upsert(given, _TRANSLATIONS, TRANSLATION_COLUMNS, TranslationRule(), tells="transcript_revision")


def _of_written_transcripts(given: CTE, sent: CTE, transcripts: CTE) -> CTE:
    """Return the given translations with what they take from the transcripts `sent` beside them.

    Those of a refused revision are kept under its number where it is a lower one, so that the order of
    arrival does not matter; without a number they are refused with it (they have no transcript_revision).
    """
    refused_number = func.nullif(sent.c.revision, literal_column("0"))
    made_from = case(
        (transcripts.c.outcome != constant(Outcome.STALE), transcripts.c.revision),
        (refused_number < transcripts.c.revision, refused_number),
    )
    sides = given.join(transcripts, _its_transcript(given, transcripts)).join(
        sent, same_key(sent, transcripts)
    )
    return _completed(given, sides, language=sent.c.language, revision=made_from)


def _of_stored_transcripts(given: CTE) -> CTE:
    """Return the given translations with what they take from transcripts stored before, if these exist."""
    stored = looked_up(_TRANSCRIPTS, given, "transcripts_stored", session_id="session_id", id="transcript_id")
    sides = given.join(stored, true())
    return _completed(given, sides, language=stored.c.language, revision=stored.c.revision)


def _its_transcript(translations: CTE, transcripts: FromClause) -> ColumnElement[bool]:
    return and_(
        transcripts.c.session_id == translations.c.session_id,
        transcripts.c.id == translations.c.transcript_id,
    )


def _completed(
    given: CTE, sides: FromClause, *, language: ColumnElement[str], revision: ColumnElement[int]
) -> CTE:
    filled = {
        "source_language": func.coalesce(given.c.source_language, language),
        "transcript_revision": func.coalesce(given.c.transcript_revision, revision),
    }
    columns = (filled.get(name, given.c[name]).label(name) for name in TRANSLATION_COLUMNS)
    return select(*columns).select_from(sides).cte("translations_completed")


def _results(written: CTE, kind: str, revision: str | None = None) -> Select[Any]:
    """Return the rows that become receipts."""
    return select(
        constant(kind).label("kind"),
        written.c.session_id,
        written.c.id,
        written.c.outcome,
        (_NO_REVISION if revision is None else written.c[revision]).label("revision"),
    )


def _overtaken(*steps: Step, all_or_nothing: bool = False) -> Select[Any]:
    """Return a row that tells of rows which were overtaken, if there are any.

    With `all_or_nothing` it divides by zero instead, so that the whole statement is undone: what was written
    beside such a row was written without knowing of the version that came in between.
    """
    overtaken = sum((step.overtaken for step in steps[1:]), start=steps[0].overtaken)
    # Not a constant, which would be divided by while planning.
    told = cast(overtaken / (overtaken - overtaken), BigInteger) if all_or_nothing else overtaken
    none: list[ColumnElement[Any]] = [literal_column(f"NULL::{kind}") for kind in ("uuid", "uuid", "text")]
    columns: list[ColumnElement[Any]] = [constant(OVERTAKEN), *none, told]
    return select(*columns).where(overtaken > literal_column("0"))


def write_segments(audio: CTE, sent: CTE, given: CTE) -> CompoundSelect[Any]:
    """Return the write of these audio files, transcripts, and translations of these transcripts."""
    audio_files = _write_audio_files(audio)
    transcripts = _write_transcripts(sent)
    translations = _write_translations(_of_written_transcripts(given, sent, transcripts.current))
    return union_all(
        _results(audio_files.current, "audio_files"),
        _results(transcripts.current, "transcripts", "revision"),
        _results(translations.current, "translations", "transcript_revision"),
        _overtaken(audio_files, transcripts, translations, all_or_nothing=True),
    )


@cache
def segment_statement() -> WriteStatement:
    """Return the write of whole segments: audio, speakers, transcripts, and translations of these."""
    query = write_segments(
        rows_given(_AUDIO_FILES, AUDIO_COLUMNS),
        rows_given(_TRANSCRIPTS, TRANSCRIPT_COLUMNS),
        rows_given(_TRANSLATIONS, TRANSLATION_COLUMNS),
    ).add_cte(write_speakers(rows_given(_SPEAKERS, SPEAKER_COLUMNS)))
    return WriteStatement(query, "audio_files", "speakers", "transcripts", "translations")


@cache
def audio_statement() -> WriteStatement:
    """Return the write of audio files alone."""
    audio_files = _write_audio_files(rows_given(_AUDIO_FILES, AUDIO_COLUMNS))
    query = union_all(_results(audio_files.current, "audio_files"), _overtaken(audio_files))
    return WriteStatement(query, "audio_files")


@cache
def transcript_statement() -> WriteStatement:
    """Return the write of transcripts with their speakers."""
    transcripts = _write_transcripts(rows_given(_TRANSCRIPTS, TRANSCRIPT_COLUMNS))
    query = union_all(
        _results(transcripts.current, "transcripts", "revision"), _overtaken(transcripts)
    ).add_cte(write_speakers(rows_given(_SPEAKERS, SPEAKER_COLUMNS)))
    return WriteStatement(query, "speakers", "transcripts")


@cache
def translation_statement() -> WriteStatement:
    """Return the write of translations of stored transcripts; one without has no row in the results."""
    given = rows_given(_TRANSLATIONS, TRANSLATION_COLUMNS)
    translations = _write_translations(_of_stored_transcripts(given))
    query = union_all(
        _results(translations.current, "translations", "transcript_revision"), _overtaken(translations)
    )
    return WriteStatement(query, "translations")
