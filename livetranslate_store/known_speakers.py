"""Speakers that are known to be stored: for a minute a write need not look at them again.

Another process may merge or forget a speaker meanwhile. Its label is used without a row then, until the
minute is over.
"""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import TypeAlias
from uuid import UUID

#: Session, label and name.
SpeakerRow: TypeAlias = tuple[UUID, str, str | None]

KNOWN_SECONDS = 60.0
MOST_KNOWN = 10_000


class KnownSpeakers:
    """The speakers that this store has written or met, and whether they have names."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._is_named: dict[tuple[UUID, str], bool] = {}

    def unknown(self, rows: Iterable[SpeakerRow]) -> list[SpeakerRow]:
        """Return the speakers that may have to be written."""
        if self._clock() - self._since > KNOWN_SECONDS or len(self._is_named) > MOST_KNOWN:
            self.clear()
        return [row for row in rows if not self._is_known(*row)]

    def stored(self, rows: Iterable[SpeakerRow]) -> None:
        """Remember speakers of a committed write."""
        for session_id, label, name in rows:
            key = (session_id, label)
            self._is_named[key] = name is not None or self._is_named.get(key, False)

    def _is_known(self, session_id: UUID, label: str, name: str | None) -> bool:
        is_named = self._is_named.get((session_id, label))
        # A name is written only for a speaker without one.
        return is_named is not None and (is_named or name is None)

    def drop_session(self, session_id: UUID) -> None:
        """Forget the speakers of a session, which may be made anew under the same id."""
        self._is_named = {key: named for key, named in self._is_named.items() if key[0] != session_id}

    def clear(self) -> None:
        """Forget all of them, for example after a merge."""
        self._is_named.clear()
        self._since = self._clock()
