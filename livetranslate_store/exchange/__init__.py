"""Meetings in and out of a store, as files of other programs and of its own."""

from livetranslate_store.exchange.backup import backup_session
from livetranslate_store.exchange.export import EXPORT_FORMATS, export_session
from livetranslate_store.exchange.import_file import import_file
from livetranslate_store.exchange.restore import restore_session

__all__ = ["EXPORT_FORMATS", "backup_session", "export_session", "import_file", "restore_session"]
