"""Every type that a public function takes or returns can be imported from the package."""

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import livetranslate_store
from livetranslate_store import Store, UnitOfWork, exchange, models, page, repositories

PACKAGE = f"{livetranslate_store.__name__}."
EXPORTED = {getattr(livetranslate_store, name) for name in livetranslate_store.__all__}
REPOSITORIES = [each for name, each in vars(repositories).items() if name.endswith("Repository")]
#: Models name each other in their relationships, in circles.
NAMES = {name: getattr(models, name) for name in models.__all__}
#: What a user has in hand without any type's name: what these lead to follows from their annotations.
BEGINNINGS = [
    *(Store, UnitOfWork),
    *REPOSITORIES,
    *(each for module in (exchange, page) for each in vars(module).values() if inspect.isfunction(each)),
]


def types_in(annotation: Any) -> Iterator[Any]:
    """Yield the package's own classes in an annotation, at any depth."""
    if isinstance(annotation, type) and annotation.__module__.startswith(PACKAGE):
        yield annotation
    for part in annotation if isinstance(annotation, list) else typing.get_args(annotation):
        yield from types_in(part)


def uses(thing: Any) -> set[Any]:
    """Return the package's own types in the annotations of a function, or of a class and its methods."""
    found = {each for hint in typing.get_type_hints(thing, localns=NAMES).values() for each in types_in(hint)}
    for name, member in inspect.getmembers(thing) if isinstance(thing, type) else ():
        method = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not name.startswith("_") and inspect.isfunction(method) and method.__module__.startswith(PACKAGE):
            found |= uses(inspect.unwrap(method))
    return found


def test_every_type_of_a_public_function_is_exported() -> None:
    left, missing, seen = list(BEGINNINGS), {}, set[Any]()
    while left:
        thing = left.pop()
        for used in uses(thing) - seen:
            seen.add(used)
            left.append(used)
            if used not in EXPORTED:
                missing[used.__name__] = thing.__qualname__
    assert len(seen) > 40, "the walk has found next to nothing"
    assert not missing, f"not exported, and where they are used: {missing}"


def test_every_repository_and_every_model_is_exported() -> None:
    models = {each.class_ for each in livetranslate_store.models.Base.registry.mappers}
    assert models | set(REPOSITORIES) <= EXPORTED
