"""Spans of OpenTelemetry around what the store does, where the setting `tracing` is on.

They hold ids, numbers and outcomes, never a text, a name or a URL: errors are told by their type alone.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from livetranslate_store.errors import InvalidInputError

Attribute: TypeAlias = str | int | float | bool | UUID

_NAME = "livetranslate_store"


class Span(Protocol):
    """What is under way."""

    def tell(self, **attributes: Attribute) -> None:
        """Add what became known meanwhile."""


class Tracing(Protocol):
    """What makes spans."""

    def span(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[Span]:
        """Return a span for the length of a block; it is the parent of those that are made inside."""


def tracing_of(*, enabled: bool) -> Tracing:
    """Return what makes spans, or what makes none; raises InvalidInputError where a package is missing."""
    return _OpenTelemetry() if enabled else NO_TRACING


class _NoSpan:
    """A span that costs next to nothing: one for all of them."""

    __slots__ = ()

    def __enter__(self) -> "_NoSpan":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def tell(self, **_attributes: Attribute) -> None:
        """Pass over what became known."""


class _NoTracing:
    """Makes no spans."""

    _span = _NoSpan()

    def span(self, _name: str, /, **_attributes: Attribute) -> _NoSpan:
        """Return what does nothing."""
        return self._span


NO_TRACING = _NoTracing()


class _OpenTelemetry:
    """Makes spans by way of the global tracer provider, which the application configures."""

    def __init__(self) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415 (the extra `otel`)
        except ImportError as error:
            raise InvalidInputError(
                f"tracing needs {error.name}: pip install 'livetranslate-store[otel]'."
            ) from error
        self._trace = trace
        self._tracer = trace.get_tracer(_NAME)

    def span(self, name: str, /, **attributes: Attribute) -> "_OpenTelemetrySpan":
        """Return a span of OpenTelemetry's."""
        return _OpenTelemetrySpan(self._trace, self._tracer, name, attributes)


class _OpenTelemetrySpan:
    """One span: current from its beginning to its end, which tells of an error by its type."""

    __slots__ = ("_attributes", "_context", "_name", "_span", "_trace", "_tracer")

    def __init__(self, trace: Any, tracer: Any, name: str, attributes: dict[str, Attribute]) -> None:
        self._trace = trace
        self._tracer = tracer
        self._name = name
        self._attributes = attributes

    def __enter__(self) -> "_OpenTelemetrySpan":
        # What OpenTelemetry records of an exception by itself is its message, and the driver's hold values.
        self._context = self._tracer.start_as_current_span(
            f"{_NAME}.{self._name}",
            attributes=_named(self._attributes),
            record_exception=False,
            set_status_on_exception=False,
        )
        self._span = self._context.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._span.set_attribute("error.type", kind.__qualname__)
            self._span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        self._context.__exit__(kind, error, traceback)

    def tell(self, **attributes: Attribute) -> None:
        """Add attributes to the span."""
        self._span.set_attributes(_named(attributes))


def _named(attributes: Mapping[str, Attribute]) -> dict[str, str | int | float | bool]:
    return {
        f"livetranslate.{key}": value if isinstance(value, int | float) else str(value)
        for key, value in attributes.items()
    }
