"""Admission: decides whether a video that passed the rules is accepted, rejected, or parked for review.

A decision of reviewers always applies. A duplicate of an accepted talk is rejected. Otherwise the setting of
screening defines who decides: nobody (all pass), the relevance model, or reviewers. If the model is not
available, no video is rejected for its relevance.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from agents.screening.relevance_ranker import RelevanceRanker
from models.dedup.metadata_duplicates import Duplicates, Match, Upload
from models.errors import ModelUnavailable
from models.relevance.consensus import Ruling, ruled
from streams.events import (
    Event,
    Relevance,
    Video,
    VideoAccepted,
    VideoParked,
    VideoRejected,
    VideoReviewed,
    VideoSeen,
)
from streams.logs.reviews import Reviews
from streams.logs.screening_log import ScreeningLog, ScreeningRecord
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.parked_videos import Parking, ParkingLot

if TYPE_CHECKING:
    from models.embedding.embedder import Embedder

log = structlog.get_logger()
CLEAR = 0.9
"""Minimum confidence that a video is a duplicate, for its rejection without a download."""
GROWN = 1.1
"""Growth of the decided videos since the last ranking at which waiting videos are ranked again."""
SHIFTED = 0.1
"""Minimum change of a score's log-odds for a new event."""
HANDED_IN = frozenset({"file", "link"})
"""Sightings by hand: a person wants the talk, so it is not checked for duplicates."""


