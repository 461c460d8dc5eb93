"""A bounded uniform sample of all videos so far."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.hashing import hashed
from models.topics.bursts.sources import spread
from models.topics.online.centring import Background, Vectors

SPARE = 1024
"""Paragraphs beyond the bound before videos leave the sample, since many leave at once."""
PARTS = 4
"""Denominator of the period, as a part of the past, whose highest share is a subject's peak …"""
LEAST = 2
"""… if it has at least this many videos of the subject."""


@dataclass(frozen=True)
class Past:
    """Earlier videos that mention a subject: `spoke` of `of`; `peak` is the highest share in any period.

    A subject that was there, went away and came back has a peak far above its share of the whole past.
    """

    spoke: int
    of: int
    peak: float


class HistorySample:
    """A sample of the videos so far with their paragraphs, and the sources of the latest videos.

    The videos with the lowest hashes of their ids are kept (a bottom-k sample, Cohen and Kaplan, PODC 2007),
    so that every video has the same chance, whenever it came, and a replay keeps the same. The bound is on
    paragraphs, with at most `per_video` of one video.

    Args:
        paragraphs: maximum number of paragraphs in total.
        per_video: maximum number of paragraphs per video.
        recent: number of the latest videos over which sources are counted.
    """

    def __init__(self, paragraphs: int, per_video: int, recent: int) -> None:
        self._bound, self._per_video = paragraphs, per_video
        self._sources: deque[int] = deque(maxlen=recent)
        self._numbers: list[int] = []
        self._keys: list[int] = []
        self._late: list[bool] = []
        self._sizes: list[int] = []
        self._rows: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._used = 0

    def add(
        self,
        number: int,
        video_id: str,
        source: str,
        paragraph_ids: Sequence[str],
        vectors: Vectors,
        *,
        late: bool,
    ) -> None:
        """Add a video, with its paragraphs' unit vectors, float64 [n, d].

        Args:
            number: number of arrival, ascending.
            late: whether it was old when it arrived, so that it is never recent.
        """
        if not late:
            self._sources.append(hashed(source))
        rows = self.rows(paragraph_ids)
        if self._used + len(rows) > len(self._rows):
            self._make_room(len(rows), vectors.shape[1])
        if rows:
            self._rows[self._used : self._used + len(rows)] = vectors[rows].astype(np.float16)
        self._used += len(rows)
        self._numbers.append(number)
        self._keys.append(hashed(video_id))
        self._late.append(late)
        self._sizes.append(len(rows))

    def rows(self, paragraph_ids: Sequence[str]) -> list[int]:
        """Return the paragraphs of a video that are used: all, or the `per_video` with the lowest hashes."""
        if len(paragraph_ids) <= self._per_video:
            return list(range(len(paragraph_ids)))
        by_hash = sorted(range(len(paragraph_ids)), key=lambda row: hashed(paragraph_ids[row]))
        return sorted(by_hash[: self._per_video])

    def past(
        self, centre: Vectors, background: Background, floor: float, before: int, but: frozenset[str]
    ) -> Past:
        """Return how many videos before number `before`, or late ones, have a paragraph close to `centre`.

        Args:
            centre: float64 [d], not centred.
            floor: the lowest centred cosine that is close.
            but: ids of videos to leave out.
        """
        if not self._used:
            return Past(0, 0, 0.0)
        near = centred_cosines(self._rows[: self._used], centre[np.newaxis], background)[:, 0] >= floor
        ends = np.cumsum(self._sizes)
        counts = np.concatenate([[0], np.cumsum(near)])
        spoke = counts[ends] > counts[ends - self._sizes]
        wanted = (np.array(self._numbers) < before) | np.array(self._late)
        wanted &= ~np.isin(np.array(self._keys, np.uint64), [hashed(each) for each in sorted(but)])
        return _summed(spoke[wanted])

    def sources(self) -> float:
        """Return the effective number of sources of the recent videos (see `sources.spread`)."""
        return spread(Counter(self._sources).values())

    def _make_room(self, wanted: int, dimensions: int) -> None:
        """Evict the videos of the highest hashes, possibly the latest ones."""
        kept = len(self._numbers)
        if self._used + wanted > self._bound:
            by_key = np.argsort(np.array(self._keys, np.uint64), kind="stable")
            fits = np.cumsum(np.array(self._sizes)[by_key]) <= self._bound - wanted
            stay = np.zeros(kept, bool)
            stay[by_key[fits]] = True
            alive = np.repeat(stay, self._sizes)
            rows = self._rows[: self._used][alive]
            picked = np.flatnonzero(stay).tolist()
            self._numbers = [self._numbers[at] for at in picked]
            self._keys = [self._keys[at] for at in picked]
            self._late = [self._late[at] for at in picked]
            self._sizes = [self._sizes[at] for at in picked]
        else:
            rows = self._rows[: self._used]
        self._used = len(rows)
        size = min(max(2 * len(rows), wanted + len(rows), SPARE), max(self._bound, wanted) + SPARE)
        self._rows = np.zeros((size, dimensions), np.float32)
        if len(rows):
            self._rows[: len(rows)] = rows

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the sample's numbers, keys and concatenated paragraphs, and the recent sources."""
        return {
            "arrival_numbers": np.array(self._numbers, np.int64),
            "arrival_keys": np.array(self._keys, np.uint64),
            "arrival_late": np.array(self._late, bool),
            "arrival_sizes": np.array(self._sizes, np.int64),
            "arrival_vectors": self._rows[: self._used].astype(np.float16),
            "arrival_room": np.array(len(self._rows), np.int64),
            "arrival_sources": np.array(self._sources, np.uint64),
        }

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Restore the state that `to_arrays` stored."""
        self._numbers = arrays["arrival_numbers"].tolist()
        self._keys = arrays["arrival_keys"].tolist()
        self._late = arrays["arrival_late"].tolist()
        self._sizes = arrays["arrival_sizes"].tolist()
        vectors = arrays["arrival_vectors"]
        self._used = len(vectors)
        self._rows = np.zeros((int(arrays["arrival_room"]), vectors.shape[1]), np.float32)
        self._rows[: self._used] = vectors
        self._sources.clear()
        self._sources.extend(arrays["arrival_sources"].tolist())


def centred_cosines(rows: NDArray[np.float32], vectors: Vectors, background: Background) -> Vectors:
    """Return the centred cosine of each of [n, d] unit rows to each of [k, d] vectors: float64 [n, k].

    The same as centring both and `compare`, without a centred copy of the rows: for a row r and the mean m,
    (r - m) · v = r · v - m · v and |r - m|² = 1 - 2 r · m + |m|².
    """
    mean = background.total / background.weight
    centred = background.centre(vectors)
    right = np.vstack([centred, mean]).astype(np.float32)
    products = np.einsum("nd,kd->nk", rows, right).astype(np.float64)
    lengths = np.sqrt(np.maximum(1.0 - 2.0 * products[:, -1] + float(mean @ mean), 1e-12))
    return np.asarray((products[:, :-1] - np.einsum("kd,d->k", centred, mean)) / lengths[:, np.newaxis])


def _summed(spoke: NDArray[np.bool_]) -> Past:
    count, length = int(spoke.sum()), max(len(spoke) // PARTS, 1)
    if count < LEAST:
        return Past(count, len(spoke), 0.0)
    total = np.concatenate([[0], spoke.cumsum()])
    most = int((total[length:] - total[:-length]).max())
    return Past(count, len(spoke), most / length if most >= LEAST else 0.0)
