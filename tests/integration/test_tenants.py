"""A store of one tenant: its own sessions, the others not found, and what the check costs."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from helpers.support import audio, counts, transcript, translation
from sqlalchemy import delete, insert, select, update

from livetranslate_store import (
    InvalidInputError,
    MissingReferenceError,
    NotFoundError,
    SegmentInput,
    Session,
    Speaker,
    Store,
    Transcript,
    UsageError,
)
from livetranslate_store.exchange import backup_session, restore_session
from livetranslate_store.ids import session_id_for

CHECK = "tenant.sessions"


async def meeting(store: Store, text: str = "Good morning.", **fields: Any) -> UUID:
    """Return a session with one segment."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(**{"bot_id": "b", "meeting_id": "m"} | fields)
    await store.record_segment(session.id, transcript=transcript(text), translations=[translation()])
    return session.id


def checks(store: Store) -> int:
    """Return how often the store has asked for the tenant of sessions."""
    times = store.statistics().statements.get(CHECK)
    return 0 if times is None else times.calls


@pytest.mark.parametrize("name", ["", "   ", "a\0b", "x" * 501, 7, None])
def test_a_tenant_needs_a_name(store: Store, name: Any) -> None:
    with pytest.raises(InvalidInputError, match="tenant"):
        store.for_tenant(name)


def test_a_tenants_store_leads_to_no_other_tenant(store: Store) -> None:
    acme = store.for_tenant("acme")
    assert (store.tenant, acme.tenant) == (None, "acme")
    assert acme.for_tenant("acme").tenant == "acme"
    with pytest.raises(UsageError, match="acme"):
        acme.for_tenant("beta")


def test_tenants_share_connections_gate_and_cache(store: Store) -> None:
    acme = store.for_tenant("acme")
    assert (acme.gate, acme.cache) == (store.gate, store.cache)
    assert acme.statistics() == store.statistics()


async def test_a_session_belongs_to_the_tenant_of_the_store_that_made_it(store: Store) -> None:
    made = [await meeting(each) for each in (store, store.for_tenant("acme"), store.for_tenant("beta"))]
    async with store.read() as reader:
        assert [(await reader.sessions.get(each)).tenant_id for each in made] == ["", "acme", "beta"]
        assert await reader.sessions.count(reader.sessions.statement()) == 3
    async with store.for_tenant("acme").read() as reader:
        assert [each.id for each in await reader.sessions.get_many(reader.sessions.statement())] == made[1:2]
        with pytest.raises(NotFoundError):
            await reader.sessions.get(made[0])


async def test_each_tenant_has_its_own_external_ids(store: Store) -> None:
    acme, beta = store.for_tenant("acme"), store.for_tenant("beta")
    made = {
        await meeting(each, bot_id=f"b{place}", external_id="x")
        for place, each in enumerate((store, acme, beta))
    }
    assert len(made) == 3
    for each in (store, acme, beta):
        async with each.read() as reader:
            found = await reader.sessions.named("x")
        assert found is not None
        assert found.tenant_id == (each.tenant or "")


def test_no_tenant_and_name_make_the_id_of_another_pair() -> None:
    pairs = [("", "a"), ("a", "a"), ("ab", "c"), ("a", "bc"), ("", "a-a"), ("a-a", "")]
    assert len({session_id_for(name, tenant) for tenant, name in pairs}) == len(pairs)
    assert session_id_for("a") == session_id_for("a", "")


async def test_a_session_that_the_store_made_is_never_asked_for(store: Store) -> None:
    acme = store.for_tenant("acme")
    session = await meeting(acme)
    await acme.add_translation(
        session, (await acme.timeline(session))[0].transcript_id, translation("おはよう。", "ja")
    )
    await acme.import_segments([SegmentInput(session_id=session, transcript=transcript(segment_key="1"))])
    assert checks(store) == 0


async def test_another_session_is_asked_for_once(store: Store, database_url: str) -> None:
    session = await meeting(store.for_tenant("acme"))
    async with Store.open(database_url, min_connections=1) as second:
        for _ in range(3):
            await second.for_tenant("acme").record_segment(session, transcript=transcript())
        assert checks(second) == 1
        with pytest.raises(MissingReferenceError, match="no session"):
            await second.for_tenant("beta").record_segment(session, transcript=transcript())
        assert checks(second) == 2


async def test_a_session_that_was_made_again_for_another_tenant_is_not_taken_for_the_old_one(
    store: Store,
) -> None:
    acme, beta = store.for_tenant("acme"), store.for_tenant("beta")
    session = await meeting(acme)
    async with store.read() as reader:
        [row] = [each async for each in reader.archive.rows("sessions", session)]
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session)
    async with beta.unit_of_work() as uow:
        await uow.archive.add_rows("sessions", [row.replace('"acme"', '"beta"')])
    with pytest.raises(MissingReferenceError):
        await acme.record_segment(session, transcript=transcript())
    await beta.record_segment(session, transcript=transcript())


async def test_what_is_rolled_back_is_not_remembered(store: Store) -> None:
    acme = store.for_tenant("acme")
    async with acme.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
        await uow.transcripts.add(session.id, transcript())
        await uow.rollback()
    assert not store.cache.tenants
    with pytest.raises(MissingReferenceError):
        await acme.record_segment(session.id, transcript=transcript())


async def test_the_whole_store_writes_into_every_session_unasked(store: Store) -> None:
    session = await meeting(store.for_tenant("acme"))
    await store.record_segment(session, transcript=transcript("More."))
    async with store.unit_of_work() as uow:
        await uow.sessions.update(session, title="Weekly")
    assert checks(store) == 0


