"""The move of an older database into a store: session by session, each verified, each safe to repeat."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from livetranslate_store.errors import DuplicateError, InvalidInputError
from livetranslate_store.ids import session_id_for
from livetranslate_store.legacy.audio import AudioFolder
from livetranslate_store.legacy.checksum import Checksum
from livetranslate_store.legacy.context import Context
from livetranslate_store.legacy.mapping import key_of, session_of
from livetranslate_store.legacy.recordings import Recordings, move_recordings
from livetranslate_store.legacy.report import (
    LegacyMismatch,
    LegacyProgress,
    LegacyReport,
    LegacyTotals,
    Progress,
    Tally,
)
from livetranslate_store.legacy.segments import SegmentMove
from livetranslate_store.legacy.sessions import (
    VERIFIED,
    is_verified,
    name_speakers,
    read_speakers,
    remember,
    write_session,
)
from livetranslate_store.legacy.source import KEYS, open_source
from livetranslate_store.store import Store


async def import_legacy(
    store: Store,
    url: str,
    *,
    audio_folder: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LegacyReport:
    """Copy the older system's database at `url` into `store`; the older one is only read.

    Each session is read in one snapshot, copied, read back and compared. A second run continues an
    interrupted one: rows that were copied stay as they are, and a session that was found equal and has not
    changed since is skipped. Recordings are read from disk below `audio_folder` only. `progress` is called
    after every thousand segments and every session. The report lists refused rows with table, key and reason.

    Raises InvalidInputError if `url` is no older system or the folder does not exist, StoreUnavailableError
    and the store's other errors if either side fails; the sessions before stay.
    """
    folder = AudioFolder(None if audio_folder is None else Path(audio_folder))
    tally = Tally()
    async with open_source(url) as source:
        in_all = await source.count_sessions()

        def moved(transcripts: int = 0) -> None:
            tally.read += transcripts
            if progress is not None:
                progress(LegacyProgress(tally.sessions, in_all, tally.read))

        async for key in source.session_keys():
            context = Context(store, source, tally, key, session_id_for(key_of(key), store.tenant or ""))
            async with source.snapshot():
                await _move_session(context, folder, moved)
            tally.sessions += 1
            moved()
        async with source.snapshot():
            for table in KEYS:
                async for key in source.strays(table):
                    tally.refuse(table, key, "it belongs to no session")
        return tally.report(source.missing)


async def _move_session(context: Context, folder: AudioFolder, moved: Callable[[int], None]) -> None:
    tally, limits = context.tally, context.store.limits
    row = await context.source.session(context.key)
    if row is None:
        return  # deleted since it was listed
    fingerprint = await context.source.fingerprint(context.key)
    if await is_verified(context, fingerprint):
        tally.already_moved += 1
        return
    refused_before = tally.refused
    mapped = session_of(row)
    speakers, names = await read_speakers(context, row)
    row.keep(VERIFIED, fingerprint)
    metadata = row.metadata(limits)
    context.report(row)
    try:
        await write_session(context, mapped, metadata)
    except (DuplicateError, InvalidInputError) as error:
        tally.refuse("sessions", context.key, f"it is left out with everything in it: {error}")
        return
    await name_speakers(context, speakers)
    recordings = await move_recordings(context, folder)
    segments = SegmentMove(context, names, recordings, moved)
    await segments.run()
    expected = await _expected(context, recordings, segments)
    stored = await _stored(context)
    if expected != stored:
        tally.mismatches.append(LegacyMismatch(context.key, context.session_id, expected, stored))
        return
    tally.verified += 1
    # A later run may accept the refused rows: with the right folder, or larger limits.
    if tally.refused == refused_before:
        await remember(context, metadata)


async def _expected(context: Context, recordings: Recordings, segments: SegmentMove) -> LegacyTotals:
    """Return the expected totals, from the source's own count of its rows."""
    counts = {
        table: await context.source.count(table, context.key) - not_taken
        for table, not_taken in segments.not_taken.items()
    }
    return LegacyTotals(len({*recordings.stored.values()}), **counts, checksum=str(segments.checksum))


async def _stored(context: Context) -> LegacyTotals:
    """Return the stored totals, from one snapshot."""
    checksum = Checksum()
    transcripts = translations = 0
    async with context.store.read() as reader:
        audio_files = await reader.audio_files.list_for_session(context.session_id)
        async for spoken in reader.transcripts.stream_for_session(context.session_id):
            transcripts += 1
            checksum.add(spoken.id, spoken.text, spoken.language, spoken.start_time, spoken.end_time)
        async for each in reader.translations.stream_for_session(context.session_id):
            translations += 1
            checksum.add(each.transcript_id, each.text, each.target_language, each.start_time, each.end_time)
    return LegacyTotals(len(audio_files), transcripts, translations, str(checksum))
