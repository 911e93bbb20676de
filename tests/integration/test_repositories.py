"""Sessions and speakers through their repositories."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import counts, transcript, translation
from msgspec.structs import replace

from livetranslate_store import (
    DuplicateError,
    InvalidInputError,
    NotFoundError,
    Outcome,
    SessionInput,
    SessionReceipt,
    Store,
)
from livetranslate_store.ids import new_id
from livetranslate_store.models import Transcript, Translation
from livetranslate_store.repositories import base

BEGAN = datetime(2026, 5, 1, 9, tzinfo=UTC)


async def test_the_same_external_id_is_the_same_session_and_another_meeting_is_a_duplicate(
    store: Store, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        first = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="meet-42", title="one")
        again = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="meet-42", title="two")
        assert (first.outcome, again.outcome) == (Outcome.INSERTED, Outcome.UNCHANGED)
        assert again.id == first.id
        assert (await uow.sessions.get(first.id)).title == "one"
        with pytest.raises(DuplicateError, match=r"names a session of bot 'b' in meeting 'm' already"):
            await uow.sessions.create(bot_id="b", meeting_id="another", external_id="meet-42")
    assert counts(other_program)["sessions"] == 1


async def test_a_second_create_names_the_values_that_it_did_not_apply(store: Store) -> None:
    same: dict[str, Any] = {"bot_id": "b", "meeting_id": "m", "external_id": "meet-42", "started_at": BEGAN}
    async with store.unit_of_work() as uow:
        await uow.sessions.create(**same, title="one", target_languages=["ES"], metadata={"a": 1})
        equal = await uow.sessions.create(**same, title="one", target_languages=["es"], metadata={"a": 1})
        assert equal.differs == ()
        # A value that is not given differs from nothing.
        assert (await uow.sessions.create(**same)).differs == ()
        other = await uow.sessions.create(**same, title="two", uri="u", metadata={"a": 2})
        assert other.differs == ("title", "uri", "metadata")
        await uow.sessions.end(equal.id)
        assert (await uow.sessions.create(**same, status="ended")).differs == ()


async def test_a_session_that_is_over_is_joined_again_only_if_it_was_reopened(store: Store) -> None:
    stay: dict[str, Any] = {"bot_id": "b", "meeting_id": "m", "external_id": "meet-42/1"}
    async with store.unit_of_work() as uow:
        first = await uow.sessions.create(**stay)
        ended = (await uow.sessions.end(first.id)).ended_at
    for over in ("ended", "error"):
        async with store.unit_of_work() as uow:
            await uow.sessions.update(first.id, status=over)
            with pytest.raises(DuplicateError, match=rf"is over \({over}\): give a new stay an external_id"):
                await uow.sessions.create(**stay)
            # A repeated write is safe.
            assert (await uow.sessions.create(**stay, status=over)).outcome is Outcome.UNCHANGED
            assert (await uow.sessions.get(first.id)).ended_at == ended
    async with store.unit_of_work() as uow:
        assert (await uow.sessions.update(first.id, status="active")).ended_at is None
        assert (await uow.sessions.create(**stay)).outcome is Outcome.UNCHANGED
        later = BEGAN + timedelta(days=10_000)
        assert (await uow.sessions.end(first.id, ended_at=later)).ended_at == later
        assert (await uow.sessions.end(first.id)).ended_at == later


async def test_a_session_ends_once_and_not_before_it_began(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        ended = await uow.sessions.end(session_id)
        assert ended.status == "ended"
        first, written = ended.ended_at, ended.updated_at
        assert first is not None
        again = await uow.sessions.end(session_id)
        assert (again.ended_at, again.updated_at) == (first, written)
        with pytest.raises(InvalidInputError, match="before the session's start"):
            await uow.sessions.end(session_id, ended_at=ended.started_at - timedelta(seconds=1))
        later = first + timedelta(hours=1)
        assert (await uow.sessions.end(session_id, ended_at=later)).ended_at == first
        # A correction is an update.
        assert (await uow.sessions.update(session_id, ended_at=later)).ended_at == later


async def test_the_status_ended_brings_an_end_and_a_status_of_a_session_that_goes_on_removes_it(
    store: Store,
) -> None:
    given: tuple[dict[str, Any], ...] = ({}, {"started_at": BEGAN, "ended_at": BEGAN + timedelta(hours=1)})
    async with store.unit_of_work() as uow:
        ids = [
            (await uow.sessions.create(bot_id="b", meeting_id="m", status="ended", **times)).id
            for times in given
        ]
        now, past = [await uow.sessions.get(each) for each in ids]
        assert now.ended_at == now.started_at
        assert past.ended_at == BEGAN + timedelta(hours=1)
        for status in ("spawning", "active", "paused"):
            assert (await uow.sessions.update(now.id, status="ended")).ended_at is not None
            assert (await uow.sessions.update(now.id, status=status)).ended_at is None
        # An error may end a session or interrupt it: its end is not touched.
        assert (await uow.sessions.update(now.id, status="error")).ended_at is None
        assert (await uow.sessions.update(past.id, status="error")).ended_at == BEGAN + timedelta(hours=1)
        assert (await uow.sessions.update(past.id, status="ended")).ended_at == BEGAN + timedelta(hours=1)


async def test_only_a_session_that_is_over_has_an_end(store: Store, session_id: UUID) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    named: dict[str, Any] = {"bot_id": "b", "meeting_id": "m"}
    async with store.unit_of_work() as uow:
        for refused in (
            uow.sessions.update(session_id, ended_at=later),
            uow.sessions.update(session_id, status="paused", ended_at=later),
            uow.sessions.create(**named, started_at=BEGAN, ended_at=later),
            uow.sessions.create(**named, status="ended", ended_at=later),
            uow.sessions.create(**named, status="ended", started_at=later, ended_at=BEGAN),
        ):
            with pytest.raises(InvalidInputError, match="ended_at"):
                await refused
        assert (await uow.sessions.update(session_id, status="ended", ended_at=later)).ended_at == later


async def test_many_sessions_are_created_at_once_and_ended_with_receipts_in_their_order(
    store: Store, other_program: Program
) -> None:
    end = BEGAN + timedelta(hours=1)
    meetings = [
        SessionInput(bot_id="b", meeting_id="m", external_id="meet-0", status="ended", started_at=BEGAN),
        SessionInput(
            bot_id="b", meeting_id="m", title="no name", status="ended", started_at=BEGAN, ended_at=end
        ),
        SessionInput(bot_id="b", meeting_id="m", target_languages=["ES"], metadata={"team": "sales"}),
    ]
    meetings += [SessionInput(bot_id="b", meeting_id="m", external_id=f"meet-{n}") for n in range(1, 2500)]
    async with store.unit_of_work() as uow:
        known = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="meet-7", title="seven")
    async with store.unit_of_work() as uow:
        receipts = await uow.sessions.create_many(meetings)
        assert [each.outcome for each in receipts].count(Outcome.UNCHANGED) == 1
        assert receipts[9] == SessionReceipt(known.id, Outcome.UNCHANGED)
        first, ended, running = [await uow.sessions.get(each.id) for each in receipts[:3]]
        assert first.external_id == "meet-0"
        assert first.ended_at is not None
        assert (ended.title, ended.status, ended.ended_at) == ("no name", "ended", end)
        assert (running.status, running.ended_at, running.target_languages) == ("active", None, ["es"])
        assert running.metadata_ == {"team": "sales"}
    async with store.unit_of_work() as uow:
        again = await uow.sessions.create_many(meetings[:1] + meetings[3:])
        assert {each.outcome for each in again} == {Outcome.UNCHANGED}
        assert await uow.sessions.create_many([]) == []
    assert counts(other_program)["sessions"] == len(meetings)


async def test_of_two_sessions_with_one_name_the_second_finds_the_first(store: Store) -> None:
    named = SessionInput(bot_id="b", meeting_id="m", external_id="meet-42", title="one")
    async with store.unit_of_work() as uow:
        first, second = await uow.sessions.create_many([named, replace(named, title="two")])
    assert first.outcome is Outcome.INSERTED
    assert second == SessionReceipt(first.id, Outcome.UNCHANGED, ("title",))


async def test_a_name_of_another_meeting_leaves_none_of_the_sessions_created(
    store: Store, other_program: Program
) -> None:
    named = SessionInput(bot_id="b", meeting_id="m", external_id="meet-42")
    async with store.unit_of_work() as uow:
        await uow.sessions.create_many([named])
        with pytest.raises(DuplicateError, match="names a session of bot 'b' in meeting 'm' already"):
            await uow.sessions.create_many(
                [replace(named, external_id="new"), replace(named, meeting_id="another")]
            )
        with pytest.raises(InvalidInputError, match="sessions must be of SessionInput"):
            await uow.sessions.create_many([{"bot_id": "b"}])  # type: ignore[list-item]
    assert counts(other_program)["sessions"] == 1


async def test_update_changes_what_is_given_and_nothing_else(store: Store) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(
            bot_id="b", meeting_id="m", title="old", uri="https://example.org"
        )
        changed = await uow.sessions.update(session.id, title=None, target_languages=["ES", "es", "ja"])
        assert (changed.title, changed.uri, changed.target_languages) == (
            None,
            "https://example.org",
            ["es", "ja"],
        )
        with pytest.raises(InvalidInputError, match="at least one value"):
            await uow.sessions.update(session.id)
        with pytest.raises(NotFoundError):
            await uow.sessions.update(new_id(), title="nobody's")


async def test_a_statement_of_ones_own_is_listed_counted_and_streamed(store: Store, session_id: UUID) -> None:
    for number in range(5):
        await store.record_segment(session_id, transcript=transcript(f"{number}", is_final=number > 1))
    async with store.read() as reader:
        repository = reader.transcripts
        finals = repository.statement().where(Transcript.is_final).order_by(Transcript.text.desc())
        assert [each.text for each in await repository.get_many(finals)] == ["4", "3", "2"]
        assert [each.text async for each in repository.stream(finals)] == ["4", "3", "2"]
        assert await repository.count(finals) == 3
        assert await repository.count(finals.limit(2)) == 2
        assert await repository.count(repository.statement()) == 5


async def test_a_session_is_found_by_its_external_id(store: Store) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.sessions.named("meet-42") is None
        made = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="meet-42")
        found = await uow.sessions.named("meet-42")
        assert found is not None
        assert found.id == made.id
        with pytest.raises(InvalidInputError, match="external_id must not be empty"):
            await uow.sessions.named("")


async def test_speakers_are_made_with_their_transcripts_and_named_once(
    store: Store, session_id: UUID
) -> None:
    async def speak(label: str, name: str | None = None) -> None:
        await store.record_segment(session_id, transcript=transcript(speaker_label=label, speaker_name=name))

    async def names() -> dict[str, str | None]:
        async with store.read() as reader:
            return {s.label: s.name for s in await reader.speakers.list_for_session(session_id)}

    await speak("SPEAKER_00")
    assert await names() == {"SPEAKER_00": None}
    await speak("SPEAKER_00", "Ada")
    await speak("SPEAKER_00", "Somebody else")
    assert await names() == {"SPEAKER_00": "Ada"}
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(session_id, "SPEAKER_00", "Ada Lovelace")
    await speak("SPEAKER_00", "Ada")
    assert await names() == {"SPEAKER_00": "Ada Lovelace"}
    assert {entry.speaker_name for entry in await store.timeline(session_id)} == {"Ada Lovelace"}


async def test_merging_two_labels_makes_one_speaker_of_them(store: Store, session_id: UUID) -> None:
    for label, name in (("SPEAKER_00", None), ("SPEAKER_01", "Grace")):
        await store.record_segment(session_id, transcript=transcript(speaker_label=label, speaker_name=name))
    async with store.unit_of_work() as uow:
        kept = await uow.speakers.merge(session_id, "SPEAKER_01", into="SPEAKER_00")
        assert kept.name == "Grace"
        with pytest.raises(NotFoundError):
            await uow.speakers.merge(session_id, "SPEAKER_01", into="SPEAKER_00")
        with pytest.raises(InvalidInputError, match="same speaker"):
            await uow.speakers.merge(session_id, "SPEAKER_00", into="SPEAKER_00")
    entries = await store.timeline(session_id)
    assert {(entry.speaker_label, entry.speaker_name) for entry in entries} == {("SPEAKER_00", "Grace")}


def key(translated: Translation) -> tuple[UUID, str]:
    return translated.transcript_id, translated.target_language


async def test_a_session_is_streamed_page_after_page_in_the_order_of_ids(
    store: Store, session_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "STREAM_PAGE", 2)
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="other", meeting_id="other")
    for session, number in [(session_id, n) for n in range(4)] + [(other.id, 9)]:
        await store.record_segment(
            session, transcript=transcript(segment_key=f"{number}"), translations=[translation()]
        )
    async with store.read() as reader:
        spoken = [each.id async for each in reader.transcripts.stream_for_session(session_id)]
        translated = [
            (each.transcript_id, each.target_language)
            async for each in reader.translations.stream_for_session(session_id)
        ]
        all_spoken = await reader.transcripts.list_for_session(session_id)
        all_translated = await reader.translations.list_for_session(session_id)
    assert spoken == sorted(each.id for each in all_spoken)
    assert translated == sorted(map(key, all_translated))
    assert (len(spoken), len(translated)) == (4, 4)
