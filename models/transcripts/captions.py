"""Parsers of ready transcripts: WebVTT, SubRip, YouTube's json3 and XML, and talk records, into segments.

The format is recognised by the content; a file's name is only used in errors.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from models.errors import BadInput
from models.transcripts.json_transcript import TalkRecord
from models.transcripts.transcript import Segment, Word
from models.transcripts.unicode_text import Text

_MS = 1000.0
_ROLLING = 0.3
"""Share of captions beginning with lines of the previous one from which captions are rolling."""

_CURE = "give a WebVTT, SubRip (.srt) or json3 file, YouTube's XML, or a JSON object with segments"
MOST_CUES = 250_000
"""Maximum number of cues or segments of a transcript: five a second of the longest decoded recording."""
MOST_WORDS = 1_000_000
"""Maximum number of words with times of their own."""
MOST_BYTES = 64 * 1024 * 1024
_MOST_LINES = 8
"""Maximum number of lines that rolling captions may repeat; real ones repeat one or two."""

# No pattern scans past the next character that could begin a match: that keeps their time linear.
_TAG = re.compile(r"</?(?:c|v|i|b|u|s|em|strong|ruby|rt|lang|font|span)\b[^<>]*>", re.IGNORECASE)
_BREAK = re.compile(r"</?(?:br|p)\b[^<>]*>", re.IGNORECASE)
_INLINE_TIME = re.compile(r"<[\d:.]+>")
_VOICE = re.compile(r"<v[^\s<>]*\s([^<>]+)>")
_SUBSTATION = re.compile(r"\{\\[^{}]*\}")
_LONG_NUMBER = re.compile(r"&#\d{8,};?", re.ASCII)
_CLOCK = re.compile(r"\d:\d")
_BLANK_LINES = re.compile(r"\n{3,}")
_NUMBER_SAID = re.compile(r"^( *\d+ *)$(?!\n.*-->)", re.MULTILINE)
_JOINER = "\u2060"
_ASIDE = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|♪+")


@dataclass(frozen=True)
class Captions:
    """The content of a ready transcript.

    `segments` are in spoken order, never empty. `duration_s` is the talk's length if the file states it, else
    the end of the last segment. `language` is the language that the file states. `meta` has a talk record's
    other fields; None for captions.
    """

    segments: tuple[Segment, ...]
    duration_s: float
    language: str | None = None
    meta: dict[str, Any] | None = None


def parse(content: bytes, name: str) -> Captions:
    r"""Parse a ready transcript.

    Speakers come only from WebVTT voice tags (`<v Ann>`) and talk records: a `Name:` or `>>` in the text is
    ambiguous. Lines that rolling captions repeat are kept once; markup is removed.

    Args:
        content: the file's bytes: UTF-8, or UTF-16 with a byte order mark.
        name: its name in errors.

    Example:
        >>> srt = b"1\n00:00:01,000 --> 00:00:02,500\nWe run <i>agents</i> in production.\n"
        >>> parse(srt, "talk.srt").segments[0].text
        'We run agents in production.'

    Raises:
        BadInput: it is not a transcript, is broken, or has no words.
    """
    if len(content) > MOST_BYTES:
        raise BadInput(f"{name} has {len(content):,} bytes, more than the {MOST_BYTES:,} of a talk", _CURE)
    text = _decode(content, name).strip().replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        raise BadInput(f"{name} is empty", "fetch or export it again")
    try:
        captions = _read(text, name)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise BadInput(f"{name} is not a transcript ({where}: {first['msg']})", _CURE) from error
    if not any(re.search(r"\w", _ASIDE.sub("", segment.text)) for segment in captions.segments):
        raise BadInput(f"{name} has no words", "let groundswell transcribe the recording instead")
    return captions


def _decode(content: bytes, name: str) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is not text in UTF-8", f"{_CURE}, saved as UTF-8") from error
    if "\0" in text:
        raise BadInput(f"{name} is a binary file", _CURE)
    return text


def _read(text: str, name: str) -> Captions:
    if text.startswith("WEBVTT"):
        return _read_vtt(text, name)
    if text.startswith("{"):
        _bound(text.count("{") + text.count("["), 2 * MOST_WORDS, "objects", name)
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{name} is broken JSON ({error})", "fetch or export it again") from error
        _bound(_length(record.get("segments")), MOST_CUES, "segments", name)
        _bound(_length(record.get("events")), MOST_CUES, "events", name)
        if "segments" in record:
            return _read_record(record)
        if "events" in record:
            return _read_json3(record, name)
        raise BadInput(f"{name} is JSON without segments", _CURE)
    if re.match(r"<(!doctype|html|head|body)\b", text, re.IGNORECASE):
        raise BadInput(f"{name} is a web page", f"{_CURE}; a site that blocks downloads sends pages instead")
    if re.match(r"(<\?xml[^>]*>\s*)?<transcript\b", text):
        return _read_xml(text, name)
    if "-->" in text:
        return _captions(_cues(text, "srt", name))
    raise BadInput(f"{name} is not a transcript", _CURE)


def _bound(count: int, most: int, of_what: str, name: str) -> None:
    """Raise BadInput for a small file that would take gigabytes and hours as segments."""
    if count > most:
        raise BadInput(f"{name} has {count:,} {of_what}, more than the {most:,} of any talk", _CURE)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


class _Cue(NamedTuple):
    """Text with markup, shown from one second to another."""

    start: float
    end: float
    lines: list[str]


def _read_vtt(text: str, name: str) -> Captions:
    header = re.split(r"\n\s*\n|-->", text, maxsplit=1)[0]
    language = re.search(r"^Language: *(\w{2,3})", header, re.MULTILINE)
    # A line with two word times would look like the timing of a cue.
    cues = _cues(_INLINE_TIME.sub("", text), "vtt", name)
    # A blank line ends a cue: a note, or the name of the next cue, follows.
    ended = [cue._replace(lines=_until_blank(cue.lines)) for cue in cues]
    return _captions(ended, language[1] if language else None)


def _cues(text: str, format_: str, name: str) -> list[_Cue]:
    import pysubs2

    _bound(sum(1 for _ in _CLOCK.finditer(text)), 4 * MOST_CUES, "times", name)
    text = _BLANK_LINES.sub("\n\n", text)  # pysubs2 takes quadratic time for many of them
    # pysubs2 drops a number on a cue's last line, mistaking it for the next cue's.
    text = _NUMBER_SAID.sub(rf"\1{_JOINER}", text)
    try:
        subtitles = pysubs2.SSAFile.from_string(text, format_=format_, keep_html_tags=True)
    except (ValueError, pysubs2.exceptions.Pysubs2Error) as error:  # it parses the hours of ":00:01.000"
        raise BadInput(f"{name} has an invalid time ({error})"[:300], _CURE) from error
    cues = [
        _Cue(
            event.start / _MS,
            max(event.start, event.end) / _MS,
            event.text.replace(_JOINER, "").split("\\N"),
        )
        for event in subtitles.events
    ]
    return sorted(cues, key=lambda cue: cue.start)


def _read_xml(text: str, name: str) -> Captions:
    """Read the timed text of YouTube's older interfaces: lines with start and length in seconds."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    _bound(text.count("<"), 4 * MOST_CUES, "elements", name)
    try:
        lines = fromstring(re.sub(r"^<\?xml[^>]*>", "", text), forbid_dtd=True).findall("text")
        cues = []
        for line in lines:
            start = float(line.get("start", ""))
            length = max(0.0, float(line.get("dur", 0.0)))
            cues.append(_Cue(start, start + length, "".join(line.itertext()).splitlines()))
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise BadInput(f"{name} is broken XML ({error})", "fetch or export it again") from error
    return _captions(sorted(cues, key=lambda cue: cue.start))


