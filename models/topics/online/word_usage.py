"""Usage of words: in how many talks, of how many sources, a topic has a word."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.hashing import hashed

Bits = NDArray[Any]
Columns = NDArray[np.int64]

FLOORS = ((3, 2), (2, 2), (2, 1))
"""Talks and sources that a word should occur in, the strictest first; a topic needs twice these talks for the
strictest …"""
FEWEST = 5
"""… and the next one serves where fewer words than this meet it."""
OF_ONE_SOURCE = 6
"""Talks from which on a word may be of one source, as a topic may be mostly of one."""
YOUNG = 3
"""Talks of a topic below which nothing is asked of its words."""


class WordUsage:
    """Which talks and sources of each topic have a word, as bits of their hashes.

    Bits are set and never cleared, so another version of a talk counts once, and topics are pooled by "or".
    Two talks that share a bit count as one: a sketch of the numbers (linear counting; Whang, Vander-Zanden
    and Taylor, ACM TODS 1990), which are only compared with small ones and never too high.

    Args:
        talks: uint32 [1 + topics, room for words]. sources: uint16 of the same shape.
    """

    def __init__(self, talks: Bits, sources: Bits) -> None:
        self.talks, self.sources = talks, sources

    @classmethod
    def none(cls, rows: int, columns: int) -> "WordUsage":
        """Return the usage of no talk."""
        return cls(np.zeros((rows, columns), np.uint32), np.zeros((rows, columns), np.uint16))

    def note(self, row: int, columns: Sequence[int], video_id: str, source: str) -> None:
        """Add that a talk of a source has these words in a topic; a source "" is unknown."""
        self.talks[row, columns] |= np.uint32(1 << hashed(video_id) % 32)
        if source:
            self.sources[row, columns] |= np.uint16(1 << hashed(source) % 16)

    def fit(self, columns: Columns | None, room: int) -> None:
        """Keep only these columns, if any are named, in this order, and make room for words."""
        for name in ("talks", "sources"):
            bits = getattr(self, name) if columns is None else getattr(self, name)[:, columns]
            setattr(self, name, np.pad(bits, ((0, 0), (0, room - bits.shape[1]))))

    def append(self) -> None:
        """Add a row for one more topic."""
        more = ((0, 1), (0, 0))
        self.talks, self.sources = np.pad(self.talks, more), np.pad(self.sources, more)

    def pool(self, row: int, into: int) -> None:
        """Add a topic's talks to another's."""
        self.talks[into] |= self.talks[row]
        self.sources[into] |= self.sources[row]

    def remove(self, row: int) -> None:
        """Remove a topic's row."""
        self.talks, self.sources = np.delete(self.talks, row, axis=0), np.delete(self.sources, row, axis=0)

    def of(self, row: int, columns: Sequence[int] | Columns) -> list[tuple[int, int]]:
        """Return the bits of a topic's words."""
        pairs = zip(self.talks[row, columns].tolist(), self.sources[row, columns].tolist(), strict=True)
        return [(int(talks), int(sources)) for talks, sources in pairs]

    def put(self, row: int, columns: Sequence[int], bits: Iterable[tuple[int, int]]) -> None:
        """Set the bits of a topic's words, as `of` returned them."""
        pairs = list(bits)
        self.talks[row, columns] = np.array([talks for talks, _ in pairs], np.uint32)
        self.sources[row, columns] = np.array([sources for _, sources in pairs], np.uint16)

    def usual(self, row: int, ranked: Columns, wanted: int) -> Columns:
        """Return up to `wanted` of a topic's words, in their order: those that enough of its talks use.

        Args:
            ranked: columns, the strongest word first.
        """
        all_talks = int(np.bitwise_count(np.bitwise_or.reduce(self.talks[row])))
        all_sources = int(np.bitwise_count(np.bitwise_or.reduce(self.sources[row])))
        if all_talks < YOUNG:
            return ranked[:wanted]
        talks, sources = (
            np.bitwise_count(self.talks[row, ranked]),
            np.bitwise_count(self.sources[row, ranked]),
        )
        chosen = np.zeros(len(ranked), np.bool_)
        for least, of in FLOORS:
            if chosen.sum() >= FEWEST or all_talks < 2 * (least - 1):
                continue
            meets = (
                ~chosen & (talks >= least) & ((sources >= min(of, all_sources)) | (talks >= OF_ONE_SOURCE))
            )
            room = (wanted if not chosen.any() else FEWEST) - int(chosen.sum())
            chosen[np.flatnonzero(meets)[:room]] = True
        return ranked[chosen] if chosen.any() else ranked[:wanted]

    def to_arrays(self, counts: sp.csr_matrix) -> dict[str, NDArray[Any]]:
        """Return the bits of the words that have counts, in the order of `counts.data`."""
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        return {
            "word_talks": self.talks[rows, counts.indices],
            "word_sources": self.sources[rows, counts.indices],
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], counts: sp.csr_matrix, room: int) -> "WordUsage":
        """Return the usage that `to_arrays` stored; that of no talk if the arrays are from before."""
        usage = cls.none(counts.shape[0], room)
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        if "word_talks" in arrays:
            usage.talks[rows, counts.indices] = arrays["word_talks"]
            usage.sources[rows, counts.indices] = arrays["word_sources"]
        return usage
