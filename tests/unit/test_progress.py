"""A transcription's progress, in figures and in words; a silent worker is not shown as being at work."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from agents.transcription.progress_view import how_far
from streams.state.blobs import Blobs
from streams.state.progress import Board, Progress

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def progress(video_id: str = "a", took_s: float = 300, **given: object) -> Progress:
    talk = {"video_id": video_id, "title": "A talk", "step": "transcribing"}
    times = {"began_at": NOON, "said_at": NOON + timedelta(seconds=took_s)}
    return Progress.model_validate(talk | times | {"done_s": 1200.0, "total_s": 3600.0} | given)


def test_speed_and_what_is_left_count_what_this_attempt_did() -> None:
    fresh, resumed = progress(), progress(resumed_s=600)
    assert (fresh.share, fresh.speed, fresh.remaining_s) == (1 / 3, 4.0, 600.0)
    assert (resumed.share, resumed.speed, resumed.remaining_s) == (1 / 3, 2.0, 1200.0)


def test_nothing_is_said_of_a_speed_that_is_not_known() -> None:
    begun = progress(done_s=0)
    assert (begun.share, begun.speed, begun.remaining_s) == (0.0, None, None)
    assert progress(total_s=None).share is None
    assert progress(done_s=600, resumed_s=600).speed is None


def test_nothing_is_complete_while_speakers_are_searched(tmp_path: Path) -> None:
    searching = progress(step="finding speakers", done_s=3600.0)
    assert (searching.share, searching.speed, searching.remaining_s) == (None, 12.0, None)
    Board(Blobs(str(tmp_path))).say(searching)
    (row,) = how_far(Blobs(str(tmp_path)), NOON + timedelta(seconds=310))
    assert row["said"] == "finding speakers, all 1:00:00 are transcribed, 12.0 × real time"
    assert row["share"] is None


def test_the_board_says_who_is_at_work_until_it_is_done(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    board = Board(blobs)
    assert how_far(blobs, NOON) == []
    board.say(progress("late", began_at=NOON + timedelta(seconds=60)))
    board.say(progress("early", done_s=0))
    board.say(progress("early"))
    rows = how_far(blobs, NOON + timedelta(seconds=310))
    assert [row["video_id"] for row in rows] == ["early", "late"]
    assert rows[0]["said"] == "transcribing, 33% of 1:00:00, 4.0 × real time, 10:00 left"
    board.wipe("early")
    assert [each.video_id for each in board.all()] == ["late"]


def test_a_silent_worker_is_not_taken_for_one_at_work(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    Board(blobs).say(progress())
    (row,) = how_far(blobs, NOON + timedelta(seconds=300 + 125))
    assert row["stale"]
    assert row["said"] == "stopped 2:05 ago; it resumes when a worker runs"


def test_a_note_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    blobs.put("progress/damaged.json", b"{")
    Board(blobs).say(progress())
    assert [each.video_id for each in Board(blobs).all()] == ["a"]
