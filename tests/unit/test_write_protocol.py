"""The protocol of writes alone: attempts that the test plans, and a fake server that returns planned rows."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import pytest
from helpers.support import transcript, translation

from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import ConflictError, DuplicateError, MissingReferenceError
from livetranslate_store.ids import new_id
from livetranslate_store.values import Outcome, TranslationReceipt
from livetranslate_store.writing.connection import RunningTransaction
from livetranslate_store.writing.protocol import (
    ATTEMPTS,
    Attempt,
    first_or_merge,
    undone_by_race,
)
from livetranslate_store.writing.segment_writer import write_segments
from livetranslate_store.writing.segments import checked_segment
from livetranslate_store.writing.translations import LateTranslation, write_translations

POSITION = ("position", None, None, None, None, 77)
LOST_RACE = ("lost_race", None, None, None, None, 1)


T = TypeVar("T")


class Attempts:
    """An attempt with planned results, and the number of its calls."""

    def __init__(self, *planned: str | Exception | None) -> None:
        self._planned = list(planned)
        self.calls = 0

    async def __call__(self) -> str | None:
        self.calls += 1
        result = self._planned.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


class Server:
    """Returns planned rows, or raises a planned error, and remembers the statements."""

    def __init__(self, *planned: Sequence[Any] | Exception) -> None:
        self._planned = list(planned)
        self.ran: list[BoundStatement] = []

    is_distributed = False
    keeps_refused_texts = False

    async def transact(self, work: Callable[[RunningTransaction], Awaitable[T]]) -> T:
        return await work(self)

    def note_stored(self) -> None:
        pass

    async def copy(self, name: str, *_: object) -> None:
        raise AssertionError(f"{name}: a single server is sent no copies")

    async def fetch(self, bound: BoundStatement) -> Sequence[Any]:
        self.ran.append(bound)
        result = self._planned.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    @property
    def names(self) -> list[str]:
        return [bound.name for bound in self.ran]


async def test_an_insert_that_succeeds_is_all() -> None:
    merge = Attempts()
    assert await first_or_merge(Attempts("inserted"), merge) == "inserted"
    assert merge.calls == 0


async def test_rows_that_were_stored_already_are_merged() -> None:
    insert = Attempts(None)
    assert await first_or_merge(insert, Attempts("merged")) == "merged"
    assert insert.calls == 1


async def test_rows_that_are_known_to_be_stored_are_merged_at_once() -> None:
    assert await first_or_merge(None, Attempts("merged")) == "merged"


async def test_a_merge_that_lost_its_race_goes_again() -> None:
    merge = Attempts(None, None, "merged")
    assert await first_or_merge(Attempts(None), merge) == "merged"


async def test_a_race_that_is_lost_every_time_is_a_conflict() -> None:
    merge = Attempts(*[None] * ATTEMPTS, "one too many")
    with pytest.raises(ConflictError):
        await first_or_merge(None, merge)
    assert merge.calls == ATTEMPTS


@pytest.mark.parametrize(
    ("error", "inserts", "is_lost"),
    [
        (ConflictError(), True, True),
        (DuplicateError(), True, True),
        (ConflictError(), False, True),
        (DuplicateError(), False, False),  # a merge has no duplicates: this is another constraint's
        (MissingReferenceError(), True, False),
        (MissingReferenceError(), False, False),
    ],
)
async def test_only_the_errors_of_a_race_are_one(error: Exception, inserts: bool, is_lost: bool) -> None:
    attempt: Attempt[str] = undone_by_race(Attempts(error), inserts=inserts)
    if is_lost:
        assert await attempt() is None
    else:
        with pytest.raises(type(error)):
            await attempt()


async def test_new_segments_are_one_insert_and_their_receipts_are_what_was_sent() -> None:
    segment = checked_segment(new_id(), transcript(revision=3), [translation()], None)
    server = Server([{"found": False, "position": 77}])
    [receipt] = await write_segments([segment], [], server, probably_new=True)
    assert (receipt.outcome, receipt.revision, receipt.transcript.position) == (Outcome.INSERTED, 3, 77)
    [translated] = receipt.translations
    assert (translated.outcome, translated.transcript_revision) == (Outcome.INSERTED, 3)
    assert server.names == ["segments.insert"]


@pytest.mark.parametrize("first", [[{"found": True, "position": 1}], DuplicateError(), ConflictError()])
async def test_segments_of_which_one_is_stored_are_merged_until_the_race_is_won(first: Any) -> None:
    segment = checked_segment(new_id(), transcript(), [], None)
    row = ("transcripts", segment.session_id, segment.transcript_id, None, "updated", 4)
    server = Server(first, ConflictError(), [row, POSITION])
    [receipt] = await write_segments([segment], [], server, probably_new=True)
    assert receipt.revision == 4
    assert server.names == ["segments.insert", "segments.merge", "segments.merge"]


async def test_a_lone_revision_of_a_known_segment_is_one_update() -> None:
    segment = checked_segment(new_id(), transcript(), [], None)
    server = Server([(4, 77)])
    [receipt] = await write_segments([segment], [], server, probably_new=False)
    assert (receipt.outcome, receipt.revision, receipt.transcript.position) == (Outcome.UPDATED, 4, 77)
    assert server.names == ["segments.revise"]


async def test_a_lone_revision_that_is_not_taken_is_merged() -> None:
    segment = checked_segment(new_id(), transcript(), [], None)
    row = ("transcripts", segment.session_id, segment.transcript_id, None, "stale", 9)
    server = Server([], [row, POSITION])
    [receipt] = await write_segments([segment], [], server, probably_new=False)
    assert receipt.outcome is Outcome.STALE
    assert server.names == ["segments.revise", "segments.merge"]


@pytest.mark.parametrize(("segments", "translations"), [(2, 0), (1, 1)])
async def test_known_segments_with_more_than_a_transcript_are_merged_at_once(
    segments: int, translations: int
) -> None:
    languages = ["es", "ja"][:translations]
    items = [
        checked_segment(new_id(), transcript(), [translation("x", each) for each in languages], None)
        for _ in range(segments)
    ]
    rows: list[tuple[Any, ...]] = [
        ("transcripts", each.session_id, each.transcript_id, None, "stale", 9) for each in items
    ]
    rows += [
        ("translations", each.session_id, each.transcript_id, language, "stale", 9)
        for each in items
        for language in languages
    ]
    server = Server([*rows, POSITION])
    receipts = await write_segments(items, [], server, probably_new=False)
    assert {each.outcome for each in receipts} == {Outcome.STALE}
    assert server.names == ["segments.merge"]


async def test_only_rows_without_an_outcome_go_again() -> None:
    session_id, transcript_id = new_id(), new_id()
    languages = ["es", "ja", "de"]
    items = [LateTranslation(session_id, transcript_id, translation("x", each)) for each in languages]

    def row(language: str, outcome: str) -> tuple[str, UUID, UUID, str, str, int]:
        return "translations", session_id, transcript_id, language, outcome, 2

    server = Server(
        [row("es", "inserted"), POSITION],
        [row("ja", "updated"), POSITION, LOST_RACE],
        [row("de", "stale"), POSITION],
    )
    receipts = await write_translations(items, server)
    assert [each.outcome for each in receipts if isinstance(each, TranslationReceipt)] == [
        Outcome.INSERTED,
        Outcome.UPDATED,
        Outcome.STALE,
    ]
    sent = [{language for language in languages if language in bound.arguments} for bound in server.ran]
    assert sent == [{"es", "ja", "de"}, {"ja", "de"}, {"de"}]


async def test_a_translation_without_a_transcript_goes_once_more_and_fails_alone() -> None:
    session_id, transcript_id = new_id(), new_id()
    items = [LateTranslation(session_id, transcript_id, translation())]
    server = Server([POSITION], [POSITION])
    [error] = await write_translations(items, server)
    assert isinstance(error, MissingReferenceError)
    assert server.names == ["translations.insert", "translations.merge"]
