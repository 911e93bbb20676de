"""Formats that are known and not read: each is refused by its name, with what to do instead."""

import re
from collections.abc import Mapping

from livetranslate_store.errors import InvalidInputError

_AS_SUBRIP = "convert it to SubRip (.srt) first, for example with Subtitle Edit or FFmpeg"
_IMAGES = "its subtitles are images; read their text with OCR and import that as SubRip (.srt)"
_RECORDING = "it is a recording; transcribe it and import the transcript"
_SAVE_TEXT = "save it as a text file or as .docx and import that"

_BYTES: Mapping[bytes, tuple[str, str]] = {
    b"%PDF-": ("PDF", _SAVE_TEXT),
    b"{\\rtf": ("RTF", _SAVE_TEXT),
    b"\xd0\xcf\x11\xe0": ("a Word document of the old kind (.doc)", _SAVE_TEXT),
    b"\x00\x00\x01\xba": ("VobSub (.sub)", _IMAGES),
    b"PG": ("Blu-ray subtitles (.sup)", _IMAGES),
    b"RIFF": ("audio or video", _RECORDING),
    b"OggS": ("audio or video", _RECORDING),
    b"fLaC": ("audio or video", _RECORDING),
    b"ID3": ("audio or video", _RECORDING),
    b"\x1a\x45\xdf\xa3": ("audio or video", _RECORDING),
    b"\x1f\x8b": ("a compressed file (.gz)", "unpack it and import the file in it"),
}
# "PG" begins a text, too.
_SUP = re.compile(rb"PG.{8}[\x14-\x17\x80]", re.DOTALL)
_MP4 = (b"ftyp", 4)
_EBU_STL = (b"STL", 3)

_TEXTS = (
    (re.compile(r"# VobSub index file"), "VobSub (.idx)", _IMAGES),
    (re.compile(r"Scenarist_SCC V"), "Scenarist closed captions (.scc)", _AS_SUBRIP),
    (re.compile(r"\{[0-9]{1,7}\}\{[0-9]{0,7}\}"), "MicroDVD (.sub)", f"it counts frames; {_AS_SUBRIP}"),
    (re.compile(r"\[[0-9]{1,7}\]\[[0-9]{0,7}\]"), "MPL2", _AS_SUBRIP),
    (re.compile(r"<SAMI\b", re.IGNORECASE), "SAMI (.smi)", _AS_SUBRIP),
    (re.compile(r"(?:<!doctype html|<html)\b", re.IGNORECASE), "a web page", "save its text and import that"),
    (re.compile(r"\[(?:ar|ti|al|au|by|re|ve|length|offset):"), "lyrics (.lrc)", _AS_SUBRIP),
)


def refuse_unread_bytes(data: bytes) -> None:
    """Raise InvalidInputError if the bytes are those of a known format that is not read."""
    for mark, (name, advice) in _BYTES.items():
        if data.startswith(mark) and (mark != b"PG" or _SUP.match(data)):
            raise InvalidInputError(f"The file is {name}, which is not read: {advice}.")
    if data[_MP4[1] :].startswith(_MP4[0]):
        raise InvalidInputError(f"The file is audio or video, which is not read: {_RECORDING}.")
    if data[_EBU_STL[1] :].startswith(_EBU_STL[0]) and data[:3].isdigit():
        raise InvalidInputError(f"The file is EBU STL (.stl), which is not read: {_AS_SUBRIP}.")


def refuse_unread_text(text: str) -> None:
    """Raise InvalidInputError if the text is one of a known format that is not read."""
    begin = text[:2000].lstrip("\ufeff \t\r\n")
    for pattern, name, advice in _TEXTS:
        if pattern.match(begin):
            raise InvalidInputError(f"The file is {name}, which is not read: {advice}.")
