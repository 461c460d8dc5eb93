"""Reports the progress of a transcription: a note beside the blobs, and metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from models.speech.transcriber import Done
from streams.events import Video
from streams.state.blobs import Blobs
from streams.state.progress import Board, Progress, Step
from streams.telemetry import TRANSCRIBED, TRANSCRIBING, TRANSCRIBING_LEFT

EVERY_S = 20.0
"""Interval at which unchanged progress is reported again (seconds), to show that the worker is alive."""


class Reporting:
    """Reports the progress of one talk during a `with` block. `tell` may be called from any thread."""

    def __init__(self, blobs: Blobs, video: Video, now: Callable[[], float]) -> None:
        """Keep the dependencies; `now`: the wall clock, seconds."""
        self._board = Board(blobs)
        self._video = video
        self._now = now
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._step: Step = "decoding"
        self._done: Done | None = None
        self._began = self._now_utc()

    def __enter__(self) -> Self:
        self._say()
        threading.Thread(target=self._repeat, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with self._lock:  # no report comes after it
            self._board.wipe(self._video.video_id)
        for gauge in (TRANSCRIBING, TRANSCRIBING_LEFT):
            with suppress(KeyError):
                gauge.remove(self._video.video_id)

    def tell(self, done: Done) -> None:
        """Report the progress so far."""
        if self._done is None:  # decoding and waiting do not count for the speed
            self._began = self._now_utc()
        before = max(self._done.done_s if self._done else 0.0, done.resumed_s)
        TRANSCRIBED.inc(max(0.0, done.done_s - before))
        self._step, self._done = done.step, done
        self._say()

    def _repeat(self) -> None:
        while not self._over.wait(EVERY_S):
            self._say()

    def _say(self) -> None:
        done = self._done
        progress = Progress(
            video_id=self._video.video_id,
            title=self._video.title,
            step=self._step,
            done_s=done.done_s if done else 0.0,
            total_s=done.total_s if done else self._video.duration_s,
            resumed_s=done.resumed_s if done else 0.0,
            began_at=self._began,
            said_at=self._now_utc(),
        )
        with self._lock:
            if self._over.is_set():
                return
            self._board.say(progress)
            if progress.share is not None:
                TRANSCRIBING.labels(self._video.video_id).set(progress.share)
            if progress.remaining_s is not None:
                TRANSCRIBING_LEFT.labels(self._video.video_id).set(progress.remaining_s)
            elif self._step == "finding speakers":
                with suppress(KeyError):
                    TRANSCRIBING_LEFT.remove(self._video.video_id)

    def _now_utc(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)
