"""The base of all models: schema, names of constraints, column types and columns."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Index,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from livetranslate_store.checks import MAX_SECONDS

SCHEMA = "livetranslate"

# Tags are ASCII; sorted by bytes their order is the same on every server.
LANGUAGE_TAG = Text(collation="C")

# New words wait in a list until somebody merges them into the index: at most 1 MB, because every search reads
# the list, and its pages stay in the index.
PENDING_WORDS = {"gin_pending_list_limit": 1024}


class Base(DeclarativeBase):
    """The declarative base of the schema `livetranslate`."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        },
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy declares it without ClassVar)
        UUID: Uuid(),
        str: Text(),
        float: DOUBLE_PRECISION(),
        datetime: DateTime(timezone=True),
        Mapping[str, Any]: JSONB(none_as_null=True),
    }

    # The caller's own data; SQLAlchemy reserves the name `metadata`.
    metadata_: Mapped[Mapping[str, Any]] = mapped_column("metadata", server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.statement_timestamp())
    # NULL until the first change: most rows never change.
    updated_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        """Show only the key: texts and names of people do not belong in logs."""
        key = ", ".join(
            f"{column.name}={getattr(self, column.name)}" for column in table_of(type(self)).primary_key
        )
        return f"{type(self).__name__}({key})"


def table_of(model: type[Base]) -> Table:
    """Return the table of a model as a Table; `__table__` is typed as a FromClause."""
    return Base.metadata.tables[f"{SCHEMA}.{model.__tablename__}"]


def search_index(table_name: str, language: str, *, column: str = "text", where: str | None = None) -> Index:
    """Return the index over the words of a column in the language of another, for the rows of `where`."""
    return Index(
        f"ix_{table_name}_search",
        text(f"{SCHEMA}.search_vector({language}, {column})"),
        postgresql_using="gin",
        postgresql_with=PENDING_WORDS,
        postgresql_where=None if where is None else text(where),
    )


def one_of(column: str, choices: tuple[str, ...]) -> CheckConstraint:
    """Return the CHECK of a closed set; it is easier to extend than an enum."""
    return CheckConstraint(f"{column} IN ({', '.join(map(repr, choices))})", name=f"{column}_known")


def share(column: str) -> CheckConstraint:
    """Return the CHECK that a column is within 0..1; NaN sorts above 1 and is refused too."""
    return CheckConstraint(f"{column} BETWEEN 0 AND 1", name=f"{column}_share")


def not_negative(column: str) -> CheckConstraint:
    """Return the CHECK that a number is finite and not below zero."""
    return CheckConstraint(
        f"{column} >= 0 AND {column} < 'Infinity'::double precision", name=f"{column}_not_negative"
    )


def json_object() -> CheckConstraint:
    """Return the CHECK that metadata is a JSON object."""
    return CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata_object")


def edit_whole() -> CheckConstraint:
    """Return the CHECK that an edit has both its editor and its moment."""
    return CheckConstraint("(edited_by IS NULL) = (edited_at IS NULL)", name="edit_whole")


def times() -> tuple[CheckConstraint, ...]:
    """Return the CHECKs of speech times: finite (no NaN, no infinity), the end not before the start."""
    return (
        *(
            CheckConstraint(
                f"{column} BETWEEN -{MAX_SECONDS:.0f} AND {MAX_SECONDS:.0f}",
                name=f"{column}_finite",
            )
            for column in ("start_time", "end_time")
        ),
        CheckConstraint("end_time >= start_time", name="times_ordered"),
    )
