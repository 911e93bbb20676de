"""A session's own row and its speakers: created, or updated if they exist."""

from collections.abc import Mapping

from livetranslate_store.checks import MAX_NAME_CHARACTERS, JSONObject, JSONValue
from livetranslate_store.errors import NotFoundError
from livetranslate_store.legacy.context import Context
from livetranslate_store.legacy.mapping import MappedSession, NamedSpeaker, speakers_of
from livetranslate_store.legacy.row import LEGACY, LegacyRow
from livetranslate_store.models import Session
from livetranslate_store.unit_of_work import UnitOfWork
from livetranslate_store.values.inputs import STATUSES_OF_ENDED_SESSIONS

#: The key for the fingerprint of the older rows, kept once the session was verified.
VERIFIED = "verified"


async def is_verified(context: Context, fingerprint: str) -> bool:
    """Tell whether an earlier run has moved the session as it is now, and found it equal."""
    async with context.store.read() as reader:
        try:
            session = await reader.sessions.get(context.session_id)
        except NotFoundError:
            return False
    legacy = session.metadata_.get(LEGACY)
    return isinstance(legacy, Mapping) and legacy.get(VERIFIED) == fingerprint


async def remember(context: Context, metadata: JSONObject) -> None:
    """Store the metadata with its fingerprint: the session is here."""
    async with context.store.unit_of_work() as uow:
        await uow.sessions.update(context.session_id, metadata=metadata)


async def write_session(context: Context, mapped: MappedSession, metadata: JSONObject) -> None:
    """Make the session, or bring it up to date; it is not verified yet.

    Raises DuplicateError if its id names a session of another bot or meeting.
    """
    metadata = _without_fingerprint(metadata)
    async with context.store.unit_of_work() as uow:
        if mapped.status not in STATUSES_OF_ENDED_SESSIONS:
            # It was reopened at its source, and goes on here too.
            found = await uow.sessions.named(mapped.external_id)
            if found and found.bot_id == mapped.bot_id and found.status in STATUSES_OF_ENDED_SESSIONS:
                await uow.sessions.update(found.id, status=mapped.status)
        receipt = await uow.sessions.create(
            bot_id=mapped.bot_id,
            meeting_id=mapped.meeting_id,
            external_id=mapped.external_id,
            title=mapped.title,
            uri=mapped.uri,
            status=mapped.status,
            started_at=mapped.started_at,
            ended_at=mapped.ended_at,
            target_languages=mapped.target_languages,
            metadata=metadata,
        )
        session = await uow.sessions.get(receipt.id)
        if session.started_at != mapped.started_at:
            context.tally.refuse("sessions", context.key, "start_time: it is here with another start already")
            return
        await _bring_up_to_date(uow, session, mapped, metadata)


async def _bring_up_to_date(
    uow: UnitOfWork, session: Session, mapped: MappedSession, metadata: JSONObject
) -> None:
    if mapped.ended_at is not None and session.ended_at != mapped.ended_at:
        session = await uow.sessions.update(session.id, status=mapped.status, ended_at=mapped.ended_at)
    here = (session.title, session.uri, session.status, session.target_languages, session.metadata_)
    there = (mapped.title, mapped.uri, mapped.status, mapped.target_languages, metadata)
    if here != there:
        await uow.sessions.update(
            session.id,
            title=mapped.title,
            uri=mapped.uri,
            status=mapped.status,
            target_languages=mapped.target_languages,
            metadata=metadata,
        )


async def read_speakers(context: Context, session: LegacyRow) -> tuple[list[NamedSpeaker], dict[str, str]]:
    """Return the speakers whom an identity names, and the names of all by label.

    What has no place of the identities is left in the row of their session. A label that no identity names
    has the name that its transcripts give most often.
    """
    rows = [row async for row in context.source.rows("speaker_identities", context.key)]
    speakers, left = speakers_of(rows)
    if left:
        session.keep("speaker_identities", left)
    for row in rows:
        context.report(row)
    names = {speaker.label: speaker.name for speaker in speakers}
    for label, name in await context.source.said_names(context.key):
        if name.strip() and len(name) <= MAX_NAME_CHARACTERS:
            names.setdefault(label if label and label.strip() else name, name)
    return speakers, names


async def name_speakers(context: Context, speakers: list[NamedSpeaker]) -> None:
    """Give the speakers the names of their identities, unless they have names."""
    async with context.store.read() as reader:
        found = await reader.speakers.list_for_session(context.session_id)
    known = {
        NamedSpeaker(each.label, each.name or "", each.identification_method, each.confidence)
        for each in found
    }
    unnamed = [speaker for speaker in speakers if speaker not in known]
    if not unnamed:
        return
    async with context.store.unit_of_work() as uow:
        for label, name, method, confidence in unnamed:
            await uow.speakers.rename(
                context.session_id, label, name, identification_method=method, confidence=confidence
            )
    context.tally.speakers_named += len(unnamed)


def _without_fingerprint(metadata: JSONObject) -> JSONObject:
    legacy = metadata.get(LEGACY)
    assert isinstance(legacy, Mapping)  # noqa: S101 (the fingerprint is in it)
    rest: JSONValue = {name: value for name, value in legacy.items() if name != VERIFIED}
    return {name: value for name, value in metadata.items() if name != LEGACY} | (
        {LEGACY: rest} if rest else {}
    )
