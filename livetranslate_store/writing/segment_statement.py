"""One statement per write: chained INSERTs, the write rules inside, one round trip.

It is built once from the models and kept as text; what depends on the call is bound.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    cast,
    literal_column,
    select,
    union_all,
)

from livetranslate_store.database.statement import Statement
from livetranslate_store.writing.binding import Source
from livetranslate_store.writing.steps import (
    AUDIO_FILES,
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    given_to,
    of_stored_transcripts,
    of_written_transcripts,
    write_audio_files,
    write_speakers,
    write_transcripts,
    write_translations,
)
from livetranslate_store.writing.upserts import Step, constant, position_row, results_of

#: The kind of the row that no receipt is made of: a concurrent transaction came in between.
OVERTAKEN = "overtaken"
#: How often a statement that was overtaken is run: it happens once, hardly ever twice.
ATTEMPTS = 5


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


def write_segments(audio: CTE | None, sent: CTE, given: CTE | None) -> list[Select[Any]]:
    """Return the write of audio files, of transcripts, and of translations of these transcripts.

    They are the parts of a union; like those of every statement here their rows are `(kind, session_id, id,
    outcome, revision)`: kind is the table that was written, revision the transcript's, or the one that a
    translation was made from.
    """
    transcripts = write_transcripts(sent)
    steps = [transcripts]
    results = [results_of(transcripts.current, "transcripts", "revision")]
    if audio is not None:
        audio_files = write_audio_files(audio)
        steps.append(audio_files)
        results.append(results_of(audio_files.current, "audio_files"))
    if given is not None:
        translations = write_translations(of_written_transcripts(given, sent, transcripts.current))
        steps.append(translations)
        results.append(results_of(translations.current, "translations", "transcript_revision"))
    return [*results, _overtaken(*steps, all_or_nothing=True)]


@cache
def segment_statement(source: Source) -> Statement:
    """Return the write of whole segments: audio, speakers, transcripts, and translations of these."""
    results = write_segments(
        given_to(source, AUDIO_FILES) if source.holds(AUDIO_FILES) else None,
        given_to(source, TRANSCRIPTS),
        given_to(source, TRANSLATIONS) if source.holds(TRANSLATIONS) else None,
    )
    query = union_all(*results, position_row())
    if source.holds(SPEAKERS):
        query = query.add_cte(write_speakers(given_to(source, SPEAKERS)))
    return Statement.compiled("segments.merge", query)


@cache
def audio_statement(source: Source) -> Statement:
    """Return the write of audio files alone."""
    audio_files = write_audio_files(given_to(source, AUDIO_FILES))
    results = results_of(audio_files.current, "audio_files")
    query = union_all(results, position_row(), _overtaken(audio_files))
    return Statement.compiled("audio_files.merge", query)


@cache
def transcript_statement(source: Source) -> Statement:
    """Return the write of transcripts with their speakers."""
    transcripts = write_transcripts(given_to(source, TRANSCRIPTS))
    results = results_of(transcripts.current, "transcripts", "revision")
    query = union_all(results, position_row(), _overtaken(transcripts))
    if source.holds(SPEAKERS):
        query = query.add_cte(write_speakers(given_to(source, SPEAKERS)))
    return Statement.compiled("transcripts.merge", query)


@cache
def translation_statement(source: Source) -> Statement:
    """Return the write of translations of stored transcripts; one without has no row in the results."""
    given = given_to(source, TRANSLATIONS)
    translations = write_translations(of_stored_transcripts(given))
    results = results_of(translations.current, "translations", "transcript_revision")
    query = union_all(results, position_row(), _overtaken(translations))
    return Statement.compiled("translations.merge", query)
