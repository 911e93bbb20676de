"""XML as a small tree with lines; what could blow up in a reader's hands is refused.

The standard library's expat limits how far entities expand; declared entities are refused altogether.
"""

from collections.abc import Iterator, Mapping
from xml.parsers import expat

from livetranslate_store.errors import InvalidInputError

# Deeper than any document that people write, and far from the limit of recursion.
_DEEPEST = 200
# The decoder puts a lone surrogate for a byte that is not in the file's encoding. The parser refuses those,
# and gets a letter of private use instead.
_PRIVATE = {byte: 0x10FE00 + byte % 0x100 for byte in range(0xDC80, 0xDD00)}
_BAD_BYTES = {private: byte for byte, private in _PRIVATE.items()}


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
    valid = data.translate(_PRIVATE) if isinstance(data, str) else data
    builder = _Builder(root, has_bad_bytes=valid != data)
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
        parser.Parse(valid, True)
    except expat.ExpatError as error:
        raise InvalidInputError(
            f"The file is not XML in line {error.lineno}: {expat.ErrorString(error.code)}."
        ) from error
    except InvalidInputError:
        raise
    except (LookupError, ValueError) as error:
        raise InvalidInputError(
            "The file's XML names an encoding that is not read; save it as UTF-8."
        ) from error
    return next(root.elements())


def _refuse_entities(*_: object) -> None:
    raise InvalidInputError("The file declares entities, which can make it grow without bounds.")


class _Builder:
    def __init__(self, root: Element, *, has_bad_bytes: bool) -> None:
        self._open = [root]
        self._has_bad_bytes = has_bad_bytes

    def start(self, name: str, attributes: Mapping[str, str], line: int) -> None:
        if len(self._open) > _DEEPEST:
            raise InvalidInputError(f"The file is nested more than {_DEEPEST} elements deep in line {line}.")
        own = {_local(key): self._given(value) for key, value in attributes.items()}
        element = Element(_local(name), own, line)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].children.append(self._given(text))

    def _given(self, text: str) -> str:
        return text.translate(_BAD_BYTES) if self._has_bad_bytes else text


def _local(name: str) -> str:
    return name.rpartition(":")[2]
