"""Values in, one HTML page out."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import jinja2

from livetranslate_store.models import Session
from livetranslate_store.page.lanes import axis_of, lanes_of, voices_of
from livetranslate_store.page.plots import coverage_of, figures_of, shown_of, speech_of, talk_of
from livetranslate_store.page.transcript import lines_of
from livetranslate_store.page.wording import clock, seconds_attribute
from livetranslate_store.values import SessionStatistics, TranscriptRow

# One module, in this order: each file may use what the ones before it declare.
SCRIPTS = ("lines.js", "jump.js", "fold.js", "search.js", "languages.js")


def render(
    *,
    session: Session,
    rows: Sequence[TranscriptRow],
    languages: Sequence[str],
    statistics: SessionStatistics,
) -> str:
    """Return the page of a meeting, complete in itself.

    `rows` are the whole meeting in order, with a place for each of `languages`. The template escapes every
    text, and the page's policy runs no script but the page's own.
    """
    template, style, script = _template(), _asset("page.css"), "\n".join(map(_asset, SCRIPTS))
    voices = voices_of(statistics.speakers, rows)
    axis = axis_of(rows)
    return template.render(
        session=session,
        title=session.title or f"Meeting {session.meeting_id}",
        spoken=[each.language for each in statistics.languages],
        languages=languages,
        figures=figures_of(statistics, sum(label is not None for label in voices)),
        talk=talk_of(statistics, voices),
        talk_shown=shown_of(len(statistics.speakers)),
        coverage=coverage_of(statistics),
        speech=speech_of(statistics.minutes, axis.start + axis.span),
        axis=axis,
        lanes=lanes_of(rows, voices.values(), axis),
        lines=lines_of(rows, languages, voices),
        clock=clock,
        seconds=seconds_attribute,
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("page.html"))


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the name by which a Content-Security-Policy allows exactly this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
