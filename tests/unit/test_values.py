"""Every public value can be decoded, encoded and described by msgspec, pydantic and FastAPI."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_type_hints
from uuid import UUID

import msgspec
import pytest
from fastapi import Body, FastAPI
from httpx import ASGITransport, AsyncClient, Response
from pydantic import TypeAdapter, ValidationError

import livetranslate_store
from livetranslate_store import (
    Outcome,
    Recording,
    SettingValues,
    Store,
    StoreSettings,
    UnitOfWork,
    exchange,
    legacy,
    models,
    repositories,
    values,
)

#: What holds the values, or makes the store: these go into no JSON. Rows are read with a model of one's own.
OTHERS = {Store, UnitOfWork, Recording, StoreSettings, SettingValues, Outcome}
OTHERS |= {getattr(models, name) for name in models.__all__ if name != "SCHEMA"}
OTHERS |= {getattr(repositories, name) for name in repositories.__all__}
#: Every other class that is exported, so that a new one which is no value fails.
PUBLIC = sorted(
    {
        found
        for module in (livetranslate_store, exchange, legacy, values)
        for name in module.__all__
        if isinstance(found := getattr(module, name), type) and not issubclass(found, Exception)
    }
    - OTHERS,
    key=lambda each: each.__name__,
)

# The fields whose text has a form of its own.
FORMS = {"language": "en", "status": "completed", "identification_method": "manual", "state": "open"}
OWN_FORMS = {"SessionInput": {"status": "ended"}}
#: Two names for one thing.
EXCLUDED = {"TranscriptInput": {"id"}}


def sample_of(kind: Any, *, full: bool) -> Any:
    """Return a value of `kind` that its own checks accept, with every optional field or without any."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType | msgspec.inspect.TypedDictType), kind
    forms = FORMS | OWN_FORMS.get(kind.__name__, {})
    fields = {
        each.name: next((form for end, form in forms.items() if each.name.endswith(end)), None)
        if isinstance(each.type, msgspec.inspect.StrType) and each.name.endswith(tuple(forms))
        else example(each.type, full=full)
        for each in described.fields
        if each.required or (full and each.name not in EXCLUDED.get(kind.__name__, ()))
    }
    return kind(**fields)


SCALARS: dict[type[msgspec.inspect.Type], object] = {
    msgspec.inspect.UUIDType: UUID(int=7),
    msgspec.inspect.DateTimeType: datetime(2026, 5, 4, microsecond=1, tzinfo=UTC),
    msgspec.inspect.TimeDeltaType: timedelta(hours=1, microseconds=1),
    msgspec.inspect.BoolType: True,
    msgspec.inspect.IntType: 2**31 - 1,
    msgspec.inspect.FloatType: 0.1 + 0.2,
    msgspec.inspect.StrType: "en",
    msgspec.inspect.BytesType: b"RIFF\xff\x00\xfb",
    msgspec.inspect.NoneType: None,
    msgspec.inspect.AnyType: ["any", {"thing": None}],
}


def example(described: msgspec.inspect.Type, *, full: bool) -> object:  # noqa: PLR0911 (one for each kind of type)
    """Return some value of a field's type."""
    match described:
        case msgspec.inspect.StructType(cls=cls):
            return sample_of(cls, full=full)
        case msgspec.inspect.UnionType(types=types):
            return example(types[0], full=full)
        case msgspec.inspect.EnumType(cls=cls):
            return next(iter(cls))
        case msgspec.inspect.LiteralType(values=choices):
            return choices[0]
        case msgspec.inspect.TupleType(item_types=items):
            return tuple(example(each, full=full) for each in items)
        case msgspec.inspect.VarTupleType(item_type=item):
            return (example(item, full=full),)
        case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.CollectionType(item_type=item):
            return [example(item, full=full)]
        case msgspec.inspect.DictType(key_type=key, value_type=value):
            return {example(key, full=full): example(value, full=full)}
    return SCALARS[type(described)]


def names_of(kind: Any) -> set[str]:
    return {each.encode_name for each in msgspec.inspect.type_info(kind).fields}  # type: ignore[attr-defined] # of both kinds