async def test_a_tenant_deletes_its_own_session_with_everything_in_it(
    store: Store, other_program: psycopg.Connection[Any], audio_folder: Any
) -> None:
    acme = store.for_tenant("acme")
    session, other = await meeting(acme), await meeting(store)
    await acme.record_segment(session, transcript=transcript(speaker_label="A"), audio=audio())
    async with acme.unit_of_work() as uow:
        deleted = await uow.sessions.delete(session)
    assert (deleted.transcripts, deleted.translations, deleted.audio_files, deleted.speakers) == (2, 1, 1, 1)
    assert not [each for each in (audio_folder / str(session)).rglob("*") if each.is_file()]
    assert counts(other_program)["sessions"] == 1
    assert len(await store.timeline(other)) == 2


async def test_speakers_are_split_merged_and_forgotten_as_ever(store: Store) -> None:
    acme = store.for_tenant("acme")
    session = await meeting(acme)
    for start in (0.0, 1.0):
        await acme.record_segment(session, transcript=transcript(speaker_label="A", start_time=start))
    async with acme.unit_of_work() as uow:
        await uow.speakers.split(session, "A", at=1.0, into="B")
        await uow.speakers.rename(session, "B", "Ben")
        await uow.speakers.merge(session, "B", into="A")
        assert (await uow.speakers.get(session, "A")).name == "Ben"
        assert (await uow.speakers.forget(session, "A")).transcripts == 2


async def test_a_search_finds_the_texts_of_its_tenant_only(store: Store) -> None:
    stores = store.for_tenant("acme"), store.for_tenant("beta"), store
    made = [await meeting(each, f"Lighthouse {place}") for place, each in enumerate(stores)]
    for place in (0, 1):
        hits = await stores[place].search("lighthouse")
        assert [hit.session_id for hit in hits] == [made[place]]
    assert {hit.session_id for hit in await store.search("lighthouse")} == {*made}
    assert not await stores[0].search("lighthouse", session_ids=made[1:])


async def test_own_changes_with_the_stores_models_are_narrowed_too(store: Store) -> None:
    acme = store.for_tenant("acme")
    own, other = await meeting(acme), await meeting(store.for_tenant("beta"))
    async with acme.unit_of_work() as uow:
        await uow.session.execute(update(Session).values(title="Mine"))
        await uow.session.execute(delete(Transcript).where(Transcript.session_id == other))
        await uow.session.execute(delete(Transcript).where(Transcript.session_id == own))
    async with store.read() as reader:
        titles = {each.id: each.title for each in await reader.sessions.get_many(reader.sessions.statement())}
        left = (await reader.session.execute(select(Transcript.session_id))).scalars().all()
    assert titles == {own: "Mine", other: None}
    assert left == [other]


async def test_own_inserts_into_the_stores_models_are_refused(store: Store) -> None:
    other = await meeting(store.for_tenant("beta"))
    async with store.for_tenant("acme").unit_of_work() as uow:
        with pytest.raises(UsageError, match="repositories"):
            await uow.session.execute(insert(Speaker).values(session_id=other, label="A"))


async def lines_of(store: Store, session: UUID) -> list[bytes]:
    return [line async for line in backup_session(store, session)]


async def each_of(lines: list[bytes]) -> Any:
    for line in lines:
        yield line


async def test_a_backup_goes_back_to_its_tenant(store: Store) -> None:
    acme = store.for_tenant("acme")
    session = await meeting(acme)
    await acme.record_segment(session, transcript=transcript("Heard.", speaker_label="A"), audio=audio())
    lines = await lines_of(acme, session)
    for restoring in (store, acme):
        async with store.unit_of_work() as uow:
            await uow.sessions.delete(session)
        await restore_session(restoring, each_of(lines))
        assert len(await acme.timeline(session)) == 3
        assert await lines_of(acme, session) != []


@pytest.mark.parametrize("tenant", ["beta", None])
async def test_a_backup_of_another_tenant_or_of_none_is_refused(store: Store, tenant: str | None) -> None:
    other = store if tenant is None else store.for_tenant(tenant)
    session = await meeting(other)
    lines = await lines_of(other, session)
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session)
    with pytest.raises(InvalidInputError, match="another tenant"):
        await restore_session(store.for_tenant("acme"), each_of(lines))
    assert not await store.timeline(session)


async def test_rows_go_into_no_session_of_another_tenant(store: Store) -> None:
    acme = store.for_tenant("acme")
    other, own = await meeting(store.for_tenant("beta")), await meeting(acme)
    async with acme.read() as reader:
        rows = [each async for each in reader.archive.rows("transcripts", own)]
    forged = [row.replace(str(own), str(other)) for row in rows]
    async with acme.unit_of_work() as uow:
        with pytest.raises(MissingReferenceError):
            await uow.archive.add_rows("transcripts", forged)
        with pytest.raises(InvalidInputError, match="session_id"):
            await uow.archive.add_rows("transcripts", ["{}"])
        with pytest.raises(InvalidInputError, match="no rows"):
            await uow.archive.add_rows("transcripts", ["{"])


async def test_an_import_refuses_the_segments_of_others_alone(store: Store) -> None:
    acme = store.for_tenant("acme")
    other, own = await meeting(store.for_tenant("beta")), await meeting(acme)
    given = [
        SegmentInput(session_id=session, transcript=transcript(segment_key=str(place)), line=place)
        for place, session in enumerate((own, other, own, other), 1)
    ]
    report = await acme.import_segments(given)
    assert report.transcripts.inserted == 2
    assert [each.line for each in report.refusals] == [2, 4]
    assert len(await store.timeline(other)) == 2


async def test_the_sweep_is_the_whole_stores(store: Store) -> None:
    with pytest.raises(UsageError, match="whole store"):
        await store.for_tenant("acme").sweep_audio()
