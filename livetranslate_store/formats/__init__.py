"""Text in, values out: what other programs write."""

from livetranslate_store.formats.readers.registry import FORMATS, read_transcript

__all__ = ["FORMATS", "read_transcript"]
