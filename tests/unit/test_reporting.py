"""Reports during a transcription: a progress note, and metrics that end with the talk."""

from pathlib import Path

from prometheus_client import REGISTRY

from agents.transcription.progress_reporter import Reporting
from models.speech.transcriber import Done
from streams.events import Video
from streams.state.blobs import Blobs
from streams.state.progress import Board

VIDEO = Video(video_id="a", title="A talk", duration_s=100.0)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_750_000_000.0

    def __call__(self) -> float:
        return self.seconds


def metric(name: str) -> float | None:
    labels = {"video": "a"} if name.startswith("groundswell_transcribing") else {}
    return REGISTRY.get_sample_value(name, labels)


def test_progress_is_reported_and_taken_back_when_done(tmp_path: Path) -> None:
    clock, board = Clock(), Board(Blobs(str(tmp_path)))
    transcribed = metric("groundswell_transcribed_seconds_total") or 0.0
    with Reporting(Blobs(str(tmp_path)), VIDEO, clock) as reporting:
        (decoding,) = board.all()
        assert (decoding.step, decoding.total_s, decoding.share) == ("decoding", 100.0, 0.0)
        clock.seconds += 50  # it waits for another talk: that says nothing of its speed
        reporting.tell(Done("transcribing", 20.0, 98.0, resumed_s=20.0))
        clock.seconds += 10
        reporting.tell(Done("transcribing", 60.0, 98.0, resumed_s=20.0))
        (half,) = board.all()
        assert (half.step, half.speed, half.remaining_s) == ("transcribing", 4.0, 9.5)
        assert metric("groundswell_transcribing_ratio") == 60 / 98
        assert metric("groundswell_transcribing_left_seconds") == 9.5
        reporting.tell(Done("finding speakers", 98.0, 98.0, resumed_s=20.0))
        assert metric("groundswell_transcribing_ratio") == 60 / 98, "not 1 while speakers are searched"
        assert metric("groundswell_transcribing_left_seconds") is None
    assert board.all() == []
    assert metric("groundswell_transcribing_ratio") is None
    assert metric("groundswell_transcribing_left_seconds") is None
    assert metric("groundswell_transcribed_seconds_total") == transcribed + 78.0


def test_a_talk_that_fails_leaves_no_note(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    try:
        with Reporting(blobs, VIDEO, Clock()):
            raise ValueError("the disk is full")
    except ValueError:
        pass
    assert Board(blobs).all() == []
