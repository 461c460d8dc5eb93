"""Clusters of terms that name one subject, the subject's name, and the subjects that were reported."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.topics.bursts.recent_video import RecentVideo
from models.topics.bursts.terms import NAME
from models.topics.bursts.window import RecentWindow
from models.topics.online.centring import Background, Vectors
from models.topics.online.person_names import is_person
from models.topics.snapshot.snapshot import JSON

Mentions = frozenset[tuple[int, int]]
"""Pairs of a video's number and a paragraph."""

SAME_PARAGRAPHS = 0.5
"""Share of the rarer term's paragraphs with the other term from which both are one subject …"""
RELATED_PARAGRAPHS = 0.25
"""… or this share, if they have a word in common (any share, if one has the other's initials) …"""
SAME_CENTRE = 0.75
"""… or if their paragraphs' centroids have this centred cosine …"""
SAME_VIDEO = 0.55
"""… or this one, even without common paragraphs, if one video makes both news: one event is behind both."""
LONGEST_NAME = 3
"""Maximum words of a subject's name, without initials."""
COMPANIONS = 12
"""Maximum number of terms that a subject shows and stores."""


@dataclass(frozen=True, eq=False)
class TermCandidate:
    """A term with the evidence of its recent mentions.

    Attributes:
        mentions: all its paragraphs. videos: their numbers.
        centre: float64 [d], mean of one paragraph's unit vector per video. concentration: see `Burst`.
    """

    term: str
    surface: str
    log10_p: float
    is_name: bool
    is_person: bool
    noun: int
    verb: int
    mentions: Mentions
    videos: frozenset[int]
    centre: Vectors
    concentration: float

    @classmethod
    def of(cls, term: str, recent: RecentWindow, log10_p: float, background: Background) -> "TermCandidate":
        """Collect a term's recent mentions."""
        said = recent.saying(term)
        kept = [video.kept[term] for video in said]
        named, plain = sum(k.named for k in kept), sum(k.plain for k in kept)
        surfaces = Counter(k.surface for k in kept)
        surface = max(surfaces, key=lambda each: (surfaces[each], each))
        vectors, sources = directions(term, said)
        return cls(
            term=term,
            surface=surface,
            log10_p=log10_p,
            is_name=named > plain or bool(NAME.match(surface)),
            is_person=named > plain and is_person(term, _ending_in(term, said)),
            noun=sum(k.noun for k in kept),
            verb=sum(k.verb for k in kept),
            mentions=mentions([term], said),
            videos=frozenset(video.number for video in said),
            centre=vectors.mean(axis=0) if len(vectors) else np.zeros(len(background.total)),
            concentration=concentration(vectors, sources, background),
        )


def _ending_in(term: str, said: Sequence[RecentVideo]) -> frozenset[str]:
    ending = f" {term}"
    return frozenset(pair for video in said for pair in video.kept if pair.endswith(ending))


def directions(term: str, said: Sequence[RecentVideo]) -> tuple[Vectors, list[str]]:
    """Return the unit vector of the best paragraph of each video that has one, and the videos' sources."""
    found = [(vector, video.source) for video in said if (vector := video.vector(term)) is not None]
    rows = np.array([vector for vector, _ in found])
    return rows.reshape(len(found), -1 if found else 0), [source for _, source in found]


def concentration(vectors: Vectors, sources: Sequence[str], background: Background) -> float:
    """Return the mean centred cosine of paragraph pairs of different sources; of any pairs if there is one.

    `vectors` is [n, d]. Pairs are of different sources, because paragraphs of one show are similar whatever
    their subject. NaN without pairs.
    """
    if len(vectors) < 2:
        return math.nan
    centred = background.centre(vectors)
    pairs, total = float(len(vectors) ** 2), _square(centred)
    groups: dict[str, list[int]] = {}
    for row, source in enumerate(sources):
        groups.setdefault(source, []).append(row)
    if len(groups) == 1:
        groups = {str(row): [row] for row in range(len(vectors))}
    for rows in groups.values():
        pairs -= len(rows) ** 2
        total -= _square(centred[rows])
    return total / pairs


def _square(vectors: Vectors) -> float:
    total = vectors.sum(axis=0)
    return float((total * total).sum())


