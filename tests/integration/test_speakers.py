"""Splitting a speaker in two, and how it stands beside merging and late revisions."""

import asyncio
from uuid import UUID

import pytest
from helpers.support import transcript, translation

from livetranslate_store import InvalidInputError, NotFoundError, Store


async def speak(store: Store, session_id: UUID, *, key: str, label: str, **times: float) -> None:
    await store.record_segment(
        session_id,
        transcript=transcript(key, segment_key=key, speaker_label=label, **times),
        translations=[translation(key)],
    )


async def a_meeting(store: Store, session_id: UUID) -> None:
    await speak(store, session_id, key="untimed", label="A")
    await speak(store, session_id, key="before", label="A", start_time=1.0, end_time=2.0)
    await speak(store, session_id, key="across", label="A", start_time=4.0, end_time=6.0)
    await speak(store, session_id, key="other", label="B", start_time=5.5, end_time=7.0)
    await speak(store, session_id, key="at", label="A", start_time=5.0)
    await speak(store, session_id, key="until", label="A", end_time=8.0)


async def labels(store: Store, session_id: UUID) -> dict[str, str | None]:
    return {row.text: row.speaker_label for row in await store.transcript_view(session_id, ["es"])}


async def test_what_was_said_from_a_moment_on_becomes_the_other_speakers(
    store: Store, session_id: UUID
) -> None:
    await a_meeting(store, session_id)
    async with store.unit_of_work() as uow:
        speaker = await uow.speakers.split(session_id, "A", at=5.0, into="C")
        assert (speaker.label, speaker.name) == ("C", None)
        await uow.speakers.rename(session_id, "C", "Grace")
    expected = {"untimed": "A", "before": "A", "across": "A", "at": "C", "other": "B", "until": "C"}
    assert await labels(store, session_id) == expected
    names = {entry.text: entry.speaker_name for entry in await store.timeline(session_id, speakers=["C"])}
    assert names == {"at": "Grace", "until": "Grace"}
    speakers = (await store.session_statistics(session_id)).speakers
    assert [(each.label, each.segments) for each in speakers] == [("A", 3), ("B", 1), ("C", 2)]
    # The translations were made from what is still the same text.
    assert len(await store.missing_translations(session_id, "es")) == 0


async def test_a_merge_takes_a_split_back_and_a_split_a_merge(store: Store, session_id: UUID) -> None:
    await a_meeting(store, session_id)
    before = await labels(store, session_id)
    async with store.unit_of_work() as uow:
        await uow.speakers.split(session_id, "A", at=5.0, into="C")
        await uow.speakers.merge(session_id, "C", into="A")
    assert await labels(store, session_id) == before
    async with store.unit_of_work() as uow:
        await uow.speakers.split(session_id, "A", at=5.0, into="C")
    split = await labels(store, session_id)
    async with store.unit_of_work() as uow:
        await uow.speakers.merge(session_id, "C", into="A")
        await uow.speakers.split(session_id, "A", at=5.0, into="C")
    assert await labels(store, session_id) == split


async def test_a_speaker_that_is_there_already_keeps_its_name_and_gets_what_is_split_off(
    store: Store, session_id: UUID
) -> None:
    await a_meeting(store, session_id)
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(session_id, "B", "Ada")
        for _ in range(2):  # the second time there is nothing left to do
            speaker = await uow.speakers.split(session_id, "A", at=5.0, into="B")
            assert speaker.name == "Ada"
    assert set((await labels(store, session_id)).values()) == {"A", "B"}


async def test_a_later_revision_has_the_last_word_on_its_own_segment_alone(
    store: Store, session_id: UUID
) -> None:
    await a_meeting(store, session_id)
    async with store.unit_of_work() as uow:
        await uow.speakers.merge(session_id, "A", into="B")
    await speak(store, session_id, key="at", label="A", start_time=5.0, end_time=5.5)
    found = await labels(store, session_id)
    assert found.pop("at") == "A"
    assert set(found.values()) == {"B"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"into": "A", "at": 0.0}, "same speaker"),
        ({"into": " ", "at": 0.0}, "into must not be empty"),
        ({"into": "C", "at": float("nan")}, "at must be a finite number"),
    ],
)
async def test_wrong_arguments_say_what_would_be_right(
    store: Store, session_id: UUID, arguments: dict[str, object], message: str
) -> None:
    await a_meeting(store, session_id)
    async with store.unit_of_work() as uow:
        with pytest.raises(InvalidInputError, match=message):
            await uow.speakers.split(session_id, "A", **arguments)  # type: ignore[arg-type]  # wrong on purpose
        with pytest.raises(NotFoundError, match="no speaker 'nobody'"):
            await uow.speakers.split(session_id, "nobody", at=0.0, into="C")
        assert [each.label for each in await uow.speakers.list_for_session(session_id)] == ["A", "B"]


async def test_splits_and_merges_beside_writers_end_without_a_deadlock(
    store: Store, session_id: UUID
) -> None:
    keys = [f"{number}" for number in range(40)]

    async def write(turn: int) -> None:
        for key in reversed(keys) if turn % 2 else keys:
            await speak(
                store, session_id, key=key, label="AB"[turn % 2], start_time=float(key), end_time=99.0
            )

    async def move() -> None:
        for _ in range(10):
            async with store.unit_of_work() as uow:
                await uow.speakers.split(session_id, "A", at=20.0, into="C")
            async with store.unit_of_work() as uow:
                await uow.speakers.merge(session_id, "C", into="A")

    await write(0)
    async with asyncio.timeout(60):
        await asyncio.gather(*map(write, range(4)), move())
    assert len(await store.transcript_view(session_id, [])) == len(keys)
    assert set((await labels(store, session_id)).values()) <= {"A", "B"}


async def test_a_label_that_is_used_again_after_it_was_forgotten_has_a_speaker_again(
    store: Store, session_id: UUID
) -> None:
    for number in range(2):
        await store.record_segment(session_id, transcript=transcript(f"{number}", speaker_label="A"))
    async with store.unit_of_work() as uow:
        await uow.speakers.forget(session_id, "A")
    await store.record_segment(session_id, transcript=transcript("again", speaker_label="A"))
    async with store.read() as reader:
        assert [each.label for each in await reader.speakers.list_for_session(session_id)] == ["A"]


async def test_a_session_that_is_made_anew_has_its_speakers_anew(store: Store) -> None:
    for _ in range(2):
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="stay-1")
        spoken = transcript(segment_key="1", speaker_label="A", speaker_name="Ada")
        await store.record_segment(session.id, transcript=spoken)
        async with store.unit_of_work() as uow:
            assert (await uow.speakers.get(session.id, "A")).name == "Ada"
            await uow.sessions.delete(session.id)