class Admission:
    """Judges the videos that no rule has rejected."""

    def __init__(
        self,
        settings: Settings,
        blobs: Blobs,
        embedder: Callable[[], Embedder],
        lot: ParkingLot,
        now: Callable[[], datetime],
    ) -> None:
        """Keep the dependencies; `embedder` is called only to score: for `rules` only with labels."""
        self._settings = settings
        self._lot = lot
        self._now = now
        self._reviews = Reviews(blobs)
        self._screened = ScreeningLog(blobs)
        self._ranking = RelevanceRanker(settings, blobs, embedder)
        self._known = Duplicates()
        self._looked_at: set[str] = set()
        self._lock = threading.Lock()
        self._ranked_by = 0

    async def judge(self, video: Video, event: VideoSeen) -> Event:
        """Return VideoAccepted, VideoRejected, or VideoParked in review; idempotent."""
        return await asyncio.to_thread(self._judge, video, event)

    async def reviewed(self, event: VideoReviewed) -> Sequence[Event]:
        """Return the events that follow from a review: the verdict on its video, if it is decided.

        When enough more videos are decided, the waiting videos are ranked again: this adds VideoParked events
        of other videos, which are already parked that way, and VideoAccepted events of videos that no longer
        need a reviewer.
        """
        return await asyncio.to_thread(lambda: [*self._decided(event.video_id), *self._ranked_anew()])

    async def overdue(self) -> Sequence[Event]:
        """Return the decisions made while this agent did not run, to be sent before anything is read."""
        return await asyncio.to_thread(lambda: list(self._overdue()))

    def _judge(self, video: Video, event: VideoSeen) -> Event:
        with self._lock:
            passes = VideoAccepted(video=video, media=event.media, captions=event.captions)
            ruling = ruled(self._reviews.of(video.video_id), self._settings.reviewers)
            earlier = self._screened.get(video.video_id)
            if ruling.state == "decided":
                relevance = earlier.passes.relevance if earlier else None
                return self._as_ruled(passes.model_copy(update={"relevance": relevance}), ruling)
            if earlier is not None and earlier.outcome == "accepted" and not earlier.by_reviewers:
                return self._accepted(passes.model_copy(update={"relevance": earlier.passes.relevance}))
            handed_in = event.media or event.captions or event.sighting.kind in HANDED_IN
            if not handed_in and (match := self._duplicate_of(video)) is not None:
                reason = f"it is {match.video_id} again: {'; '.join(match.why)}"
                return self._rejected(passes, "duplicate", reason)
            relevance = self._relevance(video)
            return self._by_setting(passes.model_copy(update={"relevance": relevance}), said=len(ruling.said))

    def _by_setting(self, passes: VideoAccepted, said: int) -> VideoAccepted | VideoRejected | VideoParked:
        """Return the outcome that the setting gives; `said`: the number of reviews so far."""
        relevance = passes.relevance
        match self._settings.screening:
            case "rules":
                return self._accepted(passes)
            case "review":
                return self._parked(passes, "nothing passes unreviewed")
        least = self._ranking.threshold() if relevance is not None else None
        if self._settings.screening == "automatic":
            if relevance is None or least is None or relevance.score >= least:
                return self._accepted(passes)
            reason = f"its score is {relevance.score:.2f}; from {least:.2f} on talks pass"
            return self._rejected(passes, "not relevant", "; ".join([reason, *relevance.reasons[:3]]))
        if relevance is None:
            return self._parked(passes, "the relevance model cannot be asked")
        if least is None:
            return self._parked(passes, "too little is reviewed for the relevance model to decide")
        if relevance.score >= least and not said:
            return self._accepted(passes)
        return self._parked(passes, f"its score is {relevance.score:.2f}, and from {least:.2f} on talks pass")

    def _relevance(self, video: Video) -> Relevance | None:
        """Return the relevance of a video; None if it is not needed or the model is not available."""
        if self._settings.screening == "rules" and not self._ranking.labels:
            return None
        try:
            return self._ranking.of([video])[0]
        except ModelUnavailable as error:
            log.warning("a video has no score", video=video.video_id, cause=error.cause, cure=error.cure)
            return None

    def _decided(self, video_id: str) -> list[Event]:
        with self._lock:
            ruling = ruled(self._reviews.of(video_id), self._settings.reviewers)
            if ruling.state != "decided":
                return []
            passes, earlier = self._known_as(video_id)
            if passes is None:
                log.info("decided, but not known to screening", video=video_id, verdict=ruling.verdict)
                return []
            passed = earlier is not None and earlier.outcome == "accepted" and not earlier.by_reviewers
            if passed and ruling.verdict == "keep":
                return []
            return [self._as_ruled(passes, ruling)]

    def _known_as(self, video_id: str) -> tuple[VideoAccepted | None, ScreeningRecord | None]:
        """Return the event that would accept a video, and its earlier screening record; None if unknown."""
        earlier = self._screened.get(video_id)
        if earlier is not None:
            return earlier.passes, earlier
        parking = self._lot.get(video_id)
        if parking is None or not _in_review(parking):
            return None, None
        again, parked = parking.again, parking.parked
        return (
            VideoAccepted(
                video=parked.video, media=again.media, captions=again.captions, relevance=parked.relevance
            ),
            None,
        )

    def _as_ruled(
        self, passes: VideoAccepted, ruling: Ruling[VideoReviewed]
    ) -> VideoAccepted | VideoRejected:
        if ruling.verdict == "keep":
            return self._accepted(passes, by_reviewers=True)
        return self._rejected(passes, "not relevant", describe_decision(ruling), by_reviewers=True)

    def _accepted(self, passes: VideoAccepted, *, by_reviewers: bool = False) -> VideoAccepted:
        self._screened.keep(ScreeningRecord(passes, "accepted", by_reviewers))
        return passes

    def _rejected(
        self, passes: VideoAccepted, rule: str, reason: str, *, by_reviewers: bool = False
    ) -> VideoRejected:
        self._screened.keep(ScreeningRecord(passes, "rejected", by_reviewers, f"{rule}: {reason}"))
        return VideoRejected(
            video=passes.video,
            rule=rule,  # type: ignore[arg-type] # one of those that it names
            reason=reason,
            relevance=passes.relevance,
        )

    def _parked(self, passes: VideoAccepted, reason: str) -> VideoParked:
        self._screened.keep(ScreeningRecord(passes, "waiting"))
        parking = self._lot.get(passes.key)
        since = parking.parked.parked_at if parking is not None and _in_review(parking) else self._now()
        return VideoParked(
            video=passes.video,
            state="in review",
            reason=reason,
            parked_at=since,
            relevance=passes.relevance,
        )

    def _duplicate_of(self, video: Video) -> Match | None:
        """Return the accepted video of which this one is clearly a duplicate, or None."""
        keys = self._screened.keys()
        for screening in self._screened.of(keys - self._looked_at):
            self._know(screening)
        self._looked_at |= keys
        while (match := self._known.find(_upload(video), CLEAR)) is not None:
            if (other := self._screened.get(match.video_id)) is not None and other.outcome == "accepted":
                return match
            self._known.forget(match.video_id)  # it has been rejected since
            self._looked_at.discard(self._screened.key(match.video_id))
        return None

    def _know(self, screening: ScreeningRecord) -> None:
        if screening.outcome == "accepted":
            self._known.add(_upload(screening.passes.video))

    def _ranked_anew(self) -> Iterator[Event]:
        """Yield waiting videos whose score changed, and those that no longer have to wait."""
        with self._lock:
            labels = self._ranking.labels
            if labels < max(self._ranked_by + 1, self._ranked_by * GROWN):
                return
            self._ranked_by = labels
            waiting = [each for each in self._lot.all() if _in_review(each)]
            try:
                found = self._ranking.of([each.parked.video for each in waiting])
            except ModelUnavailable as error:
                log.warning("cannot rank waiting videos again", cause=error.cause, cure=error.cure)
                return
            for parking, relevance in zip(waiting, found, strict=True):
                yield from self._with(parking, relevance)

    def _with(self, parking: Parking, relevance: Relevance | None) -> Iterator[Event]:
        parked, before = parking.parked, parking.parked.relevance
        ruling = ruled(self._reviews.of(parked.key), self._settings.reviewers)
        screening = self._screened.get(parked.key)
        if ruling.state == "decided" or (screening is not None and screening.outcome != "waiting"):
            return
        passes = VideoAccepted(
            video=parked.video,
            media=parking.again.media,
            captions=parking.again.captions,
            relevance=relevance,
        )
        outcome = self._by_setting(passes, said=len(ruling.said))
        if not isinstance(outcome, VideoParked):
            yield outcome  # it stays in the lot until it is stored, so that it can be sent again
        elif outcome.reason != parked.reason or _moved(before, relevance):
            yield self._lot.park(outcome, parking.again)

    def _overdue(self) -> Iterator[Event]:
        for parking in self._lot.all():
            if not _in_review(parking):
                continue
            yield from self._decided(parking.parked.key)
            screening = self._screened.get(parking.parked.key)
            if screening is None or screening.by_reviewers:
                continue
            if screening.outcome == "accepted":  # decided, but perhaps not sent
                yield screening.passes
            elif self._settings.screening in ("rules", "automatic"):  # nobody reviews any more
                yield from self._with(parking, parking.parked.relevance)


def describe_decision(ruling: Ruling[VideoReviewed]) -> str:
    """Return the reviewers of a decision and their verdicts, in words.

    Example:
        "anna: tutorial; ben: lecture (slides only)"
    """
    final = "adjudicated by " if ruling.adjudicated is not None else ""
    return "; ".join(
        f"{final}{each.reviewer}: {'keep' if each.verdict == 'keep' else each.talk_kind}"
        + (f" ({each.note})" if each.note else "")
        for each in ruling.deciding
    )


def _moved(before: Relevance | None, now: Relevance | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(_log_odds(before.score) - _log_odds(now.score)) >= SHIFTED


def _log_odds(score: float) -> float:
    inside = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(inside / (1 - inside))


def _in_review(parking: Parking) -> bool:
    return parking.parked.state == "in review"


def _upload(video: Video) -> Upload:
    published = video.published_at.date() if video.published_at else None
    return Upload(
        video.video_id,
        video.title,
        video.channel or video.show,
        published,
        video.duration_s,
        video.speakers,
    )
