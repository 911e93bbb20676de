"""Every public method, called by one tenant with the ids of another, behaves as with ids that do not exist.

The methods are found by introspection. A new one needs a line in this file's tables: how it is called, or why
it takes nothing of a session.
"""

import inspect
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from helpers.support import audio, transcript, translation
from sqlalchemy import select, text

from livetranslate_store import (
    AudioFile,
    SegmentInput,
    Session,
    SessionInput,
    Store,
    StoreError,
    Transcript,
    Translation,
    UnitOfWork,
    exchange,
    legacy,
)
from livetranslate_store.audio.recording import StoredBytes
from livetranslate_store.ids import new_id
from livetranslate_store.models import Base
from livetranslate_store.page import session_page

MINE, THEIRS = "acme", "beta"
LABEL = "SPEAKER_00"
SPEAKER_ROW = """{"session_id": "%s", "label": "ME", "identification_method": "manual", "metadata": {},
 "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}"""


class Ids(NamedTuple):
    """Something that a method may be asked for."""

    session: UUID
    transcript: UUID
    audio_file: UUID
    external_id: str


class Place(NamedTuple):
    """What a call has: a store of a tenant, and ids of another one, or ids that do not exist."""

    store: Store
    ids: Ids
    folder: Path
    stored: tuple[str, int, str]


class UnitPlace(NamedTuple):
    """The same inside a unit of work."""

    uow: UnitOfWork
    ids: Ids
    stored: tuple[str, int, str]


class Shared(str):
    """Why a method is not called: it takes nothing of a session, and shows nothing of one."""

    __slots__ = ()


async def segments(ids: Ids) -> AsyncIterator[SegmentInput]:
    yield SegmentInput(session_id=ids.session, transcript=transcript(id=ids.transcript, text="Mine."))
    yield SegmentInput(
        session_id=ids.session, transcript=transcript(segment_key="new"), audio=audio(b"of a new segment")
    )


async def find_in_unit(uow: UnitOfWork, ids: Ids) -> Any:
    return await uow.sessions.get(ids.session)


async def file_of(place: Place) -> Any:
    path = place.folder / "talk.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nGood morning.\n")
    return await exchange.import_file(place.store, place.ids.session, path, language="en")


async def forged(place: Place) -> Any:
    """Restore a backup of the own tenant whose ids were replaced."""
    async with place.store.unit_of_work() as uow:
        made = await uow.sessions.create(bot_id="b", meeting_id="m")
    lines = [line async for line in exchange.backup_session(place.store, made.id)]

    async def changed() -> AsyncIterator[bytes]:
        for line in lines:
            yield line.replace(str(made.id).encode(), str(place.ids.session).encode())

    return await exchange.restore_session(place.store, changed())


async def pieces() -> AsyncIterator[bytes]:
    yield b"mine"


async def uploaded(at: UnitPlace) -> Any:
    upload = await at.uow.archive.upload(at.ids.session)
    await upload.write(b"mine")
    await upload.finish()
    return upload.size_bytes


def meeting_of(ids: Ids) -> str:
    return "m" if ids.external_id == "their-meeting" else "nobody's"


def of_session(row: type[Base], ids: Ids) -> Any:
    column = row.id if row is Session else row.session_id  # type: ignore[attr-defined]
    return select(row).where(column == ids.session)


