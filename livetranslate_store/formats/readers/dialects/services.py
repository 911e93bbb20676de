"""Services whose documents are more than lists of segments."""

from collections.abc import Iterator

from livetranslate_store.formats.readers.dialects.dialect import Dialect, Segment
from livetranslate_store.formats.readers.dialects.paths import (
    Fields,
    fields_of,
    first,
    found,
    items_of,
    text_at,
)
from livetranslate_store.formats.readers.dialects.reading import segments_of
from livetranslate_store.formats.readers.dialects.tokens import spoken_together
from livetranslate_store.formats.readers.source import JSON

_RESULT_ENDS = ("resultEndTime", "resultEndOffset", "result_end_time", "result_end_offset")


def is_gladia(document: JSON) -> bool:
    """Return whether Gladia wrote it: it keeps the whole text beside the utterances, and all languages."""
    places = (
        "result.transcription",
        "transcription.utterances",
        "full_transcript",
        "languages",
        "prediction",
    )
    return first(document, places) is not None


def is_assemblyai(document: JSON) -> bool:
    """Return whether all times are whole numbers, as milliseconds are, and no word has Gladia's field."""
    for part in ("utterances", "sentences", "paragraphs", "words"):
        for item in items_of(found(document, part)):
            if found(item, "words.0.word") is not None or not all(
                _is_whole(found(item, each)) for each in ("start", "end")
            ):
                return False
    return True


def _is_whole(value: JSON) -> bool:
    return not isinstance(value, float) or value.is_integer() or value != value  # noqa: PLR0124 (NaN)


def is_vexa(document: JSON) -> bool:
    """Return whether a bot of Vexa's wrote it."""
    marks = ("native_meeting_id", "absolute_start_time", "completed")
    items = items_of(found(document, "segments")) or items_of(document)
    return any(first(each, marks) is not None for each in (document, *items[:1]))


def elevenlabs_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the segments of a document, or of each of its channels."""
    for transcript in items_of(found(document, "transcripts")) or (document,):
        for segment in segments_of(dialect, transcript):
            channel = found(transcript, "channel_index")
            yield segment._replace(channel=channel, language=found(transcript, "language_code"))


def aws_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the segments that AWS made, or those that the items make."""
    items = items_of(found(document, "results.items"))
    parts = items_of(found(document, "results.audio_segments"))
    if parts:
        by_id = {str(found(item, "id")): item for item in items}
        for part in parts:
            ids = map(str, items_of(found(part, "items")))
            words = [by_id[each] for each in ids if each in by_id]
            yield Segment(fields_of(part), words, channel=found(part, "channel_label"))
        return
    whole = text_at(document, ("results.transcripts.0.transcript",))
    channels = items_of(found(document, "results.channel_labels.channels"))
    for channel in channels:
        label = found(channel, "channel_label")
        for segment in spoken_together(items_of(found(channel, "items")), dialect.words, dialect.unit):
            yield segment._replace(channel=label)
    if not channels:
        speakers = _speakers(document)
        spoken = [_with_speaker(item, speakers) for item in items]
        yield from spoken_together(spoken, dialect.words, dialect.unit, whole)


def _speakers(document: JSON) -> dict[str, JSON]:
    """Return who speaks at which time, as older documents say it."""
    return {
        str(found(item, "start_time")): found(item, "speaker_label")
        for segment in items_of(found(document, "results.speaker_labels.segments"))
        for item in items_of(found(segment, "items"))
    }


def _with_speaker(item: JSON, speakers: dict[str, JSON]) -> Fields:
    fields = fields_of(item)
    label = speakers.get(str(fields.get("start_time")))
    return fields if label is None or "speaker_label" in fields else {**fields, "speaker_label": label}


def google_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the results; with speakers, the last result may hold all words once more, and theirs alone."""
    results = list(segments_of(dialect, document))
    last = results[-1] if results else Segment({})
    if last.words and not text_at(last.fields, dialect.text):
        whole = " ".join(text_at(each.fields, dialect.text) for each in results[:-1])
        yield from spoken_together(last.words, dialect.words, dialect.unit, whole)
        return
    for result in results:
        speakers = {str(first(word, dialect.words.speaker)) for word in result.words}
        if len(speakers) > 1:
            text = text_at(result.fields, dialect.text)
            parts = spoken_together(result.words, dialect.words, dialect.unit, text)
            language = first(result.fields, dialect.language)
            yield from (part._replace(language=language, channel=result.channel) for part in parts)
        elif result.words:
            # A result ends after the silence behind its last word.
            fields = {name: value for name, value in result.fields.items() if name not in _RESULT_ENDS}
            yield result._replace(fields=fields)
        else:
            yield result


def meet_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the entries; `conferenceRecords/…/participants/p7` is called p7."""
    for segment in segments_of(dialect, document):
        short = {
            name: value.rpartition("/")[2]
            for name in ("participant", "name")
            if isinstance(value := segment.fields.get(name), str)
        }
        yield segment._replace(fields={**segment.fields, **short})
