"""Tests of log output: as JSON, every line of a process is an object with a time in UTC."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

PROCESS = """
import logging, sys, threading, traceback, warnings
import structlog
from streams.log_output import capture_output, configure_logging, format_of
from streams.settings import Settings

configure_logging(format_of(Settings()))
capture_output()
structlog.get_logger().info("ours", talk="abc")
logging.getLogger("faust.app").critical("faust stopped %s", "itself")
logging.getLogger("faust.app").warning("not shown")
logging.getLogger("alembic").error("a library's error", exc_info=ValueError("in it"))
print("printed")
print("two lines\\nin one", file=sys.stderr)
warnings.warn("deprecated", stacklevel=1)
failing = threading.Thread(target=lambda: 1 / 0)
failing.start()
failing.join()
raise LookupError("nobody catches me")
"""


def said(**environment: str) -> tuple[str, str]:
    """Return what a process wrote to stdout and stderr."""
    ended = subprocess.run(
        [sys.executable, "-c", PROCESS],
        env={"TZ": "Asia/Tokyo", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    return ended.stdout, ended.stderr


def test_as_json_every_line_is_an_object_in_utc() -> None:
    stdout, stderr = said(GROUNDSWELL_LOG_JSON="true")
    assert stdout == "", "nothing is written beside the log"
    lines: list[dict[str, Any]] = [json.loads(line) for line in stderr.splitlines()]
    for line in lines:
        at = datetime.fromisoformat(line["timestamp"])
        assert abs(at - datetime.now(UTC)) < timedelta(minutes=5), "not the local time"
    by_event = {line["event"]: line for line in lines}
    assert by_event["ours"] == {
        "event": "ours", "talk": "abc", "level": "info", "timestamp": by_event["ours"]["timestamp"]
    }  # fmt: skip
    assert by_event["faust stopped itself"]["logger"] == "faust.app"
    assert "ValueError: in it" in by_event["a library's error"]["exception"]
    assert by_event["printed"]["printed_to"] == "stdout"
    assert by_event["two lines\nin one"]["printed_to"] == "stderr"
    assert "deprecated" in next(line["event"] for line in lines if line.get("logger") == "py.warnings")
    uncaught = [line["exception"] for line in lines if line["event"] == "uncaught exception"]
    assert ["ZeroDivisionError" in each for each in uncaught] == [True, False]
    assert "LookupError: nobody catches me" in uncaught[1]
    assert len(lines) == 8


def test_as_text_what_is_printed_stays_as_it_is() -> None:
    stdout, stderr = said()
    assert stdout == "printed\n"
    assert "two lines\nin one\n" in stderr
    assert f"{datetime.now(UTC):%Y-%m-%d %H:}" in stderr or datetime.now(UTC).minute < 2
