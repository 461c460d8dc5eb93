"""The benchmark of sizes multiplies what was measured, and says which agent divides a study."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sizing import Load, lines, main, needs, read, seconds_of, studies
from streams.errors import DataError

LOAD = Load(talks_a_day=10_000, minutes=30, speech_speed=10, busy=0.5)


def report(**seconds: float) -> dict[str, Any]:
    """A hundred talks of half an hour; each agent took so many seconds for all of them."""
    stages = {name: {"events": 100, "handling_s": each, "settling_s": 0.0} for name, each in seconds.items()}
    return {"talks": 100, "hours": 50, "bytes": {"database": 5_000_000}, "stages": stages}


def test_workers_follow_from_seconds_and_the_share_of_a_day() -> None:
    seconds = seconds_of(report(discover=0.0, transcribe=0.0, split=864.0, track=86.4), LOAD)
    assert seconds == pytest.approx({"transcribe": 180, "split": 8.64, "track": 0.864})
    assert list(seconds) == ["transcribe", "split", "track"]
    found = {need.agent: need for need in needs(seconds, LOAD)}
    assert found["split"].workers == 2, "10,000 x 8.64 s are a day, of which a worker works half"
    assert found["track"].workers == 1
    assert found["transcribe"].workers == 42


def test_talks_twice_as_long_take_twice_as_much() -> None:
    longer = Load(LOAD.talks_a_day, 2 * LOAD.minutes, LOAD.speech_speed, LOAD.busy)
    measured = report(transcribe=0.0, split=8.0, store=4.0)
    once, twice = (seconds_of(measured, load) for load in (LOAD, longer))
    assert twice == pytest.approx({agent: 2 * each for agent, each in once.items()})
    assert "- database: 500.0 MB a day" in list(lines(measured, LOAD))
    assert "- database: 1.0 GB a day" in list(lines(measured, longer))


def test_the_busiest_agent_with_one_process_divides_the_study() -> None:
    measured = report(transcribe=0.0, split=9999.0, track=200.0, store=500.0)
    found = needs(seconds_of(measured, LOAD), LOAD)
    assert studies(found) == (2, "store")
    table = list(lines(measured, LOAD))
    assert "| `track` | 2 | 900 | 1 in each of 2 studies |" in table
    assert "- studies: 2; of the agents with one process, `store` has the most to do" in table


@pytest.mark.parametrize(
    ("content", "cause"),
    [(None, "cannot be read"), ("prose", "cannot be read"), ("[1]", "not a report"), ("{}", "not a report")],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str | None, cause: str) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=cause) as refused:
        read(path)
    assert "pipeline.py" in refused.value.cure


def test_a_report_of_no_talks_is_refused_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report(split=1.0) | {"talks": 0}))
    assert main([str(path), "--speech-speed", "10"]) != 0
    assert "a report of no talks" in capsys.readouterr().err
