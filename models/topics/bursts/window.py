"""Window of recent videos with their terms, and counts of terms in the videos before them."""

from bisect import insort
from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.bursts.recent_video import RecentVideo
from models.topics.bursts.stream_clock import Calendar
from models.topics.snapshot.snapshot import JSON

MOST_SOURCES = 4_000
"""Maximum number of sources whose history is stored; those with the fewest videos are forgotten."""


class RecentWindow:
    """A window over the latest videos by date of publication, and counts of all that have left it.

    The window has a share of all videos, within bounds, and no video much older than the current day. A video
    older than all in a full window is added to the counts at once, whenever it arrives.

    Attributes:
        seen: number of videos so far. earlier_of: number of those that have left the window.
        earlier: videos that have left it by term; beyond `most_terms`, rare and old terms are forgotten.
        sources, past: videos in the window, and videos that have left it, by source.
    """

    def __init__(
        self, *, share: float, least: int, most: int, age: timedelta, most_terms: int, most_kept: int
    ) -> None:
        self._share, self._least, self._most, self._age = share, least, most, age
        self._most_terms, self._most_kept = most_terms, most_kept
        self.calendar = Calendar()
        self.seen = 0
        self.earlier_of = 0
        self.earlier: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self._order: list[tuple[date, int]] = []
        self.videos: dict[int, RecentVideo] = {}
        self._where: dict[str, list[int]] = {}
        self.sources: Counter[str] = Counter()
        self.past: Counter[str] = Counter()
        self._kept = 0

    def __len__(self) -> int:
        return len(self._order)

    def size(self) -> int:
        """Return the current maximum number of videos in the window."""
        return min(self._most, max(self._least, int(self.seen * self._share)))

    def count(self, term: str) -> int:
        """Return the number of recent videos that mention a term."""
        return len(self._where.get(term, ()))

    def saying(self, term: str) -> list[RecentVideo]:
        """Return the recent videos that have details of a term's mentions, oldest first."""
        found = [self.videos[number] for number in self._where.get(term, ())]
        return sorted(
            (video for video in found if term in video.kept), key=lambda video: (video.day, video.number)
        )

    def add(self, video: RecentVideo) -> bool:
        """Add a video and return whether it is in the window. Turn `calendar` to its date first."""
        self.seen += 1
        enters = len(self._order) < self.size() or (video.day, video.number) > self._order[0]
        if not enters or video.day < self.calendar.today - self._age:
            self._count(video)
            self._forget()
            return False
        self._enter(video)
        self._place_again()
        while self._order and self._too_many():
            self._leave()
        self._thin()
        self._forget()
        return video.number in self.videos

    def _enter(self, video: RecentVideo) -> None:
        insort(self._order, (video.day, video.number))
        self.videos[video.number] = video
        self.sources[video.source] += 1
        self._kept += len(video.kept)
        for term in video.terms:
            self._where.setdefault(term, []).append(video.number)

    def _too_many(self) -> bool:
        old = self._order[0][0] < self.calendar.today - self._age
        return len(self._order) > self.size() or (old and len(self._order) > self._least)

    def _place_again(self) -> None:
        """Move videos whose date was accepted before the current day was known."""
        while self.calendar.place(self._order[-1][0]) != self._order[-1][0]:
            _, number = self._order.pop()
            moved = self.videos[number] = self.videos[number].moved(self.calendar.today)
            insort(self._order, (moved.day, number))

    def _leave(self) -> None:
        _, number = self._order.pop(0)
        video = self.videos.pop(number)
        self._kept -= len(video.kept)
        self.sources[video.source] -= 1
        if not self.sources[video.source]:
            del self.sources[video.source]
        for term in video.terms:
            numbers = self._where[term]
            numbers.remove(number)
            if not numbers:
                del self._where[term]
        self._count(video)

    def _count(self, video: RecentVideo) -> None:
        self.earlier_of += 1
        self.past[video.source] += 1
        for term in video.terms:
            self.earlier[term] = self.earlier.get(term, 0) + 1
            self.last[term] = max(video.number, self.last.get(term, 0))

    def _thin(self) -> None:
        """Drop the details of the oldest videos if too many mentions are stored."""
        at = 0
        while self._kept > self._most_kept and at < len(self._order):
            number = self._order[at][1]
            if kept := len(self.videos[number].kept):
                self._kept -= kept
                self.videos[number] = self.videos[number].thinned()
            at += 1

    def _forget(self) -> None:
        if len(self.past) > MOST_SOURCES * 5 // 4:
            often = sorted(self.past.items(), key=lambda item: (-item[1], item[0]))
            self.past = Counter(dict(often[:MOST_SOURCES]))
        if len(self.earlier) <= self._most_terms * 5 // 4:
            return
        ranked = sorted((-count, -self.last[term], term) for term, count in self.earlier.items())
        keep = [term for _, _, term in ranked[: self._most_terms]]
        self.earlier = {term: self.earlier[term] for term in keep}
        self.last = {term: self.last[term] for term in keep}

    def to_json(self) -> JSON:
        """Return videos, terms and days; the numbers are in `to_arrays`."""
        names = self._vocabulary()
        numbers = {term: index for index, term in enumerate(names)}
        return {
            "seen": self.seen,
            "earlier_of": self.earlier_of,
            "calendar": list(self.calendar.to_json()),
            "past": dict(sorted(self.past.items())),
            "terms": list(names),
            "videos": [self.videos[number].to_json(numbers) for number in sorted(self.videos)],
        }

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return counts in order of `terms`; quotes and directions in order of `videos`."""
        names = self._vocabulary()
        videos = [self.videos[number] for number in sorted(self.videos)]
        rows = [video.directions[row] for video in videos for row in sorted(video.directions)]
        return {
            "term_earlier": np.array([self.earlier.get(term, 0) for term in names], np.int64),
            "term_last": np.array([self.last.get(term, 0) for term in names], np.int64),
            "term_directions": np.array(rows, np.int8).reshape(len(rows), -1 if rows else 0),
            "term_quotes": np.frombuffer(b"".join(video.quotes for video in videos), np.uint8),
            "term_quote_sizes": np.array([len(video.quotes) for video in videos], np.int64),
        }

    def restore(self, arrays: dict[str, NDArray[Any]], state: Any) -> "RecentWindow":
        """Restore the state that `to_arrays` and `to_json` stored."""
        names = state["terms"]
        self.seen, self.earlier_of = state["seen"], state["earlier_of"]
        self.calendar = Calendar.from_json(state["calendar"])
        self.past = Counter(state["past"])
        counts, last = arrays["term_earlier"].tolist(), arrays["term_last"].tolist()
        said = [(term, count, at) for term, count, at in zip(names, counts, last, strict=True) if count]
        self.earlier = {term: count for term, count, _ in said}
        self.last = {term: at for term, _, at in said}
        row = byte = 0
        for each, size in zip(state["videos"], arrays["term_quote_sizes"].tolist(), strict=True):
            directions = arrays["term_directions"][row : row + len(each[-1])]
            quotes = arrays["term_quotes"][byte : byte + size].tobytes()
            self._enter(RecentVideo.from_json(each, names, directions, quotes))
            row, byte = row + len(directions), byte + size
        return self

    def _vocabulary(self) -> list[str]:
        return sorted(self.earlier.keys() | self._where.keys())
