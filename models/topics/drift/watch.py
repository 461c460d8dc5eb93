"""Drift detection for topics: their share of videos, their words, and their centroid."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.hashing import hashed
from models.topics.drift.centre import Centre, CentreChange
from models.topics.drift.effect_size import LARGE
from models.topics.drift.lexicon import Lexicon
from models.topics.drift.mentions import Mentions, packed, unpacked
from models.topics.drift.rise import RiseWatch
from models.topics.drift.settings import DriftSettings
from models.topics.drift.share import ShareDetector
from models.topics.drift.wording import Wording, WordingChange, most_said
from models.topics.results import Drift, SourceQuote

FALSE_CHANGES = 0.01
"""Accepted probability of a change by chance in *any* topic: that of each one is to be less than this divided
by their number (Bonferroni). It is tested where Page-Hinkley has found that there is something to test."""

__all__ = ["DriftSettings", "DriftWatch", "Spoke"]


@dataclass(frozen=True, eq=False)
class Spoke:
    """The words and paragraphs of one video about one topic.

    Attributes:
        words: content words of its paragraphs of that topic, in order; may be empty.
        vectors: float64 [m, d], the unit vectors of those paragraphs; at least one.
        quotes: those paragraphs, in the same order; empty if they are not to be quoted.
    """

    topic_id: int
    words: tuple[str, ...]
    vectors: NDArray[np.float64]
    quotes: tuple[SourceQuote, ...] = ()


@dataclass(frozen=True, eq=False)
class _Watched:
    """One topic's detectors."""

    share: ShareDetector
    wording: Wording
    centre: Centre
    mentions: Mentions


