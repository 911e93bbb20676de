"""The base of every value: a frozen struct that msgspec, pydantic and FastAPI read, write and describe."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from livetranslate_store.errors import InvalidInputError


class Value(msgspec.Struct, frozen=True):
    """A frozen value; msgspec decodes and encodes it, and it can be a field or response of pydantic's."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Describe the value to pydantic as an object with its fields; a refused one is a ValidationError."""
        types = {field.encode_name: field for field in msgspec.structs.fields(cls)}
        fields = core_schema.typed_dict_schema(
            {
                name: core_schema.typed_dict_field(
                    handler.generate_schema(field.type), required=field.required
                )
                for name, field in types.items()
            },
            extra_behavior="forbid",
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
