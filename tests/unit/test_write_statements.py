"""The write statement is derived from the models: no column can be forgotten, no value is in the text."""

from typing import Any

import pytest
from helpers.support import transcript, translation
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB

from livetranslate_store.ids import new_id
from livetranslate_store.models import AudioFile, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.models.sparse import plain_type
from livetranslate_store.writing.binding import ARRAYS, ArrayBinding, Binding, ValueBinding, binding_of, bound
from livetranslate_store.writing.encoding import (
    AUDIO_COLUMNS,
    COLUMNS,
    TRANSCRIPT_COLUMNS,
    TRANSLATION_COLUMNS,
    transcript_row,
    translation_row,
)
from livetranslate_store.writing.statements import (
    AUDIO_FILE_WRITE,
    TRANSCRIPT_WRITE,
    TRANSLATION_WRITE,
    insert_segments,
    merge_segments,
    revise_segment,
)

BY_DATABASE = {"created_at", "updated_at", "timestamp"}


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (table_of(AudioFile), AUDIO_COLUMNS),
        (table_of(Transcript), TRANSCRIPT_COLUMNS),
        (table_of(Translation), TRANSLATION_COLUMNS),
    ],
)
def test_every_column_of_a_model_is_written(table: Table, columns: tuple[str, ...]) -> None:
    assert sorted(columns) == sorted({column.name for column in table.columns} - BY_DATABASE)


def test_a_row_has_a_value_for_every_column() -> None:
    session_id, transcript_id = new_id(), new_id()
    row = dict(
        zip(TRANSCRIPT_COLUMNS, transcript_row(session_id, transcript_id, None, transcript("x")), strict=True)
    )
    assert (row["session_id"], row["id"], row["draft"], row["revision"]) == (
        session_id,
        transcript_id,
        "x",
        0,
    )
    row = dict(
        zip(
            TRANSLATION_COLUMNS,
            translation_row(session_id, transcript_id, translation("y")),
            strict=True,
        )
    )
    assert (row["transcript_id"], row["text"], row["transcript_revision"]) == (transcript_id, "y", None)


STATEMENTS = [
    insert_segments,
    merge_segments,
    revise_segment,
    *(form for write in (AUDIO_FILE_WRITE, TRANSCRIPT_WRITE, TRANSLATION_WRITE) for form in write[1:]),
]


def values(**numbers: int) -> ValueBinding:
    return ValueBinding(tuple(numbers.items()))


def arrays(*tables: str) -> ArrayBinding:
    return ArrayBinding(frozenset(tables))


BINDINGS = [ARRAYS, values(audio_files=1, speakers=1, transcripts=1, translations=3)]


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("make", STATEMENTS)
def test_what_a_caller_sends_is_bound(make: Any, binding: Binding) -> None:
    statement = make(binding)
    rows = {
        table: [tuple(f"{table} {name} {number}" for name in columns) for number in range(rows)]
        for (table, columns), rows in zip(COLUMNS.items(), (1, 1, 1, 3), strict=True)
    }
    arguments = statement.bind(binding.values(rows)).arguments
    assert f"${len(arguments)}::" in statement.text
    assert f"${len(arguments) + 1}" not in statement.text
    # Each value has a place of its own.
    assert len(set(map(str, arguments))) == len(arguments)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("make", STATEMENTS)
def test_nothing_that_a_distributed_engine_forbids_is_used(make: Any, binding: Binding) -> None:
    text = make(binding).text
    for forbidden in ("xmax", "ctid", "clock_timestamp", "random()", "nextval", "FOR UPDATE"):
        assert forbidden not in text


@pytest.mark.parametrize(
    ("counts", "binding"),
    [
        ({"transcripts": 1}, values(transcripts=1)),
        ({"audio_files": 1, "speakers": 1, "transcripts": 1, "translations": 8}, None),
        ({"audio_files": 0, "transcripts": 1, "translations": 9}, arrays("transcripts", "translations")),
        ({"transcripts": 2}, arrays("transcripts")),
    ],
)
def test_one_segment_is_bound_value_by_value_and_a_group_as_arrays(
    counts: dict[str, int], binding: Binding | None
) -> None:
    rows: dict[str, list[Any]] = {table: [()] * number for table, number in counts.items()}
    assert binding_of(rows) == (binding or values(**counts))


def test_rows_are_sent_in_the_order_of_their_keys() -> None:
    session_id = new_id()
    ids = [new_id() for _ in range(5)]
    rows = [transcript_row(session_id, each, None, transcript()) for each in (*ids[3:], *ids[:3])]
    sent = bound(TRANSCRIPT_WRITE.merge, {"transcripts": rows}).arguments
    assert tuple(ids) in sent


@pytest.mark.parametrize("model", [AudioFile, Transcript, Translation])
def test_every_foreign_key_and_key_carries_the_session(model: Any) -> None:
    table = table_of(model)
    assert next(iter(table.primary_key.columns)).name == "session_id"
    for key in table.foreign_key_constraints:
        assert next(iter(key.columns)).name == "session_id"
        assert key.ondelete != "SET NULL"
    assert all(isinstance(plain_type(column), JSONB) for column in table.columns if column.name == "metadata")
