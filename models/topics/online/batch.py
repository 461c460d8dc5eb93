"""A batch of learning: the paragraphs of one video."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.topics.results import SourceQuote


@dataclass(frozen=True, eq=False)
class Batch:
    """One video's paragraphs with their embeddings, validated on creation.

    One video is one batch, so that the boundaries of polls and commits cannot change a result.

    Attributes:
        batch_id: names this version of this video's paragraphs; learning it twice changes nothing.
        video_id: the video.
        published_on: date of publication (UTC).
        paragraph_ids: unique, in the order of the talk.
        texts: the paragraphs' words; a text may be empty.
        embeddings: float32 [n, d]; finite, no zero vector; of any length (they are normalised).
        source: the channel or show it comes from; a video without one is a source of its own.
        starts: seconds into the talk at which each paragraph begins; empty if unknown.
        about: the topics of the codebook that each paragraph is judged to be about; empty if nobody judged.
        people: names of its speakers and guests, as far as they are known.

    Raises:
        BadInput: the parts are inconsistent, or an embedding is not usable.
    """

    batch_id: str
    video_id: str
    published_on: date
    paragraph_ids: tuple[str, ...]
    texts: tuple[str, ...]
    embeddings: NDArray[np.float32]
    source: str = ""
    starts: tuple[float, ...] = ()
    about: tuple[tuple[int, ...], ...] = ()
    people: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.batch_id or not self.video_id:
            raise BadInput("a batch needs a batch_id and a video_id", "give both")
        if not self.paragraph_ids:
            raise self._refused("there are no paragraphs", "leave out videos without paragraphs")
        if len(set(self.paragraph_ids)) < len(self.paragraph_ids):
            raise self._refused("a paragraph id comes twice", "give each paragraph an id of its own")
        if self.embeddings.ndim != 2:
            raise self._refused(
                f"embeddings have shape {list(self.embeddings.shape)}, not [n, d]", "give one row a paragraph"
            )
        counts = (len(self.paragraph_ids), len(self.texts), len(self.embeddings))
        if len(set(counts)) > 1:
            raise self._refused(
                f"{counts[0]} paragraph ids, {counts[1]} texts and {counts[2]} embeddings do not match",
                "give one of each for every paragraph",
            )
        if self.starts and len(self.starts) != counts[0]:
            raise self._refused(
                f"{len(self.starts)} starts for {counts[0]} paragraphs",
                "give one for each paragraph, or none",
            )
        if self.about and len(self.about) != counts[0]:
            raise self._refused(
                f"{len(self.about)} judgements for {counts[0]} paragraphs",
                "give one for each paragraph, or none",
            )
        self._check_rows(np.asarray(np.isfinite(self.embeddings).all(axis=1)), "is not finite")
        self._check_rows(np.asarray(self.embeddings.any(axis=1)), "is a zero vector")

    @property
    def month(self) -> str:
        """Month of publication, `YYYY-MM`."""
        return f"{self.published_on:%Y-%m}"

    @property
    def origin(self) -> str:
        """The source; without one, the video itself."""
        return self.source or self.video_id

    def quote(self, row: int, text: str | None = None) -> SourceQuote:
        """Return a paragraph as a quote; `text`: without what its source repeats."""
        return SourceQuote(
            paragraph_id=self.paragraph_ids[row],
            video_id=self.video_id,
            source=self.origin,
            published_on=self.published_on,
            start=float(self.starts[row]) if self.starts else 0.0,
            text=self.texts[row] if text is None else text,
        )

    def _check_rows(self, usable: NDArray[np.bool_], fault: str) -> None:
        if not usable.all():
            paragraph = self.paragraph_ids[int(usable.argmin())]
            raise self._refused(f"the embedding of paragraph {paragraph} {fault}", "embed the video again")

    def _refused(self, fault: str, cure: str) -> BadInput:
        return BadInput(f"batch {self.batch_id} of video {self.video_id} cannot be learned: {fault}", cure)
