"""What is secret in the settings is in no repr, no message, no traceback and no log, whatever goes wrong."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from conftest import PASSWORD
from helpers.stored import Program, terminate_all
from helpers.support import audio, sql, transcript, translation
from sqlalchemy import make_url

from livetranslate_store import Store, StoreError, StoreSettings
from livetranslate_store.database.engine import Database
from livetranslate_store.ids import new_id
from livetranslate_store.schema.upgrade import upgrade

# Of a person's text, which is nobody's business either.
TEXT = "my grandmother's recipe"


class Told:
    """Everything that anybody could have read."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        self._log = log
        self.errors: list[BaseException] = []
        self.shown: list[str] = []

    def everything(self) -> str:
        """Return all of it, the log with every field included."""
        assert self._log.records
        return "\n".join([*self.shown, self._log.text, *map(str, map(vars, self._log.records))])

    def show(self, *values: object) -> None:
        self.shown += [f"{value!r} {value}" for value in values]

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[None]:
        """Run a block that must end in an error of the store's, and keep all that can be printed of it."""
        with pytest.raises(StoreError) as raised:
            yield
        error = raised.value
        self.errors.append(error)
        self.show(error, error.__cause__, error.__context__, error.args)
        self.shown.append("".join(traceback.format_exception(error)))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    caplog.set_level(logging.DEBUG)
    for name in ("livetranslate_store", "sqlalchemy", "alembic", "asyncpg", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    return Told(caplog)


async def test_the_password_is_nowhere_whatever_goes_wrong(
    database_url: str, audio_folder: Path, other_program: Program, told: Told
) -> None:
    assert PASSWORD in database_url
    settings = StoreSettings(
        database_url=database_url, audio_url=f"file:{audio_folder}", min_connections=1, command_timeout=0.5
    )
    told.show(settings, settings.model_dump(), vars(settings))
    async with Store.open(settings) as store:
        told.show(store, vars(store), store._database.engine, store._database.engine.url, store.statistics())
        await use_and_misuse(store, told, other_program)
        told.show(await store.health())
    wrong = make_url(database_url)
    for url in (
        wrong.set(host="127.0.0.1", port=1, query={}),
        wrong.set(database="no such database"),
        wrong.set(username="nobody-of-this-name"),
        wrong.set(drivername="mysql"),
        wrong.update_query_dict({"sslmode": "prefer"}),
    ):
        shown = url.render_as_string(hide_password=False)
        async with told.failing(), Store.open(shown, min_connections=1):
            pytest.fail("that is not a database")
        async with told.failing():
            await asyncio.to_thread(upgrade, shown)
    async with told.failing():
        StoreSettings(database_url=database_url, cache_size=0)
    async with told.failing():
        StoreSettings(database_url=[database_url])  # type: ignore[arg-type]
    everything = told.everything()
    assert len(told.errors) > 15
    assert PASSWORD not in everything
    assert TEXT not in everything


async def use_and_misuse(store: Store, told: Told, program: Program) -> None:
    """Do what works, and meet every kind of error on the way."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m", external_id="meet-42")
    spoken = transcript(TEXT, segment_key="seg-1")
    receipt = await store.record_segment(session.id, transcript=spoken, audio=audio())
    async with told.failing():
        await store.record_segment(new_id(), transcript=spoken)
    async with told.failing():
        await store.add_translation(session.id, new_id(), translation(TEXT))
    async with told.failing():
        await store.read_audio(session.id, new_id())
    async with told.failing():
        transcript(TEXT + "\0")
    async with told.failing(), store.unit_of_work() as uow:
        await uow.sessions.create(bot_id="b", meeting_id="other", external_id="meet-42")
    async with told.failing(), store.read() as reader:
        await reader.transcripts.add(session.id, spoken)
    with locked(program):
        async with told.failing():
            await store.timeline(session.id)
        # By way of SQLAlchemy, whose errors would repeat what was bound.
        async with told.failing(), store.unit_of_work() as uow:
            await uow.sessions.update(session.id, title=TEXT)
    async with told.failing(), store.unit_of_work() as uow:
        await uow.translations.add(session.id, receipt.transcript_id, translation(TEXT))
        terminate_all(program)
    terminate_all(program)
    assert len(await store.timeline(session.id)) == 1


@contextmanager
def locked(program: Program) -> Iterator[None]:
    """Let statements run into their time limit."""
    program.execute("LOCK TABLE livetranslate.sessions, livetranslate.transcripts IN ACCESS EXCLUSIVE MODE")
    yield
    program.rollback()


async def test_a_password_among_the_urls_parameters_is_as_secret(database_url: str) -> None:
    url = make_url(database_url)
    hidden = url.set(password=None).update_query_dict({"password": PASSWORD})
    database = Database(StoreSettings(database_url=hidden.render_as_string(hide_password=False)))
    assert PASSWORD not in f"{database.engine!r} {database.engine.url} {database.engine.url!r}"
    assert await database.fetch(sql("SELECT 1"))
    await database.close()


async def test_what_is_secret_in_the_storages_address_is_not_shown(database_url: str, told: Told) -> None:
    url = "ftp://bots:hunter2@host/audio"
    async with told.failing(), Store.open(database_url, audio_url=url, min_connections=0):
        pytest.fail("there is no such storage")
    told.show(StoreSettings(database_url=database_url, audio_url="s3://bots:hunter2@bucket/audio"))
    assert "hunter2" not in told.everything()
