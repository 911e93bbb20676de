"""XML as a small tree with lines; what could blow up in a reader's hands is refused.

The standard library's expat limits how far entities expand; declared entities are refused altogether.
"""

from collections.abc import Iterator, Mapping
from xml.parsers import expat

from livetranslate_store.errors import InvalidInputError

# Deeper than any document that people write, and far from the limit of recursion.
_DEEPEST = 200


class Element:
    """An element: its name and attributes without namespaces, and its texts and elements in their order."""

    def __init__(self, name: str, attributes: Mapping[str, str], line: int) -> None:
        self.name = name
        self.attributes = attributes
        self.line = line
        self.children: list[Element | str] = []

    def elements(self) -> Iterator["Element"]:
        """Yield the elements directly below."""
        return (child for child in self.children if isinstance(child, Element))

    def every(self, name: str) -> Iterator["Element"]:
        """Yield all elements of a name, at any depth, in their order."""
        for child in self.elements():
            if child.name == name:
                yield child
            yield from child.every(name)

    def text(self) -> str:
        """Return all of the text."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)


def parsed(data: bytes | str) -> Element:
    """Return the root of an XML document; raises InvalidInputError if it is none, or not a harmless one."""
    root = Element("", {}, 0)
    builder = _Builder(root)
    # Names keep their prefixes, which careless programs forget to declare.
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: builder.start(
        name, attributes, parser.CurrentLineNumber
    )
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = _refuse_entities
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InvalidInputError(
            f"The file is not XML in line {error.lineno}: {expat.ErrorString(error.code)}."
        ) from error
    return next(root.elements())


def _refuse_entities(*_: object) -> None:
    raise InvalidInputError("The file declares entities, which can make it grow without bounds.")


class _Builder:
    def __init__(self, root: Element) -> None:
        self._open = [root]

    def start(self, name: str, attributes: Mapping[str, str], line: int) -> None:
        if len(self._open) > _DEEPEST:
            raise InvalidInputError(f"The file is nested more than {_DEEPEST} elements deep in line {line}.")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()}, line)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].children.append(text)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
