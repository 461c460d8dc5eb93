"""Drift detection for topics: their share of videos, their words, and their centroid."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.topics.drift.centre import Centre
from models.topics.drift.lexicon import Lexicon
from models.topics.drift.settings import DriftSettings
from models.topics.drift.share import ShareDetector
from models.topics.drift.wording import Wording, most_said
from models.topics.results import Drift

__all__ = ["DriftSettings", "DriftWatch", "Spoke"]


@dataclass(frozen=True, eq=False)
class Spoke:
    """The words and paragraphs of one video about one topic.

    Attributes:
        words: content words of its paragraphs of that topic, in order; may be empty.
        vectors: float64 [m, d], the unit vectors of those paragraphs; at least one.
    """

    topic_id: int
    words: tuple[str, ...]
    vectors: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Watched:
    """One topic's detectors."""

    share: ShareDetector
    wording: Wording
    centre: Centre


class DriftWatch:
    """Three detectors per topic; every change is reported once, and then earlier data is forgotten.

    Share: among the videos with any topic, as prevalence is counted. Words and centroid: among the videos
    with the topic, so that the weight of a month is its number of videos, and a long talk weighs as much as a
    short one. A drift's `since` is the date of the first video after the change in order of learning, even if
    dates are out of order.

    Cost and state are bounded: a topic stores `history` bits and `memory` videos of `words_of_video` words
    and d bytes each.

    Args:
        dimension: d of the vectors.
    """

    def __init__(self, settings: DriftSettings, dimension: int) -> None:
        self._settings = settings
        self._dimension = dimension
        self._lexicon = Lexicon()
        self._days: deque[int] = deque(maxlen=settings.history)
        self._watched: dict[int, _Watched] = {}

    def begin(self, topic_id: int) -> None:
        """Start watching a topic that was born or revived, or that a merge has changed.

        Earlier data about it is forgotten.
        """
        s = self._settings
        self._watched[topic_id] = _Watched(ShareDetector(s), Wording(s), Centre(s, self._dimension))
        self._watched = dict(sorted(self._watched.items()))

    def end(self, topic_id: int) -> None:
        """Stop watching a topic that was merged away or is dormant; unwatched topics are ignored."""
        self._watched.pop(topic_id, None)

    def update(self, spoke: Sequence[Spoke], published_on: date, batch_id: str) -> tuple[Drift, ...]:
        """Add one video and return the changes, by topic id.

        Args:
            spoke: one for each topic that the video mentions; without any, the video does not count.

        Raises:
            BadInput: a topic is not watched or comes twice, or its vectors have the wrong shape; the video is
                not added.
        """
        said = self._checked(spoke)
        if not said:
            return ()
        day = published_on.toordinal()
        self._days.append(day)
        drifts: list[Drift] = []
        for topic_id, watched in self._watched.items():
            drifts.extend(self._share(topic_id, watched, topic_id in said, batch_id))
            if topic_id in said:
                drifts.extend(self._wording(watched, said[topic_id], day, batch_id))
                drifts.extend(self._centre(watched, said[topic_id], day, batch_id))
        self._compact()
        return tuple(drifts)

    def _checked(self, spoke: Sequence[Spoke]) -> dict[int, Spoke]:
        said = {each.topic_id: each for each in spoke}
        if len(said) < len(spoke):
            raise BadInput("a topic comes twice in one video", "give one `Spoke` for each topic")
        for topic_id, each in said.items():
            if topic_id not in self._watched:
                raise BadInput(f"topic {topic_id} is not watched", "`begin` it first")
            shape = each.vectors.shape
            if len(shape) != 2 or shape[0] < 1 or shape[1] != self._dimension:
                raise BadInput(
                    f"the vectors of topic {topic_id} have shape {list(shape)}, not [m, {self._dimension}]",
                    "give one row for each paragraph, and at least one",
                )
        return said

    def _share(self, topic_id: int, watched: _Watched, present: bool, batch_id: str) -> Iterator[Drift]:
        change = watched.share.update(present)
        if change:
            yield Drift(
                topic_id=topic_id,
                what="share",
                before=change.before,
                after=change.after,
                words_before=(),
                words_after=(),
                since=date.fromordinal(self._days[-change.videos_after]),
                videos_before=change.videos_before,
                videos_after=change.videos_after,
                batch_id=batch_id,
            )

    def _wording(self, watched: _Watched, said: Spoke, day: int, batch_id: str) -> Iterator[Drift]:
        words = most_said(said.words, self._settings.words_of_video)
        change = watched.wording.update(self._lexicon.numbers(words), day)
        if change:
            yield Drift(
                topic_id=said.topic_id,
                what="words",
                before=0.0,
                after=change.distance,
                words_before=tuple(self._lexicon.words[number] for number in change.lost),
                words_after=tuple(self._lexicon.words[number] for number in change.gained),
                since=date.fromordinal(change.since),
                videos_before=change.videos_before,
                videos_after=change.videos_after,
                batch_id=batch_id,
            )

    def _centre(self, watched: _Watched, said: Spoke, day: int, batch_id: str) -> Iterator[Drift]:
        change = watched.centre.update(said.vectors, day)
        if change:
            yield Drift(
                topic_id=said.topic_id,
                what="centre",
                before=0.0,
                after=change.distance,
                words_before=(),
                words_after=(),
                since=date.fromordinal(change.since),
                videos_before=change.videos_before,
                videos_after=change.videos_after,
                batch_id=batch_id,
            )

    def _compact(self) -> None:
        if len(self._lexicon.words) < self._lexicon.full_at:
            return
        wordings = [watched.wording for watched in self._watched.values()]
        renumbered = self._lexicon.compact(_joined((v for w in wordings for v in w.videos), np.int32))
        for wording in wordings:
            wording.videos = [renumbered[video] for video in wording.videos]

    def to_json(self) -> list[str]:
        """Return the words behind the numbers in `to_arrays`."""
        return list(self._lexicon.words)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state of every topic's detectors, concatenated, with the sizes of the parts."""
        shares = [watched.share.history for watched in self._watched.values()]
        wordings = [watched.wording for watched in self._watched.values()]
        centres = [watched.centre for watched in self._watched.values()]
        videos = [video for wording in wordings for video in wording.videos]
        empty = np.zeros((0, self._dimension), np.int8)
        return {
            "drift_topics": np.array(list(self._watched), np.int64),
            "drift_days": np.array(self._days, np.int32),
            "drift_full_at": np.array(self._lexicon.full_at, np.int64),
            "drift_shares": np.packbits(np.array([bit for share in shares for bit in share], bool)),
            "drift_share_sizes": _sizes(shares),
            "drift_words": _joined(videos, np.int32),
            "drift_word_sizes": _sizes(videos),
            "drift_word_days": _joined((np.array(w.days) for w in wordings), np.int32),
            "drift_word_videos": _sizes([wording.videos for wording in wordings]),
            "drift_word_told": _joined((np.array(w.observed) for w in wordings), np.float64),
            "drift_word_told_sizes": _sizes([wording.observed for wording in wordings]),
            "drift_centres": np.vstack([empty, *(centre.videos for centre in centres)]),
            "drift_centre_days": _joined((np.array(c.days) for c in centres), np.int32),
            "drift_centre_videos": _sizes([centre.videos for centre in centres]),
            "drift_centre_told": _joined((np.array(c.observed) for c in centres), np.float64),
            "drift_centre_told_sizes": _sizes([centre.observed for centre in centres]),
        }

    @classmethod
    def from_state(
        cls, settings: DriftSettings, dimension: int, arrays: dict[str, NDArray[Any]], words: Sequence[str]
    ) -> "DriftWatch":
        """Return the watch that `to_arrays` and `to_json` stored."""
        watch = cls(settings, dimension)
        watch._lexicon = Lexicon(words, int(arrays["drift_full_at"]))
        watch._days.extend(arrays["drift_days"].tolist())
        share_sizes = arrays["drift_share_sizes"]
        bits = np.unpackbits(arrays["drift_shares"], count=int(share_sizes.sum())).astype(bool)
        videos = _parted(arrays["drift_words"], arrays["drift_word_sizes"])
        ends = np.cumsum(arrays["drift_word_videos"])
        per_topic = zip(
            arrays["drift_topics"].tolist(),
            _parted(bits, share_sizes),
            (videos[end - size : end] for end, size in zip(ends, arrays["drift_word_videos"], strict=True)),
            _parted(arrays["drift_word_days"], arrays["drift_word_videos"]),
            _parted(arrays["drift_word_told"], arrays["drift_word_told_sizes"]),
            _parted(arrays["drift_centres"], arrays["drift_centre_videos"]),
            _parted(arrays["drift_centre_days"], arrays["drift_centre_videos"]),
            _parted(arrays["drift_centre_told"], arrays["drift_centre_told_sizes"]),
            strict=True,
        )
        for topic_id, share, said, days, told, centres, centre_days, centre_told in per_topic:
            watch._watched[topic_id] = _Watched(
                ShareDetector(settings, share.tolist()),
                Wording(settings, said, days.tolist(), told.tolist()),
                Centre(settings, dimension, centres.copy(), centre_days.tolist(), centre_told.tolist()),
            )
        return watch


def _sizes(parts: Iterable[Any]) -> NDArray[np.int64]:
    return np.array([len(part) for part in parts], np.int64)


def _joined(parts: Iterable[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)


def _parted(joined: NDArray[Any], sizes: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the consecutive parts of these sizes."""
    return np.split(joined, np.cumsum(sizes)[:-1]) if len(sizes) else []