STORE: dict[str, Callable[[Place], Any] | Shared] = {
    "open": Shared("it opens a store of all tenants"),
    "for_tenant": lambda at: at.store.for_tenant(THEIRS),
    "tenant": Shared("the tenant of the store itself"),
    "limits": Shared("settings"),
    "cache": Shared("numbers of all tenants together"),
    "gate": Shared("numbers of all tenants together"),
    "health": Shared("the health of the servers"),
    "statistics": Shared("numbers of all tenants together"),
    "sweep_audio": lambda at: at.store.sweep_audio(),
    "unit_of_work": Shared("UNIT has what happens in it"),
    "run_in_unit_of_work": lambda at: at.store.run_in_unit_of_work(lambda uow: find_in_unit(uow, at.ids)),
    "read": Shared("UNIT has what happens in it"),
    "record_segment": lambda at: at.store.record_segment(
        at.ids.session, transcript=transcript(id=at.ids.transcript, text="Mine."), audio=audio(b"mine")
    ),
    "add_translation": lambda at: at.store.add_translation(
        at.ids.session, at.ids.transcript, translation("Mía.")
    ),
    "import_segments": lambda at: at.store.import_segments(segments(at.ids)),
    "record_audio": lambda at: at.store.record_audio(at.ids.session, pieces(), format="wav"),
    "open_audio": lambda at: at.store.open_audio(at.ids.session, at.ids.audio_file),
    "open_session_audio": lambda at: at.store.open_session_audio(at.ids.session),
    "presigned_audio_url": lambda at: at.store.presigned_audio_url(at.ids.session, at.ids.audio_file),
    "engine_url": Shared("the address of the database of all tenants"),
    "text_history": lambda at: at.store.text_history(at.ids.session, at.ids.transcript),
    "read_audio": lambda at: at.store.read_audio(at.ids.session, at.ids.audio_file),
    "timeline": lambda at: at.store.timeline(at.ids.session),
    "stream_timeline": lambda at: at.store.stream_timeline(at.ids.session),
    "meeting_timeline": lambda at: at.store.meeting_timeline(meeting_of(at.ids)),
    "stream_meeting_timeline": lambda at: at.store.stream_meeting_timeline(meeting_of(at.ids)),
    "transcript_view": lambda at: at.store.transcript_view(at.ids.session, ["es"]),
    "stream_transcript_view": lambda at: at.store.stream_transcript_view(at.ids.session, ["es"]),
    "missing_translations": lambda at: at.store.missing_translations(at.ids.session, "ja"),
    "session_statistics": lambda at: at.store.session_statistics(at.ids.session),
    "find_sessions": lambda at: at.store.find_sessions(text=str(at.ids.session), count=True),
    "search": lambda at: at.store.search("morning", session_ids=[at.ids.session]),
}
FUNCTIONS: dict[str, Callable[[Place], Any] | Shared] = {
    "export_session": lambda at: exchange.export_session(at.store, at.ids.session, format="srt"),
    "backup_session": lambda at: exchange.backup_session(at.store, at.ids.session),
    "import_file": file_of,
    "restore_session": forged,
    "import_legacy": Shared("it copies another database, under ids of the tenant's own"),
    "session_page": lambda at: session_page.session_page(at.store, at.ids.session),
}
UNIT: dict[str, Callable[[UnitPlace], Any] | Shared] = {
    "session": lambda at: at.uow.session.get(Transcript, (at.ids.session, at.ids.transcript)),
    "rollback": Shared("it ends the unit"),
    "sessions.create": lambda at: at.uow.sessions.create(
        bot_id="b", meeting_id="m", external_id=at.ids.external_id
    ),
    "sessions.create_many": lambda at: at.uow.sessions.create_many(
        [SessionInput(bot_id="b", meeting_id="m", external_id=at.ids.external_id)]
    ),
    "sessions.get": lambda at: at.uow.sessions.get(at.ids.session),
    "sessions.named": lambda at: at.uow.sessions.named(at.ids.external_id),
    "sessions.update": lambda at: at.uow.sessions.update(at.ids.session, title="Mine", status="ended"),
    "sessions.end": lambda at: at.uow.sessions.end(at.ids.session),
    "sessions.delete": lambda at: at.uow.sessions.delete(at.ids.session),
    "audio_files.add": lambda at: at.uow.audio_files.add(at.ids.session, audio(b"mine")),
    "audio_files.get": lambda at: at.uow.audio_files.get(at.ids.session, at.ids.audio_file),
    "audio_files.list_for_session": lambda at: at.uow.audio_files.list_for_session(at.ids.session),
    "audio_files.open": lambda at: at.uow.audio_files.open(at.ids.session, at.ids.audio_file),
    "audio_files.delete": lambda at: at.uow.audio_files.delete(at.ids.session, at.ids.audio_file),
    "audio_files.read": lambda at: at.uow.audio_files.read(at.ids.session, at.ids.audio_file),
    "transcripts.add": lambda at: at.uow.transcripts.add(
        at.ids.session, transcript(id=at.ids.transcript, text="Mine.", speaker_label="ME")
    ),
    "transcripts.edit": lambda at: at.uow.transcripts.edit(
        at.ids.session, at.ids.transcript, text="Mine.", edited_by="me"
    ),
    "transcripts.get": lambda at: at.uow.transcripts.get(at.ids.session, at.ids.transcript),
    "transcripts.list_for_session": lambda at: at.uow.transcripts.list_for_session(at.ids.session),
    "transcripts.stream_for_session": lambda at: at.uow.transcripts.stream_for_session(at.ids.session),
    "transcripts.delete": lambda at: at.uow.transcripts.delete(at.ids.session, at.ids.transcript),
    "translations.add": lambda at: at.uow.translations.add(
        at.ids.session, at.ids.transcript, translation("Mía.")
    ),
    "translations.add_many": lambda at: at.uow.translations.add_many(
        at.ids.session, at.ids.transcript, [translation("Mía."), translation("私の。", "ja")]
    ),
    "translations.edit": lambda at: at.uow.translations.edit(
        at.ids.session, at.ids.transcript, "es", text="Mía.", edited_by="me"
    ),
    "translations.delete": lambda at: at.uow.translations.delete(at.ids.session, at.ids.transcript, "es"),
    "translations.get": lambda at: at.uow.translations.get(at.ids.session, at.ids.transcript, "es"),
    "translations.stream_for_session": lambda at: at.uow.translations.stream_for_session(at.ids.session),
    "translations.list_for_transcript": lambda at: at.uow.translations.list_for_transcript(
        at.ids.session, at.ids.transcript
    ),
    "translations.list_for_session": lambda at: at.uow.translations.list_for_session(at.ids.session),
    "speakers.rename": lambda at: at.uow.speakers.rename(at.ids.session, LABEL, "Me"),
    "speakers.merge": lambda at: at.uow.speakers.merge(at.ids.session, LABEL, into="SPEAKER_01"),
    "speakers.split": lambda at: at.uow.speakers.split(at.ids.session, LABEL, at=0.0, into="ME"),
    "speakers.forget": lambda at: at.uow.speakers.forget(at.ids.session, LABEL),
    "speakers.get": lambda at: at.uow.speakers.get(at.ids.session, LABEL),
    "speakers.list_for_session": lambda at: at.uow.speakers.list_for_session(at.ids.session),
    "archive.tables": Shared("names of tables and columns"),
    "archive.rows": lambda at: at.uow.archive.rows("transcripts", at.ids.session),
    "archive.add_rows": lambda at: at.uow.archive.add_rows(
        "speakers",
        [SPEAKER_ROW % at.ids.session],
    ),
    "archive.has_bytes": lambda at: at.uow.archive.has_bytes(
        at.ids.session, at.ids.audio_file, StoredBytes(*at.stored)
    ),
    "archive.refer_to": lambda at: at.uow.archive.refer_to(at.ids.session, at.ids.audio_file, "key"),
    "archive.upload": uploaded,
}
# The methods that every repository has.
for repository, row in (
    ("sessions", Session),
    ("audio_files", AudioFile),
    ("transcripts", Transcript),
    ("translations", Translation),
    ("speakers", Base.registry._class_registry["Speaker"]),
):
    UNIT |= {
        f"{repository}.model": Shared("the class of its rows"),
        f"{repository}.statement": Shared("a select, which the methods below run"),
    } | {
        f"{repository}.{method}": lambda at, repository=repository, row=row, method=method: getattr(  # type: ignore[misc]
            getattr(at.uow, repository), method
        )(of_session(row, at.ids))
        for method in ("get_many", "count", "stream")
    }


