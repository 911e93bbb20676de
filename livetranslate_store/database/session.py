"""SQLAlchemy's session on the transaction of a unit of work: it sends statements, and ends nothing."""

from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import Connection, UpdateBase, event
from sqlalchemy import inspect as inspected
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction
from sqlalchemy.util import await_only

from livetranslate_store.errors import UsageError
from livetranslate_store.models import Base

#: The option of a statement that inserts rows of the store's models, by the store's own rules.
BY_THE_RULES = "livetranslate_store_by_the_rules"

if TYPE_CHECKING:
    from livetranslate_store.database.transaction import Transaction


class UnitSession(Session):
    """The synchronous half of `uow.session`: the transaction lends it a connection for every statement.

    The store's own models are read-only in it, and each query reads them anew: the driver may have
    written their rows since. An application's own models behave as in any other session.
    """

    def __init__(self, transaction: "Transaction", **options: Any) -> None:
        super().__init__(expire_on_commit=False, **options)
        self.transaction = transaction

    def get_bind(self, *_: Any, clause: Any = None, **__: Any) -> Connection:
        """Return the transaction's connection, if this task may use it now."""
        self.transaction.check_usable(writing=isinstance(clause, UpdateBase))
        return self.transaction.connection or await_only(self.transaction.connect())

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """Return the row with this key, as it is now if it is one of the store's."""
        if issubclass(inspected(entity).mapper.class_, Base):
            options["populate_existing"] = True
        return super().get(entity, ident, **options)

    def begin(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: the unit of work is the transaction."""
        raise UsageError("uow.session is in the transaction of its unit of work: it begins no other.")

    def commit(self) -> NoReturn:
        """Refuse: the end of the block commits."""
        refuse_commit()

    def rollback(self) -> NoReturn:
        """Refuse: the files that the unit wrote would stay."""
        raise UsageError("uow.session does not roll back: use `await uow.rollback()`.")

    def close(self) -> NoReturn:
        """Refuse: the end of the block closes the session."""
        raise UsageError("uow.session is closed at the end of its unit of work.")

    reset = invalidate = close


def refuse_commit(*_: object) -> NoReturn:
    """Raise UsageError: the transaction commits with its cache, files and gate, or not at all."""
    raise UsageError("uow.session does not commit: the unit of work does, at the end of its block.")


@event.listens_for(UnitSession, "before_flush")
def _refuse_changes(session: UnitSession, _context: UOWTransaction, _instances: object) -> None:
    changed = [*session.new, *filter(session.is_modified, session.dirty), *session.deleted]
    if changed:
        session.transaction.check_usable(writing=True)
    for each in changed:
        if isinstance(each, Base):
            raise UsageError(
                f"{each!r} was changed directly: the store's models are read-only. "
                "Write through the repositories of the unit of work."
            )


@event.listens_for(UnitSession, "do_orm_execute")
def _read_anew(state: ORMExecuteState) -> None:
    # A session without any object has none to renew, and reads rows faster without this option. Eager loading
    # has the option of its query: on its own it would undo what another path of that query has loaded.
    if (
        state.is_select
        and not state.is_relationship_load
        and state.session.identity_map
        and any(issubclass(mapper.class_, Base) for mapper in state.all_mappers)
    ):
        state.update_execution_options(populate_existing=True)


@event.listens_for(UnitSession, "do_orm_execute")
def _narrow_to_tenant(state: ORMExecuteState) -> None:
    assert isinstance(state.session, UnitSession)  # noqa: S101 (it listens to no other)
    tenant = state.session.transaction.tenant
    if tenant is None:
        return
    if state.is_insert:
        _check_insert(state)
    elif state.is_update or state.is_delete:
        # Python cannot evaluate the criteria; the store's models are read anew anyway.
        state.update_execution_options(synchronize_session=False)
    state.statement = state.statement.options(*tenant.criteria)


def _check_insert(state: ORMExecuteState) -> None:
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, Base) or state.execution_options.get(BY_THE_RULES):
        return
    raise UsageError(
        f"The store of a tenant inserts no {mapper.class_.__name__} directly: "
        "write through the repositories of the unit of work."
    )
