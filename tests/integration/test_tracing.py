"""OpenTelemetry: a span for each thing that the store does, without a text or a name in it."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import pytest
from helpers.support import audio, transcript, translation, until
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from livetranslate_store import (
    InvalidInputError,
    MissingReferenceError,
    SegmentInput,
    Store,
    WriteRejectedError,
)
from livetranslate_store.ids import new_id
from livetranslate_store.tracing import Tracing

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "observability.md"
SECRET = "nobody's business"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What an application sets up once for its process, for one test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


@pytest.fixture
async def traced(spans: InMemorySpanExporter, database_url: str, audio_folder: Path) -> AsyncIterator[Store]:
    settings: dict[str, Any] = {"audio_url": f"file:{audio_folder}", "min_connections": 1, "tracing": True}
    async with Store.open(database_url, **settings) as store:
        yield store
    spans.clear()


def told(spans: InMemorySpanExporter) -> list[tuple[str, dict[str, Any]]]:
    """Return names and attributes of what has ended, without their prefixes."""
    found = []
    for span in spans.get_finished_spans():
        attributes = {
            key.removeprefix("livetranslate."): value for key, value in (span.attributes or {}).items()
        }
        found.append((span.name.removeprefix("livetranslate_store."), attributes))
    spans.clear()
    return found


async def use(store: Store) -> UUID:
    """Do everything once, with a secret wherever there can be one."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id=SECRET, meeting_id=SECRET, title=SECRET)
    spoken = transcript(SECRET, speaker_label=SECRET, speaker_name=SECRET, segment_key=SECRET)
    receipt = await store.record_segment(
        session.id, transcript=spoken, translations=[translation(SECRET)], audio=audio(format=SECRET)
    )
    await store.add_translation(session.id, receipt.transcript_id, translation(SECRET, "ja"))
    await store.import_segments([SegmentInput(session_id=session.id, transcript=spoken)])
    await store.timeline(session.id, speakers=[SECRET])
    async with store.read() as reader:
        await reader.sessions.get(session.id)
    return session.id


async def test_everything_that_the_store_does_has_a_span(traced: Store, spans: InMemorySpanExporter) -> None:
    session_id = str(await use(traced))
    assert [each for each in told(spans) if each[0] != "statement"] == [
        ("unit_of_work", {}),
        ("record_segment", {"session_id": session_id, "translations": 1, "outcome": "inserted"}),
        ("add_translation", {"session_id": session_id, "outcome": "inserted"}),
        ("import_segments", {"refused": 0}),
        ("timeline", {"session_id": session_id, "entries": 3}),
        ("read", {}),
    ]
    async for _ in traced.stream_timeline(UUID(session_id)):
        pass
    assert told(spans) == [
        ("statement", {"statement": "timeline"}),
        ("timeline", {"session_id": session_id, "entries": 3}),
    ]


async def test_no_span_holds_a_text_or_a_name(traced: Store, spans: InMemorySpanExporter) -> None:
    await use(traced)
    with pytest.raises(MissingReferenceError):
        await traced.record_segment(new_id(), transcript=transcript(SECRET))
    everything = [span.to_json() for span in spans.get_finished_spans()]
    assert len([text for text in everything if "livetranslate_store.statement" not in text]) == 7
    assert SECRET not in "".join(everything)


async def test_the_statement_of_a_group_is_in_the_trace_of_its_first_write(
    traced: Store, spans: InMemorySpanExporter
) -> None:
    async with traced.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    for _ in range(2):
        spans.clear()
        await asyncio.gather(
            *(traced.record_segment(session.id, transcript=transcript(f"{number}")) for number in range(60))
        )
        found = spans.get_finished_spans()
        calls = {each.context.span_id for each in found if each.name.endswith(".record_segment")}
        statements = [each for each in found if each.name.endswith(".statement")]
        assert len(statements) >= 3
        for each in statements:
            assert each.parent is not None
            assert each.parent.span_id in calls
            assert (each.attributes or {})["livetranslate.statement"] == "segments.insert"
        assert len({each.parent.span_id for each in statements if each.parent}) == len(statements)


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    """Return the one span that is not a statement's."""
    (span,) = [each for each in spans.get_finished_spans() if not each.name.endswith(".statement")]
    return span


async def test_an_error_is_told_by_its_type_alone(traced: Store, spans: InMemorySpanExporter) -> None:
    with pytest.raises(MissingReferenceError):
        await traced.record_segment(new_id(), transcript=transcript(SECRET))
    span = only(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert (span.attributes or {})["error.type"] == "MissingReferenceError"
    assert span.events == ()


async def test_a_unit_of_work_is_the_parent_of_what_happens_inside_and_ends_whatever_happens(
    traced: Store, spans: InMemorySpanExporter
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with traced.unit_of_work():
            await traced.timeline(new_id())
            raise ZeroDivisionError
    _statement, timeline, unit = spans.get_finished_spans()
    assert timeline.parent is not None
    assert unit.context is not None
    assert timeline.parent.span_id == unit.context.span_id
    assert (unit.attributes or {})["error.type"] == "ZeroDivisionError"
    assert not trace.get_current_span().is_recording()


async def test_a_unit_that_the_gate_rejects_has_a_span_that_ends(
    traced: Store, spans: InMemorySpanExporter
) -> None:
    traced.gate.limit = 1
    async with traced.unit_of_work():
        waiting = asyncio.create_task(enter(traced))
        await until(lambda: traced.statistics().gate.waiting == 1)
        traced.gate.reject_all()
        with pytest.raises(WriteRejectedError):
            await waiting
        assert (only(spans).attributes or {})["error.type"] == "WriteRejectedError"


async def enter(store: Store) -> None:
    async with store.unit_of_work():
        pytest.fail("the gate was full")


async def test_without_the_setting_nothing_is_traced(store: Store, spans: InMemorySpanExporter) -> None:
    await use(store)
    assert spans.get_finished_spans() == ()


async def test_where_the_package_is_missing_the_setting_says_what_to_install(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(InvalidInputError, match=r"pip install 'livetranslate-store\[otel\]'"):
        async with Store.open(database_url, min_connections=0, tracing=True):
            pytest.fail("it cannot be traced")


def test_what_is_not_traced_costs_next_to_nothing() -> None:
    session_id, tracing = new_id(), Tracing(enabled=False)

    def spend() -> float:
        began = perf_counter()
        for _ in range(1000):
            with tracing.span("record_segment", session_id=session_id, translations=3) as span:
                span.set(outcome="inserted")
        return (perf_counter() - began) / 1000

    # The best of many: others on this machine are not what is measured.
    assert min(spend() for _ in range(50)) < 2e-6


def test_every_span_is_documented() -> None:
    package = DOCUMENTATION.parents[1] / "livetranslate_store"
    sources = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    made = re.findall(r'(?:racing\.span|PageReader)\(\s*"(\w+)"', sources)
    documented = re.findall(r"^\| `livetranslate_store\.(\w+)`", DOCUMENTATION.read_text(), re.MULTILINE)
    assert set(documented) == set(made)