def public(thing: object) -> Iterator[str]:
    """Yield the public names of a class or an object."""
    return (name for name in dir(thing) if not name.startswith("_"))


async def outcome(call: Callable[[], Any]) -> str:
    """Return what came out, with ids and moments made the same."""
    try:
        result = call()
        if isinstance(result, AsyncIterable):
            result = [each async for each in result]
        elif isinstance(result, Awaitable):
            result = await result
    except (StoreError, ValueError) as error:
        result = f"{type(error).__name__}: {error}"
    same = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", str(result))
    return re.sub(r"position=\d+|line \d+", "…", same)


TABLES = ("sessions", "audio_files", "transcripts", "translations", "speakers", "text_versions")


def theirs(program: psycopg.Connection[Any], session: UUID, folder: Path) -> list[Any]:
    """Return all rows and objects of a session, as another program sees them."""
    rows: list[Any] = []
    for table in TABLES:
        key = "id" if table == "sessions" else "session_id"
        rows += program.execute(
            f"SELECT to_jsonb(t) FROM livetranslate.{table} t WHERE {key} = %s ORDER BY 1".encode(), [session]
        ).fetchall()
    program.rollback()
    return [rows, sorted((path.name, path.read_bytes()) for path in folder.rglob("*") if path.is_file())]


