"""Names with which speakers of a talk are introduced: suggestions for a person to confirm, never applied.

People say their own name once ("My name is Ann Lee"), or are named before they first speak ("joined by Ann
Lee", "Welcome to the show, Ann"). `benchmarks/introductions.py` measures how often such a name is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.transcripts.transcript import Segment

EARLY_S, EARLY = 900.0, 60
"""A name in passing counts only early in the talk: within this many seconds and this many segments."""
AROUND = 60
"""Characters before and after a name in the quote."""

_WORD = r"[A-Z][\w'’-]+"
_MORE = rf"(?: (?:(?:de|van|von|der|la|da|di|bin|al) )*{_WORD})"
_NAME = rf"(?P<name>{_WORD}{_MORE}{{0,3}})"
_OWN = re.compile(
    rf"\b[Mm]y name(?: is|['’]s) {_NAME}"
    rf"|\bI(?:['’]m| am) (?:your (?:co-?)?host,? )?(?P<host>{_WORD}{_MORE}{{1,3}})"
)
_OTHER = re.compile(
    r"\b(?:(?:am|are|I['’]m|we['’]re|is) (?:also )?joined(?: today| here| this week| again)*(?: by|,? with)"
    r"|(?:[Ww]ith|[Jj]oining) (?:me|us)(?: today| here| this week)*(?: is|,| are)"
    r"|[Mm]y guest(?: today| here| this week)*(?: is|,)"
    r"|[Pp]lease welcome|[Ww]elcome(?: back)?,?|[Ww]elcome(?: back)? to [^,.!?]{1,40},"
    rf"|[Tt]hanks? (?:you )?(?:so much )?for (?:joining|coming|being here)(?: us| on)?(?: today)?,)"
    rf"(?: my (?:friend|guest|colleague),?)? {_NAME}(?![\w'’-]|,? and\b|,? [A-Z])"
)
_NOBODY = frozenset(
    re.findall(
        r"\w+",
        """
        The This That These Those And But So Welcome Hello Hi Hey Yes No Yeah Well Oh Okay Everybody
        Everyone All Folks Friends Today We I It You He She They There Here Our My Your Mr Mrs Ms AI
        ML LLM GPT API CEO CTO Changelog Podcast Show News Python Go JavaScript Google Microsoft
        Amazon OpenAI Twitter GitHub Monday Tuesday Wednesday Thursday Friday Saturday Sunday
        January February March April May June July August September October November December
        American Canadian German French British Indian Chinese English Sorry Back Thanks Thank Good
        Great Happy Not Just What Who How When Where Why Chief Senior Head Director
        """,
    )
)


class Introduction(NamedTuple):
    """A name with which a speaker was introduced.

    `speaker`: the speaker who is meant; `name`: the name as spoken; `start`: start of the segment in seconds;
    `quote`: the words around the name; `own`: whether the speaker says their own name.
    """

    speaker: str
    name: str
    start: float
    quote: str
    own: bool


def introductions(segments: Sequence[Segment]) -> list[Introduction]:
    """Return the names with which speakers are introduced, once per speaker and name.

    Args:
        segments: in spoken order, with speakers.

    Returns:
        In spoken order. The name of somebody else goes to the next speaker, if it is their first time to
        speak.
    """
    found: dict[tuple[str, str], Introduction] = {}
    heard: set[str] = set()
    for number, segment in enumerate(segments):
        if segment.speaker is None:
            continue
        heard.add(segment.speaker)
        for own, name, quote in _said(segment.text):
            speaker = segment.speaker
            if not own:
                if number >= EARLY or segment.start > EARLY_S:
                    continue
                speaker = _next(segments[number + 1 :], heard)
            if speaker:
                key = speaker, name.casefold()
                found.setdefault(key, Introduction(speaker, name, segment.start, quote, own))
    return list(found.values())


def _said(text: str) -> Iterator[tuple[bool, str, str]]:
    for own, pattern in ((True, _OWN), (False, _OTHER)):
        for match in pattern.finditer(text):
            if _is_quoted(text[: match.start()]):
                continue
            name = next(filter(None, match.groupdict().values()))
            words = name.split()
            while words and words[-1].strip("'’") in _NOBODY:
                words.pop()
            name = re.sub(r"['’]s$", "", " ".join(words))
            if words and words[0] not in _NOBODY and not name.isupper():
                yield own, name, text[max(0, match.start() - AROUND) : match.end() + AROUND].strip()


def _is_quoted(before: str) -> bool:
    """Return whether a position is inside quotation marks, by the marks before it."""
    return before.count('"') % 2 == 1 or before.count("“") > before.count("”")


def _next(segments: Sequence[Segment], heard: set[str]) -> str:
    """Return the next speaker if it is their first time to speak, else an empty string."""
    speakers = (segment.speaker for segment in segments if segment.speaker is not None)
    following = next((speaker for speaker in speakers), "")
    return following if following not in heard else ""
