"""Matching of glossary forms in a transcript, and their replacement by names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.transcripts.transcript import Correction, Segment, Word

_LETTERS = r"[^\W_]|[&+#]"
_SHAPE = re.compile(rf"^(\s*)((?:(?!{_LETTERS}).)*)(.*?)((?:['’][sS])?(?:(?!{_LETTERS}).)*)$", re.DOTALL)
"""Leading space, opening punctuation, the word itself, and a possessive with closing punctuation."""
_JOINTS = re.compile(r"[\s/‐‑–-]+")
_SPACED = re.compile(r"\s*\S+|\s+$")
_PASSES = 8
"""Maximum number of passes: a name can complete another ("el el em ops", "LLM ops", "LLMOps")."""


@dataclass(frozen=True, slots=True)
class SpellingRule:
    """A recognised form and its replacement.

    Attributes:
        parts: the form, normalised by `parts_of`.
        write: the replacement.
        near: words of which one must be near; empty: no condition.
        within: number of words before and after that are near.
        exact: the form must have exactly this spelling; None: in any case.
    """

    parts: tuple[str, ...]
    write: str
    near: frozenset[str] = frozenset()
    within: int = 0
    exact: str | None = None

    @property
    def anywhere(self) -> SpellingRule:
        """The same rule without a condition on words nearby."""
        return replace(self, near=frozenset())


class SpellingRules:
    """Rules by their form; the first of several with the same parts counts."""

    def __init__(self, rules: Sequence[SpellingRule]) -> None:
        self.of: dict[tuple[str, ...], SpellingRule] = {}
        for rule in rules:
            self.of.setdefault(rule.parts, rule)
        self.longest = max((len(parts) for parts in self.of), default=0)
        self.first = {parts[0] for parts in self.of}


@dataclass(frozen=True, slots=True)
class _Unit:
    """Text between two spaces: pieces (words, or parts of the text) from `begin` to before `end`."""

    segment: int
    begin: int
    end: int
    text: str
    opens: str
    core: str
    closes: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Match:
    first: _Unit
    last: _Unit
    rule: SpellingRule
    heard: str

    @property
    def written(self) -> str:
        return f"{self.first.opens}{self.rule.write}{self.last.closes}"


def parts_of(text: str) -> tuple[str, ...]:
    """Return the words of a text for comparison: case-folded, without surrounding punctuation.

    >>> parts_of("Fine-Tuning, in C++")
    ('fine', 'tuning', 'in', 'c++')
    """
    shape = _SHAPE.match
    found = (shape(part) for part in _JOINTS.split(text.casefold()))
    return tuple(match[3] for match in found if match and match[3])


def corrected(
    segments: Sequence[Segment], rules: SpellingRules
) -> tuple[tuple[Segment, ...], tuple[Correction, ...]]:
    """Apply rules until nothing changes.

    Returns:
        The segments in the same order, and the changes in the order in which they were made.
    """
    now, changes = tuple(segments), list[Correction]()
    for _ in range(_PASSES if rules.of else 0):
        pieces = [_pieces(segment) for segment in now]
        matches = _matches(now, _units(pieces), rules)
        if not matches:
            break
        by_segment: dict[int, list[_Match]] = {}
        for match in matches:
            by_segment.setdefault(match.first.segment, []).append(match)
            segment = now[match.first.segment]
            start = segment.words[match.first.begin].start if segment.words else segment.start
            changes.append(
                Correction(start=start, heard=match.heard, written=match.written, entry=match.rule.write)
            )
        now = tuple(
            _rewritten(segment, pieces[number], by_segment[number]) if number in by_segment else segment
            for number, segment in enumerate(now)
        )
    return now, tuple(changes)


def _pieces(segment: Segment) -> list[str]:
    if segment.words:
        return [word.text for word in segment.words]
    return _SPACED.findall(segment.text)


def _units(pieces: Sequence[Sequence[str]]) -> list[_Unit]:
    """Return the text between spaces; a recogniser may give "-tuning" of "fine-tuning" times of its own."""
    units: list[_Unit] = []
    for number, texts in enumerate(pieces):
        begin = 0
        for end in range(1, len(texts) + 1):
            if end < len(texts) and texts[end][:1].strip() and texts[end - 1][-1:].strip():
                continue
            text = "".join(texts[begin:end])
            match = _SHAPE.match(text)
            _, opens, core, closes = match.groups() if match else ("", "", "", text)
            units.append(_Unit(number, begin, end, text, opens, core, closes, parts_of(core)))
            begin = end
    return units


def _matches(segments: Sequence[Segment], units: Sequence[_Unit], rules: SpellingRules) -> list[_Match]:
    found: list[_Match] = []
    at = 0
    while at < len(units):
        count, match = _longest(segments, units, at, rules)
        if match is not None:
            found.append(match)
        at += max(1, count)
    return found


def _longest(
    segments: Sequence[Segment], units: Sequence[_Unit], at: int, rules: SpellingRules
) -> tuple[int, _Match | None]:
    """Return the number of units in the longest form at this position, and its change, if any."""
    best: tuple[int, _Match | None] = (0, None)
    parts: tuple[str, ...] = ()
    first = units[at]
    if not first.parts or first.parts[0] not in rules.first:
        return best
    for reach in range(at, len(units)):
        unit = units[reach]
        if reach > at and not _goes_on(units[reach - 1], unit):
            break
        parts += unit.parts
        if len(parts) > rules.longest:
            break
        rule = rules.of.get(parts)
        heard = "".join(each.text for each in units[at : reach + 1]).strip()
        bare = heard[len(first.opens) : len(heard) - len(unit.closes)]
        if rule is None or rule.exact not in (None, bare) or not _of_one_speaker(segments, first, unit):
            continue
        if not _is_near(units, at, reach, rule):
            continue
        best = (reach - at + 1, None if bare == rule.write else _Match(first, unit, rule, heard))
    return best


def _goes_on(one: _Unit, other: _Unit) -> bool:
    return one.segment == other.segment and not one.closes and not other.opens and bool(other.parts)


def _of_one_speaker(segments: Sequence[Segment], first: _Unit, last: _Unit) -> bool:
    words = segments[first.segment].words
    return len({word.speaker for word in words[first.begin : last.end]}) <= 1


def _is_near(units: Sequence[_Unit], at: int, reach: int, rule: SpellingRule) -> bool:
    if not rule.near:
        return True
    around = (*units[max(0, at - rule.within) : at], *units[reach + 1 : reach + 1 + rule.within])
    return any(
        part in rule.near or part.removesuffix("s") in rule.near for unit in around for part in unit.parts
    )


def _rewritten(segment: Segment, pieces: Sequence[str], matches: Sequence[_Match]) -> Segment:
    words, text, at = list[Word](), "", 0
    for match in matches:
        begin, end = match.first.begin, match.last.end
        space = pieces[begin][: len(pieces[begin]) - len(pieces[begin].lstrip())]
        words += segment.words[at:begin]
        words += _named(segment.words[begin:end], match, space)
        text += "".join(pieces[at:begin]) + space + match.written
        at = end
    words += segment.words[at:]
    text += "".join(pieces[at:])
    update: dict[str, Any] = {"text": text}
    if segment.words:
        update = {"text": "".join(word.text for word in words).strip(), "words": tuple(words)}
    return segment.model_copy(update=update)


def _named(words: Sequence[Word], match: _Match, space: str) -> list[Word]:
    if not words:
        return []
    names = match.written.split()
    if len(names) == len(words):
        texts = [space + names[0], *(f" {name}" for name in names[1:])]
        return [word.model_copy(update={"text": text}) for word, text in zip(words, texts, strict=True)]
    sure = [word.probability for word in words if word.probability is not None]
    return [
        Word(
            start=min(word.start for word in words),
            end=max(word.end for word in words),
            text=space + match.written,
            probability=min(sure) if len(sure) == len(words) else None,
            speaker=words[0].speaker,
        )
    ]