@pytest.fixture
async def their_ids(store: Store) -> Ids:
    """A session of another tenant with everything in it."""
    beta = store.for_tenant(THEIRS)
    async with beta.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="their-meeting")
    receipt = await beta.record_segment(
        session.id,
        transcript=transcript("Good morning.", start_time=0.0, speaker_label=LABEL, speaker_name="Ana"),
        translations=[translation()],
        audio=audio(b"their voice"),
    )
    async with beta.unit_of_work() as uow:
        await uow.sessions.end(session.id)
    # Another change of the session's status would settle it.
    await beta.record_segment(session.id, transcript=transcript("draft", is_final=False))
    assert receipt.audio is not None
    # What the cache has must not open a door.
    assert store.cache.knows((session.id, receipt.transcript_id))
    return Ids(session.id, receipt.transcript_id, receipt.audio.audio_file_id, "their-meeting")


def stored_bytes(program: psycopg.Connection[Any], ids: Ids) -> tuple[str, int, str]:
    row = program.execute(
        "SELECT storage_key, size_bytes, sha256 FROM livetranslate.audio_files WHERE session_id = %s",
        [ids.session],
    ).fetchone()
    program.rollback()
    assert row is not None
    storage_key, size_bytes, sha256 = row
    return storage_key, size_bytes, sha256


CALLED = {
    name: call for table in (STORE, FUNCTIONS) for name, call in table.items() if not isinstance(call, Shared)
}
CALLED_IN_UNIT = {name: call for name, call in UNIT.items() if not isinstance(call, Shared)}
# A tenant's store refuses these whatever they are given.
REFUSED = {"for_tenant", "sweep_audio", "restore_session"}


class Scene(NamedTuple):
    """A session of another tenant, and the means to see that nothing of it changes."""

    store: Store
    their_ids: Ids
    no_ids: Ids
    stored: tuple[str, int, str]
    program: psycopg.Connection[Any]
    audio_folder: Path
    folder: Path

    def theirs(self) -> list[Any]:
        """Return all that is stored of their session."""
        return theirs(self.program, self.their_ids.session, self.audio_folder / str(self.their_ids.session))

    def place(self, tenant: str, ids: Ids) -> Place:
        """Return what a call has."""
        return Place(self.store.for_tenant(tenant), ids, self.folder, self.stored)


@pytest.fixture
def scene(
    store: Store,
    their_ids: Ids,
    other_program: psycopg.Connection[Any],
    audio_folder: Path,
    tmp_path: Path,
) -> Scene:
    no_ids = Ids(new_id(), new_id(), new_id(), "nobody's-meeting")
    stored = stored_bytes(other_program, their_ids)
    return Scene(store, their_ids, no_ids, stored, other_program, audio_folder, tmp_path)


