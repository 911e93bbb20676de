"""A service for the bots, translators, editors and viewers of several customers."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Body, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel

from livetranslate_store import (
    AudioReceipt,
    Detail,
    InvalidInputError,
    MeetingPage,
    Problem,
    SegmentReceipt,
    SessionInput,
    SessionPage,
    SessionReceipt,
    Store,
    StoreError,
    TextHistoryEntry,
    TimelineOrder,
    TimelinePage,
    TranscriptInput,
    TranscriptReceipt,
    TranslationInput,
    TranslationReceipt,
    problem_of,
)
from livetranslate_store.page import session_page


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the store for as long as the application lives."""
    async with Store.open() as store:
        app.state.store = store
        yield


app = FastAPI(lifespan=lifespan, responses={"default": {"model": Problem}})


def store_of(request: Request, customer: Annotated[str, Header()]) -> Store:
    """Return the store of the customer that the gateway in front has authenticated."""
    store: Store = request.app.state.store
    return store.for_tenant(customer)


Own = Annotated[Store, Depends(store_of)]


@app.exception_handler(StoreError)
async def explain(_request: Request, error: StoreError) -> Response:
    """Answer with the problem document of an error."""
    problem = problem_of(error)
    return Response(msgspec.json.encode(problem), problem.status, problem.headers)


@app.exception_handler(RequestValidationError)
async def refuse(request: Request, error: RequestValidationError) -> Response:
    """Answer a wrong request in the same way."""
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return await explain(request, InvalidInputError(said))


@app.post("/sessions")
async def create(store: Own, session: Annotated[SessionInput, Body()]) -> SessionReceipt:
    """Create a session."""
    async with store.unit_of_work() as uow:
        [receipt] = await uow.sessions.create_many([session])
    return receipt


@app.get("/sessions")
async def sessions(
    store: Own,
    *,
    text: str | None = None,
    tag: str | None = None,
    started_from: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> SessionPage:
    """List the customer's meetings."""
    tags = None if tag is None else {"tags": [tag]}
    return await store.find_sessions(
        text=text, metadata=tags, started_from=started_from, limit=limit, cursor=cursor, count=True
    )


@app.post("/sessions/{session_id}/end")
async def end(store: Own, session_id: UUID) -> None:
    """End a session."""
    async with store.unit_of_work() as uow:
        await uow.sessions.end(session_id)


@app.post("/sessions/{session_id}/segments")
async def record(
    store: Own, session_id: UUID, transcript: Annotated[TranscriptInput, Body()]
) -> SegmentReceipt:
    """Record a revision of a segment."""
    return await store.record_segment(session_id, transcript=transcript)


@app.post("/sessions/{session_id}/segments/{transcript_id}/translations")
async def translate(
    store: Own, session_id: UUID, transcript_id: UUID, translation: Annotated[TranslationInput, Body()]
) -> TranslationReceipt:
    """Add a translation that comes later."""
    return await store.add_translation(session_id, transcript_id, translation)


class Edit(BaseModel):
    """A person's correction; the revision is the one that the person saw."""

    text: str
    edited_by: str
    expected_revision: int


@app.put("/sessions/{session_id}/segments/{transcript_id}/text")
async def correct(store: Own, session_id: UUID, transcript_id: UUID, edit: Edit) -> TranscriptReceipt:
    """Correct a text."""
    async with store.unit_of_work() as uow:
        return await uow.transcripts.edit(session_id, transcript_id, **edit.model_dump())


@app.get("/sessions/{session_id}/segments/{transcript_id}/history")
async def history(store: Own, session_id: UUID, transcript_id: UUID) -> list[TextHistoryEntry]:
    """Return the versions of a text."""
    return [*await store.text_history(session_id, transcript_id)]


@app.get("/sessions/{session_id}/timeline")
async def timeline(
    store: Own,
    session_id: UUID,
    *,
    language: Annotated[list[str] | None, Query()] = None,
    include: Annotated[list[Detail] | None, Query()] = None,
    order: TimelineOrder = "oldest",
    limit: int = 100,
    cursor: str | None = None,
) -> TimelinePage:
    """Return a page of a session; 404 if the session does not exist."""
    page = await store.timeline(
        session_id, languages=language, include=include or (), order=order, limit=limit, cursor=cursor
    )
    if not page:
        async with store.read() as reader:
            await reader.sessions.get(session_id)
    return page


@app.get("/meetings/{meeting_id}/timeline")
async def meeting(store: Own, meeting_id: str, cursor: str | None = None) -> MeetingPage:
    """Return a page of a meeting that several bots were in."""
    return await store.meeting_timeline(meeting_id, limit=100, cursor=cursor)


@app.get("/sessions/{session_id}/page", response_class=HTMLResponse)
async def page(store: Own, session_id: UUID) -> str:
    """Return the meeting for people."""
    return await session_page.session_page(store, session_id)


@app.post("/sessions/{session_id}/audio")
async def upload(request: Request, store: Own, session_id: UUID, start_time: float) -> AudioReceipt:
    """Store a recording as it comes."""
    return await store.record_audio(session_id, request.stream(), format="wav", start_time=start_time)


@app.get("/sessions/{session_id}/audio/{audio_file_id}")
async def listen(
    store: Own,
    session_id: UUID,
    audio_file_id: UUID,
    asked: Annotated[str, Header(alias="Range", pattern="^bytes=[0-9]+-[0-9]+$")],
) -> StreamingResponse:
    """Return some bytes of a recording."""
    recording = await store.open_audio(session_id, audio_file_id)
    first, last = map(int, re.findall("[0-9]+", asked))
    end = min(last + 1, recording.size_bytes)
    return StreamingResponse(
        recording.stream(first, end),
        206,
        {"Content-Range": f"bytes {first}-{end - 1}/{recording.size_bytes}"},
        media_type="audio/wav",
    )


@app.get("/health")
async def health(request: Request, response: Response) -> dict[str, str]:
    """Return what is wrong."""
    store: Store = request.app.state.store
    found = await store.health(time_limit=2.0)
    response.status_code = 200 if found.is_healthy else 503
    return found.problems
