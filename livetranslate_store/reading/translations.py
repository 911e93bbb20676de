"""The translation that a reader gets for a language: that language, else its first variant."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, literal_column, select

from livetranslate_store.reading.columns import TRANSLATIONS, columns_of
from livetranslate_store.reading.details import EDIT_FIELDS
from livetranslate_store.reading.filters import is_variant
from livetranslate_store.values import ViewedTranslation


def translation_into(
    pattern: ColumnElement[str],
    *,
    session_id: ColumnElement[UUID],
    transcript_id: ColumnElement[UUID],
    revision: ColumnElement[int],
    edits: Mapping[str, ColumnElement[Any]],
) -> Select[Any]:
    """Return the ViewedTranslation of a transcript for a `variant_pattern`, in one row at most.

    `edits` are its last columns, if a read includes them. A further column says whether it `is_edit`.
    """
    columns = columns_of(
        ViewedTranslation,
        [TRANSLATIONS],
        computed=() if edits else EDIT_FIELDS,
        language=TRANSLATIONS.c.target_language,
        is_stale=TRANSLATIONS.c.transcript_revision != revision,
        **edits,
    )
    return (
        select(*columns, TRANSLATIONS.c.edited_by.is_not(None).label("is_edit"))
        .where(
            TRANSLATIONS.c.session_id == session_id,
            TRANSLATIONS.c.transcript_id == transcript_id,
            is_variant(TRANSLATIONS.c.target_language, pattern),
        )
        # A language sorts before its variants.
        .order_by(TRANSLATIONS.c.target_language)
        .limit(literal_column("1"))
    )
