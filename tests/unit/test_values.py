"""Every public value can be decoded, encoded and described by msgspec, pydantic and FastAPI."""

from datetime import UTC, datetime
from typing import Annotated, Any, get_type_hints
from uuid import UUID

import msgspec
import pytest
from fastapi import Body, FastAPI
from httpx import ASGITransport, AsyncClient, Response
from pydantic import TypeAdapter, ValidationError

import livetranslate_store
from livetranslate_store import legacy, values

PUBLIC: list[type[msgspec.Struct]] = sorted(
    {
        found
        for module in (livetranslate_store, legacy, values)
        for name in module.__all__
        if isinstance(found := getattr(module, name), type) and issubclass(found, msgspec.Struct)
    },
    key=lambda each: each.__name__,
)


def sample_of(kind: Any) -> Any:
    """Return a value of `kind` that its own checks accept, with every optional field left out."""
    required = [each for each in msgspec.structs.fields(kind) if each.required]
    fields = {each.name: example(msgspec.inspect.type_info(each.type)) for each in required}
    # Languages are the only fields whose text has a form of its own.
    return kind(**fields | {name: "en" for name in fields if name.endswith("language")})


SCALARS: dict[type[msgspec.inspect.Type], object] = {
    msgspec.inspect.UUIDType: UUID(int=7),
    msgspec.inspect.DateTimeType: datetime(2026, 5, 4, tzinfo=UTC),
    msgspec.inspect.BoolType: True,
    msgspec.inspect.IntType: 3,
    msgspec.inspect.FloatType: 1.5,
    msgspec.inspect.StrType: "words",
    msgspec.inspect.BytesType: b"bytes",
    msgspec.inspect.NoneType: None,
    msgspec.inspect.DictType: {},
}


def example(described: msgspec.inspect.Type) -> object:  # noqa: PLR0911 (one for each kind of type)
    """Return some value of a field's type."""
    match described:
        case msgspec.inspect.StructType(cls=cls):
            return sample_of(cls)
        case msgspec.inspect.UnionType(types=types):
            return example(types[0])
        case msgspec.inspect.EnumType(cls=cls):
            return next(iter(cls))
        case msgspec.inspect.LiteralType(values=choices):
            return choices[0]
        case msgspec.inspect.TupleType(item_types=items):
            return tuple(map(example, items))
        case msgspec.inspect.VarTupleType(item_type=item):
            return (example(item),)
        case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.CollectionType(item_type=item):
            return [example(item)]
    return SCALARS[type(described)]


def test_the_two_zeros_are_one_time() -> None:
    spoken = livetranslate_store.TranscriptInput(text="x", language="en", start_time=-0.0, end_time=-0.0)
    assert str((spoken.start_time, spoken.end_time)) == "(0.0, 0.0)"


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda each: each.__name__)
class TestEveryPublicValue:
    def test_resolves_its_type_hints(self, kind: type[msgspec.Struct]) -> None:
        assert get_type_hints(kind).keys() >= set(kind.__struct_fields__)

    def test_has_a_json_schema(self, kind: type[msgspec.Struct]) -> None:
        described = msgspec.json.schema(kind)["$defs"][kind.__name__]
        assert described["properties"].keys() == set(kind.__struct_encode_fields__)

    def test_comes_back_equal_from_msgspec(self, kind: type[msgspec.Struct]) -> None:
        value = sample_of(kind)
        assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value
        assert msgspec.convert(msgspec.to_builtins(value), kind) == value

    def test_comes_back_equal_from_pydantic(self, kind: type[msgspec.Struct]) -> None:
        value, adapter = sample_of(kind), TypeAdapter(kind)
        assert adapter.validate_python(value) is value
        assert adapter.validate_json(adapter.dump_json(value)) == value

    async def test_is_a_response_of_fastapi_with_a_schema(self, kind: type[msgspec.Struct]) -> None:
        app = FastAPI()
        value = sample_of(kind)
        app.get("/value", response_model=kind)(lambda: value)
        schemas = app.openapi()["components"]["schemas"]
        assert schemas[kind.__name__]["properties"].keys() == set(kind.__struct_encode_fields__)
        answer = await send(app, "GET", "/value")
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() <= set(kind.__struct_encode_fields__)


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
