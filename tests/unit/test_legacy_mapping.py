"""What a row of the older system becomes: always something that can be stored, with nothing left out."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetranslate_store import StoreSettings, TranscriptInput, Word
from livetranslate_store.legacy.checksum import Checksum
from livetranslate_store.legacy.mapping import (
    in_use,
    key_of,
    session_of,
    speakers_of,
    transcript_of,
    translation_of,
)
from livetranslate_store.legacy.row import LegacyRow, canonical_language
from livetranslate_store.size_limits import SizeLimits

LIMITS = SizeLimits.of(StoreSettings(database_url="postgresql://h/d"))

# What PostgreSQL may show for a cell of any type: no NUL, no lone surrogate.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e308", "-1", "0.1", "7")
MOMENTS = ("infinity", "2024-05-06 07:08:09.1", "0044-03-15 00:00:00 BC")
JSONS = ("[]", "{}", '{"is_final": true}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', "[" * 200, "null")
CELLS = st.none() | TEXT | st.sampled_from([*NUMBERS, *MOMENTS, *JSONS, "auto", "zh_CN", " "])


def cells_of(*columns: str) -> st.SearchStrategy[dict[str, str | None]]:
    return st.fixed_dictionaries({"more": CELLS} | dict.fromkeys(columns, CELLS))


def transcript(cells: dict[str, str | None], **given: Any) -> TranscriptInput:
    usual = {"transcript_text": "Hi.", "language_code": "en", "source_type": "manual"}
    row = LegacyRow("transcripts", "transcript_1", usual | cells)
    known: dict[str, Any] = {"names": {}, "audio": {}, "lost_audio": {}, "limits": LIMITS}
    return transcript_of(row, **known | given)


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("en", "en"),
        ("EN-us", "en-US"),
        ("zh_CN", "zh-CN"),
        ("zh-hant", "zh-Hant"),
        (" pt_BR ", "pt-BR"),
        ("iw", "he"),
        ("cmn", "cmn"),
        ("auto", "und"),
        ("unknown", "und"),
        ("english", "und"),
        ("abcdefghijk", "und"),
        ("", "und"),
        (None, "und"),
        ("日本", "und"),
    ],
)
def test_a_language_becomes_a_canonical_tag_or_undetermined(code: str | None, tag: str) -> None:
    assert canonical_language(code) == tag


@given(
    cells_of(
        "session_id",
        "bot_id",
        "meeting_id",
        "meeting_title",
        "meeting_uri",
        "status",
        "start_time",
        "end_time",
        "created_at",
        "target_languages",
        "session_metadata",
        "performance_stats",
    )
)
def test_a_session_always_becomes_one_that_can_be_stored(cells: dict[str, str | None]) -> None:
    row = LegacyRow("sessions", "session_1", cells)
    session = session_of(row)
    assert session.started_at.utcoffset() is not None
    assert session.ended_at is None or session.ended_at >= session.started_at
    assert session.status in ("spawning", "active", "paused", "ended", "error")
    assert session.bot_id.strip()
    assert session.meeting_id.strip()
    metadata = row.metadata(LIMITS)
    assert json.loads(json.dumps(metadata)) == metadata


@given(
    cells_of(
        "transcript_text",
        "language_code",
        "start_timestamp",
        "end_timestamp",
        "speaker_id",
        "speaker_name",
        "confidence_score",
        "segment_index",
        "audio_file_id",
        "processing_metadata",
        "source_type",
    )
)
def test_a_transcript_always_becomes_one_that_can_be_stored(cells: dict[str, str | None]) -> None:
    stored = transcript(cells)
    assert stored.text == (cells["transcript_text"] or "")
    # Whatever has no place of its own is among what is left.
    legacy = stored.metadata.get("legacy", {})
    assert isinstance(legacy, Mapping)
    if cells["more"] is not None:
        assert legacy["more"] == cells["more"]
    for column, value in [("start_timestamp", stored.start_time), ("confidence_score", stored.confidence)]:
        if value is None and cells[column] is not None:
            assert legacy[column] == cells[column]


@given(
    cells_of(
        "translated_text",
        "source_language",
        "target_language",
        "start_timestamp",
        "end_timestamp",
        "translation_confidence",
        "translation_service",
        "processing_metadata",
        "speaker_name",
    )
)
def test_a_translation_always_becomes_one_that_can_be_stored(cells: dict[str, str | None]) -> None:
    spoken = transcript({"language_code": "en", "start_timestamp": "1", "end_timestamp": "2"})
    stored = translation_of(LegacyRow("translations", "translation_1", cells), spoken, {}, LIMITS)
    assert stored.text == (cells["translated_text"] or "")
    assert (stored.start_time, stored.end_time) != (1.0, 2.0)


def test_a_real_becomes_the_number_that_was_meant() -> None:
    assert transcript({"start_timestamp": "0.1", "end_timestamp": "12.34"}).end_time == 12.34


@pytest.mark.parametrize(
    ("words", "mapped"),
    [
        ([], []),
        ([{"word": "Hi", "start": 1, "end": 2.5, "score": 0.5}], [Word("Hi", 1.0, 2.5, 0.5)]),
        ([{"text": "Hi", "start_time": None, "confidence": 1}], [Word("Hi", None, None, 1.0)]),
        ([{"word": "Hi", "speaker": "A"}], None),  # a field that has no place
        ([{"word": "Hi", "start": 2, "end": 1}], None),
        ([{"word": "Hi", "text": "Ho"}], None),
        ([{"start": 1}], None),
        (["Hi"], None),
        ("Hi", None),
    ],
)
def test_words_are_taken_where_nothing_of_them_is_lost(words: Any, mapped: list[Word] | None) -> None:
    stored = transcript({"processing_metadata": json.dumps({"words": words})})
    assert stored.words == (None if mapped is None else tuple(mapped))
    assert stored.metadata == ({"words": words} if mapped is None else {})


@pytest.mark.parametrize(("said", "final"), [(True, True), (False, False), ("no", True), (None, True)])
def test_what_does_not_say_that_it_is_interim_is_final(said: Any, final: bool) -> None:
    assert transcript({"processing_metadata": json.dumps({"is_final": said})}).is_final is final
    assert transcript({}).is_final


@pytest.mark.parametrize("names", [("edited_by", "edited_at"), ("corrected_by", "corrected_at")])
def test_a_persons_correction_becomes_an_edit(names: tuple[str, str]) -> None:
    own = dict(zip(names, ("Ana", "2024-05-06 07:08:09"), strict=True))
    mapped = transcript({"processing_metadata": json.dumps(own)})
    assert (mapped.edited_by, mapped.edited_at) == ("Ana", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
    assert not mapped.metadata


@pytest.mark.parametrize(
    "own",
    [
        {"edited_by": "Ana"},
        {"edited_by": "", "edited_at": "2024-05-06"},
        {"edited_by": "Ana", "edited_at": "soon"},
        {"edited_by": 7, "edited_at": "2024-05-06"},
        {"edited_by": "Ana", "edited_at": 1.0},
    ],
)
def test_half_a_correction_stays_in_the_metadata(own: dict[str, Any]) -> None:
    mapped = transcript({"processing_metadata": json.dumps(own)})
    assert (mapped.edited_by, mapped.edited_at) == (None, None)
    assert {name: mapped.metadata[name] for name in own} == own


def test_an_interim_transcript_is_no_persons() -> None:
    own = {"is_final": False, "edited_by": "Ana", "edited_at": "2024-05-06"}
    mapped = transcript({"processing_metadata": json.dumps(own)})
    assert (mapped.is_final, mapped.edited_by, mapped.metadata["edited_by"]) == (False, None, "Ana")


def test_metadata_that_is_too_large_loses_the_largest_and_says_so() -> None:
    cells = {"processing_metadata": '{"a": 1}', "small": "x", "large": "y" * 2_000_000}
    row = LegacyRow("transcripts", "transcript_1", cells)
    stored = transcript_of(row, names={}, audio={}, lost_audio={}, limits=LIMITS)
    legacy = stored.metadata["legacy"]
    assert isinstance(legacy, Mapping)
    assert (stored.metadata["a"], legacy["small"], "large" in legacy) == (1, "x", False)
    assert [reason.partition(":")[0] for reason in row.refusals] == ["large is left out"]


def test_cells_that_have_no_place_keep_their_types() -> None:
    cells = {
        "i": "7",
        "f": "0.5",
        "n": "NaN",
        "b": "false",
        "j": "[1]",
        "t": "2024-05-06 07:08:09",
        "x": "7",
    }
    types = {
        "i": "int8",
        "f": "float4",
        "n": "float4",
        "b": "bool",
        "j": "jsonb",
        "t": "timestamp",
        "x": "text",
    }
    assert LegacyRow("t", "k", cells, types).rest() == {
        "i": 7, "f": 0.5, "n": "NaN", "b": False, "j": [1], "t": "2024-05-06T07:08:09+00:00", "x": "7",
    }  # fmt: skip


def test_naive_moments_are_utc_and_others_keep_their_offset() -> None:
    row = LegacyRow("t", "k", {"a": "2024-05-06 07:08:09.5", "b": "2024-05-06 07:08:09+02", "c": "infinity"})
    assert row.instant("a") == datetime(2024, 5, 6, 7, 8, 9, 500_000, UTC)
    assert row.instant("b") == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert row.instant("c") is None
    assert row.left == {"c": "infinity"}


def test_a_session_without_a_start_starts_when_it_was_first_heard_of() -> None:
    row = LegacyRow("sessions", "s", {"created_at": "2024-05-06 07:08:09", "end_time": "2024-05-06 08:00:00"})
    assert session_of(row).started_at == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert session_of(LegacyRow("sessions", "s", {})).started_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_an_identity_without_a_name_names_nobody_and_is_kept_whole() -> None:
    cells = {"identity_id": "i", "speaker_label": "S", "identification_method": "voice_print"}
    speakers, left = speakers_of([LegacyRow("speaker_identities", "i", cells)])
    assert (speakers, left) == ([], {"S": cells})


def test_the_newest_translation_with_a_text_comes_first_of_each_language() -> None:
    newest_first = [("es", None), ("ES", "new"), ("es", "old"), ("zh_CN", "a")]
    rows = [
        LegacyRow("translations", f"{n}", {"target_language": tag, "translated_text": text})
        for n, (tag, text) in enumerate(newest_first)
    ]
    found = {tag: [row.key for row in same] for tag, same in in_use(rows).items()}
    assert found == {"es": ["1", "2", "0"], "zh-CN": ["3"]}


def test_a_blank_id_is_a_key_all_the_same() -> None:
    assert [key_of(key) for key in ("a ", "", " ")] == ["a ", "''", "' '"]


@given(st.permutations([("a", 1.0), ("b", None), ("b", None), ("a", 2.0)]))
def test_a_checksum_is_the_same_in_any_order_and_another_for_other_rows(
    rows: list[tuple[str, float | None]],
) -> None:
    def checksum(of: list[tuple[str, float | None]]) -> str:
        added = Checksum()
        for text, start in of:
            added.add(UUID(int=1), text, "en", start, None)
        return str(added)

    assert checksum(rows) == checksum(sorted(rows, key=str))
    assert checksum(rows[1:]) != checksum(rows)
    # Twice the same is not the same as not at all.
    assert checksum([("b", None)] * 2) not in {checksum([]), checksum([("b", None)])}