def _until_blank(lines: list[str]) -> list[str]:
    return lines[: lines.index("")] if "" in lines else lines


def _captions(cues: Iterable[_Cue], language: str | None = None) -> Captions:
    segments = tuple(segment for cue in _without_repeats(list(cues)) for segment in _voices(cue))
    return Captions(segments, max((segment.end for segment in segments), default=0.0), language)


def _without_repeats(cues: list[_Cue]) -> list[_Cue]:
    """Drop lines that rolling captions repeat; in other captions a repeated line was spoken twice."""
    cues = [cue._replace(lines=[line for line in cue.lines if _clean(line)]) for cue in cues]
    cues = [cue for cue in cues if cue.lines]
    plain = [[_clean(line) for line in cue.lines] for cue in cues]
    repeated = [0, *(_shown_again(before, after) for before, after in pairwise(plain))]
    if sum(map(bool, repeated)) <= _ROLLING * len(cues):
        return cues
    return [cue._replace(lines=cue.lines[again:]) for cue, again in zip(cues, repeated, strict=True)]


def _shown_again(before: list[str], after: list[str]) -> int:
    """Return the number of lines at the start of `after` that are the last ones of `before`."""
    longest = min(len(before), len(after), _MOST_LINES)
    return next((count for count in range(longest, 0, -1) if before[-count:] == after[:count]), 0)


