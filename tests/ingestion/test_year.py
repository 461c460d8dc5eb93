"""Tests of the benchmark that simulates a year of discovery, on a shorter period."""

from pathlib import Path

import pytest

from benchmarks.year import simulate

pytestmark = pytest.mark.long


def test_whatever_breaks_every_upload_is_found_once(tmp_path: Path) -> None:
    """Hub, feeds and YouTube fail in turn, and the process is killed every week."""
    found = simulate(sources=3, count=24, days=35, seed=5, home=tmp_path)
    assert found["kills"] >= 3
    assert found["looks_paused"] > 0, "YouTube took us for a bot"
    assert (found["found"], found["missed"], found["unknown"], found["stored_twice"]) == (24, 0, 0, 0)
    assert found["within_limit"]
    lanes = found["first_by_lane"]
    assert lanes["push"]["median_s"] < 60
    assert sum(lane["videos"] for lane in lanes.values()) == 24 - 3, "three were there before"
