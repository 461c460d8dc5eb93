"""What the topic model learns from at a time: the paragraphs of one video."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, eq=False)
class Batch:
    """One video's paragraphs with their embeddings; it can be learned, or it cannot exist.

    One video is one batch, so that where a poll or a commit happens to fall cannot change a result.

    Attributes:
        batch_id: names this version of this video's paragraphs; learning it twice changes nothing.
        video_id: the video.
        month: month of publication, `YYYY-MM`.
        paragraph_ids: unique, in the order of the talk.
        texts: the paragraphs' words.
        embeddings: float32 [n, d]; finite, no zero vector; of any length (they are normalised).

    Raises:
        BadInput: the parts do not fit together, or an embedding is not usable.
    """

    batch_id: str
    video_id: str
    month: str
    paragraph_ids: tuple[str, ...]
    texts: tuple[str, ...]
    embeddings: NDArray[np.float32]

    def __post_init__(self) -> None:
        if not self.batch_id or not self.video_id:
            raise BadInput("a batch needs a batch_id and a video_id", "give both")
        if not _MONTH.fullmatch(self.month):
            raise self._refused(f"month {self.month!r} is not YYYY-MM", "give the month of publication")
        if not self.paragraph_ids:
            raise self._refused("there are no paragraphs", "leave out videos without paragraphs")
        if len(set(self.paragraph_ids)) < len(self.paragraph_ids):
            raise self._refused("a paragraph id comes twice", "number the paragraphs of a video")
        if self.embeddings.ndim != 2:
            raise self._refused(
                f"embeddings have shape {list(self.embeddings.shape)}, not [n, d]", "give a row a paragraph"
            )
        counts = (len(self.paragraph_ids), len(self.texts), len(self.embeddings))
        if len(set(counts)) > 1:
            raise self._refused(
                f"{counts[0]} paragraph ids, {counts[1]} texts and {counts[2]} embeddings do not match",
                "give one of each for every paragraph",
            )
        self._check_rows(np.asarray(np.isfinite(self.embeddings).all(axis=1)), "is not finite")
        self._check_rows(np.asarray(self.embeddings.any(axis=1)), "is a zero vector")

    def _check_rows(self, usable: NDArray[np.bool_], fault: str) -> None:
        if not usable.all():
            paragraph = self.paragraph_ids[int(usable.argmin())]
            raise self._refused(f"the embedding of paragraph {paragraph} {fault}", "embed the video again")

    def _refused(self, fault: str, cure: str) -> BadInput:
        return BadInput(f"batch {self.batch_id} of video {self.video_id} cannot be learned: {fault}", cure)
