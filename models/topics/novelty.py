"""Paragraphs that no topic explains well, kept until enough of them say the same thing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.topics.background import Background, Vectors, compare
from models.topics.centroids import AnchoredCentroids
from models.topics.settings import TopicSettings

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Kept:
    """A paragraph in the buffer; its text is wanted for the words of the topic it may found."""

    paragraph_id: str
    video_id: str
    month: str
    text: str


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
    """The latest such paragraphs, oldest first, at most `settings.buffer`.

    A candidate grows from a paragraph of the batch just added: its neighbours, then twice the paragraphs
    close to the mean of the *other* candidate videos. Leaving a paragraph's own video out is what makes
    a handful of paragraphs trustworthy: a mean always resembles its own members, and paragraphs of one
    talk resemble each other whatever they say. Videos are counted, not paragraphs.
    """

    def __init__(self, settings: TopicSettings, kept: Iterable[Kept], vectors: Vectors) -> None:
        self._settings = settings
        self.kept = list(kept)
        self.vectors = vectors

    def add(self, kept: Sequence[Kept], vectors: Vectors) -> int:
        """Append paragraphs with their unit vectors, float64 [n, d]; the oldest make room.

        Returns how many of the paragraphs are now in the buffer: all, unless they alone overfill it.
        """
        self.kept = [*self.kept, *kept][-self._settings.buffer :]
        self.vectors = np.vstack([self.vectors, vectors])[-self._settings.buffer :]
        return min(len(kept), len(self.kept))

    def drop(self, rows: Rows) -> None:
        """Take paragraphs out."""
        left = np.setdiff1d(np.arange(len(self.kept)), rows)
        self.kept = [self.kept[row] for row in left]
        self.vectors = self.vectors[left]

    def rows_of(self, video_id: str) -> Rows:
        """Where a video's paragraphs are."""
        return np.array([row for row, kept in enumerate(self.kept) if kept.video_id == video_id], np.int64)

    def founding(self, newest: int, background: Background, centroids: AnchoredCentroids) -> Founding | None:
        """The topic that the `newest` paragraphs, at the end of the buffer, complete; None if they do not."""
        s = self._settings
        videos = np.unique([kept.video_id for kept in self.kept], return_inverse=True)[1]
        centred = background.centre(self.vectors)
        near = compare(centred[len(centred) - newest :], centred) >= s.birth_pair
        sizes = [(len(set(videos[row])), int(row.sum())) for row in near]
        if not sizes or not self._enough(max(sizes)):
            return None
        rows = np.flatnonzero(near[sizes.index(max(sizes))])
        known = centroids.highest_cosines(self.vectors)
        for _ in range(2):
            cosines = self._cosines_without_own_video(rows, videos, background, centred)
            rows = np.flatnonzero((cosines >= s.birth_member) & (cosines >= known + s.birth_gain))
            if not self._enough((len(set(videos[rows])), len(rows))):
                return None
        if rows[-1] < len(self.kept) - newest:  # none of the batch is left: this talk completes nothing
            return None
        centre = self._video_means(rows, videos).mean(axis=0)
        if centroids.highest_cosines(centre[np.newaxis])[0] > s.birth_duplicate:
            return None
        return Founding(rows, centre, tuple(float(cosine) for cosine in cosines[rows]))

    def _enough(self, size: tuple[int, int]) -> bool:
        videos, paragraphs = size
        return videos >= self._settings.birth_videos and paragraphs >= self._settings.birth_paragraphs

    def _video_means(self, rows: Rows, videos: Rows) -> Vectors:
        return np.array(
            [self.vectors[rows[videos[rows] == video]].mean(axis=0) for video in np.unique(videos[rows])]
        )

    def _cosines_without_own_video(
        self, rows: Rows, videos: Rows, background: Background, centred: Vectors
    ) -> Vectors:
        means = self._video_means(rows, videos)
        total = means.sum(axis=0)
        cosines = compare(centred, background.centre(total / len(means))[np.newaxis])[:, 0]
        for mean, video in zip(means, np.unique(videos[rows]), strict=True):
            others = background.centre((total - mean) / (len(means) - 1))
            own = np.flatnonzero(videos == video)
            cosines[own] = compare(centred[own], others[np.newaxis])[:, 0]
        return cosines
