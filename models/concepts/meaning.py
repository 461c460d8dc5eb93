"""Watches whether the paragraphs that count for a concept still have its words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from models.codebook.codebook import Codebook
from models.concepts.terms import TermIndex
from models.topics.online.words import content_words
from models.topics.results import Drift

RECENT = 60
"""Number of a concept's latest paragraphs that are looked at."""
FEWEST = 20
"""Paragraphs below which nothing is said."""
DOUBTED_BELOW = 1 / 3
"""Share of these paragraphs with a word of the concept below which its meaning is in doubt.

On talks that nobody tuned on, topics that had become something else had 2 to 15 %, sound ones 41 to 85 %."""
TRUSTED_FROM = 1 / 2
"""Share from which it is trusted again."""
Said = tuple[int, bool]
"""A paragraph: the day of its talk (ordinal), and whether it has a word of the concept."""


@dataclass
class _Watched:
    recent: deque[Said] = field(default_factory=lambda: deque(maxlen=RECENT))
    doubted: bool = False


class MeaningWatch:
    """The latest paragraphs of each concept, and whether its meaning is in doubt.

    The words of a concept are its terms, or without terms those of its name, definition and description.
    """

    def __init__(self, codebook: Codebook) -> None:
        self._index = TermIndex(
            [topic.terms or content_words(f"{topic.meaning} {topic.seed}") for topic in codebook.topics]
        )
        self._watched = {topic_id: _Watched() for topic_id in range(1, len(codebook.topics) + 1)}

    def update(
        self, texts: Mapping[int, Sequence[str]], published_on: date, batch_id: str
    ) -> tuple[Drift, ...]:
        """Add the paragraphs of one talk by concept; return what is in doubt from now on, or no longer is."""
        drifts = []
        for topic_id, said in sorted(texts.items()):
            watched, own = self._watched[topic_id], self._index.of_group[topic_id - 1]
            for text in said:
                watched.recent.append((published_on.toordinal(), bool(self._index.count(text)[own].any())))
            with_words = sum(has for _, has in watched.recent)
            share = with_words / len(watched.recent)
            turned = share >= TRUSTED_FROM if watched.doubted else share < DOUBTED_BELOW
            if turned and len(watched.recent) >= FEWEST:
                watched.doubted = not watched.doubted
                drifts.append(_drift(topic_id, watched, published_on, batch_id))
        return tuple(drifts)

    def doubts(self, topic_id: int, latest: int) -> bool:
        """Return whether a concept's meaning is in doubt, or would be by so many latest paragraphs alone."""
        watched = self._watched[topic_id]
        said = list(watched.recent)[-latest:]
        return watched.doubted or sum(has for _, has in said) < DOUBTED_BELOW * len(said)

    def against(self, earlier: MeaningWatch, on: date, batch_id: str) -> tuple[Drift, ...]:
        """Return what is in doubt here and was not in an earlier watch, or the other way round."""
        return tuple(
            _drift(topic_id, watched, on, batch_id)
            for topic_id, watched in self._watched.items()
            if watched.doubted != earlier._watched[topic_id].doubted
        )

    def to_json(self) -> list[tuple[bool, list[Said]]]:
        """Return the state of each concept, in order."""
        return [(watched.doubted, list(watched.recent)) for watched in self._watched.values()]

    def restore(self, states: Iterable[tuple[bool, Iterable[Said]]]) -> None:
        """Take the state that `to_json` returned."""
        for topic_id, (doubted, recent) in enumerate(states, 1):
            said = deque(((int(day), bool(has)) for day, has in recent), maxlen=RECENT)
            self._watched[topic_id] = _Watched(said, doubted)


def _drift(topic_id: int, watched: _Watched, on: date, batch_id: str) -> Drift:
    """Return the change to the present state: in doubt where the share, `after`, is less than `before`."""
    said = watched.recent
    share = sum(has for _, has in said) / len(said) if said else 1.0
    return Drift(
        topic_id=topic_id,
        what="meaning",
        before=TRUSTED_FROM if watched.doubted else min(DOUBTED_BELOW, share),
        after=share,
        words_before=(),
        words_after=(),
        since=date.fromordinal(said[0][0]) if said else on,
        videos_before=0,
        videos_after=len(said),
        batch_id=batch_id,
    )
