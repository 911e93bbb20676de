"""Bulk import: as if each segment were recorded after the other; nothing halfway, nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers.support import audio, counts, transcript, translation, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import (
    ImportCounts,
    ImportProgress,
    ImportReport,
    OutcomeUnknownError,
    Refusal,
    SegmentInput,
    Store,
    StoreError,
    StoreUnavailableError,
    UsageError,
    WriteRejectedError,
)
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.ids import audio_file_id_for, new_id, transcript_id_for
from livetranslate_store.values import SegmentLookup
from livetranslate_store.writing.bulk import batch as bulk_batch

Program = psycopg.Connection[Any]

TABLES = ("audio_files", "transcripts", "translations", "speakers")


def segment(session_id: UUID, key: str, text: str = "Good morning.", **fields: Any) -> SegmentInput:
    """Return a segment with a translation, a speaker and audio of its own."""
    whole: dict[str, Any] = {
        "translations": [translation()],
        "audio": audio(key.encode()),
        "transcript": transcript(text, segment_key=key, speaker_label="SPEAKER_00"),
    }
    return SegmentInput(session_id=session_id, **whole | fields)


def bare(session_id: UUID, key: str, text: str = "Good morning.", **fields: Any) -> SegmentInput:
    """Return a transcript without anything."""
    return SegmentInput(session_id=session_id, transcript=transcript(text, segment_key=key, **fields))


def many(session_id: UUID, number: int, begin: int = 0) -> list[SegmentInput]:
    return [segment(session_id, f"seg-{n}") for n in range(begin, begin + number)]


def rows(program: Program) -> dict[str, list[Any]]:
    """Return every row with where it lies and who wrote it: any change shows."""
    found = {
        table: program.execute(f"SELECT xmin, ctid, * FROM livetranslate.{table} ORDER BY ctid").fetchall()
        for table in TABLES
    }
    program.rollback()
    return found


def objects(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 10)
    return 10


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[Transaction]:
    """The transactions that wrote something, in order."""
    begun: list[Transaction] = []
    write_with = Transaction.write_with

    async def seen(self: Transaction, work: Any) -> Any:
        begun.append(self)
        return await write_with(self, work)

    monkeypatch.setattr(Transaction, "write_with", seen)
    return begun


@pytest.fixture
async def other_session(store: Store) -> UUID:
    async with store.unit_of_work() as uow:
        return (await uow.sessions.create(bot_id="bot-8", meeting_id="other")).id


async def test_everything_goes_in_and_is_counted(
    store: Store, session_id: UUID, other_session: UUID, other_program: Program, audio_folder: Path
) -> None:
    report = await store.import_segments([*many(session_id, 30), *many(other_session, 20)])
    fifty = ImportCounts(inserted=50)
    assert report == ImportReport(fifty, fifty, fifty, 0, [])
    assert counts(other_program) == {
        "sessions": 2,
        "audio_files": 50,
        "transcripts": 50,
        "translations": 50,
        "speakers": 2,
    }
    assert objects(audio_folder) == 50
    entries = await store.timeline(session_id, kinds=["translation"])
    assert {(entry.language, entry.source_language, entry.is_stale) for entry in entries} == {
        ("es", "en", False)
    }
    async with store.read() as reader:
        recorded = await reader.audio_files.list_for_session(session_id)
    assert {await store.read_audio(session_id, each.id) for each in recorded} == {
        f"seg-{n}".encode() for n in range(30)
    }


async def test_the_same_import_again_changes_no_row_and_leaves_no_object(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    await store.import_segments(many(session_id, 30))
    before = rows(other_program)
    report = await store.import_segments(many(session_id, 30))
    assert report.transcripts == report.translations == report.audio_files == ImportCounts(unchanged=30)
    assert rows(other_program) == before
    assert objects(audio_folder) == 30


async def test_an_import_continues_what_single_writes_began(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    for each in many(session_id, 5):
        await store.record_segment(
            session_id, transcript=each.transcript, translations=each.translations, audio=each.audio
        )
    transactions.clear()
    report = await store.import_segments(many(session_id, 20))
    assert report.transcripts == report.audio_files == ImportCounts(inserted=15, unchanged=5)
    # It was seen before anything was tried.
    assert len(transactions) == 1


async def test_an_asynchronous_source_is_read_too(store: Store, session_id: UUID) -> None:
    async def source() -> AsyncIterator[SegmentInput]:
        for each in many(session_id, 12):
            await asyncio.sleep(0)
            yield each

    assert (await store.import_segments(source())).transcripts.inserted == 12


async def test_an_empty_source_is_a_report_of_nothing(store: Store) -> None:
    seen: list[ImportProgress] = []
    report = await store.import_segments([], progress=seen.append)
    assert report == ImportReport(ImportCounts(), ImportCounts(), ImportCounts(), 0, [])
    assert seen == []


async def test_revisions_of_one_segment_follow_each_other_in_the_order_of_the_source(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    texts = ["Good", "Good mor", "Good", "Good morning.", "Good mor"]
    source = [
        SegmentInput(
            session_id=session_id,
            transcript=transcript(text, segment_key=f"seg-{key}", is_final=text.endswith(".")),
            translations=[translation(text)],
        )
        for text in texts
        for key in range(10)
    ]
    transactions.clear()
    report = await store.import_segments(source)
    assert len(transactions) == 1
    assert report.transcripts == ImportCounts(inserted=10, updated=30, stale=10)
    assert report.translations == ImportCounts(inserted=10, updated=30, stale=10)
    entries = await store.timeline(session_id)
    assert {entry.text for entry in entries} == {"Good morning."}
    assert not any(entry.is_stale for entry in entries)


async def test_a_final_that_is_stored_is_not_overwritten_by_an_interim_that_is_imported(
    store: Store, session_id: UUID
) -> None:
    await store.import_segments([bare(session_id, "a", "Good morning.", is_final=True)])
    report = await store.import_segments([bare(session_id, "a", "Good mor"), bare(session_id, "b")])
    assert report.transcripts == ImportCounts(inserted=1, stale=1)


async def test_a_translation_is_stale_once_an_imported_revision_moved_on(
    store: Store, session_id: UUID
) -> None:
    await store.import_segments([segment(session_id, "a", "Good")])
    await store.import_segments([bare(session_id, "a", "Good morning")])
    (entry,) = await store.timeline(session_id, kinds=["translation"])
    assert entry.is_stale


async def test_the_first_name_of_a_speaker_counts_whatever_the_order_of_revisions(
    store: Store, session_id: UUID
) -> None:
    named = {"speaker_label": "SPEAKER_00"}
    source = [
        bare(session_id, "a", "Good", **named),
        bare(session_id, "a", "Good morning", **named, speaker_name="Ada"),
        bare(session_id, "b", "Hello", **named, speaker_name="Bob"),
    ]
    await store.import_segments(source)
    assert {entry.speaker_name for entry in await store.timeline(session_id)} == {"Ada"}


async def test_the_same_audio_in_two_segments_is_stored_once(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    source = [segment(session_id, f"seg-{n}", audio=audio()) for n in range(5)]
    report = await store.import_segments(source)
    assert report.audio_files == ImportCounts(inserted=1, unchanged=4)
    assert report.transcripts == ImportCounts(inserted=5)
    async with store.read() as reader:
        (row,) = await reader.audio_files.list_for_session(session_id)
    assert await store.read_audio(session_id, row.id) == b"RIFF"
    assert objects(audio_folder) == 1


async def test_audio_may_be_referred_to_once_it_came(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    audio_file_id = audio_file_id_for(session_id, sha256(b"a").hexdigest(), None)
    refers = bare(session_id, "b", audio_file_id=audio_file_id)
    report = await store.import_segments([refers, segment(session_id, "a")])
    assert [refusal.line for refusal in report.refusals] == [1]
    async with store.unit_of_work() as uow:
        other = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
    audio_file_id = audio_file_id_for(other, sha256(b"a").hexdigest(), None)
    refers = bare(other, "b", audio_file_id=audio_file_id)
    # The audio comes with a second revision, and what refers to it after that.
    transactions.clear()
    report = await store.import_segments([bare(other, "a", "Well"), segment(other, "a"), refers])
    assert (report.refused, len(transactions)) == (0, 1)


async def test_one_bad_segment_is_refused_alone_with_its_line(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    other_program.execute(
        "ALTER TABLE livetranslate.transcripts ADD CONSTRAINT polite CHECK (text <> 'Forbidden')"
    )
    other_program.commit()
    source = many(session_id, 100)
    source[13] = segment(new_id(), "nobody")
    source[14] = segment(session_id, "rude", "Forbidden", line=4711)
    source[50] = bare(session_id, "no audio", audio_file_id=new_id())
    source[51] = segment(session_id, "twice", translations=[translation(), translation("Buenas.")])
    source[52] = SegmentInput(session_id=session_id, transcript=transcript("without a name"))
    report = await store.import_segments(source)
    assert report.refused == 5
    assert [refusal.line for refusal in report.refusals] == [14, 51, 52, 53, 4711]
    reasons = [
        "no audio file",
        "one translation for each",
        "without id or segment_key",
        "polite",
    ]
    assert "no session" in report.refusals[0].reason
    for refusal, part in zip(report.refusals[1:], reasons, strict=True):
        assert part in refusal.reason
    assert report.transcripts == ImportCounts(inserted=95)
    assert counts(other_program)["translations"] == 95
    assert objects(audio_folder) == 95
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0


async def test_a_bad_one_does_not_spoil_the_revisions_around_it(store: Store, session_id: UUID) -> None:
    source = [
        bare(session_id, "a", "Good"),
        bare(session_id, "a", "Goods", audio_file_id=new_id()),
        bare(session_id, "a", "Good morning"),
    ]
    report = await store.import_segments(source)
    assert (report.refused, report.transcripts) == (1, ImportCounts(inserted=1, updated=1))
    (entry,) = await store.timeline(session_id)
    assert (entry.text, entry.revision) == ("Good morning", 1)


async def test_a_session_that_is_not_there_costs_no_search_for_each_of_its_segments(
    store: Store, session_id: UUID, transactions: list[Transaction]
) -> None:
    nobody = new_id()
    source = [bare(nobody if n % 2 else session_id, f"seg-{n}") for n in range(200)]
    transactions.clear()
    report = await store.import_segments(source)
    assert (report.refused, report.transcripts.inserted, len(transactions)) == (100, 100, 2)


async def test_what_a_parser_refused_is_in_the_report(store: Store, session_id: UUID) -> None:
    source: list[SegmentInput | Refusal] = [
        bare(session_id, "a"),
        Refusal(7, "This is no JSON."),
        bare(session_id, "b"),
    ]
    seen: list[ImportProgress] = []
    report = await store.import_segments(source, progress=seen.append)
    assert (report.refused, list(report.refusals)) == (1, [Refusal(7, "This is no JSON.")])
    assert report.transcripts.inserted == 2
    assert seen == [ImportProgress(3)]


@pytest.mark.usefixtures("small_batches")
async def test_only_the_first_thousand_refusals_are_listed(store: Store) -> None:
    report = await store.import_segments(Refusal(n, "no") for n in range(1, 1206))
    assert (report.refused, len(report.refusals), report.refusals[-1].line) == (1205, 1000, 1000)


async def test_something_else_than_a_segment_is_a_mistake_of_the_program(store: Store) -> None:
    source: Any = ["text"]
    with pytest.raises(UsageError, match="not str"):
        await store.import_segments(source)


async def test_progress_tells_how_many_items_can_be_skipped(
    store: Store, session_id: UUID, other_program: Program, small_batches: int
) -> None:
    seen: list[tuple[int, int]] = []

    def progress(done: ImportProgress) -> None:
        seen.append((done.segments, counts(other_program)["transcripts"]))

    await store.import_segments(many(session_id, 35), progress=progress)
    assert seen == [(n, n) for n in (small_batches, 20, 30, 35)]


async def test_a_source_that_fails_ends_the_import_and_the_rest_can_follow(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, small_batches: int
) -> None:
    done = ImportProgress(0)

    def progress(reached: ImportProgress) -> None:
        nonlocal done
        done = reached

    def source() -> Iterator[SegmentInput]:
        yield from many(session_id, 25)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await store.import_segments(source(), progress=progress)
    assert done.segments == counts(other_program)["transcripts"] == objects(audio_folder) == 2 * small_batches
    report = await store.import_segments(many(session_id, 30)[done.segments :])
    assert report.transcripts == report.audio_files == ImportCounts(inserted=10)
    assert counts(other_program)["translations"] == objects(audio_folder) == 30


async def test_a_progress_that_fails_ends_the_import_and_what_is_committed_stays(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, small_batches: int
) -> None:
    def progress(_: ImportProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.import_segments(many(session_id, 45), progress=progress)
    assert counts(other_program)["transcripts"] == objects(audio_folder) == small_batches


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("turns", range(0, 400, 23))
async def test_a_cancelled_import_leaves_whole_batches_and_nothing_else(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, turns: int
) -> None:
    task = asyncio.create_task(store.import_segments(many(session_id, 60)))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stored = counts(other_program)
    assert stored["transcripts"] % 10 == 0
    assert stored["transcripts"] == stored["translations"] == stored["audio_files"] == objects(audio_folder)
    assert store.statistics().gate.in_flight == store.statistics().pool.in_use == 0
    report = await store.import_segments(many(session_id, 60))
    assert report.transcripts.unchanged == stored["transcripts"]
    assert counts(other_program)["audio_files"] == objects(audio_folder) == 60


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("is_reading", [True, False])
async def test_an_import_that_waits_for_the_server_can_be_cancelled(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path, is_reading: bool
) -> None:
    async def source() -> AsyncIterator[SegmentInput]:
        for each in many(session_id, 15 if is_reading else 10):
            yield each
        if is_reading:
            await asyncio.Event().wait()

    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    task = asyncio.create_task(store.import_segments(source()))
    await until(lambda: waiting_for_a_lock(other_program))
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=10)
    other_program.rollback()
    assert done
    assert task.cancelled()
    assert objects(audio_folder) == counts(other_program)["transcripts"] == 0
    assert (await store.import_segments(many(session_id, 10))).transcripts.inserted == 10


def another(program: Program) -> Program:
    info = program.info
    return psycopg.connect(
        host=info.host,
        port=info.port,
        user=info.user,
        password=info.password or None,
        dbname=info.dbname,
        autocommit=True,
    )


WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def waiting_for_a_lock(program: Program) -> bool:
    with another(program) as watcher:
        return watcher.execute(f"SELECT 1 {WAITING}").fetchone() is not None


def kill_who_waits(program: Program) -> bool:
    with another(program) as killer:
        return killer.execute(f"SELECT pg_terminate_backend(pid) {WAITING}").fetchone() is not None


async def test_a_connection_that_breaks_before_the_commit_is_replaced_once(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    task = asyncio.create_task(store.import_segments(many(session_id, 10)))
    await until(lambda: kill_who_waits(other_program))
    await until(lambda: waiting_for_a_lock(other_program))
    other_program.rollback()
    assert (await task).transcripts == ImportCounts(inserted=10)
    assert objects(audio_folder) == 10


async def test_a_database_that_goes_ends_the_import_and_what_is_committed_stays(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    store._database.retries.stop()
    await store.import_segments(many(session_id, 10))
    other_program.execute("LOCK TABLE livetranslate.transcripts IN EXCLUSIVE MODE")
    task = asyncio.create_task(store.import_segments(many(session_id, 20)))
    for _ in range(2):
        await until(lambda: kill_who_waits(other_program))
    with pytest.raises(StoreUnavailableError):
        await task
    other_program.rollback()
    assert counts(other_program)["transcripts"] == objects(audio_folder) == 10
    assert (await store.import_segments(many(session_id, 20))).transcripts.inserted == 10


def lose_the_answer(patch: pytest.MonkeyPatch) -> None:
    """Commit, and tell the first time that it is not known whether it was."""
    end = Transaction.end
    answers = ["lost"]

    async def lost(self: Transaction, *, commit: bool) -> None:
        await end(self, commit=commit)
        if commit and answers:
            answers.clear()
            raise OutcomeUnknownError

    patch.setattr(Transaction, "end", lost)


async def test_a_batch_whose_answer_was_lost_is_stored_again_and_keeps_its_objects(
    store: Store, session_id: UUID, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_the_answer(monkeypatch)
    report = await store.import_segments(many(session_id, 10))
    assert report.transcripts == ImportCounts(unchanged=10)
    # The rows refer to these very objects.
    assert report.audio_files == ImportCounts(inserted=10)
    assert objects(audio_folder) == 10
    async with store.read() as reader:
        for row in await reader.audio_files.list_for_session(session_id):
            await store.read_audio(session_id, row.id)
    assert store.statistics().retries.recovered == 1


async def test_an_unknown_outcome_ends_the_import_and_keeps_the_objects(
    store: Store, session_id: UUID, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._database.retries.stop()
    with monkeypatch.context() as patch:
        lose_the_answer(patch)
        with pytest.raises(OutcomeUnknownError):
            await store.import_segments(many(session_id, 10))
    assert objects(audio_folder) == 10
    report = await store.import_segments(many(session_id, 10))
    assert report.transcripts == report.audio_files == ImportCounts(unchanged=10)
    async with store.read() as reader:
        for row in await reader.audio_files.list_for_session(session_id):
            await store.read_audio(session_id, row.id)


async def test_storage_that_fails_ends_the_import_without_a_row_or_an_object(
    store: Store,
    session_id: UUID,
    other_program: Program,
    audio_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = store._storage.put
    written = 0

    async def full(staged: Any) -> None:
        nonlocal written
        written += 1
        if written > 5:
            raise StoreUnavailableError("The audio storage cannot be written.")
        await put(staged)

    monkeypatch.setattr(store._storage, "put", full)
    with pytest.raises(StoreUnavailableError, match="audio storage"):
        await store.import_segments(many(session_id, 10))
    assert counts(other_program)["transcripts"] == objects(audio_folder) == 0


@pytest.mark.parametrize("number", [1, 10])
async def test_a_segment_that_somebody_stores_meanwhile_is_judged_by_the_rules(
    store: Store, session_id: UUID, other_program: Program, number: int
) -> None:
    transcript_id = transcript_id_for(session_id, "transcriber", "seg-0")
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, text, language, segment_key, is_final)"
        " VALUES (%s, %s, 'Final.', 'en', 'seg-0', true)",
        (session_id, transcript_id),
    )
    task = asyncio.create_task(store.import_segments(many(session_id, number)))
    await until(lambda: waiting_for_a_lock(other_program))
    other_program.commit()
    report = await task
    assert (report.transcripts, report.refused) == (ImportCounts(inserted=number - 1, stale=1), 0)
    assert "Final." in {entry.text for entry in await store.timeline(session_id)}


async def test_memory_is_bounded_by_two_batches_whatever_the_length(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 2_000)
    produced = done = most = 0

    def source() -> Iterator[SegmentInput]:
        nonlocal produced, most
        for n in range(50_000):
            produced += 1
            most = max(most, produced - done)
            yield bare(session_id, f"seg-{n}")

    def progress(reached: ImportProgress) -> None:
        nonlocal done
        done = reached.segments

    report = await store.import_segments(source(), progress=progress)
    assert report.transcripts.inserted == 50_000
    # One is stored while one is read.
    assert most <= 2 * 2_000


async def test_large_recordings_fill_a_batch_sooner(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_batch, "BATCH_BYTES", 100_000)
    seen: list[int] = []
    source = (segment(session_id, f"{n}", audio=audio(bytes([n]) * 60_000)) for n in range(5))
    await store.import_segments(source, progress=lambda done: seen.append(done.segments))
    assert seen == [2, 4, 5]


async def nothing(_keys: object) -> list[SegmentLookup]:
    """Find nothing: what is found then was in the cache."""
    return []


async def test_a_late_translation_sees_the_revision_that_was_imported(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=bare(session_id, "a", "Good").transcript)
    key = (session_id, receipt.transcript_id)
    await store.import_segments(
        [bare(session_id, "a", "Good morning"), bare(session_id, "a", "Bon", language="fr")]
    )
    (known,) = (await store.cache.get_many([key], nothing)).values()
    assert (known.revision, known.language) == (2, "fr")
    async with store.unit_of_work() as uow:
        late = await uow.translations.add(*key, translation())
    assert late.transcript_revision == 2
    (entry,) = await store.timeline(session_id, kinds=["translation"])
    assert not entry.is_stale


async def test_an_import_leaves_the_cache_to_the_live_writers(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=transcript())
    await store.import_segments(many(session_id, 20))
    await store.import_segments(many(session_id, 20))
    assert store.statistics().cache.size == 1
    assert await store.cache.get_many([(session_id, receipt.transcript_id)], nothing)


async def test_an_unknown_outcome_leaves_nothing_in_the_cache(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.record_segment(session_id, transcript=bare(session_id, "a", "Good").transcript)
    store._database.retries.stop()
    lose_the_answer(monkeypatch)
    with pytest.raises(OutcomeUnknownError):
        await store.import_segments([bare(session_id, "a", "Good morning")])
    assert store.statistics().cache.size == 0


async def test_live_writers_go_on_during_an_import(
    database_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 200)
    async with Store.open(
        database_url, audio_url=f"file:{audio_folder}", min_connections=1, max_connections=3
    ) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        store.gate.limit = 2
        most = 0
        source = [bare(session.id, f"seg-{n}") for n in range(4_000)]

        def progress(_: ImportProgress) -> None:
            nonlocal most
            most = max(most, store.statistics().gate.in_flight)

        task = asyncio.create_task(store.import_segments(source, progress=progress))
        written = 0
        while not task.done():
            await store.record_segment(session.id, transcript=transcript(f"live {written}"))
            written += 1
        assert (await task).transcripts.inserted == 4_000
        assert written >= 20
        assert most <= 2
        assert len(await store.timeline(session.id)) == 4_000 + written


async def test_a_gate_that_stays_full_ends_the_import(database_url: str) -> None:
    async with Store.open(database_url, min_connections=1, write_timeout=0.1) as store:
        store.gate.limit = 1
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
            with pytest.raises(WriteRejectedError):
                await store.import_segments([bare(session.id, "a")])


ALIKE = [
    """
    SELECT segment_key, text, is_final, revision, speaker_label, audio_file_id IS NULL
    FROM livetranslate.transcripts WHERE session_id = %s ORDER BY segment_key
    """,
    """
    SELECT t.segment_key, x.text, x.target_language, x.transcript_revision, x.source_language
    FROM livetranslate.translations x JOIN livetranslate.transcripts t
    ON t.session_id = x.session_id AND t.id = x.transcript_id
    WHERE x.session_id = %s ORDER BY 1, 3
    """,
    """
    SELECT label, name, identification_method FROM livetranslate.speakers WHERE session_id = %s ORDER BY label
    """,
    "SELECT sha256 FROM livetranslate.audio_files WHERE session_id = %s ORDER BY sha256",
]


def content(program: Program, session_id: UUID) -> list[Any]:
    """Return what a session holds, without what differs between two that were written alike."""
    found = [program.execute(query, (session_id,)).fetchall() for query in ALIKE]
    program.rollback()
    return found


arrivals = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from("abc"),
            "text": st.sampled_from(["Good", "Good mor", "Good morning."]),
            "is_final": st.booleans(),
            "revision": st.one_of(st.none(), st.integers(1, 4)),
            "speaker_name": st.sampled_from([None, "Ada", "Bob"]),
            "audio": st.sampled_from([None, b"1", b"2"]),
            "translated": st.sampled_from([None, "Buenos", "Buenos días."]),
            "made_from": st.sampled_from([None, 0, 2]),
            "is_bad": st.sampled_from([False] * 9 + [True]),
        }
    ),
    min_size=1,
    max_size=10,
)


def as_inputs(session_id: UUID, arrived: Sequence[dict[str, Any]]) -> list[SegmentInput]:
    return [
        SegmentInput(
            session_id=session_id,
            transcript=transcript(
                each["text"],
                segment_key=each["key"],
                is_final=each["is_final"],
                revision=each["revision"],
                speaker_label="SPEAKER_00",
                speaker_name=each["speaker_name"],
                audio_file_id=new_id() if each["is_bad"] else None,
            ),
            translations=[translation(each["translated"], transcript_revision=each["made_from"])]
            if each["translated"]
            else [],
            audio=audio(each["audio"]) if each["audio"] and not each["is_bad"] else None,
        )
        for each in arrived
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(arrivals, arrivals), st.integers(1, 12))
def test_an_import_ends_as_the_same_segments_recorded_one_by_one(
    database_url: str,
    other_program: Program,
    both: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    size: int,
) -> None:
    stored, arrived = both

    async def example() -> None:
        async with Store.open(database_url, min_connections=1, max_connections=2) as store:
            async with store.unit_of_work() as uow:
                one = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
                other = (await uow.sessions.create(bot_id="b", meeting_id="m")).id
            # What is there already was recorded one by one on both sides.
            await record_each(store, as_inputs(one, stored))
            await record_each(store, as_inputs(other, stored))
            outcomes, refused = await record_each(store, as_inputs(one, arrived))
            report = await store.import_segments(as_inputs(other, arrived))
            assert content(other_program, other) == content(other_program, one)
            assert report.refused == refused
            told = report.transcripts
            assert outcomes == [told.inserted, told.updated, told.unchanged, told.stale]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_batch, "BATCH_SEGMENTS", size)
        asyncio.run(example())


async def record_each(store: Store, source: Sequence[SegmentInput]) -> tuple[list[int], int]:
    """Record segments one after the other; return how often each outcome came, and how many were refused."""
    outcomes = {"inserted": 0, "updated": 0, "unchanged": 0, "stale": 0}
    refused = 0
    for each in source:
        try:
            receipt = await store.record_segment(
                each.session_id, transcript=each.transcript, translations=each.translations, audio=each.audio
            )
        except StoreError:
            refused += 1
        else:
            outcomes[receipt.outcome] += 1
    return list(outcomes.values()), refused
