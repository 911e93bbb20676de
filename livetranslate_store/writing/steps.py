"""The steps that write statements are made of, one per table; `upserts.py` has their mechanics."""

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Table,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.models import AudioFile, Speaker, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.values import Outcome
from livetranslate_store.writing.binding import Source
from livetranslate_store.writing.encoding import (
    AUDIO_COLUMNS,
    COLUMNS,
    SPEAKER_COLUMNS,
    TRANSCRIPT_COLUMNS,
    TRANSLATION_COLUMNS,
)
from livetranslate_store.writing.revision_rules import TranscriptRule, TranslationRule
from livetranslate_store.writing.upserts import (
    Step,
    constant,
    count_of,
    looked_up,
    same_key,
    upsert,
)

AUDIO_FILES = table_of(AudioFile)
SPEAKERS = table_of(Speaker)
TRANSCRIPTS = table_of(Transcript)
TRANSLATIONS = table_of(Translation)


def given_to(source: Source, table: Table) -> CTE:
    """Return the rows of a table that a statement is given."""
    return source.rows(table, COLUMNS[table.name]).cte(f"{table.name}_given")


def write_audio_files(given: CTE) -> Step:
    """Insert the chunks that are not there yet: an id stands for its bytes, so that a row never changes."""
    stored = looked_up(AUDIO_FILES, given, "audio_files_stored", session_id="session_id", id="id")
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
        insert(AUDIO_FILES)
        .from_select(AUDIO_COLUMNS, pending)
        .on_conflict_do_nothing(index_elements=["session_id", "id"])
        .returning(AUDIO_FILES.c.session_id, AUDIO_FILES.c.id)
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
    stored = looked_up(SPEAKERS, given, "speakers_stored", session_id="session_id", label="label")
    is_news = or_(stored.c.label.is_(None), and_(stored.c.name.is_(None), given.c.name.is_not(None)))
    method = case((given.c.name.is_(None), constant("diarization")), else_=constant("transcriber"))
    pending = (
        select(*(given.c[name] for name in SPEAKER_COLUMNS), method)
        .select_from(given.outerjoin(stored, true()))
        .where(is_news)
        .order_by(given.c.session_id, given.c.label)
    )
    statement = insert(SPEAKERS).from_select([*SPEAKER_COLUMNS, "identification_method"], pending)
    new = statement.excluded
    return (
        statement.on_conflict_do_update(
            index_elements=["session_id", "label"],
            set_={
                "name": new.name,
                "identification_method": new.identification_method,
                "updated_at": func.statement_timestamp(),
            },
            where=and_(SPEAKERS.c.name.is_(None), new.name.is_not(None)),
        )
        .returning(SPEAKERS.c.label)
        .cte("speakers_written")
    )


def write_transcripts(given: CTE) -> Step:
    """Write revisions of transcripts."""
    return upsert(given, TRANSCRIPTS, TRANSCRIPT_COLUMNS, TranscriptRule(), tells="revision")


def write_translations(given: CTE) -> Step:
    """Write translations that have all they take from their transcripts."""
    return upsert(given, TRANSLATIONS, TRANSLATION_COLUMNS, TranslationRule(), tells="transcript_revision")


def of_written_transcripts(given: CTE, sent: CTE, transcripts: CTE) -> CTE:
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


def of_stored_transcripts(given: CTE) -> CTE:
    """Return the given translations with what they take from transcripts stored before, if these exist."""
    stored = looked_up(TRANSCRIPTS, given, "transcripts_stored", session_id="session_id", id="transcript_id")
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
