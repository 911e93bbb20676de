"""One tenant's share of a database: which sessions are its own, in reads and before writes.

A session that belongs to another tenant and one that does not exist are the same to all of this.
"""

from collections.abc import Collection, MutableMapping
from functools import lru_cache
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, select
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from livetranslate_store.database.failures import NO_SESSION
from livetranslate_store.database.statement import BoundStatement, Run, Statement
from livetranslate_store.errors import MissingReferenceError, UsageError
from livetranslate_store.models import SCHEMA, Base, Session
from livetranslate_store.models.base import table_of

#: The tenants of sessions that were met.
KnownTenants: TypeAlias = MutableMapping[UUID, str]

_SESSIONS = table_of(Session)
_OWN = Statement.compiled(
    "tenant.sessions",
    select(_SESSIONS.c.id).where(
        _SESSIONS.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        _SESSIONS.c.tenant_id == bindparam("tenant", type_=Text),
    ),
)


class Tenant:
    """A tenant by name. `known` is shared by all tenants of a store; only committed sessions get into it."""

    def __init__(self, name: str, known: KnownTenants) -> None:
        self.name = name
        self._known = known

    @property
    def criteria(self) -> tuple[ExecutableOption, ...]:
        """The options that narrow every statement with the store's models to rows of the tenant."""
        return _criteria(self.name)

    def check_name(self, name: str) -> None:
        """Raise UsageError for the name of another tenant."""
        if name != self.name:
            raise UsageError(f"This store is of the tenant {self.name!r}: it has no others.")

    def knows(self, session_id: UUID) -> bool:
        """Return whether the session is known to be the tenant's."""
        return self._known.get(session_id) == self.name

    def learn(self, session_ids: Collection[UUID]) -> None:
        """Remember sessions of the tenant, which are committed."""
        self._known.update(dict.fromkeys(session_ids, self.name))

    async def own(self, session_ids: Collection[UUID], fetch: Run) -> set[UUID]:
        """Return those of the sessions that are the tenant's; `fetch` reads the unknown ones."""
        own = {each for each in session_ids if self.knows(each)}
        if unknown := [each for each in session_ids if each not in own]:
            found = [row["id"] for row in await fetch(_OWN.bind({"ids": unknown, "tenant": self.name}))]
            self.learn(found)
            own.update(found)
        return own

    async def check(self, session_id: UUID, fetch: Run) -> None:
        """Raise MissingReferenceError unless the session is the tenant's."""
        if not self.knows(session_id) and not await self.own([session_id], fetch):
            raise MissingReferenceError(NO_SESSION)

    def narrowed(self, bound: BoundStatement, session_id: UUID) -> BoundStatement:
        """Return the read of a session with no rows unless the session is the tenant's.

        The order of the rows stays: the condition is checked once, before the read.
        """
        number = len(bound.arguments) + 1
        text = (
            f"SELECT * FROM ({bound.text}) AS own WHERE EXISTS (SELECT 1 FROM {SCHEMA}.sessions "  # noqa: S608 (constants)
            f"WHERE id = ${number}::uuid AND tenant_id = ${number + 1}::text)"
        )
        return bound._replace(text=text, arguments=[*bound.arguments, session_id, self.name])


@lru_cache(maxsize=1024)
def _criteria(name: str) -> tuple[ExecutableOption, ...]:
    sessions = select(_SESSIONS.c.id).where(_SESSIONS.c.tenant_id == name)
    return tuple(
        with_loader_criteria(
            model,
            model.tenant_id == name if model is Session else model.session_id.in_(sessions),
            include_aliases=True,
        )
        for model in (mapper.class_ for mapper in Base.registry.mappers)
    )
