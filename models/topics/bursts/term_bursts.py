"""Term channel of emergence: names that have begun to be mentioned."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from numpy.typing import NDArray
from scipy.special import pdtrc

from models.stats.tails import log10_of
from models.topics.bursts import one_source, sources, sponsor_filter
from models.topics.bursts.one_source import OneSource
from models.topics.bursts.recent_video import RecentVideo, around, remember
from models.topics.bursts.settings import BurstSettings
from models.topics.bursts.term_clustering import (
    COMPANIONS,
    Subject,
    Subjects,
    TermCandidate,
    alike,
    tie_together,
)
from models.topics.bursts.terms import extract_terms, needed
from models.topics.bursts.window import RecentWindow
from models.topics.online.centring import Background, Vectors
from models.topics.results import SourceQuote

__all__ = ["Burst", "Spoken", "TermBursts", "around", "log10_tail"]


@dataclass(frozen=True, eq=False)
class Spoken:
    """The content of one video for the channel.

    Attributes:
        vectors: float64 [n, d], unit length, one per paragraph, without boilerplate; [n, 0] without
            embeddings: then paragraphs are not compared.
        starts: seconds; may be empty.
        people: names of its speakers and guests, as far as they are known.
    """

    video_id: str
    source: str
    published_on: date
    paragraph_ids: tuple[str, ...]
    texts: tuple[str, ...]
    starts: tuple[float, ...]
    vectors: Vectors
    people: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Burst:
    """A subject whose names have begun to be mentioned.

    Attributes:
        subject: its name for display.
        terms: strongest first.
        video_ids: recent videos, oldest first; `paragraph_ids` the paragraphs in them that mention it.
        quotes: the first and the latest.
        log10_p: probability of this many videos if nothing had changed.
        concentration: mean centred pair cosine of its paragraphs; NaN without vectors.
        centre: float64 [d], mean of its paragraphs' unit vectors, one per video.
        is_name: whether its strongest term is written as a name.
        only_on: the source whose videos are counted, if hardly any other mentions it; empty: several do, or
            there is one in effect.
    """

    subject: str
    terms: tuple[str, ...]
    video_ids: tuple[str, ...]
    paragraph_ids: tuple[str, ...]
    quotes: tuple[SourceQuote, ...]
    sources: int
    recent: int
    recent_of: int
    earlier: int
    earlier_of: int
    log10_p: float
    concentration: float
    centre: Vectors
    is_name: bool
    only_on: str = ""


class TermBursts:
    """Counts of videos by term, recent against earlier; each subject is reported once."""

    def __init__(self, settings: BurstSettings) -> None:
        s = self._settings = settings
        self._recent = RecentWindow(
            share=s.window_share,
            least=s.window_least,
            most=s.window_most,
            age=timedelta(days=s.window_days),
            most_terms=s.most_terms,
            most_kept=s.most_kept,
        )
        self._subjects = Subjects()
        self._one_source = OneSource()

    def update(self, spoken: Spoken, background: Background) -> tuple[Burst, ...]:
        """Add a video and return the subjects that it makes news."""
        recent = self._recent
        recent.calendar.turn(spoken.published_on)
        video = self._hear(spoken)
        self._one_source.hear(spoken.people)
        warm_up = self._settings.warm_up
        if not recent.add(video) or recent.earlier_of < warm_up:
            return ()
        mixed = sources.spread(recent.sources.values())
        if sources.one_without_past(recent.sources, mixed, recent.past, warm_up):
            return ()
        self._subjects.forget(recent)
        self._one_source.forget(recent)
        unknown = [term for term in sorted(video.kept) if not self._subjects.knows(term)]
        found = {term: self._candidate(term, mixed, background) for term in unknown}
        candidates = [candidate for candidate in found.values() if candidate is not None]
        fresh = [each for each in candidates if not self._subjects.join(each, recent, background)]
        groups = tie_together(fresh, background)
        bursts = [self._report(group, background) for group in groups]
        rest = [term for term in unknown if found[term] is None and not self._one_source.knows(term)]
        if one_source.has_past(video.source, recent, mixed, warm_up):
            bursts += self._of_one_source(video.source, rest, background)
        return tuple(bursts)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return counts, directions and quotes."""
        return self._recent.to_arrays()

    def to_json(self) -> dict[str, Any]:
        """Return recent videos, terms and the reported subjects."""
        return {
            "recent": self._recent.to_json(),
            "subjects": self._subjects.to_json(),
            "one_source": self._one_source.to_json(),
        }

    @classmethod
    def from_state(cls, settings: BurstSettings, arrays: dict[str, NDArray[Any]], state: Any) -> "TermBursts":
        """Return the channel that `to_arrays` and `to_json` stored."""
        channel = cls(settings)
        channel._recent.restore(arrays, state["recent"])
        channel._subjects = Subjects.from_json(state["subjects"])
        channel._one_source = OneSource.from_json(state.get("one_source"))
        return channel

    def _hear(self, spoken: Spoken) -> RecentVideo:
        terms, words = extract_terms(sponsor_filter.without(spoken.texts))
        s, recent = self._settings, self._recent
        need, need_name = needed(words, s.mentions), needed(words, s.name_mentions)
        pair = max(1, need - 1)  # a pair of words occurs by chance less often than a single word
        terms = {
            term: how
            for term, how in terms.items()
            if how.count >= (need_name if how.is_name else pair if " " in term else need)
        }
        most = max(s.rare * recent.earlier_of, 2)
        return remember(
            number=recent.seen,
            video_id=spoken.video_id,
            source=spoken.source,
            days=(recent.calendar.place(spoken.published_on), spoken.published_on),
            paragraph_ids=spoken.paragraph_ids,
            starts=spoken.starts,
            texts=spoken.texts,
            vectors=spoken.vectors,
            terms=terms,
            rare=[term for term in sorted(terms) if recent.earlier.get(term, 0) <= most],
            often=need,
        )

    def _candidate(self, term: str, mixed: float, background: Background) -> TermCandidate | None:
        """Return a term that passes all tests, with its evidence, or None."""
        s, recent = self._settings, self._recent
        count = recent.count(term)
        if count < s.least_videos:
            return None
        expected = self._expected(term)
        if count < s.ratio * expected:
            return None
        saying = recent.saying(term)
        if sum(video.kept[term].about for video in saying) < s.about:
            return None
        by_source = Counter(video.source for video in saying)
        if len(by_source) < sources.needed(mixed, 2):
            return None
        spoke = sources.established(by_source, recent.past)
        videos = sources.counted(spoke, mixed, s.source_share)
        least = s.least_videos + (2 if mixed < sources.ONE else 0)
        log10_p = log10_tail(videos, expected)
        if videos < least or log10_p > s.log10_p + s.relief:
            return None
        candidate = TermCandidate.of(term, recent, log10_p, background)
        passes = self._is_subject(candidate) and log10_p <= s.log10_p + self._relief(candidate)
        return candidate if passes else None

    def _is_subject(self, candidate: TermCandidate) -> bool:
        """Return whether a term can name a subject: a name of no person, or a noun of similar paragraphs."""
        if candidate.is_name:
            return not candidate.is_person
        dissimilar = candidate.concentration < self._settings.common_concentration
        return candidate.noun >= candidate.verb and not dissimilar

    def _relief(self, candidate: TermCandidate) -> float:
        """Return by how much less significance a name needs, in powers of ten, for similar paragraphs."""
        s = self._settings
        if not candidate.is_name or math.isnan(candidate.concentration):
            return 0.0
        return s.relief * min(1.0, max(0.0, (candidate.concentration - s.concentration) / s.concentrated))

    def _companions(self, group: list[TermCandidate], background: Background) -> list[TermCandidate]:
        """Return weaker names of a group's subject: in its videos, and more frequent than before."""
        s, recent = self._settings, self._recent
        members = {candidate.term for candidate in group}
        videos = group[0].videos
        near = Counter(
            term for number in sorted(videos) for term in recent.videos[number].kept if term not in members
        )
        found = []
        for term in sorted(near):
            expected = self._expected(term)
            count = recent.count(term)
            if near[term] * 3 < len(videos) or near[term] < 2 or count < s.ratio / 2 * expected:
                continue
            log10_p = log10_tail(count, expected)
            if log10_p > s.log10_p / 3 or self._subjects.knows(term):
                continue
            companion = TermCandidate.of(term, recent, log10_p, background)
            if alike(companion, group[0], background):
                found.append(companion)
        found.sort(key=lambda c: (c.log10_p, -len(c.term.split()), c.term))
        return found[: max(0, COMPANIONS - len(group))]

    def _expected(self, term: str) -> float:
        recent = self._recent
        return (recent.earlier.get(term, 0) + 0.5) / recent.earlier_of * len(recent)

    def _of_one_source(self, source: str, terms: Sequence[str], background: Background) -> list[Burst]:
        """Return the subjects that nearly only the source mentions, of these terms of its latest video."""
        recent, s = self._recent, self._settings
        found = []
        for term in terms:
            if recent.count(term) < s.least_videos or self._one_source.is_person(term):
                continue
            count = len(one_source.persistent(term, source, recent))
            expected = self._expected_of(source, term)
            log10_p = log10_tail(count, expected)
            if count < max(s.least_videos, s.ratio * expected) or log10_p > s.log10_p + s.relief:
                continue
            candidate = TermCandidate.of(term, recent, log10_p, background)
            relieved = s.log10_p + self._relief(candidate)
            if candidate.is_name and self._is_subject(candidate) and log10_p <= relieved:
                found.append(candidate)
        subjects = self._one_source.report(found, self._subjects, recent, background)
        return [self._burst(subject, group, source) for subject, group in subjects]

    def _expected_of(self, source: str, term: str) -> float:
        """Return the recent videos of a source that would mention a term, had it done so at its earlier rate.

        Earlier mentions by others count as its own, so that a subject that was known before is not new.
        """
        recent = self._recent
        return (recent.earlier.get(term, 0) + 0.5) / max(recent.past[source], 1) * recent.sources[source]

    def _report(self, group: list[TermCandidate], background: Background) -> Burst:
        group = [*group, *self._companions(group, background)]
        return self._burst(self._subjects.report(group), group)

    def _burst(self, subject: Subject, group: Sequence[TermCandidate], only_on: str = "") -> Burst:
        recent, strongest = self._recent, group[0]
        videos = [video for video in subject.videos(recent) if only_on in ("", video.source)]
        said = sorted(set().union(*(candidate.mentions for candidate in group)))
        first, last = videos[0], videos[-1]
        own = sum(strongest.term in video.kept for video in videos)
        return Burst(
            subject=subject.name,
            terms=tuple(subject.terms),
            video_ids=tuple(video.video_id for video in videos),
            paragraph_ids=tuple(
                video.paragraphs[row][0] for video in videos for number, row in said if number == video.number
            ),
            quotes=tuple(
                _quote(video, subject.terms) for video in ((first, last) if first is not last else (first,))
            ),
            sources=len({video.source for video in videos}),
            recent=own if only_on else recent.count(strongest.term),
            recent_of=recent.sources[only_on] if only_on else len(recent),
            earlier=recent.earlier.get(strongest.term, 0),
            earlier_of=recent.past[only_on] if only_on else recent.earlier_of,
            log10_p=strongest.log10_p,
            concentration=strongest.concentration,
            centre=strongest.centre,
            is_name=strongest.is_name,
            only_on=only_on,
        )


def log10_tail(count: int, expected: float) -> float:
    """Return log10 of the Poisson probability of `count` or more at a mean of `expected` (> 0).

    >>> round(log10_tail(5, 0.1), 3), log10_tail(0, 3.0)
    (-7.115, 0.0)
    """
    return log10_of(pdtrc(count - 1, expected)) if count > 0 else 0.0


def _quote(video: RecentVideo, terms: Sequence[str]) -> SourceQuote:
    term = next(term for term in terms if term in video.kept)
    paragraph_id, start = video.paragraphs[video.kept[term].best]
    return SourceQuote(
        paragraph_id, video.video_id, video.source, video.published_on, start, video.quote(term)
    )
