"""The share of a tenant in what is searched: the ids of its sessions, and about how many texts they have.

The index of words has the texts of all tenants. What it finds is joined with what the keys of the tenant's
sessions find, before any row is read. If the tenant has only a few texts, all of them are read instead.
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Table,
    Uuid,
    any_,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION

from livetranslate_store.reading.columns import SESSIONS
from livetranslate_store.reading.search.readings import materialized, number

# The ids of more sessions take longer to look up than the hits of others take to leave out.
MOST_SESSIONS = 10_000
# So many texts are counted; of more, the number is estimated.
COUNTED_TEXTS = 1_000
# Reading the words of a text takes as long as finding this many hits in the index.
HITS_PER_TEXT = 400
FEW_TEXTS = 200
# Finding the keys of this many texts takes as long as looking up the session of one hit.
KEYS_PER_HIT = 20


class OwnSessions(NamedTuple):
    """The sessions of a tenant that are searched."""

    rows: CTE

    @property
    def ids(self) -> ColumnElement[Any]:
        """Their ids as an array; NULL if they are too many."""
        # The cast makes it an array to the parser, and not a query with one column.
        return cast(select(self.rows.c.ids).scalar_subquery(), ARRAY(Uuid))

    def texts_in(self, table: Table) -> "OwnTexts":
        """Return the number of their texts in a table."""
        name = f"{table.name}_own"
        texts = select(table.c.session_id).where(table.c.session_id == any_(self.ids))
        texts_of_some = texts.limit(number(COUNTED_TEXTS)).subquery("some")
        found = func.count()
        # In the order of their keys the sessions are read one after the other.
        per_session = cast(found, DOUBLE_PRECISION) / func.count(texts_of_some.c.session_id.distinct())
        number_of_texts = case(
            (found < number(COUNTED_TEXTS), cast(found, DOUBLE_PRECISION)),
            else_=per_session * func.cardinality(self.ids),
        )
        rows = select(
            case((self.ids.is_not(None), number_of_texts)).label("texts"),
            case((self.ids.is_not(None), found < number(COUNTED_TEXTS)), else_=literal_column("false")).label(
                "are_counted"
            ),
        ).select_from(texts_of_some)
        return OwnTexts(materialized(rows, name))


class OwnTexts(NamedTuple):
    """The texts of a tenant in one table."""

    rows: CTE

    @property
    def texts(self) -> ColumnElement[float]:
        """About how many; NULL if they are many."""
        return select(self.rows.c.texts).scalar_subquery()

    @property
    def are_counted(self) -> ColumnElement[bool]:
        """Whether `texts` is their exact number, which is less than COUNTED_TEXTS."""
        return select(self.rows.c.are_counted).scalar_subquery()

    def are_few(self, matching: ColumnElement[float]) -> ColumnElement[bool]:
        """Return whether reading all is cheaper than asking the index, in which so many texts match."""
        return self.are_counted & (
            self.texts <= func.greatest(number(FEW_TEXTS), matching / number(HITS_PER_TEXT))
        )

    def are_many(self, matching: ColumnElement[float]) -> ColumnElement[bool]:
        """Return whether leaving out the hits of others is cheaper than finding the keys of all own texts."""
        are_many: ColumnElement[bool] = func.coalesce(
            self.texts > number(KEYS_PER_HIT) * matching, literal_column("true")
        )
        return are_many


def own_sessions(conditions: list[ColumnElement[bool]]) -> OwnSessions:
    """Return the sessions under the conditions, one of which names the tenant."""
    sessions = select(SESSIONS.c.id).where(*conditions).limit(number(MOST_SESSIONS + 1)).subquery("session")
    # Without any session there is no text.
    ids = func.coalesce(func.array_agg(sessions.c.id), literal_column("'{}'::uuid[]"))
    rows = select(case((func.count() <= number(MOST_SESSIONS), ids), else_=null()).label("ids"))
    return OwnSessions(materialized(rows.select_from(sessions), "own"))
