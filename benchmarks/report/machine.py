"""The machine, date and versions of a run."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, Self

_LIBRARIES = ("asyncpg", "SQLAlchemy", "uvloop")
GIB = 1024**3


class Machine(NamedTuple):
    """Everything that figures depend on besides the code."""

    date: str
    cpu: str
    cores: int
    memory_gib: float
    versions: dict[str, str]

    @classmethod
    def this(cls, postgresql: str) -> Self:
        """Describe this machine, with the version of its server."""
        return cls(
            date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            cpu=_cpu(),
            cores=os.cpu_count() or 1,
            memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
            versions={"Python": platform.python_version(), "PostgreSQL": postgresql}
            | {name: version(name) for name in _LIBRARIES},
        )

    def __str__(self) -> str:
        """Return one line."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return f"{self.cpu}, {self.cores} cores, {self.memory_gib:g} GiB; {versions}; {self.date}"


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
