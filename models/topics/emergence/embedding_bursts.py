"""Bursts of similar paragraphs in recent videos: early evidence of a subject, before a topic is born."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from models.topics.emergence.candidate import compare_rates
from models.topics.emergence.history_sample import centred_cosines
from models.topics.online.centring import Background, Vectors, unit
from models.topics.online.words import content_words
from models.topics.results import SourceQuote

QUOTES = TypeAdapter(list[SourceQuote])


@dataclass(frozen=True, eq=False)
class EmbeddingBurst:
    """Similar paragraphs of several recent videos.

    Attributes:
        centre: float64 [d], mean of one paragraph per video; not centred.
        quotes: one paragraph per video, oldest first; `indexes` their videos.
        log10_p: probability of this many videos in this short a time, against the other recent videos.
    """

    centre: Vectors
    quotes: tuple[SourceQuote, ...]
    indexes: tuple[int, ...]
    log10_p: float


class EmbeddingBursts:
    """The latest paragraphs, at most `bound`, with a search for bursts at each new video.

    Args:
        pair: centred cosine from which two paragraphs are similar.
        videos: minimum number of videos in a burst.
        log10_p: significance that a burst needs, as a power of ten.
    """

    def __init__(self, bound: int, pair: float, videos: int, log10_p: float) -> None:
        self._bound, self._pair, self._videos, self._log10_p = bound, pair, videos, log10_p
        self._quotes: list[SourceQuote] = []
        self._indexes = np.zeros(0, np.int64)
        self._vectors = np.zeros((0, 0), np.float32)

    def add(
        self, quotes: Sequence[SourceQuote], vectors: Vectors, index: int, background: Background
    ) -> list[EmbeddingBurst]:
        """Add a video's paragraphs with their unit vectors, float64 [n, d].

        Returns:
            The bursts that they complete, the strongest first.
        """
        before = len(self._quotes)
        self._quotes = [*self._quotes, *quotes]
        self._indexes = np.append(self._indexes, np.full(len(quotes), index))
        small = vectors.astype(np.float16).astype(np.float32)
        self._vectors = np.vstack([self._vectors, small]) if before else small
        found = self._alike(before, background)
        self._quotes = self._quotes[-self._bound :]
        self._indexes = self._indexes[-self._bound :]
        self._vectors = self._vectors[-self._bound :]
        return sorted(found, key=lambda each: each.log10_p)

    def quotes(self, paragraph_ids: Collection[str]) -> tuple[SourceQuote, ...]:
        """Return the stored ones of these paragraphs, oldest first."""
        wanted = frozenset(paragraph_ids)
        return tuple(quote for quote in self._quotes if quote.paragraph_id in wanted)

    def words_of(self, quotes: Sequence[SourceQuote], most: int = 8) -> tuple[str, ...]:
        """Return the words that distinguish these paragraphs from the latest ones, strongest first."""
        mine = Counter(word for quote in quotes for word in sorted(set(content_words(quote.text))))
        everyone = Counter(word for quote in self._quotes for word in sorted(set(content_words(quote.text))))
        telling = {
            word: count * math.log((count / len(quotes)) / ((everyone[word] + 0.5) / (len(self._quotes) + 1)))
            for word, count in mine.items()
            if count > 1
        }
        return tuple(sorted(telling, key=lambda word: (-telling[word], word))[:most])

    def _alike(self, before: int, background: Background) -> list[EmbeddingBurst]:
        if before < self._videos:
            return []
        new = self._vectors[before:].astype(np.float64)
        cosines = centred_cosines(self._vectors[:before], new, background)
        indexes = self._indexes
        found = []
        for own in np.flatnonzero((cosines >= self._pair).sum(axis=0) >= self._videos - 1).tolist():
            near = np.flatnonzero(cosines[:, own] >= self._pair)
            closest = {int(indexes[-1]): before + own}
            for at in near[np.argsort(-cosines[near, own], kind="stable")].tolist():
                closest.setdefault(int(indexes[at]), at)
            if len(closest) >= self._videos:
                glimpse = self._strongest(closest, int(indexes[0]))
                if glimpse.log10_p <= self._log10_p:
                    found.append(glimpse)
        return found

    def _strongest(self, closest: dict[int, int], first: int) -> EmbeddingBurst:
        """Return the least likely run up to the latest of the similar videos."""
        when = sorted(closest, reverse=True)
        best, length = 0.0, len(when)
        for count in range(self._videos, len(when) + 1):
            since = when[count] if count < len(when) else first - 1
            found = compare_rates(count, when[0] - since, len(when) - count, since - first + 1)
            if found.log10_p < best:
                best, length = found.log10_p, count
        chosen = sorted(when[:length])
        rows = [closest[index] for index in chosen]
        return EmbeddingBurst(
            centre=np.asarray(unit(self._vectors[rows].astype(np.float64)).mean(axis=0)),
            quotes=tuple(self._quotes[row] for row in rows),
            indexes=tuple(chosen),
            log10_p=best,
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the paragraphs' vectors, oldest first, float16 [n, d], and their videos' indexes."""
        return {"glimpse_vectors": self._vectors.astype(np.float16), "glimpse_indexes": self._indexes}

    def to_json(self) -> list[dict[str, Any]]:
        """Return the paragraphs, in the same order."""
        return list(QUOTES.dump_python(self._quotes, mode="json"))

    def restore(self, arrays: dict[str, NDArray[Any]], quotes: Sequence[dict[str, Any]]) -> None:
        """Restore the state that `to_arrays` and `to_json` stored."""
        self._quotes = QUOTES.validate_python(quotes)
        self._indexes = arrays["glimpse_indexes"]
        self._vectors = arrays["glimpse_vectors"].astype(np.float32)
