"""The formats of JSON: our own export, and the dialects of other programs."""

from livetranslate_store.formats.readers.dialects.dialect import Dialect
from livetranslate_store.formats.readers.dialects.reading import fits, language_of, read_dialect
from livetranslate_store.formats.readers.dialects.table import DIALECTS
from livetranslate_store.formats.readers.format import Format
from livetranslate_store.formats.readers.own_json import OWN_JSON


def _format(dialect: Dialect) -> Format:
    return Format(
        dialect.name,
        lambda source: fits(dialect, source.json),
        lambda source, _: read_dialect(dialect, source.json),
        lambda source: language_of(dialect, source.json),
    )


JSON_FORMATS = (OWN_JSON, *map(_format, DIALECTS))
