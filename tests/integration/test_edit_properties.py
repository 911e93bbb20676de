"""Machines' revisions, people's edits and late translations in any order, against a reference in Python."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias
from uuid import UUID

import pytest
from helpers.support import transcript, translation
from helpers.write_paths import WHOLE_SEGMENTS, Write, in_a_unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import Outcome, Store, TranscriptInput
from livetranslate_store.ids import transcript_id_for

pytestmark = pytest.mark.slow

SETTINGS = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.sampled_from(["Good", "Good mor", "Good morning."])
# Before every edit of the test, which are made now.
ELSEWHERE = datetime(2020, 1, 1, tzinfo=UTC)
NOW = 100


class Text(NamedTuple):
    """What is stored of a transcript or of its translation."""

    text: str
    revision: int
    is_final: bool = True
    editor: str | None = None
    #: Seconds since ELSEWHERE.
    moment: int = -1


class Machine(NamedTuple):
    """A transcriber sends a revision."""

    text: str
    is_final: bool
    revision: int | None
    write: Write


class Elsewhere(NamedTuple):
    """A text comes that a person edited elsewhere."""

    text: str
    editor: str
    moment: int
    write: Write


class Edits(NamedTuple):
    """A person edits the transcript, or its translation."""

    text: str
    editor: str
    is_translation: bool


class Translates(NamedTuple):
    """A translator sends a translation."""

    text: str
    revision: int | None


Action: TypeAlias = Machine | Elsewhere | Edits | Translates

writes = st.sampled_from([*WHOLE_SEGMENTS, in_a_unit])
editors = st.sampled_from(["ana", "bo"])
actions = st.one_of(
    st.builds(Machine, TEXTS, st.booleans(), st.one_of(st.none(), st.integers(1, 4)), writes),
    st.builds(Elsewhere, TEXTS, editors, st.integers(0, 3), writes),
    st.builds(Edits, TEXTS, editors, st.booleans()),
    st.builds(Translates, TEXTS, st.one_of(st.none(), st.integers(0, 6))),
)


class Reference:
    """The rules of the design, word by word."""

    def __init__(self) -> None:
        self.spoken: Text | None = None
        self.translated: Text | None = None
        self.replaced: list[str] = []
        self.replaced_translations: list[str] = []
        self._now = NOW

    def apply(self, action: Action) -> Outcome | None:
        """Return the outcome of an action, None if it cannot be done yet."""
        match action:
            case Machine():
                return self._machine(action)
            case Elsewhere():
                return self._elsewhere(action)
            case Edits(is_translation=False):
                return self._edit(action)
            case Edits():
                return self._edit_translation(action)
            case Translates():
                return self._translate(action)

    def _machine(self, new: Machine) -> Outcome:
        stored = self.spoken
        if stored is None:
            self.spoken = Text(new.text, new.revision or 0, new.is_final)
            return Outcome.INSERTED
        same = (stored.text, stored.is_final) == (new.text, new.is_final)
        if stored.editor is not None:
            return Outcome.STALE
        if stored.is_final != new.is_final:
            accepted = new.is_final
        elif new.revision is None:
            accepted = not same
        else:
            accepted = new.revision > stored.revision
        if not accepted:
            return Outcome.UNCHANGED if same else Outcome.STALE
        self.spoken = Text(new.text, max(new.revision or 0, stored.revision + 1), new.is_final)
        return Outcome.UPDATED

    def _elsewhere(self, new: Elsewhere) -> Outcome:
        stored = self.spoken
        if stored is None:
            self.spoken = Text(new.text, 0, True, new.editor, new.moment)
            return Outcome.INSERTED
        same = (stored.text, stored.editor, stored.moment) == (new.text, new.editor, new.moment)
        if new.moment < stored.moment or same:
            return Outcome.UNCHANGED if same else Outcome.STALE
        if new.moment > stored.moment or new.text != stored.text:
            self.replaced.append(stored.text)
        self.spoken = Text(new.text, stored.revision + 1, True, new.editor, new.moment)
        return Outcome.UPDATED

    def _edit(self, new: Edits) -> Outcome | None:
        if self.spoken is None:
            return None
        if self.spoken.editor is not None and self.spoken.text == new.text:
            return Outcome.UNCHANGED
        self.replaced.append(self.spoken.text)
        self.spoken = Text(new.text, self.spoken.revision + 1, True, new.editor, self._moment())
        return Outcome.UPDATED

    def _edit_translation(self, new: Edits) -> Outcome | None:
        stored = self.translated
        if self.spoken is None or stored is None:
            return None
        if stored.editor is not None and stored[:2] == (new.text, self.spoken.revision):
            return Outcome.UNCHANGED
        self.replaced_translations.append(stored.text)
        self.translated = Text(new.text, self.spoken.revision, True, new.editor, self._moment())
        return Outcome.UPDATED

    def _translate(self, new: Translates) -> Outcome | None:
        if self.spoken is None:
            return None
        revision = self.spoken.revision if new.revision is None else new.revision
        stored = self.translated
        if stored is None:
            self.translated = Text(new.text, revision)
            return Outcome.INSERTED
        same = stored.text == new.text and stored.editor is None
        newer = revision > stored.revision or (revision == stored.revision and not same)
        if stored.editor is not None or not newer:
            return Outcome.UNCHANGED if same else Outcome.STALE
        self.translated = Text(new.text, revision)
        return Outcome.UPDATED

    def _moment(self) -> int:
        self._now += 1
        return self._now


def version(text: str, **fields: object) -> TranscriptInput:
    return transcript(text, segment_key="seg-1", **fields)


async def act(store: Store, session_id: UUID, transcript_id: UUID, action: Action) -> Outcome:
    """Do an action with the store, and return its outcome."""
    match action:
        case Machine():
            new = version(action.text, is_final=action.is_final, revision=action.revision)
            return (await action.write(store, session_id, new)).outcome
        case Elsewhere():
            moment = ELSEWHERE + timedelta(seconds=action.moment)
            new = version(action.text, is_final=True, edited_by=action.editor, edited_at=moment)
            return (await action.write(store, session_id, new)).outcome
        case Translates():
            late = translation(action.text, transcript_revision=action.revision)
            return (await store.add_translation(session_id, transcript_id, late)).outcome
        case Edits():
            async with store.unit_of_work() as uow:
                if action.is_translation:
                    translated = await uow.translations.edit(
                        session_id, transcript_id, "es", text=action.text, edited_by=action.editor
                    )
                    return translated.outcome
                spoken = await uow.transcripts.edit(
                    session_id, transcript_id, text=action.text, edited_by=action.editor
                )
                return spoken.outcome


@SETTINGS
@given(st.lists(actions, min_size=1, max_size=8))
def test_any_order_of_machines_and_people_ends_as_the_reference_says(
    database_url: str, arriving: list[Action]
) -> None:
    async def example() -> None:
        async with Store.open(database_url, min_connections=1, max_connections=2) as store:
            await _follow(store, Reference(), arriving)

    asyncio.run(example())


async def _follow(store: Store, reference: Reference, arriving: Sequence[Action]) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    transcript_id = transcript_id_for(session.id, "transcriber", "seg-1")
    for action in arriving:
        if (expected := reference.apply(action)) is not None:
            assert await act(store, session.id, transcript_id, action) is expected, action
    if reference.spoken is None:
        return
    spoken, *translated = await store.timeline(session.id)
    assert (spoken.text, spoken.revision, spoken.is_final) == reference.spoken[:3]
    history = [*await store.text_history(session.id, transcript_id)]
    assert [each.text for each in history] == [*reference.replaced, reference.spoken.text]
    assert history[-1].edited_by == reference.spoken.editor
    is_missing = True
    if reference.translated is not None:
        [entry] = translated
        is_stale = reference.translated.revision != reference.spoken.revision
        assert (entry.text, entry.revision, entry.is_stale) == (*reference.translated[:2], is_stale)
        history = [*await store.text_history(session.id, transcript_id, language="es")]
        assert [each.text for each in history] == [
            *reference.replaced_translations,
            reference.translated.text,
        ]
        is_missing = is_stale and reference.translated.editor is None
    assert len(await store.missing_translations(session.id, "es")) == is_missing
