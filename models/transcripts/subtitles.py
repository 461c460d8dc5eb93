"""Export of transcripts for people: WebVTT, SubRip and plain text; `captions` reads them back.

Cues follow broadcasters' common rules: two lines of 42 columns, 7 seconds, one speaker, a sentence if
possible. Characters that cannot be shown are left out: control characters, and marks that change the writing
direction.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from models.transcripts.transcript import Segment, Transcript

COLUMNS = 42
"""Width of a line; a wide character (Chinese, Japanese, Korean) takes two columns."""
LONGEST_S, SHORTEST_S = 7.0, 1.0
"""Longest and shortest time that a cue is shown; it may be shorter if the next one follows at once."""
PAUSE_S = 1.5
"""Silence after which a new cue begins, so that no text is shown long before it is said."""
NAME = 40
"""Maximum number of characters of a speaker's name within the text."""
PARAGRAPH = 900
"""Characters after which a paragraph of plain text ends with its sentence; after twice as many anyway."""

_LATEST_S = 1e9
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SENTENCE = re.compile(r"[.!?…。！？؟۔।][\"'”’»)\]]*$")
_CLAUSE = re.compile(r"[,;،、，；–—][\"'”’»)\]]*$")
_TIME = re.compile(r":(?=\d{1,2}[.,]\d)")
_MARKUP = re.compile(rf"<|-->|\\|{_TIME.pattern}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class Cue(NamedTuple):
    """Text shown from one time to another.

    `start` and `end` in milliseconds, `start < end <=` the next cue's start. `lines` are one or two, as plain
    text; wider than `COLUMNS` only for a single wide word.
    """

    start: int
    end: int
    lines: tuple[str, ...]
    speaker: str | None


class _Part(NamedTuple):
    """An indivisible part of a line: a word, with adjacent text that is not separated by a blank."""

    text: str
    spaced: bool
    """A blank precedes it."""
    start: float
    end: float
    speaker: str | None


def webvtt(transcript: Transcript) -> str:
    """Return WebVTT; the speaker of a cue is its voice (`<v Ann Lee>`). Without words: only the header.

    Example:
        >>> ann = Segment(start=0, end=2, text="Costs < value?", speaker="Ann Lee")
        >>> print(webvtt(Transcript(language="en", language_probability=None, duration_s=2,
        ...                         segments=(ann,), made_by={})))
        WEBVTT
        Language: en
        <BLANKLINE>
        00:00:00.000 --> 00:00:02.000
        <v Ann Lee>Costs &lt; value?
        <BLANKLINE>
    """
    header = f"WEBVTT\nLanguage: {transcript.language}\n"
    shown = [header if _known(transcript.language) else "WEBVTT\n"]
    for cue in cues(transcript):
        voice = f"<v {_escaped(cue.speaker)}>" if cue.speaker else ""
        text = "\n".join(map(_escaped, cue.lines))
        shown.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{voice}{text}\n")
    return "\n".join(shown)


def subrip(transcript: Transcript) -> str:
    """Return SubRip (.srt); each turn begins with the speaker's name. Without words: an empty string.

    Only text that a player would take for markup is escaped, as in HTML. From 100 hours on, hours have three
    digits, which some programs do not read.
    """
    return "\n".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        + "".join(f"{' '.join(map(_guarded, line.split(' ')))}\n" for line in cue.lines)
        for number, cue in enumerate(cues(transcript, named=True), 1)
    )


def plain_text(transcript: Transcript, *, times: bool = False) -> str:
    """Return a paragraph per turn, with the speaker's name; long turns in several. Without words: empty.

    Args:
        transcript: the transcript to write.
        times: put the start of each paragraph before it, as [hh:mm:ss].
    """
    written = []
    for speaker, turn in groupby(_parts(transcript), lambda part: part.speaker):
        for number, paragraph in enumerate(_paragraphs(turn)):
            at = f"[{_clock(_ms(paragraph[0].start), '.')[:-4]}] " if times else ""
            name = f"{speaker}: " if speaker and number == 0 else ""
            written.append(f"{at}{name}{_joined(paragraph)}\n")
    return "\n".join(written)


def cues(transcript: Transcript, *, named: bool = False) -> tuple[Cue, ...]:
    """Return a transcript's cues in order; every word is in one of them.

    Args:
        transcript: the transcript to show.
        named: begin the first cue of each turn with its speaker's name and a colon.
    """
    groups = [group for turn in _turns(transcript, named=named) for group in _cut(turn)]
    starts: list[int] = []
    for group in groups:
        starts.append(max(_ms(group[0].start), starts[-1] + 1 if starts else 0))
    shown = []
    for number, (group, start) in enumerate(zip(groups, starts, strict=True), 1):
        end = max(_ms(part.end) for part in group)
        end = max(min(end, start + _ms(LONGEST_S)), start + _ms(SHORTEST_S))
        end = min([end, *starts[number : number + 1]])
        shown.append(Cue(start, end, _lines(group), group[0].speaker))
    return tuple(shown)


