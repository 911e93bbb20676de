"""A page of values in order, and the cursor of the next page."""

from abc import ABCMeta
from collections.abc import Sequence
from typing import Generic, TypeVar, overload

import msgspec

from livetranslate_store.values.value import Value, freeze

Item_co = TypeVar("Item_co", covariant=True)


class _SequenceMeta(msgspec.StructMeta, ABCMeta):
    """The metaclass of a struct that is a sequence too."""


class Page(Value, Sequence[Item_co], Generic[Item_co], frozen=True, metaclass=_SequenceMeta):
    """A sequence of values in order; `next_cursor` is the cursor of the next page, None on the last.

    In JSON it is an object with both fields.
    """

    items: Sequence[Item_co]
    next_cursor: str | None

    def __post_init__(self) -> None:
        """Freeze the items."""
        freeze(self, "items")

    @overload
    def __getitem__(self, index: int) -> Item_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item_co]: ...
    def __getitem__(self, index: int | slice) -> Item_co | Sequence[Item_co]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} items, next_cursor={self.next_cursor!r})"