def mentions(terms: Iterable[str], said: Iterable[RecentVideo]) -> Mentions:
    """Return the paragraphs of these videos that mention any of the terms."""
    wanted = list(terms)
    return frozenset(
        (video.number, row)
        for video in said
        for term in wanted
        if term in video.kept
        for row in video.kept[term].rows
    )


def same_spelling(one: str, other: str) -> bool:
    """Return whether two terms are spellings of one name: divided, a letter apart, or one word shortened.

    >>> same_spelling("chat gpt", "chatgpt"), same_spelling("ollama", "olama")
    (True, True)
    >>> same_spelling("gen ai", "generative ai")
    True
    >>> same_spelling("gpt-3", "gpt-4"), same_spelling("rust", "ruff"), same_spelling("ai agent", "ai code")
    (False, False, False)
    """
    if one.replace(" ", "") == other.replace(" ", ""):
        return True
    a, b = one.split(), other.split()
    if len(a) == len(b) == 2 and (a[0] == b[0] or a[1] == b[1]):
        short, long = sorted(((a[1], b[1]) if a[0] == b[0] else (a[0], b[0])), key=len)
        return len(short) >= 3 and long.startswith(short)
    if len(a) != 1 or len(b) != 1 or min(len(one), len(other)) < 5 or not (one + other).isalpha():
        return False
    short, long = sorted((one, other), key=len)
    if len(long) == len(short):
        return sum(x != y for x, y in zip(short, long, strict=True)) == 1
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def share_a_word(one: str, other: str) -> bool:
    """Return whether two terms have a word in common; a version number is a word of its own.

    >>> share_a_word("gpt-4", "gpt"), share_a_word("bun", "deno")
    (True, False)
    """
    a, b = one.replace("-", " ").split(), other.replace("-", " ").split()
    return bool(set(a) & set(b))


def initials_of(one: str, other: str) -> bool:
    """Return whether one term begins or ends with the other's initials.

    >>> initials_of("large language", "llm"), initials_of("llm", "language model"), initials_of("rag", "bun")
    (True, True, False)
    """
    for words, single in ((one.split(), other), (other.split(), one)):
        initials = "".join(word[0] for word in words)
        if (
            len(words) > 1
            and len(single) <= len(words) + 1
            and (single.startswith(initials) or single.endswith(initials))
        ):
            return True
    return False


def alike(a: TermCandidate, b: TermCandidate, background: Background) -> bool:
    """Return whether two terms are names of one subject."""
    if same_spelling(a.term, b.term):
        return True
    shared = len(a.mentions & b.mentions) / max(1, min(len(a.mentions), len(b.mentions)))
    if shared >= SAME_PARAGRAPHS or (shared > 0 and initials_of(a.term, b.term)):
        return True
    if shared < RELATED_PARAGRAPHS:
        return False
    if share_a_word(a.term, b.term):
        return True
    return _cosine(a, b, background) >= SAME_CENTRE


def _cosine(a: TermCandidate, b: TermCandidate, background: Background) -> float:
    """Return the centred cosine of their centroids; -1 without vectors."""
    if not a.centre.any() or not b.centre.any():
        return -1.0
    one, other = background.centre(a.centre), background.centre(b.centre)
    return float((one * other).sum())


def tie_together(candidates: Sequence[TermCandidate], background: Background) -> list[list[TermCandidate]]:
    """Group terms that name one subject, the strongest term first; the strongest subject first.

    Args:
        candidates: the terms that one video makes news.
    """
    groups: list[list[TermCandidate]] = []
    for candidate in sorted(candidates, key=lambda c: (c.log10_p, -len(c.term.split()), c.term)):
        for group in groups:
            if any(
                alike(candidate, member, background) or _cosine(candidate, member, background) >= SAME_VIDEO
                for member in group
            ):
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    return groups