def _turns(transcript: Transcript, *, named: bool) -> Iterator[list[_Part]]:
    """Yield the parts that one speaker says without a pause, with the name if the speaker changes."""
    speaker: str | None = None
    turn: list[_Part] = []
    for part in _parts(transcript):
        changed = part.speaker != speaker
        if turn and (changed or part.start - turn[-1].end > PAUSE_S):
            yield turn
            turn = []
        if changed and named and part.speaker:
            turn += [part._replace(text=name, spaced=True, end=part.start) for name in _name(part.speaker)]
        speaker = part.speaker
        turn.append(part)
    if turn:
        yield turn


def _name(speaker: str) -> list[str]:
    """Return the words of a speaker's name, with a colon, for the beginning of a turn."""
    return f"{speaker if len(speaker) <= NAME else speaker[: NAME - 1].rstrip() + '…'}:".split(" ")


def _parts(transcript: Transcript) -> Iterator[_Part]:
    for segment in transcript.segments:
        together: list[_Part] = []
        for part in _words(segment):
            if part.spaced and together:
                yield from _merged(together)
                together = []
            together.append(part)
        if together:
            yield from _merged(together)


def _merged(together: list[_Part]) -> list[_Part]:
    """Return text without blanks as one part; if it is longer than a line, as its words."""
    text = "".join(part.text for part in together)
    if _width(text) > COLUMNS:
        return together
    return [together[0]._replace(text=text, end=max(part.end for part in together))]


def _words(segment: Segment) -> Iterator[_Part]:
    """Yield a segment's words; missing word times are interpolated by characters."""
    speaker = " ".join(_UNSEEN.sub("", segment.speaker or "").split()) or None
    spoken = [(word.text, word.start, word.end) for word in segment.words]
    spaced = True
    for raw, start, end in spoken or [(segment.text, segment.start, segment.end)]:
        text = _UNSEEN.sub("", raw)
        spaced = spaced or text[:1].isspace()
        words = text.split()
        total, said = sum(map(len, words)), 0
        for word in words:
            begin = start + (end - start) * said / total
            said += len(word)
            yield _Part(word, spaced, begin, start + (end - start) * said / total, speaker)
            spaced = True
        spaced = text[-1:].isspace() if words else spaced or bool(text)


def _cut(turn: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    """Yield the parts of each cue: as many as fit, up to the last end of a sentence or else of a clause."""
    begin = 0
    while begin < len(turn):
        end = begin + 1
        while end < len(turn) and _fits(turn[begin : end + 1]):
            end += 1
        if end < len(turn):
            end = begin + _whole(turn[begin:end])
        yield turn[begin:end]
        begin = end


def _fits(parts: Sequence[_Part]) -> bool:
    if max(part.end for part in parts) - parts[0].start > LONGEST_S:
        return False
    first = len(parts)
    while first > 1 and _width(_joined(parts[:first])) > COLUMNS:
        first -= 1
    return max(_width(_joined(parts[:first])), _width(_joined(parts[first:]))) <= COLUMNS


def _whole(parts: Sequence[_Part]) -> int:
    """Return the number of parts to show together; the part after them does not fit."""
    for ending, least in ((_SENTENCE, COLUMNS // 2), (_CLAUSE, COLUMNS)):
        for count in range(len(parts), 0, -1):
            if ending.search(parts[count - 1].text) and _width(_joined(parts[:count])) >= least:
                return count
    return len(parts)


def _lines(parts: Sequence[_Part]) -> tuple[str, ...]:
    """Return a line, or two of about equal width; a number is not alone on the last, as pysubs2 drops it."""
    text = _joined(parts)
    if len(parts) == 1 or _width(text) <= COLUMNS:
        return (text,)
    pairs = [(_joined(parts[:count]), _joined(parts[count:])) for count in range(1, len(parts))]
    return min(
        (pair for pair in pairs if max(map(_width, pair)) <= COLUMNS),
        key=lambda pair: (pair[1].isdecimal(), abs(_width(pair[0]) - _width(pair[1]))),
    )


def _paragraphs(turn: Iterator[_Part]) -> Iterator[list[_Part]]:
    paragraph: list[_Part] = []
    length = 0
    for part in turn:
        paragraph.append(part)
        length += len(part.text) + 1
        if length >= 2 * PARAGRAPH or (length >= PARAGRAPH and _SENTENCE.search(part.text)):
            yield paragraph
            paragraph, length = [], 0
    if paragraph:
        yield paragraph


def _joined(parts: Sequence[_Part]) -> str:
    return "".join(f" {part.text}" if part.spaced else part.text for part in parts).strip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _ms(seconds: float) -> int:
    return round(min(seconds, _LATEST_S) * 1000)


def _clock(moment: int, point: str) -> str:
    """Return a time in milliseconds as hh:mm:ss.mmm, with more digits for more hours."""
    seconds, ms = divmod(moment, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{ms:03}"


def _known(language: str) -> bool:
    return language != "und" and _LANGUAGE.fullmatch(language) is not None


def _escaped(text: str) -> str:
    r"""Return text without meaning as markup, in WebVTT and for `pysubs2`.

    That library takes \N for the end of a line, and a line with two times for the timing of a cue.
    """
    plain = html.escape(text, quote=False).replace("\\", "&#92;")
    return _TIME.sub("&#58;", plain)


def _guarded(word: str) -> str:
    """Return a word for SubRip, escaped only if needed, since players may show escapes literally."""
    return _escaped(word) if _MARKUP.search(word) or html.unescape(word) != word else word
