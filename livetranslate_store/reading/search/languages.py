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
    """The configuration that reads all words of a text, and the one that leaves out those that say little."""

    configuration: str
    stopping: str


SIMPLE = Reading("pg_catalog.simple", "pg_catalog.simple")


def readings(languages: Iterable[str] | None) -> list[Reading]:
    """Return how texts in these languages are read, each way once; None stands for all languages."""
    found = _STEMMERS.values() if languages is None else (_STEMMERS.get(_primary(tag)) for tag in languages)
    read = [
        SIMPLE if name is None else Reading(f"{SCHEMA}.search_{name}", f"pg_catalog.{name}") for name in found
    ]
    return list(dict.fromkeys(read if languages is not None else [SIMPLE, *read]))


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