def name(group: Sequence[TermCandidate]) -> str:
    """Return a subject's name: its strongest term, extended to the phrase it is part of, with its initials.

    "large language", "language models" and "LLM" give `large language models (LLM)`.
    """
    first = group[0]
    pairs = [c for c in group if len(c.term.split()) == 2 and len(c.videos) * 3 >= len(first.videos)]
    if len(first.term.split()) == 1:
        holds = [c for c in pairs if first.term in c.term.split() and _share(c, first) >= 0.3]
        spelled = [c for c in pairs if first.term.startswith("".join(word[0] for word in c.term.split()))]
        start = (holds or (spelled if first.surface.isupper() else []))[:1]
        chain = start[0] if start else first
    else:
        chain = first
    words, surfaces = chain.term.split(), chain.surface.split()
    if len(words) == 2:
        for other in pairs:
            if len(words) == LONGEST_NAME:
                break
            a, b = other.term.split()
            if a == words[-1] and b not in words and _share(other, chain) >= 0.5:
                words, surfaces = [*words, b], [*surfaces, *other.surface.split()[-1:]]
            elif b == words[0] and a not in words and _share(other, chain) >= 0.5:
                words, surfaces = [a, *words], [*other.surface.split()[:1], *surfaces]
    phrase = " ".join(surfaces)
    initials = "".join(word[0] for word in words)
    short = next((c.surface for c in group if len(words) > 1 and c.term == initials), "")
    return f"{phrase} ({short})" if short else phrase


def _share(part: TermCandidate, whole: TermCandidate) -> float:
    return len(part.mentions & whole.mentions) / max(1, len(whole.mentions))


@dataclass
class Subject:
    """A subject that has been reported.

    Attributes:
        terms: the names it was reported with, strongest first; a term like one of them joins the subject.
        joined: the names that have joined it. A term that is only like one of these does not join, or a
            subject would grow from name to name without end.
    """

    name: str
    terms: list[str]
    joined: list[str]

    def names(self) -> list[str]:
        """Return all its names."""
        return [*self.terms, *self.joined]

    def videos(self, recent: RecentWindow) -> list[RecentVideo]:
        """Return the recent videos that mention any of its terms, oldest first."""
        found = {video.number: video for term in self.terms for video in recent.saying(term)}
        return sorted(found.values(), key=lambda video: (video.day, video.number))


class Subjects:
    """The reported subjects that recent videos still mention, which bounds their number."""

    def __init__(self, reported: Iterable[Subject] = ()) -> None:
        self.reported = list(reported)
        self._known = {term for subject in self.reported for term in subject.names()}

    def knows(self, term: str) -> bool:
        """Return whether a term is a name of a reported subject."""
        return term in self._known

    def forget(self, recent: RecentWindow) -> None:
        """Drop subjects that no recent video names: they may be news again."""
        silent = [s for s in self.reported if not any(recent.count(term) for term in s.names())]
        if silent:
            self.reported = [s for s in self.reported if s not in silent]
            self._known = {term for subject in self.reported for term in subject.names()}

    def join(self, candidate: TermCandidate, recent: RecentWindow, background: Background) -> bool:
        """Add the candidate to the reported subject that it names; return whether there is one."""
        subject = self.named_by(candidate, recent, background)
        if subject is None:
            return False
        subject.joined.append(candidate.term)
        self._known.add(candidate.term)
        return True

    def named_by(
        self, candidate: TermCandidate, recent: RecentWindow, background: Background
    ) -> Subject | None:
        """Return the reported subject that the candidate is a name of, if any."""
        for subject in self.reported:
            for term in subject.terms[:COMPANIONS]:
                near = any(video.number in candidate.videos for video in recent.saying(term))
                # For a term without recent mentions only the spelling can be compared.
                if same_spelling(term, candidate.term) or (
                    near and alike(candidate, TermCandidate.of(term, recent, 0.0, background), background)
                ):
                    return subject
        return None

    def report(self, group: Sequence[TermCandidate]) -> Subject:
        """Record a new subject with these names, strongest first."""
        subject = Subject(name(group), [candidate.term for candidate in group], [])
        self.reported.append(subject)
        self._known.update(subject.terms)
        return subject

    def to_json(self) -> JSON:
        """Return names and terms, in order of reporting."""
        return [[each.name, [*each.terms], [*each.joined]] for each in self.reported]

    @classmethod
    def from_json(cls, state: Iterable[tuple[str, list[str], list[str]]]) -> "Subjects":
        """Return the subjects that `to_json` stored."""
        return cls(Subject(name, terms, joined) for name, terms, joined in state)
