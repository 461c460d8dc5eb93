"""Paragraphs of a topic's latest videos, to be quoted: one from before a change, and one from after it."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from models.hashing import hashed
from models.topics.bursts.recent_video import around
from models.topics.online.centring import unit
from models.topics.results import SourceQuote

LATEST = 12
"""Latest videos of a topic that are quoted each."""
SAMPLE = 12
"""Videos before them that are quoted, a random sample of those that drift is measured on."""
LONGEST = 1500
"""Characters of a paragraph that are stored."""
_KEPT = TypeAdapter(list[tuple[int, SourceQuote]])


class Mentions:
    """One typical paragraph of each of a topic's latest videos, and of some of those before.

    The sample is by hash of the paragraphs' ids, so that the same videos give the same one.

    Args:
        memory: videos of the topic that drift is measured on; older ones are not quoted.
        videos: number of videos so far.
        kept: paragraphs with the numbers of their videos, oldest first.
    """

    def __init__(self, memory: int, videos: int = 0, kept: Iterable[tuple[int, SourceQuote]] = ()) -> None:
        self._memory = memory
        self._videos = videos
        self._kept = list(kept)

    def add(self, quotes: Sequence[SourceQuote], vectors: NDArray[np.float64]) -> None:
        """Add a video with its paragraphs of the topic, or none, and their unit vectors, float64 [m, d]."""
        if quotes:
            typical = quotes[int(np.argmax(np.round(vectors @ unit(vectors.mean(axis=0)), 6)))]
            self._kept.append((self._videos, _short(typical)))
        self._videos += 1
        old = self._videos - self._memory
        self._kept = [each for each in self._kept if each[0] >= old]
        if len(self._kept) > LATEST + SAMPLE:
            dropped = max(range(SAMPLE + 1), key=lambda at: hashed(self._kept[at][1].paragraph_id))
            del self._kept[dropped]

    def around_change(
        self, after: int, lost: Sequence[str], gained: Sequence[str]
    ) -> tuple[SourceQuote, ...]:
        """Return a quote from before the latest `after` videos and one of them, as far as there are any.

        Args:
            after: number of videos since the change.
            lost, gained: words that should be in the quote from before, and in that from after.
        """
        change = self._videos - after
        sides = (
            (lost, [quote for number, quote in self._kept if number < change]),
            (gained, [quote for number, quote in self._kept if number >= change]),
        )
        return tuple(_telling(quotes, words) for words, quotes in sides if quotes)

    def latest(self, videos: int) -> tuple[SourceQuote, ...]:
        """Return the first and the latest quote of so many latest videos."""
        quotes = [quote for number, quote in self._kept if number >= self._videos - videos]
        return tuple(_telling([quote], ()) for quote in (quotes[:1] + quotes[1:][-1:]))

    def to_json(self) -> list[Any]:
        """Return the state."""
        return [self._videos, _KEPT.dump_python(self._kept, mode="json")]

    @classmethod
    def from_json(cls, memory: int, state: Sequence[Any]) -> Mentions:
        """Return the mentions that `to_json` stored."""
        videos, kept = state
        return cls(memory, videos, _KEPT.validate_python(kept))


def packed(state: list[Any]) -> NDArray[np.uint8]:
    """Return a state as an array for a snapshot, compressed, since paragraphs are long."""
    return np.frombuffer(zlib.compress(json.dumps(state, ensure_ascii=False).encode(), 1), np.uint8)


def unpacked(array: NDArray[np.uint8]) -> list[Any]:
    """Return what `packed` stored."""
    state: list[Any] = json.loads(zlib.decompress(array.tobytes()).decode())
    return state


def _telling(quotes: Sequence[SourceQuote], words: Sequence[str]) -> SourceQuote:
    """Return the latest quote with most of the words, cut to the text around the first that it has."""
    wanted = [re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE) for word in words]
    found = [[match for each in wanted if (match := each.search(quote.text))] for quote in quotes]
    best = max(range(len(quotes)), key=lambda at: (len(found[at]), at))
    begin, end = found[best][0].span() if found[best] else (0, 0)
    return replace(quotes[best], text=around(quotes[best].text, begin, end - begin))


def _short(quote: SourceQuote) -> SourceQuote:
    return replace(quote, text=quote.text[:LONGEST])
