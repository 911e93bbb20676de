"""Meetings in and out of a store, as files of other programs."""

from livetranslate_store.exchange.import_file import import_file

__all__ = ["import_file"]
