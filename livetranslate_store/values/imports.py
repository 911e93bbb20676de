"""Progress and report of a bulk import."""

from collections.abc import Sequence

from livetranslate_store.values.value import Value


class Refusal(Value, frozen=True):
    """A segment that was not imported: its line in the source, and the reason.

    A parser yields refusals among the segments, so that one report has them all.
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
    """The progress of an import: so many `segments`, refused ones included, are done and durable.

    `total` is their whole number, None if nobody knows it. To continue an interrupted import, skip as many
    items as are done.
    """

    segments: int
    total: int | None = None


class ImportCounts(Value, frozen=True):
    """The numbers of writes to one table, by outcome."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0


class ImportReport(Value, frozen=True):
    """The result of an import.

    `refused` counts the segments that were not imported; `refusals` lists the first thousand of them.
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
