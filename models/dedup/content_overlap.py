"""Finds talks that repeat known ones by their words: copies, excerpts and compilations.

Runs of seven words are compared (Broder, On the resemblance and containment of documents, 1997), one in 64 of
them, chosen by their hash: some 75 of a talk of half an hour. Of a talk of ten minutes there are 25, and a
share of one half is then known to within a tenth.
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
"""Words in a run; one run in so many is compared."""
SHARED = 0.5
"""From this share on, what is said was said before."""
FEWEST = 10
"""Runs in common that are needed at least: fewer may be a greeting that a show always has."""
PART = 3
"""Runs in common from which on a talk is named as one of several: a clip of some minute and a half."""
BOILERPLATE = 8
"""What so many known talks say is said by the show, not by the talk."""
MOST = 20_000
"""Talks that are remembered; the first come is forgotten first."""
_SORTED = 128
"""Talks after which what is known is sorted again."""
_HALF, _LOWER = np.uint64(32), np.uint64(2**32 - 1)
_NAMES, _SIZES, _RUNS = "repeats_names", "repeats_sizes", "repeats_runs"

Runs = NDArray[np.uint32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A known talk that has runs in common with another one.

    `runs`: how many are compared and common; `of_new` and `of_known`: which share of either that is, without
    what shows always say.
    """

    video_id: str
    runs: int
    of_new: float
    of_known: float

    @property
    def alike(self) -> bool:
        """Whether one of the two is, for half of it at least, in the other."""
        return self.runs >= FEWEST and max(self.of_new, self.of_known) >= SHARED


@dataclass(frozen=True, slots=True)
class Overlap:
    """The overlap of a talk with all known talks together.

    `runs`: how many are compared and common; `share`: of the talk, without what shows always say; `talks`:
    those that said it, the one that said most first.
    """

    runs: int
    share: float
    talks: tuple[Repeat, ...]

    @property
    def again(self) -> bool:
        """Whether at least half of what is said was said before: in one talk, or in several together."""
        return self.runs >= FEWEST and self.share >= SHARED

    @property
    def why(self) -> str:
        """What is said again, readable.

        >>> Overlap(60, 0.83, (Repeat("a", 60, 0.83, 0.9),)).why
        'it says again what a said: 83% of it'
        """
        if len(self.talks) == 1:
            return f"it says again what {self.talks[0].video_id} said: {self.share:.0%} of it"
        named = ", ".join(f"{talk.video_id} ({talk.of_new:.0%})" for talk in self.talks[:3])
        more = f" and {len(self.talks) - 3} more" if len(self.talks) > 3 else ""
        return f"it says again what {named}{more} said: {self.share:.0%} of it together"


class Repeats:
    """Known talks by their words; answers depend on which talks were added last, and on nothing else.

    12 bytes for each run that is compared and some 300 a talk: with `MOST` talks as long as real ones (139
    runs) 35 MB, as much again while they are sorted, and 11 MB in a snapshot (`benchmarks/duplicates.py`).
    Hashes of runs are cut to 32 bits, so that some few are taken for one that another talk had.

    Args:
        most: how many talks are remembered at most.
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
        """Remember a talk's words, in paragraphs; one that is known is replaced, and is the newest then."""
        self.forget(video_id)
        self._enter(video_id, _runs(paragraphs))
        if len(self._said) > self._most:
            self.forget(next(iter(self._said)))
        if len(self._names) - self._sorted >= _SORTED:
            self._sort()

    def forget(self, video_id: str) -> None:
        """Forget a talk; nothing happens where it is unknown."""
        if self._said.pop(video_id, None) is not None:
            self._live[self._number.pop(video_id)] = False

    def find(self, video_id: str, paragraphs: Sequence[str]) -> Overlap:
        """Return what a talk has in common with known ones, never with an earlier text of its own.

        A compilation has several. None where too little was said.
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
        """Return all that is known, under names that begin with `repeats_`: equal bytes for equal talks.

        Names as JSON in UTF-8 (uint8), how many runs each talk has (int32), and the runs (uint32), the first
        come first.
        """
        names = json.dumps(list(self._said)).encode()
        return {
            _NAMES: np.frombuffer(names, np.uint8),
            _SIZES: np.array([len(runs) for runs in self._said.values()], np.int32),
            _RUNS: self._all(),
        }

    @classmethod
    def from_snapshot(cls, arrays: dict[str, NDArray[Any]], most: int = MOST) -> Repeats:
        """Return what `to_snapshot` described; nothing is known where it described nothing."""
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
        """Number the talks anew, and bring all of their runs into one order."""
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
        """The runs that known talks have, once for each of these talks, and the talks; all `but` one."""
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
    """Each run before the number of its talk, in one integer: sorted several times faster than in two."""
    return (runs.astype(np.uint64) << _HALF) | numbers


def _runs(paragraphs: Sequence[str]) -> Runs:
    sound = Sound.of([paragraph.split() for paragraph in paragraphs])
    hashes, _, _ = sound.shingles(WORDS)
    return np.unique((hashes[hashes % np.uint64(SAMPLED) == 0] >> np.uint64(32)).astype(np.uint32))
