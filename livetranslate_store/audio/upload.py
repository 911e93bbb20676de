"""The upload of an object in parts, in bounded memory; its size and SHA-256 are known at its end."""

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple

from livetranslate_store.audio.failures import STORAGE_ERRORS
from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.tasks import LEAVE_SECONDS, run_to_end

if TYPE_CHECKING:
    from obstore import WritableFile  # it does not exist at run time

logger = logging.getLogger(__name__)

# S3 takes parts of 5 MiB or more, and at most 10,000 of them.
PART_BYTES = 8 * 1024 * 1024
# Parts on their way while the next one fills: an upload holds six parts in memory at most, copies included.
PARTS_AT_ONCE = 2

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Call(Protocol):
    """Runs a call of the object store in a thread, within its time limit and with the store's errors."""

    async def __call__(
        self, task: str, work: Callable[[*Ts], T], /, *arguments: *Ts, seconds: float | None = None
    ) -> T:
        """Return what `work` returns."""


class Upload:
    """An object that is written in parts; it exists once `finish` has returned.

    Between two parts it holds no thread. `finish` or `abandon` ends it.
    """

    def __init__(
        self,
        key: str,
        call: Call,
        *,
        open_writer: Callable[[str], "WritableFile"],
        make_durable: Callable[[str], None],
        delete: Callable[[str], None],
    ) -> None:
        #: The key of the object.
        self.key = key
        #: The number of bytes so far.
        self.size_bytes = 0
        self._call = call
        self._open_writer = open_writer
        self._make_durable = make_durable
        self._delete = delete
        self._part = bytearray()
        self._digest = hashlib.sha256()
        self._writer: WritableFile | None = None
        self._is_abandoned = False

    @property
    def sha256(self) -> str:
        """The SHA-256 of the object in hexadecimal, once `finish` has returned."""
        return self._digest.hexdigest()

    async def write(self, data: bytes) -> None:
        """Add bytes, of any number; raises StoreUnavailableError."""
        self.size_bytes += len(data)
        self._part += data
        while len(self._part) >= PART_BYTES:
            with memoryview(self._part) as view:
                part = bytes(view[:PART_BYTES])
            del self._part[:PART_BYTES]
            await self._call("written", self._send, part)

    async def finish(self) -> None:
        """Store the object durably; raises StoreUnavailableError."""
        await self._call("written", self._complete, bytes(self._part))

    async def abandon(self) -> None:
        """Remove the written parts; if that takes long or fails, the sweep or the bucket's rules will."""
        self._is_abandoned = True
        if self._writer is not None:
            await run_to_end(discard(self._call, self._remove, self.key))

    def _send(self, part: bytes) -> None:
        if self._writer is None:
            self._writer = self._open_writer(self.key)
        self._digest.update(part)
        self._writer.write(part)

    def _complete(self, rest: bytes) -> None:
        self._send(rest)
        assert self._writer is not None  # noqa: S101 (it has just been written)
        self._writer.close()
        if self._is_abandoned:
            # Its caller left before it was complete.
            self._delete(self.key)
        else:
            self._make_durable(self.key)

    def _remove(self, key: str) -> None:
        # The object store cannot abort an upload: it is completed, and the object removed.
        with suppress(*STORAGE_ERRORS):
            if self._writer is not None:
                self._writer.close()
        self._delete(key)


async def discard(call: Call, remove: Callable[[str], None], key: str) -> None:
    """Remove an object that no row refers to; one that is not removed in a moment is the sweep's."""
    try:
        await call("written", remove, key, seconds=LEAVE_SECONDS)
    except StoreUnavailableError:
        # The outage is logged already; while it lasts, this may happen to every write.
        logger.debug(
            "an orphan is left in the audio storage", extra={"event": "orphan_left", "storage_key": key}
        )
