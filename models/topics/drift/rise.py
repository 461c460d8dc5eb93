"""Detection of topics that rise: their share of the talks has become much larger, in several sources.

A new subject is news by its emergence. What was known before, such as a topic of the codebook, is news when
it becomes common.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from models.stats.tails import log10_fisher
from models.topics.bursts.sources import counted, established, needed, spread
from models.topics.drift.effect_size import MEDIUM
from models.topics.results import RiseEvidence

WINDOWS = (30, 60, 120, 240, 480)
"""Numbers of latest talks that are compared with those before them …"""
EARLIER = 60
"""… which are at least so many, and no fewer than the latest: before that, everything is new."""
FEWEST = 5
"""Talks that a rise needs."""
FALSE_PER_TALK = 0.01
"""Bound of the rises by chance per talk, over all topics and windows together: the level of each test is this
divided by their numbers (Bonferroni). Rises by chance are far fewer, since successive tests are of nearly the
same talks, and need an effect as well: 2 in 6,000 simulated talks with 60 topics."""
LARGEST_SOURCE = 0.4
"""Share of the talks of a rise above which those of one source do not count."""
HISTORY = 4096
"""Talks that are remembered."""
NAMED = 80
"""Latest talks of a topic whose ids are remembered, as evidence."""


@dataclass
class _Topic:
    """One topic's talks, by their number; `begins`: the number of the first talk that is compared."""

    begins: int
    talks: list[int] = field(default_factory=list)
    named: list[tuple[str, int]] = field(default_factory=list)


class RiseWatch:
    """The talks of each topic, and whether they have become many.

    Each talk that has a topic tests whether its latest talks are more than those before explain: two shares
    are compared exactly (Fisher), and the difference has to be a medium effect or more (Cohen's h). A rise
    needs several sources if the study has several. Of a source that joined the study, a single talk counts;
    if sources merely publish more than others did, that explains what they always discussed. A rise is
    reported once: it and what was before it are forgotten, and the talks that follow are compared with.
    """

    def __init__(self) -> None:
        self._talks = 0
        self._sources: list[str] = []
        self._topics: dict[int, _Topic] = {}

    def begin(self, topic_id: int) -> None:
        """Start to count a topic's talks; earlier ones are forgotten."""
        self._topics[topic_id] = _Topic(self._talks)
        self._topics = dict(sorted(self._topics.items()))

    def end(self, topic_id: int) -> None:
        """Stop counting a topic's talks."""
        self._topics.pop(topic_id, None)

    def update(
        self, topic_ids: Iterable[int], video_id: str, source: str, day: int
    ) -> Iterator[tuple[int, RiseEvidence]]:
        """Add a talk with its topics; yield those that have risen, by id.

        Args:
            day: of publication, as an ordinal.
        """
        self._sources = [*self._sources, source][-HISTORY:]
        self._talks += 1
        for topic_id in sorted(topic_ids):
            topic = self._topics[topic_id]
            topic.named = [*topic.named, (video_id, day)][-NAMED:]
            topic.begins = max(topic.begins, self._talks - HISTORY)
            topic.talks = [talk for talk in (*topic.talks, self._talks - 1) if talk >= topic.begins]
            risen = self._risen(topic)
            if risen:
                topic.begins, topic.talks = self._talks, []
                yield topic_id, risen

    def _risen(self, topic: _Topic) -> RiseEvidence | None:
        """Return the rise with the strongest evidence, if any has enough."""
        level = math.log10(FALSE_PER_TALK / (len(self._topics) * len(WINDOWS)))
        found = []
        for window in WINDOWS:
            first = self._talks - window
            if first - topic.begins < max(EARLIER, window):
                break
            recent = [talk for talk in topic.talks if talk >= first]
            earlier, earlier_of = len(topic.talks) - len(recent), first - topic.begins
            if not _matters(len(recent), window, earlier, earlier_of):
                continue
            counts = self._counts(topic, first, recent)
            if counts is None:
                continue
            evidence, expected = counts
            log10_p = log10_fisher(evidence, window, expected, earlier_of)
            if log10_p <= level and _matters(evidence, window, expected, earlier_of):
                named = topic.named[-len(recent) :]
                found.append(
                    RiseEvidence(
                        recent=len(recent),
                        recent_of=window,
                        earlier=earlier,
                        earlier_of=earlier_of,
                        sources=len({self._source(talk) for talk in recent}),
                        log10_p=log10_p,
                        first_on=date.fromordinal(min(day for _, day in named)),
                        latest_on=date.fromordinal(max(day for _, day in named)),
                        video_ids=tuple(name for name, _ in named),
                    )
                )
        return min(found, key=lambda risen: risen.log10_p, default=None)

    def _counts(self, topic: _Topic, first: int, recent: Sequence[int]) -> tuple[int, int] | None:
        """Return the recent talks that count as evidence, and the earlier ones that they are compared with.

        The latter are as many as there would have been with the recent mix of sources, if that is more. None:
        there are too few sources.
        """
        past = Counter(map(self._source, range(topic.begins, first)))
        now = Counter(map(self._source, range(first, self._talks)))
        mixed = spread(now.values())
        of_source = Counter(map(self._source, recent))
        if len(of_source) < needed(mixed, 2):
            return None
        before = Counter(self._source(talk) for talk in topic.talks if talk < first)
        known = sum(now[source] for source in past)
        alike = sum(now[source] * before[source] / past[source] for source in past)
        share = max(before.total() / past.total(), alike / known if known else 0.0)
        evidence = counted(established(of_source, past), mixed, LARGEST_SOURCE)
        return evidence, math.ceil(share * past.total() - 1e-9)

    def _source(self, talk: int) -> str:
        return self._sources[talk - self._talks]

    def to_json(self) -> list[Any]:
        """Return the state."""
        topics = [[key, each.begins, each.talks, each.named] for key, each in self._topics.items()]
        names = sorted(set(self._sources))
        numbers = {name: number for number, name in enumerate(names)}
        return [self._talks, names, [numbers[source] for source in self._sources], topics]

    @classmethod
    def from_json(cls, state: Sequence[Any]) -> RiseWatch:
        """Return the watch that `to_json` stored."""
        watch = cls()
        watch._talks, names, numbers, topics = state
        watch._sources = [names[number] for number in numbers]
        for topic_id, begins, talks, named in topics:
            watch._topics[topic_id] = _Topic(begins, talks, [(name, day) for name, day in named])
        return watch


def _matters(recent: int, recent_of: int, earlier: int, earlier_of: int) -> bool:
    """Return whether the share rose by a medium effect or more (Cohen's h).

    >>> _matters(13, 60, 10, 200), _matters(9, 60, 10, 200)
    (True, False)
    """
    if recent < FEWEST:
        return False
    now, then = (2 * math.asin(math.sqrt(share)) for share in (recent / recent_of, earlier / earlier_of))
    return now - then >= MEDIUM
