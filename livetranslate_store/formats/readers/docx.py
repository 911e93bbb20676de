"""Word documents (.docx), which Teams saves transcripts as: their paragraphs become lines of text."""

import zlib
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.xml_tree import Element, parsed

_ZIP = b"PK\x03\x04"
_DOCUMENT = "word/document.xml"
# Ten hours of speech take 2 MB; what unpacks to more than this is no transcript.
_LARGEST = 64 * 1024 * 1024


def is_zip(data: bytes) -> bool:
    """Return whether the bytes are an archive, as a Word document is."""
    return data.startswith(_ZIP)


def text_of_docx(data: bytes) -> str:
    """Return the paragraphs of a Word document as lines; raises InvalidInputError if it is none."""
    try:
        with ZipFile(BytesIO(data)) as archive, archive.open(_entry(archive)) as file:
            content = file.read(_LARGEST + 1)
    except (
        *(BadZipFile, zlib.error, KeyError, EOFError),
        *(NotImplementedError, RuntimeError, ValueError, OSError),
    ) as error:
        raise InvalidInputError(
            "The file is an archive but no Word document (.docx); unpack it and import the files in it."
        ) from error
    if len(content) > _LARGEST:
        raise InvalidInputError(f"The document unpacks to more than {_LARGEST // 1024**2} MB.")
    return "\n".join("".join(_texts(paragraph)) for paragraph in parsed(content).every("p"))


def _entry(archive: ZipFile) -> ZipInfo:
    """Return the entry of the text; raises BadZipFile if it is packed in a way that Word does not know."""
    entry = archive.getinfo(_DOCUMENT)
    if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise BadZipFile
    return entry


def _texts(element: Element) -> Iterator[str]:
    for child in element.elements():
        match child.name:
            case "t":
                yield child.text()
            case "br" | "cr":
                yield "\n"
            case "tab":
                yield "\t"
            # Deleted text of a tracked change, and a paragraph within one, which comes by itself.
            case "del" | "p" | "pPr" | "rPr":
                pass
            case _:
                yield from _texts(child)
