"""Whether what is said in a talk was said in a known one: copies, excerpts and compilations, by their words.

Runs of seven words are compared (Broder, On the resemblance and containment of documents, 1997), one in 64 of
them, chosen by their hash: enough for talks of ten minutes and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.topics.shingles import Sound

WORDS, SAMPLED = 7, 64
"""Words in a run; one run in so many is compared."""
SHARED = 0.5
"""From this share of the shorter one's runs on, one repeats the other."""
FEWEST = 10
"""Runs in common that are needed at least: fewer may be a greeting that a show always has."""
BOILERPLATE = 8
"""What so many known talks say is said by the show, not by the talk."""
_MERGED = 128
"""Talks after which what is known is sorted again."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A known talk that another one repeats; `of_new` and `of_known`: shares of their runs in common."""

    video_id: str
    of_new: float
    of_known: float

    @property
    def why(self) -> str:
        """How they overlap, readable."""
        return f"{self.of_new:.0%} of what is said is {self.of_known:.0%} of what was said there"


class Repeats:
    """What was said in known talks; about 12 bytes for each run that is kept, 1 to 2 KB an hour."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._sizes: list[int] = []
        self._hashes: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._owners: NDArray[np.int32] = np.zeros(0, np.int32)
        self._fresh: list[tuple[NDArray[np.uint64], NDArray[np.int32]]] = []

    def add(self, video_id: str, paragraphs: Sequence[str]) -> None:
        """Remember a talk's words, in paragraphs. A talk is added once."""
        runs = _runs(paragraphs)
        self._fresh.append((runs, np.full(len(runs), len(self._names), np.int32)))
        self._names.append(video_id)
        self._sizes.append(len(runs))
        if len(self._fresh) >= _MERGED:
            hashes, owners = (np.concatenate(parts) for parts in zip(*self._fresh, strict=True))
            self._hashes, self._owners = np.append(self._hashes, hashes), np.append(self._owners, owners)
            order = np.argsort(self._hashes, kind="stable")
            self._hashes, self._owners, self._fresh = self._hashes[order], self._owners[order], []

    def find(self, paragraphs: Sequence[str]) -> list[Repeat]:
        """Return the known talks that this one repeats, or that repeat it; the most alike first.

        A compilation has several. None where too little was said.
        """
        runs = _runs(paragraphs)
        found, owners = self._known(runs)
        names, times = np.unique(found, return_counts=True)
        common = np.isin(found, names[times >= BOILERPLATE])
        told = int((~np.isin(runs, names[times >= BOILERPLATE])).sum())
        repeats = []
        for owner, shared in zip(*np.unique(owners[~common], return_counts=True), strict=True):
            known = max(self._sizes[owner] - int((owners[common] == owner).sum()), 1)
            if shared >= FEWEST and shared >= SHARED * min(told, known):
                repeats.append(Repeat(self._names[owner], shared / told, min(shared / known, 1.0)))
        return sorted(repeats, key=lambda each: (-max(each.of_new, each.of_known), each.video_id))

    def _known(self, runs: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
        """The runs that known talks have, once for each of these talks, and the talks."""
        left = np.searchsorted(self._hashes, runs, "left")
        counts = np.searchsorted(self._hashes, runs, "right") - left
        at = np.repeat(left + counts - np.cumsum(counts), counts) + np.arange(counts.sum())
        hashes, owners = [self._hashes[at]], [self._owners[at]]
        for fresh, whose in self._fresh:
            here = np.isin(fresh, runs, assume_unique=True)
            hashes.append(fresh[here])
            owners.append(whose[here])
        return np.concatenate(hashes), np.concatenate(owners)


def _runs(paragraphs: Sequence[str]) -> NDArray[np.uint64]:
    sound = Sound.of([paragraph.split() for paragraph in paragraphs])
    hashes, _, _ = sound.shingles(WORDS)
    return np.unique(hashes[hashes % np.uint64(SAMPLED) == 0])
