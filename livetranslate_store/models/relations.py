"""The relationships between the models: for joins and eager loading, never for writing or lazy loading."""

from functools import partial
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.orm import QueryableAttribute, RelationshipProperty, relationship

from livetranslate_store.errors import UsageError
from livetranslate_store.models.base import Base

# `viewonly`: the repositories write, by their rules. `lazy="raise"`: a read that nobody asked for is one
# for each object, and an attribute cannot await it.
related = partial(relationship, viewonly=True, lazy="raise")

#: The order of the timeline.
AS_SPOKEN = "(Transcript.timestamp, Transcript.segment_index, Transcript.id)"


@event.listens_for(Base, "attribute_instrument", propagate=True)
def _refuse_changes(_model: type[Base], _key: str, attribute: QueryableAttribute[Any]) -> None:
    # SQLAlchemy would forget the change of a view without a word.
    if isinstance(attribute.prop, RelationshipProperty) and attribute.prop.viewonly:
        for change in ("append", "remove", "set"):
            event.listen(attribute, change, partial(_refuse, str(attribute)))


def _refuse(name: str, *_: object) -> NoReturn:
    raise UsageError(
        f"{name} was changed directly: the store's models are read-only. "
        "Write through the repositories of the unit of work."
    )
