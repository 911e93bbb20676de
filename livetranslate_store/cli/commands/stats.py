"""`stats`: the figures of a meeting."""

from collections.abc import Sequence

from msgspec import Struct
from rich.text import Text

from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import AsJson, Database, SessionName
from livetranslate_store.cli.terminal.output import Column, Output, Value, text_of
from livetranslate_store.cli.terminal.terminal_text import clock
from livetranslate_store.values import (
    LanguageStatistics,
    ScriptCounts,
    SessionStatistics,
    SpeakerStatistics,
    TranslationCoverage,
)

_BAR_CELLS = 20


def _bar(share: float, number: str) -> Text:
    full = round(share * _BAR_CELLS)
    return Text("█" * full + "░" * (_BAR_CELLS - full), style="cyan").append(f" {number}", style="")


def _share(share: float) -> Text:
    return _bar(share, f"{share:.0%}")


def _said(counts: ScriptCounts) -> str:
    parts = ((counts.words, "words"), (counts.characters, "characters"))
    return ", ".join(f"{number:,} {what}" for number, what in parts if number)


SPEAKERS: Sequence[Column[SpeakerStatistics]] = (
    Column("speaker", lambda each: each.name or each.label or "(unknown speaker)", style="bold"),
    Column("talk", lambda each: each.talk_seconds, lambda each: clock(each.talk_seconds), right=True),
    Column("share", lambda each: each.share, lambda each: _share(each.share), is_whole=True),
    Column("said", lambda each: _said(each.counts), is_text=True),
    Column("turns", lambda each: each.turns, right=True),
    Column("interruptions", lambda each: each.interruptions, right=True),
)
LANGUAGES: Sequence[Column[LanguageStatistics]] = (
    Column("language", lambda each: each.language, style="magenta"),
    Column("segments", lambda each: each.segments, right=True),
    Column("speech", lambda each: each.speech_seconds, lambda each: clock(each.speech_seconds), right=True),
    Column("said", lambda each: _said(each.counts), is_text=True),
)
TRANSLATIONS: Sequence[Column[TranslationCoverage]] = (
    Column("language", lambda each: each.language, style="magenta"),
    Column("covered", lambda each: each.coverage, lambda each: _share(each.coverage), is_whole=True),
    Column("needed", lambda each: each.needed, right=True),
    Column("stale", lambda each: each.stale, right=True),
    Column("missing", lambda each: each.missing, right=True),
)


def stats(session: SessionName, as_json: AsJson = False, database: Database = None) -> None:
    """Show the figures of a meeting: talk share, languages, and translation coverage.

    A pipe gets a line for each figure: its name, such as `speaker/SPEAKER_00/share`, and its value.
    """
    output = Output(as_json=as_json)
    title, figures = wait_for(_figures(database, session))
    if output.as_json or not output.for_people:
        output.facts(_flat(figures), title=title, whole=figures)
        return
    output.facts(_summary(figures), title=title, whole=figures)
    output.listed(figures.speakers, SPEAKERS, title="Speakers", whole=lambda each: each)
    output.listed(figures.languages, LANGUAGES, title="Languages", whole=lambda each: each)
    output.listed(figures.translations, TRANSLATIONS, title="Translations", whole=lambda each: each)


async def _figures(database: str | None, name: str) -> tuple[str, SessionStatistics]:
    async with opened(database) as store:
        found = await session_named(store, name)
        return found.title or found.meeting_id, await store.session_statistics(found.id)


def _summary(figures: SessionStatistics) -> dict[str, Value]:
    confidence = figures.mean_confidence
    return {
        "duration": clock(figures.duration),
        "speech": clock(figures.speech_seconds),
        "segments": f"{figures.segments:,} ({figures.final_segments:,} final)",
        "said": _said(figures.counts),
        "mean confidence": "not known" if confidence is None else f"{confidence:.2f}",
        "audio": f"{clock(figures.audio_seconds)} in {figures.audio_files:,} files",
        "audio bytes": f"{figures.audio_bytes:,}",
    }


def _flat(figures: SessionStatistics) -> dict[str, Value]:
    """Return all figures but those of single minutes, by path."""
    flat: dict[str, Value] = {}

    def add(path: str, value: object) -> None:
        if isinstance(value, ScriptCounts):
            flat[f"{path}/words"], flat[f"{path}/characters"] = value.words, value.characters
        elif value is None or isinstance(value, str | int | float):
            flat[path] = value

    for name in figures.__struct_fields__:
        add(name, getattr(figures, name))
    parts: list[tuple[str, Struct]] = [
        *((f"speaker/{text_of(each.label)}", each) for each in figures.speakers),
        *((f"language/{each.language}", each) for each in figures.languages),
        *((f"translation/{each.language}", each) for each in figures.translations),
    ]
    for path, part in parts:
        for name in part.__struct_fields__:
            if name not in ("label", "language"):
                add(f"{path}/{name}", getattr(part, name))
    return flat


STATS = Command(
    "stats", stats, READ, ("stats meet-42", "stats meet-42 --json | jq '.speakers[] | {name, share}'")
)