def test_the_two_zeros_are_one_time() -> None:
    spoken = livetranslate_store.TranscriptInput(text="x", language="en", start_time=-0.0, end_time=-0.0)
    assert str((spoken.start_time, spoken.end_time)) == "(0.0, 0.0)"


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda each: each.__name__)
class TestEveryPublicValue:
    def test_resolves_its_type_hints(self, kind: type) -> None:
        assert get_type_hints(kind).keys() >= names_of(kind)

    def test_has_a_json_schema(self, kind: type) -> None:
        described = msgspec.json.schema(kind)["$defs"][kind.__name__.replace("[", "_")]
        assert described["properties"].keys() == names_of(kind)

    @pytest.mark.parametrize("full", [False, True])
    def test_comes_back_equal_from_msgspec(self, kind: type, full: bool) -> None:
        value = sample_of(kind, full=full)
        assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value
        assert msgspec.convert(msgspec.to_builtins(value), kind) == value

    @pytest.mark.parametrize("full", [False, True])
    def test_comes_back_equal_from_pydantic(self, kind: type, full: bool) -> None:
        value = sample_of(kind, full=full)
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        assert adapter.validate_python(value) == value
        assert adapter.validate_json(adapter.dump_json(value)) == value
        # As the body of a request comes, and as the other library wrote it.
        assert adapter.validate_python(msgspec.to_builtins(value)) == value
        assert msgspec.json.decode(adapter.dump_json(value), type=kind) == value

    async def test_is_a_response_of_fastapi_with_a_schema(self, kind: type) -> None:
        app = FastAPI()
        value = sample_of(kind, full=True)
        app.get("/value", response_model=kind)(lambda: value)
        schemas = app.openapi()["components"]["schemas"]
        assert schemas[kind.__name__]["properties"].keys() == names_of(kind)
        answer = await send(app, "GET", "/value")
        assert answer.status_code == 200, answer.text
        assert msgspec.convert(answer.json(), kind) == value


async def send(app: FastAPI, method: str, path: str, body: object = None) -> Response:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://service") as client:
        return await client.request(method, path, json=body)


async def test_fastapi_answers_422_for_an_input_that_is_refused() -> None:
    app = FastAPI()

    @app.post("/segments")
    def record(spoken: Annotated[livetranslate_store.TranscriptInput, Body()]) -> str:
        return spoken.language

    good = {"text": "予算", "language": "JA", "metadata": {"a": [1, None]}}
    accepted = await send(app, "POST", "/segments", good)
    assert (accepted.status_code, accepted.json()) == (200, "ja")
    refused = await send(app, "POST", "/segments", good | {"language": "no tag"})
    assert refused.status_code == 422
    assert "BCP-47" in refused.text
    unknown = await send(app, "POST", "/segments", good | {"txt": 1})
    assert unknown.status_code == 422


def test_words_and_metadata_are_decoded_as_what_they_are() -> None:
    spoken = {
        "text": "a",
        "language": "en",
        "words": [{"text": "a", "start_time": 1}],
        "metadata": {"k": [{}]},
    }
    decoded = msgspec.convert(spoken, livetranslate_store.TranscriptInput)
    assert decoded.words == (livetranslate_store.Word("a", start_time=1.0),)
    assert decoded.metadata == {"k": [{}]}
    adapter = TypeAdapter(livetranslate_store.TranscriptInput)
    assert adapter.validate_python(spoken) == decoded
    with pytest.raises(ValidationError, match="not JSON"):
        adapter.validate_python({**spoken, "metadata": {"k": float("nan")}})


@pytest.mark.parametrize("kind", [each for each in PUBLIC if each.__name__.endswith("Input")])
def test_an_input_refuses_a_field_that_it_does_not_know(kind: type) -> None:
    given = msgspec.to_builtins(sample_of(kind, full=False)) | {"txt": "a misspelled one"}
    with pytest.raises(msgspec.ValidationError, match="unknown field `txt`"):
        msgspec.convert(given, kind)
    with pytest.raises(ValidationError, match="txt"):
        TypeAdapter(kind).validate_python(given)


def test_a_newer_version_may_add_fields_to_what_it_returns() -> None:
    known = {"session_id": str(UUID(int=7)), "audio_file_id": str(UUID(int=8)), "outcome": "inserted"}
    given = known | {"position": 1, "later": True}
    receipt = msgspec.convert(given, livetranslate_store.AudioReceipt)
    assert TypeAdapter(livetranslate_store.AudioReceipt).validate_python(given) == receipt


def test_a_page_is_a_sequence_and_in_json_an_object() -> None:
    page = livetranslate_store.TimelinePage([sample_of(livetranslate_store.TimelineEntry, full=True)], "next")
    assert isinstance(page, Sequence)
    assert (len(page), page[0], list(page), page[0] in page) == (1, page.items[0], list(page.items), True)
    assert msgspec.to_builtins(page).keys() == {"items", "next_cursor", "previous_cursor"}
    assert not livetranslate_store.TimelinePage([], None)
