"""How wide the columns of a table are, so that its texts can be read on a narrow terminal, too."""

from collections.abc import Sequence
from typing import NamedTuple

GAP = 2
# A narrower terminal gets records instead of a table.
NARROWEST_TABLE = 60
# Below this a text breaks every few words. Several texts share a row, so each gets less.
READABLE_TEXT = 22
READABLE_TEXT_OF_SEVERAL = 16
# A name or a state can be broken into lines of this width.
READABLE_WORD = 10


class Width(NamedTuple):
    """What a column needs: the cells of its longest line, whether it is text, whether it must stay whole."""

    natural: int
    is_text: bool = False
    is_whole: bool = False


def column_widths(columns: Sequence[Width], total: int) -> list[int] | None:
    """Return the width of each column with a gap between two, or None if a table would be unreadable.

    The texts get at least half of the row if the other columns can give way, and a readable width in any
    case. The widest of the others give way first.
    """
    room = total - GAP * (len(columns) - 1)
    if sum(each.natural for each in columns) <= room:
        return [each.natural for each in columns]
    if total < NARROWEST_TABLE:
        return None
    texts = [place for place, each in enumerate(columns) if each.is_text]
    readable = READABLE_TEXT if len(texts) == 1 else READABLE_TEXT_OF_SEVERAL
    half = room // 2 // max(len(texts), 1)
    for least in (max(half, readable), readable):
        widths = [min(each.natural, least) if each.is_text else each.natural for each in columns]
        if _shrunk(widths, columns, room):
            _shared(widths, [(place, columns[place].natural) for place in texts], room - sum(widths))
            return widths
    return None


def _shrunk(widths: list[int], columns: Sequence[Width], room: int) -> bool:
    """Take cells from the widest of the other columns until the row fits; return whether it does."""
    giving = [place for place, each in enumerate(columns) if not each.is_text and not each.is_whole]
    while sum(widths) > room:
        widest = max(giving, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= READABLE_WORD:
            return False
        widths[widest] -= 1
    return True


def _shared(widths: list[int], wanted: Sequence[tuple[int, int]], spare: int) -> None:
    """Give the spare cells to the narrowest texts first, none more than it wants."""
    for _ in range(spare):
        growing = [place for place, natural in wanted if widths[place] < natural]
        if not growing:
            return
        widths[min(growing, key=widths.__getitem__)] += 1