@pytest.mark.parametrize("name", CALLED)
async def test_another_tenants_ids_are_to_a_store_as_if_they_did_not_exist(name: str, scene: Scene) -> None:
    before = scene.theirs()
    found, expected = [
        await outcome(partial(CALLED[name], scene.place(MINE, ids)))
        for ids in (scene.their_ids, scene.no_ids)
    ]
    assert found == expected
    assert scene.theirs() == before


@pytest.mark.parametrize("kind", ["unit_of_work", "read"])
@pytest.mark.parametrize("name", CALLED_IN_UNIT)
async def test_another_tenants_ids_are_to_a_unit_as_if_they_did_not_exist(
    name: str, kind: str, scene: Scene
) -> None:
    acme = scene.store.for_tenant(MINE)
    before = scene.theirs()

    async def unit(ids: Ids) -> list[str]:
        outcomes = []
        # An error that is caught inside the block must commit nothing either.
        async with getattr(acme, kind)() as uow:
            outcomes.append(await outcome(partial(CALLED_IN_UNIT[name], UnitPlace(uow, ids, scene.stored))))
        return outcomes

    assert await outcome(partial(unit, scene.their_ids)) == await outcome(partial(unit, scene.no_ids))
    assert scene.theirs() == before


@pytest.mark.parametrize("name", sorted(CALLED.keys() - REFUSED))
async def test_a_store_of_their_own_tenant_finds_them(name: str, scene: Scene) -> None:
    found, missing = [
        await outcome(partial(CALLED[name], scene.place(THEIRS, ids)))
        for ids in (scene.their_ids, scene.no_ids)
    ]
    assert found != missing


@pytest.mark.parametrize("name", CALLED_IN_UNIT)
async def test_a_unit_of_their_own_tenant_finds_them(name: str, scene: Scene) -> None:
    outcomes = []
    for ids in (scene.their_ids, scene.no_ids):
        async with scene.store.for_tenant(THEIRS).unit_of_work() as uow:
            await uow.speakers.rename(scene.their_ids.session, "SPEAKER_01", "Ben")
            outcomes.append(await outcome(partial(CALLED_IN_UNIT[name], UnitPlace(uow, ids, scene.stored))))
            await uow.rollback()
    assert outcomes[0] != outcomes[1]


def test_every_method_of_a_store_is_here() -> None:
    assert {*public(Store), "cache", "gate"} == set(STORE)


def test_every_function_that_takes_a_store_is_here() -> None:
    functions = {
        name
        for module in (exchange, legacy, session_page)
        for name, each in vars(module).items()
        if inspect.isfunction(each) and "store" in inspect.signature(each).parameters
    }
    assert functions == set(FUNCTIONS)


async def test_every_method_of_a_unit_and_its_repositories_is_here(store: Store) -> None:
    async with store.unit_of_work() as uow:
        names = {name for name in public(uow) if name not in vars(uow)}
        for name, repository in vars(uow).items():
            if not name.startswith("_"):
                names |= {f"{name}.{method}" for method in public(repository)}
    assert names == set(UNIT)


@pytest.mark.usefixtures("their_ids")
async def test_own_statements_with_the_stores_models_are_narrowed_too(store: Store) -> None:
    async with store.for_tenant(MINE).unit_of_work() as uow:
        found = [
            (await uow.session.execute(statement)).all()
            for statement in (
                select(Transcript),
                select(Session.id),
                select(Translation.text).join(Session, Session.id == Translation.session_id),
                select(Transcript.id).union_all(select(Session.id)),
            )
        ]
        assert found == [[]] * 4
        # The models' own tables, and text, are the caller's own business.
        assert (await uow.session.execute(text("SELECT count(*) FROM livetranslate.sessions"))).scalar() == 1
