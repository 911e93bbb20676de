"""The memory of this process, measured three ways; Linux with the GNU C library 2.33 or newer."""

import ctypes
import gc
import os
import sys
from pathlib import Path
from typing import NamedTuple, Self

_PAGE = os.sysconf("SC_PAGE_SIZE")

# The interpreter's table of interned strings, attribute names among them, doubles once more than 87,381 were
# made, of which some 45,000 live: 2 MB, a minute or three after the start. It is as large as that for good.
INTERNED = 100_000


class _Mallinfo(ctypes.Structure):
    """`struct mallinfo2` of the C library."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


_libc = ctypes.CDLL(None)
_libc.mallinfo2.restype = _Mallinfo


def fill_interned_strings() -> None:
    """Make the table of interned strings grow now, and not at some moment of the run."""
    made = [sys.intern(f"soak-{number}") for number in range(INTERNED)]
    made.clear()


class MemorySample(NamedTuple):
    """The memory in use after a garbage collection.

    The interpreter serves requests of at most 512 bytes from its own arenas and takes larger ones from the C
    library: blocks and bytes together count every object. The resident size adds free memory that both keep.
    """

    #: Requests of at most 512 bytes that the interpreter serves.
    live_blocks: int
    #: Bytes that the C library has given out.
    malloc_bytes: int
    #: Bytes of the process in physical memory.
    resident_bytes: int

    @classmethod
    def taken(cls) -> Self:
        """Collect garbage, have the C library give free pages back, and measure."""
        gc.collect()
        _libc.malloc_trim(0)
        info = _libc.mallinfo2()
        resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
        return cls(sys.getallocatedblocks(), info.uordblks + info.hblkhd, resident)
