"""Reports of imports and restores: counts of rows, refusals and notes."""

from collections.abc import Iterable, Sequence

from livetranslate_store.cli.terminal.output import Value, note
from livetranslate_store.cli.terminal.terminal_text import one_line, visible
from livetranslate_store.values import ImportCounts, Note


def counted(**counts: ImportCounts) -> dict[str, Value]:
    """Return the counts that are not zero, by names such as `transcripts inserted`."""
    return {
        f"{name.replace('_', ' ')} {outcome}": number
        for name, each in counts.items()
        for outcome in each.__struct_fields__
        if (number := getattr(each, outcome))
    }


def tell_refusals(refusals: Iterable[tuple[str, str]], refused: int) -> None:
    """Print the refused parts on stderr, by place and reason; count those not listed."""
    listed = 0
    for place, reason in refusals:
        note(one_line(visible(f"refused: {place}: {reason}")))
        listed += 1
    if refused > listed:
        note(f"refused: {refused - listed} more")


def tell_notes(notes: Sequence[Note], noted: int) -> None:
    """Print the notes of a reader on stderr, by place; count those not listed."""
    for each in notes:
        place = "" if each.line is None else f"line {each.line}: "
        note(one_line(visible(f"note: {place}{each.text}")))
    if noted > len(notes):
        note(f"note: {noted - len(notes)} more")
