"""Writes the reference as pages of HTML, from the docstrings: build/reference/index.html."""

import inspect
import warnings
from pathlib import Path

import msgspec
import pdoc
import pdoc.render

MODULES = (
    "livetranslate_store",
    "livetranslate_store.repositories",
    "livetranslate_store.models",
    "livetranslate_store.exchange",
    "livetranslate_store.formats",
    "livetranslate_store.page.session_page",
    "livetranslate_store.legacy",
    "livetranslate_store.metrics",
    "livetranslate_store.schema.upgrade",
)
CHECKOUT = Path(__file__).resolve().parents[1]


def constructor(documented: pdoc.doc.Class) -> str:
    """Return the signature of a value, which has no `__init__` of its own; nothing for other classes."""
    is_value = issubclass(documented.obj, msgspec.Struct)
    return str(inspect.signature(documented.obj)) if is_value else ""


def make_reference(folder: Path) -> None:
    """Write the reference into `folder`."""
    pdoc.render.configure(template_directory=Path(__file__).with_name("reference"), show_source=False)
    pdoc.render.env.globals["constructor"] = constructor
    with warnings.catch_warnings():
        # The fields that a TypedDict inherits exist as annotations only.
        warnings.filterwarnings("ignore", message="Cannot determine where .* is taken from", module="pdoc")
        pdoc.pdoc(*MODULES, output_directory=folder)


if __name__ == "__main__":
    make_reference(CHECKOUT / "build" / "reference")
