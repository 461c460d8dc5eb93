"""Progress of transcriptions as rows and in words, for the page, the command line and JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.queries.media_links import clock
from streams.state.blobs import Blobs
from streams.state.progress import STALE_S, Board, Progress


def how_far(blobs: Blobs, now: datetime) -> list[dict[str, Any]]:
    """Return the progress of each talk that is being transcribed, in the order in which they began.

    Returns:
        Rows {video_id, title, step, share, speed, remaining_s, stale, said}. share: of the recording, 0 to 1;
        speed: times real time; both, and remaining_s (seconds), None until they are known. stale: its worker
        has not reported for a while. said: the progress in words.
    """
    return [_row(progress, now) for progress in Board(blobs).all()]


def _row(progress: Progress, now: datetime) -> dict[str, Any]:
    quiet_s = (now - progress.said_at).total_seconds()
    stale = quiet_s > STALE_S
    return {
        "video_id": progress.video_id,
        "title": progress.title,
        "step": progress.step,
        "share": progress.share,
        "speed": progress.speed,
        "remaining_s": progress.remaining_s,
        "stale": stale,
        "said": _stopped(quiet_s) if stale else _said(progress),
    }


def _said(progress: Progress) -> str:
    told: list[str] = [progress.step]
    if progress.total_s and progress.step == "transcribing":
        told.append(f"{progress.share or 0:.0%} of {clock(progress.total_s)}")
    if progress.total_s and progress.step == "finding speakers":
        told.append(f"all {clock(progress.total_s)} are transcribed")
    if progress.speed:
        told.append(f"{progress.speed:.1f} × real time")
    if progress.remaining_s:
        told.append(f"{clock(progress.remaining_s)} left")
    return ", ".join(told)


def _stopped(quiet_s: float) -> str:
    return f"stopped {clock(quiet_s)} ago; it resumes when a worker runs"
