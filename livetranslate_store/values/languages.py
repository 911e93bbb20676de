"""The one rule about variants of a language; `reading/filters.py` says it in SQL."""


def is_variant(tag: str, language: str) -> bool:
    """Return whether `tag` is `language` or one of its variants: `zh-Hans` is one of `zh`."""
    return f"{tag.lower()}-".startswith(f"{language.lower()}-")
