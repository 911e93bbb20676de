"""Who speaks in captions: a voice, a name in front of the text, or the cue's own name.

The whole file decides, and not each line: a file in which most cues begin with a few names has speakers, a
file with a colon here and there has none. The decision is noted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import RawCue, RawWord, Read
from livetranslate_store.values import Note, SpeakerChoice

#: A name as it stands before a colon: no sentence, and no time.
NAME = r"[^\W\d_][^:\uff1a\n\[\]<>{}\u2060]{0,59}"
# Forms of a name in front of a text, the most particular first. The other colon and brackets are full-width.
_LABEL = r"(?i:speaker)[\s_-]*[\w?]{1,3}"
_FORMS = (
    re.compile(rf"[\[(<](?P<label>{_LABEL})[\])>]\s*:?\s*(?=\S)"),
    re.compile(rf"(?P<label>{_LABEL})\s*:\s*(?=\S)"),
    re.compile(r"\[(?P<name>[^\[\]\n]{1,60})\]\s*[:\uff1a]\s*(?=\S)"),
    re.compile(rf"(?:[->\u2013\u2014]{{1,3}}\s*)?(?P<name>{NAME}?)\s{{0,3}}(?::\s+|\uff1a\s*)(?=\S)"),
    re.compile(r"[(\uff08\[](?P<aside>[^()\uff08\uff09\[\]\n]{1,60})[)\uff09\]]\s*(?=\S)"),
)
_ONLY_LABEL = re.compile(_LABEL)
# Webex: 12 "Ana Lima" (1234567890)
_IDENTIFIER = re.compile(r'(?:[0-9]+[\s.:-]*)?"(?P<name>[^"\n]{1,100})"(?:\s*\([0-9]+\))?')
# Most cues of a file name their speakers, or none does.
_MOSTLY = 0.5
# A conversation has few voices, and each is heard more than once; a short file shows each of them once.
_FEW = 6
_PER_SPEAKER = 2
# Two lines of a text look like a name and a text: here all cues have to agree.
_NEARLY_ALL = 0.8
_PER_NAME_ABOVE = 3
_PARTICLE = 3
_MOST_WORDS = 6
# A sentence, a figure or code is no name.
_SENTENCE = re.compile(r"[,;!?\u3002\uff01\uff1f<>=|{}\\/\"]|\.(?=\s)")


class _Prefix(NamedTuple):
    """A name in front of a text, and where the text begins."""

    name: str
    begin: int
    is_label: bool
    is_aside: bool


def with_speakers(read: Iterable[Read], choice: SpeakerChoice) -> Iterator[Read]:
    """Yield what was read, with the speakers that `choice` allows and a note about the decision."""
    items = list(read)
    cues = [item for item in items if isinstance(item, RawCue)]
    if choice in {"none", "voice"}:
        yield from items
    elif choice == "identifier" or (choice == "auto" and _are_identified(cues)):
        yield from (_identified(item) if isinstance(item, RawCue) else item for item in items)
    elif choice == "auto" and any(cue.label is not None for cue in cues):
        yield from items
    else:
        yield from _prefixed(items, cues, certain=choice == "prefix")


def speaker_of(voice: str | None) -> tuple[str | None, str | None]:
    """Return the label and the name of a speaker; "SPEAKER_00" is a label alone."""
    is_label = voice is not None and _ONLY_LABEL.fullmatch(voice) is not None
    return voice, None if is_label else voice


def credible(named: Sequence[str | None]) -> frozenset[str]:
    """Return the names among those that texts begin with; None means a text without one.

    A name comes again, or is one of a person; together such names begin most texts, and they are few.
    """
    counts = Counter(name for name in named if name is not None)
    again = {name for name in counts if counts[name] > 1 and _begins_as_name(name)}
    names = again | set(filter(is_person, counts))
    if not names and len(counts) > 1 and None not in named:
        names = {name for name in counts if _begins_as_name(name)}
    heard = sum(counts[name] for name in names)
    if heard <= 1 or heard < _MOSTLY * len(named) or len(names) > max(_FEW, heard / _PER_SPEAKER):
        return frozenset()
    return frozenset(names)


def is_person(name: str) -> bool:
    """Return whether a name is written as one of a person: words that begin with capitals, two at least."""
    words = name.replace("(", " ").replace(")", " ").split()
    if not 1 < len(words) <= _MOST_WORDS or _SENTENCE.search(name):
        return False
    first, *inner, last = words
    return (
        _begins_as_name(first)
        and _begins_as_name(last)
        and all(_begins_as_name(word) or len(word) <= _PARTICLE for word in inner)
    )


def _begins_as_name(word: str) -> bool:
    # Letters of Chinese, Arabic and others have no case.
    return not word[0].islower()


def _are_identified(cues: Sequence[RawCue]) -> bool:
    identifiers = (cue.identifier or "" for cue in cues)
    named = sum(_IDENTIFIER.fullmatch(each) is not None for each in identifiers)
    return named > 0 and named >= _MOSTLY * len(cues)


def _identified(cue: RawCue) -> RawCue:
    found = _IDENTIFIER.fullmatch(cue.identifier or "")
    if found is None:
        return cue
    label, name = speaker_of(found["name"].strip())
    return cue._replace(label=label, name=name)


def _prefixed(items: Sequence[Read], cues: Sequence[RawCue], *, certain: bool) -> Iterator[Read]:
    prefixes = [_prefix(cue.text) for cue in cues]
    names = _chosen(prefixes, certain=certain)
    taken = sum(prefix is not None and prefix.name in names for prefix in prefixes)
    others = sum(prefix is not None and not prefix.is_aside for prefix in prefixes) - taken
    if taken:
        yield Note(
            None,
            f"{taken} of {len(cues)} cues begin with one of {len(names)} names, which are read as speakers; "
            "speakers=none keeps them in the text.",
        )
    elif others:
        yield Note(
            None,
            f"{others} of {len(cues)} cues begin with words and a colon, which are kept in the text; "
            "speakers=prefix reads them as speakers.",
        )
    above = frozenset() if names else _above(cues)
    for item in items:
        if isinstance(item, RawCue) and names:
            yield from _turns(item, names)
        elif isinstance(item, RawCue) and above:
            yield _named_above(item, above)
        else:
            yield item


def _above(cues: Sequence[RawCue]) -> frozenset[str]:
    """Return the names that stand in a line of their own above nearly all texts, as in Microsoft Stream."""
    counts = Counter(cue.text.partition("\n")[0] for cue in cues if "\n" in cue.text)
    again = {
        name for name in counts if counts[name] > 1 and not _SENTENCE.search(name) and _begins_as_name(name)
    }
    heard = sum(counts[name] for name in again)
    few = len(again) <= heard / _PER_NAME_ABOVE
    return frozenset(again) if again and few and heard >= _NEARLY_ALL * len(cues) else frozenset()


def _named_above(cue: RawCue, names: frozenset[str]) -> RawCue:
    first, _, text = cue.text.partition("\n")
    if first not in names or not text:
        return cue
    label, name = speaker_of(first)
    return cue._replace(text=text, label=label, name=name, words=_without(cue.words, first))


def _chosen(prefixes: Sequence[_Prefix | None], *, certain: bool) -> frozenset[str]:
    if certain:
        return frozenset(each.name for each in prefixes if each is not None)
    labels = frozenset(each.name for each in prefixes if each is not None and each.is_label)
    named = [each.name if each is not None and not each.is_aside else None for each in prefixes]
    labelled = sum(name in labels for name in named)
    if labels and labelled >= _MOSTLY * len(named):
        return labels
    names = credible(named)
    if names:
        return names
    # "(Ana) text" is a speaker only if it comes again; else "(door opens)" would be one.
    asides = Counter(each.name for each in prefixes if each is not None and each.is_aside)
    again = {name for name in asides if asides[name] > 1 and _begins_as_name(name)}
    heard = sum(asides[name] for name in again)
    few = len(again) <= heard / _PER_SPEAKER
    return frozenset(again) if again and few and heard >= _MOSTLY * len(prefixes) else frozenset()


def _prefix(text: str) -> _Prefix | None:
    for form in _FORMS:
        found = form.match(text)
        if found is None:
            continue
        kind = found.lastgroup or "name"
        name = " ".join(found[kind].split())
        if kind == "name" and _SENTENCE.search(name):
            return None
        return _Prefix(name, found.end(), kind == "label", kind == "aside")
    return None


def _turns(cue: RawCue, names: frozenset[str]) -> Iterator[RawCue]:
    """Yield a cue for each speaker: a line that begins with a further name begins a further turn."""
    turns: list[list[str]] = []
    speakers: list[_Prefix | None] = []
    for line in cue.text.split("\n"):
        prefix = _prefix(line if turns else cue.text)
        if not turns or (prefix is not None and prefix.name in names):
            turns.append([])
            speakers.append(prefix if prefix is not None and prefix.name in names else None)
        turns[-1].append(line)
    for lines, speaker in zip(turns, speakers, strict=True):
        text = "\n".join(lines)
        if speaker is None:
            yield cue._replace(text=text, words=cue.words if len(turns) == 1 else ())
            continue
        words = _without(cue.words, text[: speaker.begin]) if len(turns) == 1 else ()
        said = text[speaker.begin :]
        # "(speaker ?)" is nobody that is known.
        label, name = speaker_of(None if speaker.name.endswith("?") else speaker.name)
        yield cue._replace(text=said, label=label, name=name, words=words)


def _without(words: Sequence[RawWord], prefix: str) -> Sequence[RawWord]:
    """Return the words behind those of a prefix."""
    left = "".join(prefix.split())
    place = 0
    while place < len(words) and left and left.startswith("".join(words[place].text.split())):
        left = left.removeprefix("".join(words[place].text.split()))
        place += 1
    return words[place:]
