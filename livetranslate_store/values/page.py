"""A page of values in order, and the cursor of the next page."""

from collections.abc import Sequence
from typing import Generic, TypeVar, overload

Item_co = TypeVar("Item_co", covariant=True)


class Page(Sequence[Item_co], Generic[Item_co]):
    """A sequence of values in order; `next_cursor` is the cursor of the next page, None on the last."""

    __slots__ = ("_items", "next_cursor")

    def __init__(self, items: Sequence[Item_co], next_cursor: str | None) -> None:
        self._items = items
        self.next_cursor = next_cursor

    @overload
    def __getitem__(self, index: int) -> Item_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item_co]: ...
    def __getitem__(self, index: int | slice) -> Item_co | Sequence[Item_co]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} items, next_cursor={self.next_cursor!r})"
