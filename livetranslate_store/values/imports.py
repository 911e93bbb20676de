"""What comes back from a bulk import: how far it is, what it did, and what it refused."""

from collections.abc import Sequence

from livetranslate_store.values.value import Value


class Refusal(Value, frozen=True):
    """A segment that was not imported: where it stands in its source, and why.

    A parser yields them among the segments for what it cannot read, so that one report tells all.
    """

    line: int
    reason: str


class Note(Value, frozen=True):
    """A detail that a reader left out, guessed or decided; the text is kept.

    `line` is the place in the file, None for the whole file.
    """

    line: int | None
    text: str


class ImportProgress(Value, frozen=True):
    """How far an import is: `segments`, refused ones included, are dealt with and durable.

    An import that was interrupted goes on where this many of its items are skipped.
    """

    segments: int


class ImportCounts(Value, frozen=True):
    """What became of the rows of one table, in numbers of writes."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0


class ImportReport(Value, frozen=True):
    """What an import did.

    `refused` counts the segments that were not imported; `refusals` lists the first thousand of them, so
    that a report stays small whatever the source.
    """

    transcripts: ImportCounts
    translations: ImportCounts
    audio_files: ImportCounts
    refused: int
    refusals: Sequence[Refusal]


class FileImportReport(ImportReport, frozen=True):
    """What the import of a file did, and how the file was read.

    `encoding_is_guessed` is true if nothing in the file names its encoding and the file is not UTF-8. `noted`
    counts the details that were left out, guessed or decided; `notes` lists the first thousand of them.
    """

    format: str
    encoding: str
    encoding_is_guessed: bool
    noted: int
    notes: Sequence[Note]