class DriftWatch:
    """Three detectors per topic; every change is reported once, and then earlier data is forgotten.

    A change of words and of centre is one change, named by its words if there are any that changed enough.

    A change of words or centre is reported only if it is significant among all topics that are watched, *and*
    if it matters: with 95 % confidence, a word's share of the videos changed by more than a medium effect; or
    the centre, which no word may explain, by more than a large one. After a smaller change, the same earlier
    videos stay, so that many small ones add up.

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
        self._rises = RiseWatch()

    def begin(self, topic_id: int) -> None:
        """Start watching a topic that was born or revived, or that a merge has changed.

        Earlier data about it is forgotten.
        """
        s = self._settings
        self._watched[topic_id] = _Watched(
            ShareDetector(s), Wording(s), Centre(s, self._dimension), Mentions(s.memory)
        )
        self._watched = dict(sorted(self._watched.items()))
        self._rises.begin(topic_id)

    def end(self, topic_id: int) -> None:
        """Stop watching a topic that was merged away or is dormant; unwatched topics are ignored."""
        self._watched.pop(topic_id, None)
        self._rises.end(topic_id)

    def update(
        self,
        spoke: Sequence[Spoke],
        published_on: date,
        batch_id: str,
        video_id: str = "",
        source: str = "",
    ) -> tuple[Drift, ...]:
        """Add one video and return the changes, by topic id, then the rises.

        Args:
            spoke: one for each topic that the video mentions; without any, the video does not count.
            source: where the video comes from; videos without one are of one source.

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
                watched.mentions.add(said[topic_id].quotes, said[topic_id].vectors)
                drifts.extend(self._discourse(watched, said[topic_id], day, source, batch_id))
        drifts.extend(self._risen(said, video_id, source, day, batch_id))
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

    def _risen(
        self, said: Iterable[int], video_id: str, source: str, day: int, batch_id: str
    ) -> Iterator[Drift]:
        for topic_id, rise in self._rises.update(said, video_id, source, day):
            yield Drift(
                topic_id=topic_id,
                what="rise",
                before=rise.earlier / rise.earlier_of,
                after=rise.recent / rise.recent_of,
                words_before=(),
                words_after=(),
                since=rise.first_on,
                videos_before=rise.earlier_of,
                videos_after=rise.recent_of,
                batch_id=batch_id,
                quotes=self._watched[topic_id].mentions.latest(rise.recent),
                rise=rise,
            )

    def _discourse(
        self, watched: _Watched, said: Spoke, day: int, source: str, batch_id: str
    ) -> Iterator[Drift]:
        """Yield the change of a topic's words or centre, if there is one that is significant and matters."""
        words = most_said(said.words, self._settings.words_of_video)
        wording = watched.wording.update(self._lexicon.numbers(words), day, _numbered(source))
        centre = watched.centre.update(said.vectors, day)
        if wording and (wording.lost or wording.gained) and self._is_significant(wording.beyond):
            yield self._changed(watched, said.topic_id, wording, batch_id)
        elif centre and centre.size > LARGE and self._is_significant(centre.beyond):
            yield self._changed(watched, said.topic_id, centre, batch_id)

    def _is_significant(self, beyond: float) -> bool:
        """Return whether so many standard deviations above chance are significant among all topics."""
        from scipy.special import ndtr

        return bool(ndtr(-beyond) * len(self._watched) < FALSE_CHANGES)

    def _changed(
        self, watched: _Watched, topic_id: int, change: WordingChange | CentreChange, batch_id: str
    ) -> Drift:
        after, known = change.videos_after, self._lexicon.words
        if isinstance(change, WordingChange):
            named = (change.lost, change.gained)
        else:
            named = watched.wording.moved(after)
        words_before, words_after = (tuple(known[number] for number in numbers) for numbers in named)
        quotes = watched.mentions.around_change(after, words_before, words_after)
        watched.centre.forget(after)
        if any(named):  # otherwise more videos may show the same change by its words
            watched.wording.forget(after)
        return Drift(
            topic_id=topic_id,
            what="words" if isinstance(change, WordingChange) else "centre",
            before=0.0,
            after=change.distance,
            words_before=words_before,
            words_after=words_after,
            since=date.fromordinal(change.since),
            videos_before=change.videos_before,
            videos_after=after,
            batch_id=batch_id,
            quotes=quotes,
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
            "drift_word_sources": _joined((np.array(w.sources, np.int64) for w in wordings), np.int64),
            "drift_word_videos": _sizes([wording.videos for wording in wordings]),
            "drift_word_told": _joined((np.array(w.observed) for w in wordings), np.float64),
            "drift_word_told_sizes": _sizes([wording.observed for wording in wordings]),
            "drift_centres": np.vstack([empty, *(centre.videos for centre in centres)]),
            "drift_centre_days": _joined((np.array(c.days) for c in centres), np.int32),
            "drift_centre_videos": _sizes([centre.videos for centre in centres]),
            "drift_centre_told": _joined((np.array(c.observed) for c in centres), np.float64),
            "drift_centre_told_sizes": _sizes([centre.observed for centre in centres]),
            "drift_mentions": packed([watched.mentions.to_json() for watched in self._watched.values()]),
            "drift_rises": packed(self._rises.to_json()),
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
        topics = arrays["drift_topics"].tolist()
        if "drift_mentions" in arrays:
            mentions = [
                Mentions.from_json(settings.memory, each) for each in unpacked(arrays["drift_mentions"])
            ]
            watch._rises = RiseWatch.from_json(unpacked(arrays["drift_rises"]))
        else:  # saved before paragraphs were kept to be quoted, and rises counted
            mentions = [Mentions(settings.memory) for _ in topics]
            for topic_id in topics:
                watch._rises.begin(topic_id)
        unknown = np.zeros(len(arrays["drift_word_days"]), np.int64)
        sources = arrays.get("drift_word_sources", unknown)  # an earlier version did not keep them
        per_topic = zip(
            topics,
            mentions,
            _parted(bits, share_sizes),
            (videos[end - size : end] for end, size in zip(ends, arrays["drift_word_videos"], strict=True)),
            _parted(arrays["drift_word_days"], arrays["drift_word_videos"]),
            _parted(sources, arrays["drift_word_videos"]),
            _parted(arrays["drift_word_told"], arrays["drift_word_told_sizes"]),
            _parted(arrays["drift_centres"], arrays["drift_centre_videos"]),
            _parted(arrays["drift_centre_days"], arrays["drift_centre_videos"]),
            _parted(arrays["drift_centre_told"], arrays["drift_centre_told_sizes"]),
            strict=True,
        )
        for topic_id, quoted, share, said, days, heard, told, centres, centre_days, centre_told in per_topic:
            watch._watched[topic_id] = _Watched(
                ShareDetector(settings, share.tolist()),
                Wording(settings, said, days.tolist(), heard.tolist(), told.tolist()),
                Centre(settings, dimension, centres.copy(), centre_days.tolist(), centre_told.tolist()),
                quoted,
            )
        return watch


def _numbered(source: str) -> int:
    """Return a number for a source, which fits into int64."""
    return hashed(source) >> 1


def _sizes(parts: Iterable[Any]) -> NDArray[np.int64]:
    return np.array([len(part) for part in parts], np.int64)


def _joined(parts: Iterable[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)


def _parted(joined: NDArray[Any], sizes: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the consecutive parts of these sizes."""
    return np.split(joined, np.cumsum(sizes)[:-1]) if len(sizes) else []
