"""Names that one source of several has begun to mention, persistently, and that hardly any other mentions."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from models.topics.bursts import sources
from models.topics.bursts.recent_video import RecentVideo
from models.topics.bursts.term_clustering import Subject, Subjects, TermCandidate, tie_together
from models.topics.bursts.window import RecentWindow
from models.topics.online.centring import Background
from models.topics.online.person_names import people_of
from models.topics.snapshot.snapshot import JSON

PERSISTENT = timedelta(days=28)
"""Time over which the source must have mentioned a name: a guest, or a series of talks, is soon over."""

OWN = 0.8
"""Smallest share of the videos that mention a name which must be of the source."""

DISCUSSED = 3
"""Videos of the source that must discuss a name, and not only mention it."""

MOST_PEOPLE = 20_000
"""Maximum number of words of people's names; those heard longest ago are forgotten."""


class OneSource:
    """Subjects of one source each; they may become news of several sources later.

    A source's own earlier videos are the past that a name is compared with, so the source needs a past. Only
    names count: what else a source says often is its style. People who speak are no subjects.
    """

    def __init__(self, subjects: Subjects | None = None, people: Iterable[str] = ()) -> None:
        self._subjects = subjects or Subjects()
        self._people = dict.fromkeys(people)

    def hear(self, people: Iterable[str]) -> None:
        """Remember the names of a video's speakers and guests."""
        for word in sorted(people_of([], people)):
            self._people.pop(word, None)
            self._people[word] = None
        for word in list(self._people)[:-MOST_PEOPLE]:
            del self._people[word]

    def is_person(self, term: str) -> bool:
        """Return whether a term consists of names of people who have spoken."""
        return all(word in self._people for word in term.split())

    def forget(self, recent: RecentWindow) -> None:
        """Drop subjects that no recent video names."""
        self._subjects.forget(recent)

    def knows(self, term: str) -> bool:
        """Return whether a term is a name of a reported subject."""
        return self._subjects.knows(term)

    def report(
        self,
        candidates: Iterable[TermCandidate],
        reported: Subjects,
        recent: RecentWindow,
        background: Background,
    ) -> list[tuple[Subject, list[TermCandidate]]]:
        """Record candidates as subjects, except names of known ones; return each with its names.

        Args:
            reported: the subjects of several sources.
        """
        fresh = [
            candidate
            for candidate in candidates
            if reported.named_by(candidate, recent, background) is None
            and not self._subjects.join(candidate, recent, background)
        ]
        return [(self._subjects.report(group), group) for group in tie_together(fresh, background)]

    def to_json(self) -> JSON:
        """Return the reported subjects and the people."""
        return {"subjects": self._subjects.to_json(), "people": [*self._people]}

    @classmethod
    def from_json(cls, state: Any) -> "OneSource":
        """Return what `to_json` stored; nothing from a snapshot of before."""
        return cls(Subjects.from_json(state["subjects"]), state["people"]) if state else cls()


def has_past(source: str, recent: RecentWindow, mixed: float, warm_up: int) -> bool:
    """Return whether a source is one of several, and has earlier videos to compare its recent ones with.

    Args:
        mixed: effective number of sources of the recent videos. warm_up: number of earlier videos needed.
    """
    return mixed >= sources.ONE and recent.past[source] >= warm_up


def persistent(term: str, source: str, recent: RecentWindow) -> Sequence[RecentVideo]:
    """Return a source's recent videos that mention a term, if it nearly alone does, for long; or none."""
    own = [video for video in recent.saying(term) if video.source == source]
    if not own or own[-1].day - own[0].day < PERSISTENT or len(own) < OWN * recent.count(term):
        return ()
    return own if sum(video.kept[term].about for video in own) >= DISCUSSED else ()
