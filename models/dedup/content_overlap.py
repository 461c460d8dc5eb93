"""Detection of talks that repeat known ones word for word: copies, excerpts and compilations.

Talks are compared by word shingles of seven words (Broder, On the resemblance and containment of documents,
1997). One in 64 is sampled, by its hash: some 75 for a talk of half an hour. A talk of ten minutes has 25,
which estimate a share of one half to within a tenth.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.dedup.shingles import Sound

WORDS, SAMPLED = 7, 64
"""Words in a shingle; one shingle in this many is sampled."""
SHARED = 0.5
"""Lowest share of repeated shingles from which a talk is a repetition."""
FEWEST = 10
"""Lowest number of common shingles: fewer may be a greeting that a show uses in every episode."""
PART = 3
"""Common shingles from which a talk is listed as a source: a clip of about a minute and a half."""
BOILERPLATE = 8
"""Number of known talks from which a shingle is the show's boilerplate, not the talk's own words."""
MOST = 20_000
"""Maximum number of remembered talks; the oldest is forgotten first."""
_SORTED = 128
"""New talks after which the index is sorted again."""
_HALF, _LOWER = np.uint64(32), np.uint64(2**32 - 1)
_NAMES, _SIZES, _RUNS = "repeats_names", "repeats_sizes", "repeats_runs"

Runs = NDArray[np.uint32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A known talk that has shingles in common with another one.

    `runs`: number of sampled shingles in common; `of_new` and `of_known`: their share of either talk, without
    the boilerplate of shows.
    """

    video_id: str
    runs: int
    of_new: float
    of_known: float

    @property
    def alike(self) -> bool:
        """Whether at least half of one of the two talks is in the other."""
        return self.runs >= FEWEST and max(self.of_new, self.of_known) >= SHARED


@dataclass(frozen=True, slots=True)
class Overlap:
    """Overlap of a talk with all known talks together.

    `runs`: number of sampled shingles in common; `share`: their share of the talk, without the boilerplate of
    shows; `talks`: the known talks that have them, the one with most first.
    """

    runs: int
    share: float
    talks: tuple[Repeat, ...]

    @property
    def again(self) -> bool:
        """Whether at least half of the talk was said before: in one talk, or in several together."""
        return self.runs >= FEWEST and self.share >= SHARED

    @property
    def why(self) -> str:
        """The overlap in words.

        >>> Overlap(60, 0.83, (Repeat("a", 60, 0.83, 0.9),)).why
        'it repeats what a said: 83% of it'
        """
        if len(self.talks) == 1:
            return f"it repeats what {self.talks[0].video_id} said: {self.share:.0%} of it"
        named = ", ".join(f"{talk.video_id} ({talk.of_new:.0%})" for talk in self.talks[:3])
        more = f" and {len(self.talks) - 3} more" if len(self.talks) > 3 else ""
        return f"it repeats what {named}{more} said: {self.share:.0%} of it together"


