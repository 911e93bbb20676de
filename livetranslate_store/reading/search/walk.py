"""The walk through the newest texts on a cluster: it finds those that may match if a word is common.

The index of words finds all matches of a word, and their number grows with the database. The walk reads the
newest sessions, each from its own shard, until it has enough. It gives up if the index takes less time.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.search.cursor import HitKey
from livetranslate_store.reading.search.in_steps import sessions_statement, walked_statement
from livetranslate_store.reading.search.query import SearchQuery

# A walk goes on if this many texts are expected to hold enough.
SHORT_WALK = 600
# It may read more texts, one for this many matches in the index: their words take longer. But not more than
# LONG_WALK.
TEXT_PRICE = 10
LONG_WALK = 20_000
# A statement takes as long as the words of this many texts.
STATEMENT_PRICE = 120
# The first texts show whether a word is common. If the newest sessions are short, they lie in several.
PROBED_TEXTS = 120
PROBED_SESSIONS = 6
# A statement reads this many texts at most.
STEP = 500
# Hits are not spread evenly: a step reads more texts than hold the missing hits on average.
STEP_MARGIN = 1.25
# A text with its row takes some 250 bytes.
BYTES_OF_A_TEXT = 250
# A walk goes through this many sessions at most.
LISTED_SESSIONS = LONG_WALK // STATEMENT_PRICE

# The end of a HitKey: a place in a session.
_Place: TypeAlias = tuple[UUID, str]
# Before the newest text of a session, and at or after its oldest one.
_BEGINNING: _Place = (UUID(int=2**128 - 1), "~")
_END: _Place = (UUID(int=0), "")


class Candidates(NamedTuple):
    """The keys of the newest texts that may match, and whether they are all in the block."""

    keys: Sequence[HitKey]
    are_all: bool


class Walk:
    """A walk from the beginning of a block, to its end if the block was read before."""

    def __init__(self, fetch: Fetch, query: SearchQuery, values: Mapping[str, Any], *, shards: int) -> None:
        self._fetch = fetch
        self._shape = query.shape
        self._cursor = query.cursor
        self._values = values
        self._keys: list[HitKey] = []
        # The sessions of the block that were not read to their end, the newest last; None if not yet listed.
        self._ahead: list[tuple[Any, ...]] | None = None
        #: The sessions of the block if they are few, else None.
        self.sessions: list[UUID] | None = None
        self._reached = _BEGINNING
        self._shards = shards
        # About how many texts the cluster has.
        self._stored = 0.0
        self._steps = self._texts = self._price = 0

    async def newest(self, wanted: int) -> Candidates | None:
        """Return the newest candidates, `wanted` at most, or all of a block that was read before.

        Returns None if the walk would take longer than the index.
        """
        if self._ahead is None:
            await self._list_sessions()
        while self._ahead and (self._shape.is_known or len(self._keys) < wanted):
            if not self._is_worth_it(wanted):
                return None
            await self._step(self._ahead, wanted)
        if not self._shape.is_known and len(self._keys) >= wanted:
            return Candidates(self._keys[:wanted], are_all=False)
        return Candidates(self._keys, are_all=True) if self.sessions is not None else None

    async def _list_sessions(self) -> None:
        bound = sessions_statement(self._shape).bind({**self._values, "sessions": LISTED_SESSIONS + 1})
        rows = await self._fetch(bound)
        if len(rows) <= LISTED_SESSIONS:
            self.sessions = [row["id"] for row in rows]
        self._ahead = [tuple(row) for row in reversed(rows[:LISTED_SESSIONS])]

    def _is_worth_it(self, wanted: int) -> bool:
        if self._texts < PROBED_TEXTS and self._steps < PROBED_SESSIONS:
            return True
        by_index = self._stored * len(self._keys) / max(self._texts, 1) / TEXT_PRICE
        return wanted * self._price <= len(self._keys) * min(max(SHORT_WALK, by_index), LONG_WALK)

    async def _step(self, ahead: list[tuple[Any, ...]], wanted: int) -> None:
        """Read the next texts of the newest session ahead."""
        session, texts = ahead[-1], self._length(wanted)
        values = {"session_id": session[1], "texts": texts, **self._bounds(session)}
        rows = await self._fetch(walked_statement(self._shape).bind({**self._values, **values}))
        self._keys += [HitKey(*session, *place) for *place, may_match, _, _ in rows if may_match]
        read = 0
        if rows:
            transcript_id, language, _, read, size = rows[-1]
            self._reached = transcript_id, language
            self._stored = size * self._shards / BYTES_OF_A_TEXT
        if read < texts:
            ahead.pop()
            self._reached = _BEGINNING
        self._steps += 1
        self._texts += read
        self._price += max(read, STATEMENT_PRICE)

    def _bounds(self, session: tuple[Any, ...]) -> dict[str, Any]:
        """Return the places in a session between which the next step reads."""
        after, until = self._reached, _END
        before, end = self._cursor.before, self._cursor.end
        if before is not None and session == _session(before):
            after = min(after, _place(before))
        if end is not None and session == _session(end):
            until = _place(end)
        return {
            "after_transcript_id": after[0],
            "after_language": after[1],
            "until_transcript_id": until[0],
            "until_language": until[1],
        }

    def _length(self, wanted: int) -> int:
        """Return how many texts the next step reads."""
        if self._texts < PROBED_TEXTS:
            return PROBED_TEXTS
        if self._shape.is_known:
            return STEP
        missing = (wanted - len(self._keys)) * self._texts / max(1, len(self._keys))
        return max(PROBED_TEXTS, min(STEP, int(missing * STEP_MARGIN)))


def _session(key: HitKey) -> tuple[Any, ...]:
    return key.started_at, key.session_id


def _place(key: HitKey) -> _Place:
    return key.transcript_id, key.language
