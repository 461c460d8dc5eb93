"""Buffer of novel paragraphs, which no topic explains well, until enough similar ones found a topic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.topics.online.centring import Background, Vectors
from models.topics.online.centroids import AnchoredCentroids
from models.topics.settings import TopicSettings

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class BufferedParagraph:
    """A paragraph in the buffer; its text gives the words of the topic that it may found.

    Attributes:
        source: its talk's source; empty if it was buffered before sources were.
        at_end: it is at an end of its talk.
    """

    paragraph_id: str
    video_id: str
    month: str
    text: str
    source: str = ""
    at_end: bool = False


@dataclass(frozen=True)
class Founding:
    """A topic about to be born.

    Attributes:
        rows: its paragraphs in the buffer, oldest first.
        centre: float64 [d], mean over videos of each video's mean; not of unit length.
        cosines: each paragraph's cosine with the mean of the other videos.
    """

    rows: Rows
    centre: Vectors
    cosines: tuple[float, ...]


class NoveltyBuffer:
    """The latest novel paragraphs, oldest first, at most `settings.buffer`.

    A candidate grows from a paragraph of the batch just added: first its neighbours, then, twice, the
    paragraphs close to the mean of the *other* candidate videos. Leaving out a paragraph's own video is what
    makes a handful of paragraphs reliable: a mean always resembles its own members, and paragraphs of one
    talk resemble each other whatever they are about. Videos are counted, not paragraphs.
    """

    def __init__(self, settings: TopicSettings, kept: Iterable[BufferedParagraph], vectors: Vectors) -> None:
        self._settings = settings
        self.kept = list(kept)
        self._room = np.zeros((2 * settings.buffer, vectors.shape[1]))
        self._room[: len(vectors)] = vectors
        self._end = len(vectors)

    @property
    def vectors(self) -> Vectors:
        """The unit vectors of `kept`: float64 [n, d]."""
        return self._room[self._end - len(self.kept) : self._end]

    def add(self, kept: Sequence[BufferedParagraph], vectors: Vectors) -> int:
        """Append paragraphs with their unit vectors, float64 [n, d]; the oldest are dropped.

        Returns the number of new paragraphs in the buffer: all, unless they alone exceed its size.
        """
        bound = self._settings.buffer
        kept, vectors = kept[-bound:], vectors[-bound:]
        if self._end + len(kept) > len(self._room):
            self._rewrite(self.vectors[-(bound - len(kept)) :] if len(kept) < bound else vectors[:0])
        self._room[self._end : self._end + len(kept)] = vectors
        self._end += len(kept)
        self.kept = [*self.kept, *kept][-bound:]
        return len(kept)

    def drop(self, rows: Rows) -> None:
        """Remove paragraphs."""
        if len(rows):
            left = np.setdiff1d(np.arange(len(self.kept)), rows)
            self._rewrite(self.vectors[left])
            self.kept = [self.kept[row] for row in left]

    def rows_of(self, video_id: str) -> Rows:
        """Return the positions of a video's paragraphs."""
        return np.array([row for row, kept in enumerate(self.kept) if kept.video_id == video_id], np.int64)

    def founding(self, newest: int, background: Background, centroids: AnchoredCentroids) -> Founding | None:
        """Return the topic that the `newest` paragraphs, at the end of the buffer, complete, or None."""
        s, first = self._settings, len(self.kept) - newest
        lengths = self._lengths(background)
        seeds = background.centre(self.vectors[first:])
        near = [np.flatnonzero(row >= s.birth_pair) for row in self._cosines(seeds, background, lengths)]
        sizes = [self._size(rows) for rows in near]
        if not sizes or not self._enough(max(sizes)):
            return None
        rows = near[sizes.index(max(sizes))]
        for _ in range(2):
            cosines = self._cosines_without_own_video(rows, background, lengths)
            rows = np.flatnonzero(cosines >= s.birth_member)
            known = centroids.highest_cosines(self.vectors[rows])
            rows = rows[cosines[rows] >= known + s.birth_gain]
            if not self._enough(self._size(rows)):
                return None
        if rows[-1] < first:  # no paragraph of the batch is left: this talk completes nothing
            return None
        centre = np.array(list(self._video_means(rows).values())).mean(axis=0)
        if centroids.highest_cosines(centre[np.newaxis])[0] > s.birth_duplicate:
            return None
        return Founding(rows, centre, tuple(float(cosine) for cosine in cosines[rows]))

    def _rewrite(self, vectors: Vectors) -> None:
        left = vectors.copy()
        self._room[: len(left)] = left
        self._end = len(left)

    def _size(self, rows: Rows) -> tuple[int, int]:
        return len({self.kept[row].video_id for row in rows}), len(rows)

    def _enough(self, size: tuple[int, int]) -> bool:
        videos, paragraphs = size
        return videos >= self._settings.birth_videos and paragraphs >= self._settings.birth_paragraphs

    def _video_means(self, rows: Rows) -> dict[str, Vectors]:
        members: dict[str, list[int]] = {}
        for row in rows.tolist():
            members.setdefault(self.kept[row].video_id, []).append(row)
        return {video: self.vectors[own].mean(axis=0) for video, own in members.items()}

    def _lengths(self, background: Background) -> Vectors:
        """Return each paragraph's distance to the background: float64 [n]."""
        mean = background.mean()
        along = np.einsum("kd,d->k", self.vectors, mean)
        return np.asarray(np.sqrt(np.maximum(1.0 - 2.0 * along + np.einsum("d,d->", mean, mean), 1e-12)))

    def _cosines(self, centred: Vectors, background: Background, lengths: Vectors) -> Vectors:
        """Return cosines of centred unit vectors [m, d] with each paragraph, [m, n], not centring these."""
        along = np.einsum("md,d->m", centred, background.mean())
        return np.asarray((np.einsum("md,kd->mk", centred, self.vectors) - along[:, np.newaxis]) / lengths)

    def _cosines_without_own_video(self, rows: Rows, background: Background, lengths: Vectors) -> Vectors:
        means = self._video_means(rows)
        total = np.array(list(means.values())).sum(axis=0)
        whole = background.centre(total / len(means))[np.newaxis]
        cosines: Vectors = self._cosines(whole, background, lengths)[0]
        if len(means) == 1:
            return cosines
        others = background.centre(np.array([(total - mean) / (len(means) - 1) for mean in means.values()]))
        number = {video: at for at, video in enumerate(means)}
        own = [(row, number[kept.video_id]) for row, kept in enumerate(self.kept) if kept.video_id in number]
        at_rows, at_others = [row for row, _ in own], [at for _, at in own]
        cosines[at_rows] = np.einsum("nd,nd->n", background.centre(self.vectors[at_rows]), others[at_others])
        return cosines
