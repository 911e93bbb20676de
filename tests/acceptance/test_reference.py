"""The reference holds every public name, with inherited methods and the constructors of values."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from tools.make_reference import MODULES, make_reference

Names = dict[str, object]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    make_reference(folder)
    return folder


def public_names(module: str) -> Names:
    """Return what a module offers, by name."""
    found = import_module(module)
    names = getattr(found, "__all__", None) or [
        name
        for name, value in vars(found).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module
    ]
    return {name: getattr(found, name) for name in names}


def is_ours(member: object) -> bool:
    function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return str(getattr(function, "__module__", "")).startswith("livetranslate_store")


def public_members(kind: type) -> list[str]:
    """Return the methods and properties of a class, inherited ones included."""
    found = {name: inspect.getattr_static(kind, name) for name in dir(kind) if not name.startswith("_")}
    return [name for name, member in found.items() if is_ours(member)]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_and_method_is_in_the_reference(reference: Path, module: str) -> None:
    page = reference.joinpath(*module.split(".")).with_suffix(".html").read_text(encoding="utf-8")
    ids = set(re.findall(r'id="([^"]+)"', page))
    wanted = set(public_names(module))
    for name, value in public_names(module).items():
        if isinstance(value, type):
            wanted |= {f"{name}.{member}" for member in public_members(value)}
    assert wanted - ids == set()


def test_a_value_is_shown_with_its_constructor(reference: Path) -> None:
    page = (reference / "livetranslate_store.html").read_text(encoding="utf-8")
    for name, value in public_names("livetranslate_store").items():
        if isinstance(value, type) and issubclass(value, msgspec.Struct):
            assert re.search(rf'<span class="name">{name}</span><span class="signature[^>]*>\(', page), name


def test_every_public_name_has_a_docstring() -> None:
    for name, value in public_names("livetranslate_store").items():
        # A closed set of words has none: the arguments that take it describe it.
        assert get_args(value) or getattr(value, "__doc__", None), name


def test_the_methods_that_a_store_inherits_are_among_them(reference: Path) -> None:
    page = (reference / "livetranslate_store.html").read_text(encoding="utf-8")
    for name in ("timeline", "search", "stream_timeline", "transcript_view", "missing_translations"):
        assert f'id="Store.{name}"' in page