def _voices(cue: _Cue) -> Iterator[Segment]:
    """Yield a segment per voice; voices in one cue divide its time by their words."""
    before, *rest = _VOICE.split(" ".join(cue.lines))
    voices = [(None, before), *zip(rest[::2], rest[1::2], strict=True)]
    spoken = [(speaker, text) for speaker, raw in voices if (text := _clean(raw))]
    total = sum(len(text.split()) for _, text in spoken)
    start = cue.start
    for speaker, text in spoken:
        end = min(start + (cue.end - cue.start) * len(text.split()) / total, cue.end)
        yield Segment(start=start, end=end, text=text, speaker=_clean(speaker or "") or None)
        start = end


def _clean(raw: str) -> str:
    """Return the text without markup, entities, speaker-change markers and superfluous blanks."""
    text = _TAG.sub("", _BREAK.sub(" ", _SUBSTATION.sub("", raw)))
    text = html.unescape(_LONG_NUMBER.sub("\N{REPLACEMENT CHARACTER}", text))  # Python would refuse it
    return " ".join(re.sub(r"(^|\s)>>+(?=\s|$|\w)", " ", text).split())


class _Json3Piece(BaseModel):
    utf8: Text = ""
    tOffsetMs: float | None = None  # noqa: N815 - YouTube's name


class _Json3Event(BaseModel):
    tStartMs: float = Field(0.0, ge=0)  # noqa: N815
    dDurationMs: float = Field(0.0, ge=0)  # noqa: N815
    segs: list[_Json3Piece] = []

    @property
    def text(self) -> str:
        return "".join(piece.utf8 for piece in self.segs)

    @property
    def end_ms(self) -> float:
        return self.tStartMs + self.dDurationMs


class _Json3(BaseModel):
    events: list[_Json3Event]


def _read_json3(record: dict[str, Any], name: str) -> Captions:
    """Read YouTube's timed text. Automatic captions have word times, and scroll by separate newlines."""
    _bound(sum(_length(each.get("segs")) for each in _objects(record["events"])), MOST_WORDS, "words", name)
    events = _Json3.model_validate(record).events
    spoken = sorted((event for event in events if event.text.strip()), key=lambda event: event.tStartMs)
    ends = [
        # A line stays on display below the next one; it was spoken until the next one starts.
        min(event.end_ms, after.tStartMs) if after.tStartMs > event.tStartMs else event.end_ms
        for event, after in pairwise(spoken)
    ]
    ends += [event.end_ms for event in spoken[-1:]]
    has_word_times = any(piece.tOffsetMs is not None for event in spoken for piece in event.segs)
    read = _word_by_word if has_word_times else _line_by_line
    segments = [
        segment for event, end_ms in zip(spoken, ends, strict=True) for segment in read(event, end_ms)
    ]
    return Captions(tuple(segments), max((event.end_ms for event in events), default=0.0) / _MS)


def _line_by_line(event: _Json3Event, end_ms: float) -> Iterator[Segment]:
    return _voices(_Cue(event.tStartMs / _MS, end_ms / _MS, event.text.splitlines()))


def _word_by_word(event: _Json3Event, end_ms: float) -> Iterator[Segment]:
    said = [(piece.tOffsetMs or 0.0, re.sub(r"\s*>>+\s*|\s+", " ", piece.utf8)) for piece in event.segs]
    said = [(offset_ms, text) for offset_ms, text in said if text.strip()]
    times = [min(event.tStartMs + offset_ms, end_ms) / _MS for offset_ms, _ in said] + [end_ms / _MS]
    words = tuple(
        Word(start=start, end=max(start, end), text=text if index else text.lstrip())
        for index, ((_, text), (start, end)) in enumerate(zip(said, pairwise(times), strict=True))
    )
    if words:
        text = "".join(word.text for word in words)
        yield Segment(start=event.tStartMs / _MS, end=end_ms / _MS, text=text, words=words)


def _read_record(fields: dict[str, Any]) -> Captions:
    record = TalkRecord.model_validate(fields)
    segments = record.timed_segments()
    duration_s = record.duration_s or max((segment.end for segment in segments), default=0.0)
    meta = {field: value for field, value in fields.items() if field != "segments"}
    return Captions(segments, duration_s, record.language, meta)
