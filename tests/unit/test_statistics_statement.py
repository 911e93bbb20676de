"""The statement of the statistics is text, so its names are checked here against models and values."""

import re
from importlib.resources import files

from msgspec import Struct
from msgspec.structs import fields

from livetranslate_store.models.base import SCHEMA, Base
from livetranslate_store.values import (
    LanguageStatistics,
    MinuteStatistics,
    ScriptCounts,
    SessionStatistics,
    SpeakerStatistics,
    TranslationCoverage,
)

TEXT = files("livetranslate_store.reading.statistics").joinpath("statistics.sql").read_text("utf-8")
TABLES = {table.name: table for table in Base.metadata.tables.values()}


def test_every_table_and_every_column_that_is_named_with_its_table_is_one_of_the_models() -> None:
    tables = set(re.findall(rf"{SCHEMA}\.(\w+)", TEXT))
    assert tables == {"transcripts", "translations", "sessions", "speakers", "audio_files"}
    assert tables <= TABLES.keys()
    named = set(re.findall(rf"\b({'|'.join(tables)})\.(\w+)", TEXT))
    assert named
    assert [each for each in named if each[1] not in TABLES[each[0]].c] == []


def test_its_objects_have_the_fields_of_the_values() -> None:
    values: list[type[Struct]] = [
        *(SessionStatistics, ScriptCounts, LanguageStatistics),
        *(TranslationCoverage, SpeakerStatistics, MinuteStatistics),
    ]
    named = set(re.findall(r"^\s+'(\w+)', ", TEXT, re.MULTILINE)) | {"words", "characters"}
    assert named == {field.name for value in values for field in fields(value)}
