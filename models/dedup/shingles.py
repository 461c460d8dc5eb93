"""Hashed word shingles of talks, and the videos in which each was seen, to find near-duplicates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.hashing import hashed

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]
Seen = NDArray[np.uint32]

_LATEST = 4096

NAME = np.uint64(1)
"""Hash of every name and every number."""

_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_APOSTROPHE = re.compile("['’]")


@dataclass(frozen=True, eq=False)
class Sound:
    """A talk's spoken form: its words in lower case without punctuation, hashed.

    Names (capitals inside a sentence) and numbers all hash to `NAME`, and a run of them is one word, so that
    "this is episode 12 with Ann Lee" equals "this is episode 9 with Bo".

    Attributes:
        words: uint64 [w].
        first, last: int64 [w], first and last written word of each, from 0.
        written: number of written words.
    """

    words: Hashes
    first: Rows
    last: Rows
    written: int

    @classmethod
    def of(cls, paragraphs: Sequence[Sequence[str]]) -> "Sound":
        """Return the spoken form of paragraphs, each a list of written words."""
        written = list(chain.from_iterable(paragraphs))
        index = {word: row for row, word in enumerate(dict.fromkeys(written))}
        known = np.array([_word(word) for word in index], np.uint64).reshape(-1, 3)
        hashes, capital, stop = known[np.fromiter(map(index.__getitem__, written), np.int64, len(written))].T
        begins = np.zeros(len(written), np.bool_)
        lengths = np.array([len(words) for words in paragraphs], np.int64)
        begins[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
        begins[1:] |= stop[:-1] > 0
        words = np.where((capital > 0) & ~begins, NAME, hashes)
        first = np.flatnonzero(words)
        words = words[first]
        fresh = np.ones(len(words), np.bool_)
        fresh[1:] = (words[1:] != NAME) | (words[:-1] != NAME)
        kept = np.flatnonzero(fresh)
        ends = np.append(kept[1:], len(words))[: len(kept)] - 1
        return cls(words[kept], first[kept], first[ends], len(written))

    def shingles(self, size: int, salt: int = 0) -> tuple[Hashes, Rows, Rows]:
        """Return all shingles of `size` words, and the begin and end (exclusive) of each in written words.

        A shingle with more than a third of names is left out, as it carries no content.
        """
        count = max(len(self.words) - size + 1, 0)
        shingles = np.full(count, salt, np.uint64)
        for place in range(size):
            shingles = _mix(shingles ^ self.words[place : place + count])
        names = np.concatenate([[0], np.cumsum(self.words == NAME)])
        at = np.flatnonzero(names[size : size + count] - names[:count] <= size // 3)
        return shingles[at], self.first[at], self.last[at + size - 1] + 1


class Sightings:
    """Videos of each shingle, for at most about `entries` shingles.

    For each shingle the first few videos are stored by name: enough to count the *other* videos that had it,
    also if a video is entered again in another version. The shingles that were seen longest ago, in the
    fewest videos, are forgotten first.

    Shingles of the latest videos are in a table of their own, which is merged into the large one when it has
    `_LATEST` rows: inserting into the large table for a video of one paragraph cost more than the rest of its
    processing.

    Args:
        shingles: uint64 [m], sorted.
        seen: uint32 [m, 3 + v]: the last call of `enter` that saw it, the number of videos it was entered
            for, how often it was noted, and hashes of the first v videos that had it, 0 for none.
        calls: number of calls of `enter`.
    """

    def __init__(self, shingles: Hashes, seen: Seen, calls: int = 0) -> None:
        self._all = _Table(shingles, seen)
        self._latest = _Table.none(seen.shape[1])
        self.calls = calls

    @classmethod
    def none(cls, videos: int) -> "Sightings":
        """Return an empty table that stores up to this many videos per shingle by name."""
        return cls(np.zeros(0, np.uint64), np.zeros((0, 3 + videos), np.uint32))

    def __len__(self) -> int:
        return len(self._all.shingles) + len(self._latest.shingles)

    def others(self, shingles: Hashes, video_id: str) -> Rows:
        """Return the number of other videos in which each shingle was seen, as far as they are stored."""
        video, others = _video(video_id), np.zeros(len(shingles), np.int64)
        for table in (self._all, self._latest):
            places, known = table.find(shingles)
            had = table.seen[places[known], 3:]
            others[known] = ((had != 0) & (had != video)).sum(axis=1)
        return others

    def counts(self, shingles: Hashes) -> tuple[Rows, Rows]:
        """Return the number of videos each shingle was entered for, and how often it was noted since."""
        counts = np.zeros((2, len(shingles)), np.int64)
        for table in (self._all, self._latest):
            places, known = table.find(shingles)
            counts[:, known] = table.seen[places[known], 1:3].T
        return counts[0], counts[1]

    def note(self, shingles: Hashes) -> None:
        """Increment the counts of known shingles, once per occurrence."""
        for table in (self._all, self._latest):
            places, known = table.find(shingles)
            np.add.at(table.seen[:, 2], places[known], np.uint32(1))

    def enter(self, shingles: Hashes, video_id: str) -> None:
        """Add a video's shingles."""
        shingles, video = np.unique(shingles), _video(video_id)
        for table in (self._all, self._latest):
            places, known = table.find(shingles)
            table.meet(places[known], video, self.calls)
            shingles = shingles[~known]
        self._latest.add(shingles, video, self.calls)
        self.calls += 1
        if len(self._latest.shingles) > _LATEST:
            self._join()

    def forget(self, entries: int, patience: int) -> None:
        """Shrink to `entries` once there are 25 % more; each further video counts as `patience` calls."""
        if len(self) > 1.25 * entries:
            self._join()
            seen = self._all.seen
            videos = (seen[:, 3:] != 0).sum(axis=1)
            kept_until = seen[:, 0].astype(np.int64) + patience * (videos - 1)
            self._all.keep(np.sort(np.lexsort((self._all.shingles, -kept_until))[:entries]))

    def to_arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the current constructor arguments as arrays whose names begin with `name`."""
        self._join()
        calls = np.array(self.calls, np.int64)
        return {
            f"{name}_shingles": self._all.shingles,
            f"{name}_seen": self._all.seen,
            f"{name}_calls": calls,
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: dict[str, NDArray[Any]]) -> "Sightings":
        """Return the table that `to_arrays` stored."""
        shingles, seen = arrays[f"{name}_shingles"].copy(), arrays[f"{name}_seen"].copy()
        return cls(shingles, seen, int(arrays[f"{name}_calls"]))

    def _join(self) -> None:
        latest, self._latest = self._latest, _Table.none(self._all.seen.shape[1])
        self._all.insert(latest.shingles, latest.seen)


class _Table:
    """Sorted shingles, each with its row of counts and videos."""

    def __init__(self, shingles: Hashes, seen: Seen) -> None:
        self.shingles, self.seen = shingles, seen

    @classmethod
    def none(cls, width: int) -> "_Table":
        return cls(np.zeros(0, np.uint64), np.zeros((0, width), np.uint32))

    def find(self, shingles: Hashes) -> tuple[Rows, NDArray[np.bool_]]:
        """Return each shingle's row or insertion point, and whether it is in the table."""
        places = np.searchsorted(self.shingles, shingles)
        if not len(self.shingles):
            return places, np.zeros(len(shingles), np.bool_)
        return places, self.shingles[np.minimum(places, len(self.shingles) - 1)] == shingles

    def meet(self, rows: Rows, video: np.uint32, call: int) -> None:
        """Record that a video has these shingles, each of them once."""
        had = self.seen[rows, 3:]
        room = (had == 0).any(axis=1) & ~(had == video).any(axis=1)
        self.seen[rows[room], 3 + (had[room] == 0).argmax(axis=1)] = video
        self.seen[rows, 0] = call
        self.seen[rows, 1] += np.uint32(1)

    def add(self, shingles: Hashes, video: np.uint32, call: int) -> None:
        """Insert sorted shingles that this video is the first to have."""
        seen = np.zeros((len(shingles), self.seen.shape[1]), np.uint32)
        seen[:, 0], seen[:, 1], seen[:, 3] = call, 1, video
        self.insert(shingles, seen)

    def insert(self, shingles: Hashes, seen: Seen) -> None:
        """Insert other sorted shingles, none of which is in the table."""
        if len(shingles):
            places = np.searchsorted(self.shingles, shingles)
            self.shingles = np.insert(self.shingles, places, shingles)
            self.seen = np.insert(self.seen, places, seen, axis=0)

    def keep(self, rows: Rows) -> None:
        """Drop all rows but these, in order."""
        self.shingles, self.seen = self.shingles[rows], self.seen[rows]


def _video(video_id: str) -> np.uint32:
    return np.uint32(hashed(video_id) % (2**32 - 1) + 1)


@lru_cache(maxsize=100_000)
def _word(written: str) -> tuple[int, int, int]:
    """Return a word's hash (0 without letter or digit), whether it has a capital and ends a sentence."""
    bare = _EDGES.sub("", written)
    stops = int(written.rstrip("\"'”’)]")[-1:] in {".", "?", "!", ":"})
    if not bare:
        return 0, 0, stops
    if any(map(str.isdigit, bare)):
        return int(NAME), 0, stops
    capital = bare[0].isupper() and len(_APOSTROPHE.split(bare)[0]) > 1
    return max(hashed(bare.lower().replace("’", "'")), 2), int(capital), stops


def _mix(hashes: Hashes) -> Hashes:
    """Apply one step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit depends on every bit."""
    mixed = hashes + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