class Repeats:
    """Index of known talks by their shingles; results depend only on which talks were added last.

    12 bytes per sampled shingle and some 300 per talk: with `MOST` talks of realistic length (139 shingles)
    35 MB, as much again during sorting, and 11 MB in a snapshot (`benchmarks/duplicates.py`). Hashes of
    shingles are cut to 32 bits, so a few collide with a shingle of another talk.

    Args:
        most: maximum number of remembered talks.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._said: dict[str, Runs] = {}
        self._live: NDArray[np.bool_]
        self._owned: NDArray[np.uint64]
        self._fresh: NDArray[np.uint64]
        self._sort()

    def __len__(self) -> int:
        return len(self._said)

    def __contains__(self, video_id: object) -> bool:
        return video_id in self._said

    def add(self, video_id: str, paragraphs: Sequence[str]) -> None:
        """Remember a talk's paragraphs; a known talk is replaced and becomes the newest."""
        self.forget(video_id)
        self._enter(video_id, _runs(paragraphs))
        if len(self._said) > self._most:
            self.forget(next(iter(self._said)))
        if len(self._names) - self._sorted >= _SORTED:
            self._sort()

    def forget(self, video_id: str) -> None:
        """Forget a talk; an unknown one is ignored."""
        if self._said.pop(video_id, None) is not None:
            self._live[self._number.pop(video_id)] = False

    def find(self, video_id: str, paragraphs: Sequence[str]) -> Overlap:
        """Return the overlap of a talk with the known ones, except an earlier version of itself.

        A compilation overlaps with several. A talk with too few words has an overlap of 0.
        """
        runs = _runs(paragraphs)
        found, owners = self._known(runs, self._number.get(video_id, -1))
        different, times = np.unique(found, return_counts=True)
        common = np.isin(found, different[times >= BOILERPLATE])
        told = len(runs) - int((times >= BOILERPLATE).sum())
        numbers, shared = np.unique(owners[~common], return_counts=True)
        parts = numbers[shared >= PART]
        together = len(np.unique(found[~common & np.isin(owners, parts)]))
        talks = [
            self._repeat(number, runs=int(count), told=told, always=int((owners[common] == number).sum()))
            for number, count in zip(numbers, shared, strict=True)
            if count >= PART
        ]
        talks.sort(key=lambda each: (-each.runs, each.video_id))
        return Overlap(together, together / told if told else 0.0, tuple(talks))

    def to_snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the whole index as arrays whose names begin with `repeats_`; equal talks give equal bytes.

        Video ids as JSON in UTF-8 (uint8), shingles per talk (int32), and the shingles (uint32), all in the
        order in which the talks were added.
        """
        names = json.dumps(list(self._said)).encode()
        return {
            _NAMES: np.frombuffer(names, np.uint8),
            _SIZES: np.array([len(runs) for runs in self._said.values()], np.int32),
            _RUNS: self._all(),
        }

    @classmethod
    def from_snapshot(cls, arrays: dict[str, NDArray[Any]], most: int = MOST) -> Repeats:
        """Return the index that `to_snapshot` stored; empty if the arrays hold none."""
        repeats = cls(most)
        if _NAMES in arrays:
            names = json.loads(arrays[_NAMES].tobytes())
            runs = np.split(arrays[_RUNS].astype(np.uint32), np.cumsum(arrays[_SIZES])[:-1])
            repeats._said = dict(list(zip(names, runs, strict=False))[-most:])
            repeats._sort()
        return repeats

    def _repeat(self, number: int, *, runs: int, told: int, always: int) -> Repeat:
        name = self._names[number]
        return Repeat(name, runs, runs / told, runs / (len(self._said[name]) - always))

    def _enter(self, video_id: str, runs: Runs) -> None:
        number = len(self._names)
        self._said[video_id] = runs
        self._names.append(video_id)
        self._number[video_id] = number
        self._live = np.append(self._live, True)
        self._fresh = np.append(self._fresh, _owned(runs, np.uint64(number)))

    def _sort(self) -> None:
        """Renumber the talks, and sort all of their shingles."""
        self._names = list(self._said)
        self._number = {name: number for number, name in enumerate(self._names)}
        self._sorted = len(self._names)
        self._live = np.ones(self._sorted, np.bool_)
        numbers = np.repeat(
            np.arange(self._sorted, dtype=np.uint64), [len(runs) for runs in self._said.values()]
        )
        self._owned = np.sort(_owned(self._all(), numbers))
        self._fresh = np.zeros(0, np.uint64)

    def _all(self) -> Runs:
        return np.concatenate([np.zeros(0, np.uint32), *self._said.values()])

    def _known(self, runs: Runs, but: int) -> tuple[Runs, Numbers]:
        """Return the shingles that known talks have, once per talk, and the talks' numbers; without `but`."""
        wanted = runs.astype(np.uint64)
        left = np.searchsorted(self._owned, wanted << _HALF)
        counts = np.searchsorted(self._owned, wanted << _HALF | _LOWER, "right") - left
        at = np.repeat(left + counts - np.cumsum(counts), counts) + np.arange(counts.sum())
        fresh = self._fresh[np.isin(self._fresh >> _HALF, wanted)]
        found = np.concatenate([self._owned[at], fresh])
        owners = (found & _LOWER).astype(np.int64)
        kept = self._live[owners] & (owners != but)
        return (found[kept] >> _HALF).astype(np.uint32), owners[kept]


def _owned(runs: Runs, numbers: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """Pack each shingle and its talk's number into one integer: several times faster to sort than two."""
    return (runs.astype(np.uint64) << _HALF) | numbers


def _runs(paragraphs: Sequence[str]) -> Runs:
    sound = Sound.of([paragraph.split() for paragraph in paragraphs])
    hashes, _, _ = sound.shingles(WORDS)
    return np.unique((hashes[hashes % np.uint64(SAMPLED) == 0] >> np.uint64(32)).astype(np.uint32))
