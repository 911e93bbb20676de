"""The base of every value: a frozen struct that msgspec, pydantic and FastAPI read, write and describe."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from livetranslate_store.errors import InvalidInputError


def _bytes(value: object) -> object:
    return b64decode(value, validate=True) if isinstance(value, str) else value


# In JSON bytes are base64, as msgspec has them; pydantic would take them for UTF-8.
_BASE64 = core_schema.no_info_before_validator_function(
    _bytes,
    core_schema.bytes_schema(strict=True),
    json_schema_input_schema=core_schema.str_schema(),
    serialization=core_schema.plain_serializer_function_ser_schema(
        lambda value: b64encode(value).decode(), return_schema=core_schema.str_schema(), when_used="json"
    ),
    metadata={"pydantic_js_updates": {"contentEncoding": "base64"}},
)


class Value(msgspec.Struct, frozen=True):
    """A frozen value; msgspec decodes and encodes it, and it can be a field or response of pydantic's."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Describe the value to pydantic as an object with its fields; a refused one is a ValidationError."""
        fields = core_schema.typed_dict_schema(
            {
                field.encode_name: core_schema.typed_dict_field(
                    _BASE64 if field.type is bytes else handler.generate_schema(field.type),
                    required=field.required,
                )
                for field in msgspec.structs.fields(cls)
            },
            extra_behavior="forbid" if cls.__struct_config__.forbid_unknown_fields else "ignore",
        )

        def make(value: object, validate: Callable[[object], Any]) -> Value:
            return value if isinstance(value, cls) else cls(**validate(value))

        return core_schema.no_info_wrap_validator_function(
            make,
            fields,
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            serialization=core_schema.plain_serializer_function_ser_schema(
                msgspec.structs.asdict, return_schema=fields
            ),
            metadata={"pydantic_js_updates": {"title": cls.__name__, "description": cls.__doc__}},
        )


def freeze(value: Value, *names: str) -> None:
    """Make tuples of the sequences in these fields, as a decoder makes them, while the value is being made.

    Raises InvalidInputError for anything that is no sequence.
    """
    for name in names:
        sequence = getattr(value, name)
        if type(sequence) is tuple or sequence is None:
            continue
        if isinstance(sequence, str | bytes | Mapping) or not isinstance(sequence, Iterable):
            raise InvalidInputError(f"{name} must be a sequence, not {type(sequence).__name__}.")
        msgspec.structs.force_setattr(value, name, tuple(sequence))
