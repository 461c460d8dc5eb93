"""No input stops a study for good: poison among good talks, through real processes."""

import json
import time
from pathlib import Path

import pytest

from tests.processes import TALKS, Process, Study, until

pytestmark = pytest.mark.long

GOOD = sorted(TALKS.glob("*.json"))[0]
FAULT = """
# Read by Python at every start: errors that nobody has found yet, in Python and in native code by turns.
import faulthandler, pathlib, sys
if "agents.cli" in sys.argv or any("agents" in each for each in sys.orig_argv):
    from models.transcripts import splitting
    whole = splitting.Splitter.split
    def split(self, transcript):
        if "POISON" in transcript.segments[0].text:
            deaths = pathlib.Path(__file__).with_suffix(".deaths")
            with deaths.open("a") as each:
                each.write("x")
            if deaths.stat().st_size % 2 == 0:
                faulthandler._sigsegv()
            raise TypeError("detect(): incompatible function arguments")
        return whole(self, transcript)
    splitting.Splitter.split = split
"""


def talk(folder: Path, name: str, text: str, published_at: str = "2025-03-04", title: str = "") -> Path:
    path = folder / f"{name}.json"
    words = "We run agents in production, and this is what they cost us every single day. " * 4
    segments = [{"text": text}, {"text": words}]
    path.write_text(json.dumps({"title": title or name, "published_at": published_at, "segments": segments}))
    return path


def ended(process: Process) -> bool:
    try:
        until(lambda: not process.alive)
    except AssertionError:
        return False
    return True


def test_a_talk_that_ends_the_process_ends_it_three_times(study: Study, tmp_path: Path) -> None:
    code = tmp_path / "fault"
    code.mkdir()
    (code / "sitecustomize.py").write_text(FAULT)
    poison = talk(tmp_path, "poison", "POISON")
    study.environment["PYTHONPATH"] = str(code)
    for each in (poison, GOOD):
        assert study.cli("ingest", str(each)).returncode == 0
    for _ in range(3):
        process = study.start("run")
        assert ended(process), process.said()[-3000:]
        assert "bug of groundswell" not in process.said()
    process = study.run()
    assert study.until_done(2)["dead_letters"] == 1
    assert study.api("status")["states"]["assigned"] == 1
    (letter,) = study.ask("dead-letters", "list")
    assert (letter["agent"], letter["video_id"][:5]) == ("split", "file-")
    assert letter["cause"].startswith("groundswell failed on this three times (")
    shown = study.cli("dead-letters", "show", letter["letter_id"])
    assert "agents/topics/split.py" in shown.stdout
    assert process.stop() == 0

    # The mended version takes the talk when the dead letter is replayed.
    del study.environment["PYTHONPATH"]
    process = study.run()
    assert study.cli("dead-letters", "replay", "--all").returncode == 0
    until(lambda: study.api("status")["states"].get("assigned", 0) == 2)
    assert study.api("status")["dead_letters"] == 0
    assert process.stop() == 0
    assert not list((study.home / "studies" / study.name / "blobs" / "attempts").rglob("*.json"))


def test_half_characters_and_impossible_dates_stop_nothing(study: Study, tmp_path: Path) -> None:
    process = study.run()
    half = talk(tmp_path, "half", "Half a \ud83d character", title="half \ud83d\x1b[2J")
    far = talk(tmp_path, "far", "Far away", "9999-12-31T23:59:59-10:00")
    old = talk(tmp_path, "old", "Long ago", "1969-12-31")
    handed = study.cli("ingest", str(half), str(far), str(old), str(GOOD))
    assert handed.returncode == 1
    assert "half �[2J" in handed.stdout
    assert handed.stderr.count("lies outside of 1970-01-01 to 2149-06-06") == 2
    assert study.until_done(2)["states"] == {"assigned": 2}
    # What a version without these bounds has queued or kept is a dead letter, once, at every start.
    outbox = study.home / "studies" / study.name / "blobs" / "outbox"
    kept = next(content for each in outbox.iterdir() if b"2025-03-04" in (content := each.read_bytes()))
    kept = kept.replace(b"2025-03-04T00:00:00Z", b"9999-12-31T00:00:00Z").replace(b"file-", b"kept-")
    (outbox / f"{'0' * 32}.json").write_bytes(kept)
    for _ in range(2):
        assert process.alive
        assert process.stop() == 0
        process = study.run()
        until(lambda: study.api("status")["dead_letters"] >= 1)
        time.sleep(1)
        (letter,) = study.ask("dead-letters", "list")
        assert "9999-12-31" in letter["cause"]
    assert study.api("status")["states"] == {"assigned": 2}
    assert process.stop() == 0
