"""Which text search configuration reads a language; `livetranslate.search_configuration` says the same."""

from collections.abc import Iterable
from typing import NamedTuple

from livetranslate_store.models import SCHEMA

_STEMMERS = {
    "ar": "arabic",
    "hy": "armenian",
    "eu": "basque",
    "ca": "catalan",
    "da": "danish",
    "nl": "dutch",
    "en": "english",
    "fi": "finnish",
    "fr": "french",
    "de": "german",
    "el": "greek",
    "hi": "hindi",
    "hu": "hungarian",
    "id": "indonesian",
    "ga": "irish",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nb": "norwegian",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "es": "spanish",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}


class Reading(NamedTuple):
    """The configuration that reads every word of a text, and the one that drops stop words."""

    configuration: str
    stopping: str


SIMPLE = Reading("pg_catalog.simple", "pg_catalog.simple")


def readings(languages: Iterable[str] | None) -> tuple[Reading, ...]:
    """Return how texts in these languages are read, each way once; None means all languages."""
    if languages is None:
        names: Iterable[str | None] = [None, *_STEMMERS.values()]
    else:
        names = (_STEMMERS.get(tag.partition("-")[0].lower()) for tag in languages)
    return tuple(
        SIMPLE if name is None else Reading(f"{SCHEMA}.search_{name}", f"pg_catalog.{name}")
        for name in dict.fromkeys(names)
    )
