"""Relevance ranking of videos, learned from the reviewers' decisions; refitted when there are more.

Only decided videos are used: the score of a video that others have yet to judge would reveal the first
review. The embedding of a video is computed once and stored, so that refitting runs no embedding model.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.relevance.consensus import Ruling, ruled
from models.relevance.ranking import Classes, LabelledVideo, RelevanceModel, TalkMetadata, fit
from streams.events import Relevance, Video, VideoReviewed, stable_id
from streams.logs.reviews import Reviews
from streams.logs.screening_log import ScreeningLog
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox

if TYPE_CHECKING:
    import numpy.typing as npt

    from models.embedding.embedder import Embedder

FOLDER = "relevance"
Rulings = Mapping[str, Ruling[VideoReviewed]]
_Name = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class _Fitted:
    learned: frozenset[_Name]
    model: RelevanceModel
    threshold: float | None


class RelevanceRanker:
    """Ranks videos by the latest decisions of reviewers. Thread-safe."""

    def __init__(self, settings: Settings, blobs: Blobs, embedder: Callable[[], Embedder]) -> None:
        """Keep the dependencies; `embedder` is called only when a video has to be scored."""
        self._settings = settings
        self._blobs = blobs
        self._embedder = embedder
        self._reviews = Reviews(blobs)
        self._screened = ScreeningLog(blobs)
        self._outbox = Outbox(blobs)
        self._lock = threading.RLock()
        self._fitted: _Fitted | None = None
        self._classes: Classes | None = None
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}
        self._texts: dict[str, Video | None] = {}

    @property
    def labels(self) -> int:
        """The number of decided videos, the training data."""
        return len(self._decided())

    def of(self, videos: Sequence[Video]) -> list[Relevance]:
        """Return the relevance of each video.

        Raises:
            ModelUnavailable: the embedding model cannot be loaded.
        """
        if not videos:
            return []
        with self._lock:
            model = self._model().model
            talks = [_talk(video) for video in videos]
            scores = model.rank(talks, np.array(self._embedded([talk.text for talk in talks])))
        return [
            Relevance(
                score=score.score,
                talk_kind=score.talk_kind,  # type: ignore[arg-type] # one of KINDS, which are those
                reasons=score.reasons,
                model=model.name,
            )
            for score in scores
        ]

    def threshold(self) -> float | None:
        """Return the score below which a video need not be reviewed; None: too few videos are decided.

        Raises:
            ModelUnavailable: the embedding model cannot be loaded.
        """
        with self._lock:
            return self._model().threshold

    def _decided(self) -> dict[str, Ruling[VideoReviewed]]:
        found = {
            video_id: ruled(said, self._settings.reviewers)
            for video_id, said in self._reviews.by_video().items()
        }
        return {video_id: ruling for video_id, ruling in found.items() if ruling.state == "decided"}

    def _model(self) -> _Fitted:
        decided = self._decided()
        learned = frozenset((name, each.verdict, each.talk_kind) for name, each in decided.items())
        if self._fitted is None or self._fitted.learned != learned:
            model = fit(self._known_classes(), self._labels(decided))
            # A recall of 1 is only possible if nothing is rejected.
            least = model.threshold(self._settings.recall).at if self._settings.recall < 1 else None
            self._fitted = _Fitted(learned, model, least)
        return self._fitted

    def _labels(self, decided: Rulings) -> list[LabelledVideo]:
        texts = {video_id: self._text(video_id) for video_id in sorted(decided)}
        talks = {video_id: _talk(video) for video_id, video in texts.items() if video is not None}
        vectors = self._embedded([talk.text for talk in talks.values()])
        return [
            LabelledVideo(
                video_id, talk, vector, decided[video_id].verdict == "keep", decided[video_id].talk_kind
            )
            for (video_id, talk), vector in zip(talks.items(), vectors, strict=True)
        ]

    def _text(self, video_id: str) -> Video | None:
        """Return the video as the reviewers saw it, or as it was first seen; None if it is unknown."""
        if self._texts.get(video_id) is None:
            screening = self._screened.get(video_id)
            seen = None if screening else self._outbox.kept(video_id)
            self._texts[video_id] = screening.passes.video if screening else seen.video if seen else None
        return self._texts[video_id]

    def _known_classes(self) -> Classes:
        if self._classes is None:
            from models.codebook.codebook import load

            embedder = self._embedder()
            subject = [topic.seed for topic in load(self._settings.codebook).topics]
            self._classes = Classes(embedder.embed, embedder.space, subject)
        return self._classes

    def _embedded(self, texts: Sequence[str]) -> list[npt.NDArray[np.float32]]:
        """Return a vector for each text: from memory, from the blob store, or newly computed and stored."""
        version = self._embedder().space
        for text in dict.fromkeys(texts):
            if text not in self._vectors and self._blobs.exists(key := _key(version, text)):
                self._vectors[text] = np.load(io.BytesIO(self._blobs.get(key)), allow_pickle=False)
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            for text, vector in zip(new, self._embedder().embed(new), strict=True):
                file = io.BytesIO()
                np.save(file, vector, allow_pickle=False)
                self._blobs.put(_key(version, text), file.getvalue())
                self._vectors[text] = vector
        return [self._vectors[text] for text in texts]


def _key(version: str, text: str) -> str:
    return f"{FOLDER}/{version}/{stable_id(text)}.npy"


def _talk(video: Video) -> TalkMetadata:
    return TalkMetadata(video.title, video.description, video.channel or video.show, video.duration_s)
