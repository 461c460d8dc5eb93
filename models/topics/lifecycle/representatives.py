"""Representative paragraphs of topics."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from models.topics.online.centring import Vectors
from models.topics.settings import TopicSettings

TEXT = 600
"""Maximum number of stored characters of a paragraph."""


class Representative(BaseModel):
    """A representative paragraph of a topic.

    Attributes:
        cosine: its cosine with the topic's centroid when it was learned.
        text: its first 600 characters at most.
    """

    model_config = ConfigDict(frozen=True)

    paragraph_id: str
    video_id: str
    cosine: float
    text: str


class Representatives:
    """Up to `settings.representatives` paragraphs per topic of highest cosine, at most one per video.

    Args:
        kept: each topic's paragraphs, closest first.
        vectors: their unit vectors, float32 [n, d], topic after topic in the order of `kept`.
    """

    def __init__(
        self,
        settings: TopicSettings,
        kept: Mapping[int, Iterable[Representative]],
        vectors: NDArray[np.float32],
    ) -> None:
        self._settings = settings
        rows = iter(vectors)
        self._kept = {topic: [(each, next(rows)) for each in said] for topic, said in kept.items()}

    def of(self, topic_id: int) -> tuple[Representative, ...]:
        """Return a topic's paragraphs, closest first."""
        return tuple(each for each, _ in self._kept.get(topic_id, ()))

    def vectors_of(self, topic_id: int) -> NDArray[np.float32]:
        """Return their unit vectors, in the same order: float32 [n, d]; [0, 0] if there are none."""
        rows = [vector for _, vector in self._kept.get(topic_id, ())]
        return np.array(rows, np.float32) if rows else np.zeros((0, 0), np.float32)

    def add(self, topic_id: int, representative: Representative, vector: Vectors) -> None:
        """Add a paragraph with its unit vector, [d], if it is close enough."""
        short = representative.model_copy(update={"text": representative.text[:TEXT]})
        self._keep(topic_id, [(short, vector.astype(np.float32))])

    def drop(self, video_id: str) -> None:
        """Remove a video's paragraphs."""
        for topic_id, said in self._kept.items():
            self._kept[topic_id] = [pair for pair in said if pair[0].video_id != video_id]

    def pool(self, topic_id: int, into: int) -> None:
        """Move a topic's paragraphs to the topic that it is merged into, as far as they are close enough."""
        self._keep(into, self._kept.pop(topic_id, []))

    def kept(self) -> dict[int, list[Representative]]:
        """Return all of them, by topic."""
        return {topic: [each for each, _ in self._kept[topic]] for topic in sorted(self._kept)}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vectors, in the order of `kept`: float32 [n, d]."""
        rows = [vector for topic in sorted(self._kept) for _, vector in self._kept[topic]]
        return {"representative_vectors": np.array(rows, np.float32)}

    def _keep(self, topic_id: int, more: list[tuple[Representative, NDArray[np.float32]]]) -> None:
        said = [*self._kept.get(topic_id, ()), *more]
        said.sort(key=lambda pair: (-pair[0].cosine, pair[0].paragraph_id))
        videos: set[str] = set()
        best: list[tuple[Representative, NDArray[np.float32]]] = []
        for pair in said:
            if pair[0].video_id not in videos and len(best) < self._settings.representatives:
                videos.add(pair[0].video_id)
                best.append(pair)
        self._kept[topic_id] = best
