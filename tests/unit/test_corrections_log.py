"""Corrections are kept for good, and their effect does not depend on the order they are read in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import DataError
from streams.events import VideoCorrected
from streams.logs.corrections import Corrections, active
from streams.state.blobs import Blobs

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def corrected(video_id: str, what: Any, minutes: int, day: int | None = None) -> VideoCorrected:
    return VideoCorrected(
        video_id=video_id,
        what=what,
        published_at=datetime(2024, 1, day, tzinfo=UTC) if day else None,
        reason="ü; it's wrong",
        author="ann",
        corrected_at=NOON + timedelta(minutes=minutes),
    )


@pytest.fixture
def log(tmp_path: Path) -> Corrections:
    return Corrections(Blobs(str(tmp_path)))


def test_what_is_kept_is_there_for_the_next_process_oldest_first(tmp_path: Path, log: Corrections) -> None:
    kept = [corrected("b", "withdrawn", 2), corrected("a", "redated", 1, 31), corrected("b", "restored", 0)]
    for event in kept:
        log.append(event)
    assert Corrections(Blobs(str(tmp_path))).events() == kept[::-1]


def test_keeping_a_correction_twice_is_keeping_it_once(log: Corrections) -> None:
    log.append(corrected("a", "withdrawn", 1))
    log.append(corrected("a", "withdrawn", 1))
    assert log.events() == [corrected("a", "withdrawn", 1)]


def test_a_study_without_corrections_has_none(log: Corrections) -> None:
    assert log.events() == []
    assert active([], "a").withdrawal is None
    assert active([], "a").redating is None


def test_a_damaged_correction_is_said_and_not_passed_over(tmp_path: Path, log: Corrections) -> None:
    """Skipping the damaged correction would let a withdrawn talk count."""
    log.append(corrected("a", "withdrawn", 1))
    file = next((tmp_path / Corrections.folder).iterdir())
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError, match="not JSON"):
        log.events()


STORY = [
    corrected("a", "withdrawn", 1),
    corrected("a", "redated", 2, 30),
    corrected("a", "restored", 3),
    corrected("a", "redated", 4, 31),
    corrected("b", "withdrawn", 5),
    corrected("a", "withdrawn", 6),
]


@given(events=st.permutations([*STORY, *STORY[:3]]))
def test_the_latest_of_a_kind_holds_in_whatever_order_they_come(events: list[VideoCorrected]) -> None:
    assert active(events, "a").withdrawal == STORY[5]
    assert active(events, "a").redating == STORY[3]
    assert active(events, "b").withdrawal == STORY[4]
    assert active(events, "b").redating is None


def test_a_restored_talk_keeps_its_right_date() -> None:
    assert active(STORY[:3], "a").withdrawal is None
    assert active(STORY[:3], "a").redating == STORY[1]
