"""The whole path in one process: a talk goes in at one end, its themes come out at the other."""

import json
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.processes import AUDIO, TALKS, Study, tables, until

FEW = sorted(TALKS.glob("*.json"))[:6]


@pytest.mark.speech
def test_a_spoken_audio_file_becomes_a_prevalence_row(study: Study) -> None:
    study.run()
    spoken = sorted(AUDIO.glob("*.ogg"))[0]
    handed = study.cli("ingest", str(spoken))
    assert handed.returncode == 0, handed.stderr
    status = study.until_done(1)
    assert status["states"] == {"assigned": 1}
    about = json.loads(spoken.with_suffix(".json").read_text())
    (row,) = [row for row in study.ask("prevalence") if row["theme"] == "Evaluation"]
    counted = {"month": about["published_at"][:7], "theme": "Evaluation", "unfinished": False}
    assert counted.items() | {"videos": 1, "of_videos": 1, "share": 1.0}.items() <= row.items()
    assert row["minutes"] <= about["duration_s"] / 60
    evaluation = next(topic for topic in study.ask("topics") if topic["name"] == "Evaluation")
    quotes = study.api(f"quotes?topic_id={evaluation['topic_id']}")
    assert quotes[0]["video_id"] == about["id"]
    assert quotes[0]["speakers"] == ["SPEAKER_00", "SPEAKER_01"]
    assert 0 <= quotes[0]["start_s"] < quotes[0]["end_s"] <= about["duration_s"]


@pytest.mark.long
def test_talks_flow_restart_resumes_and_nothing_is_done_twice(study: Study, tmp_path: Path) -> None:
    # Handed in while nothing runs: kept in the outbox.
    before = study.cli("ingest", str(FEW[0]))
    assert before.returncode == 0, before.stderr
    assert "processed when groundswell run starts" in before.stderr
    process = study.run()
    assert study.cli("ingest", *map(str, FEW[1:])).returncode == 0
    status = study.until_done(6)
    assert status["states"] == {"assigned": 6}
    study.until_settled()
    assert process.stop(signal.SIGINT, 10) == 130  # clean, within 10 s
    first = dict(tables(study.home, study.name))
    assert len(first["assignments"]) == len(first["paragraphs"]) >= 6

    # The broker forgot everything; the same talks again change no table.
    process = study.run()
    assert study.cli("ingest", *map(str, FEW)).returncode == 0
    study.until_done(6)
    time.sleep(3)  # the same talks are on their way
    study.until_settled()
    assert process.stop(signal.SIGTERM, 10) == 0
    assert dict(tables(study.home, study.name)) == first

    # kill -9 in the middle of new talks; what was unfinished goes on by itself.
    process = study.run()
    more = sorted(TALKS.glob("*.json"))[6:14]
    assert study.cli("ingest", *map(str, more)).returncode == 0
    until(lambda: len(study.api("status")["states"]) > 1, 0.05)
    process.kill()
    process = study.run()
    assert study.until_done(14)["states"] == {"assigned": 14}
    study.until_settled()
    assert process.stop() == 0
    killed = dict(tables(study.home, study.name))

    # The same fourteen in an undisturbed study.
    calm = Study(tmp_path / "calm", study.name)
    try:
        process = calm.run()
        assert calm.cli("ingest", *map(str, [*FEW, *more])).returncode == 0
        calm.until_done(14)
        calm.until_settled()
        assert process.stop() == 0
    finally:
        calm.end()
    undisturbed = dict(tables(calm.home, calm.name))
    for table in ("paragraphs", "transcripts", "assignments", "topics", "video_topics", "progress"):
        assert killed[table] == undisturbed[table], table


BAD = {
    "corrupt.m4a": b"\x00\x01 this is no recording" * 100,
    "empty.ogg": b"",
    "page.mp4": b"<!doctype html><html><body>Not found</body></html>",
    "not-a-transcript.vtt": b"<!doctype html><html><body>Sign in</body></html>",
    "no-segments.json": b'{"id": "x1", "title": "t", "published_at": "2025-01-02"}',
    "broken.json": b'{"id": "x2", "segments": [',
    "wordless.srt": b"1\n00:00:00,000 --> 00:00:02,000\n\n",
}
REFUSED = ("broken.json", "corrupt.m4a", "empty.ogg", "page.mp4", "video-without-audio.mp4")
"""Files whose defect shows when they are handed in; the others have bad contents."""


@pytest.mark.long
def test_each_bad_input_is_one_dead_letter_and_the_rest_flows(study: Study, tmp_path: Path) -> None:
    files = tmp_path / "bad"
    files.mkdir()
    for name, content in BAD.items():
        (files / name).write_bytes(content)
    _silence(files / "silent.wav")
    _picture(files / "video-without-audio.mp4")
    # A good talk whose file disappears between handing in and processing.
    assert study.cli("ingest", str(FEW[1])).returncode == 0
    (captions,) = (study.home / "studies" / study.name / "blobs" / "inbox").glob("*.json")
    kept = captions.rename(tmp_path / "kept.json")
    study.run()
    handed = study.cli("ingest", "--published-at", "2025-01-02", str(files), str(FEW[0]))
    assert handed.returncode == 1, handed.stderr
    refused = [line for line in handed.stderr.splitlines() if line.startswith("refused ")]
    assert sorted(line.split()[1].rstrip(":") for line in refused) == sorted(REFUSED), handed.stderr
    passed = set(BAD) | {"silent.wav", "video-without-audio.mp4"}
    passed -= set(REFUSED)
    status = study.until_done(len(passed) + 2)
    assert status["states"]["assigned"] == 1
    letters = study.ask("dead-letters", "list")
    assert len(letters) == len(passed) + 1, letters
    assert len({letter["video_id"] for letter in letters}) == len(letters)
    assert all(letter["cause"] and letter["cure"] for letter in letters)
    causes = "\n".join(letter["cause"] for letter in letters)
    assert "silent" in causes, causes

    # A cause that is mended: the talk's file was gone and is put back. Replayed, it is done exactly once.
    letter = next(each for each in letters if "is not in" in each["cause"])
    shown = study.cli("dead-letters", "show", letter["letter_id"][:8])
    assert shown.returncode == 0, shown.stderr
    assert letter["cause"] in shown.stdout
    kept.rename(captions)
    for _ in range(2):
        replayed = study.cli("dead-letters", "replay", letter["letter_id"][:8])
        assert replayed.returncode == 0, replayed.stderr
    until(lambda: study.api("status")["states"]["assigned"] == 2)
    assert letter["letter_id"] not in {each["letter_id"] for each in study.ask("dead-letters", "list")}
    dropped = study.cli("dead-letters", "drop", "--all")
    assert dropped.returncode == 0, dropped.stderr
    until(lambda: study.api("status")["dead_letters"] == 0)
    assert len(study.ask("dead-letters", "list", "--settled")) == len(letters)


@pytest.mark.long
def test_a_process_at_rest_is_small(study: Study) -> None:
    """Only private memory counts: pages of libraries and weights that are mapped from files can be dropped at
    any time, and the kernel chooses how many of them count as resident (0.8 to 1.0 GB of them were seen)."""
    process = study.run(cold=True)
    assert study.cli("ingest", *map(str, FEW)).returncode == 0
    study.until_done(len(FEW))
    time.sleep(2)
    family = [psutil.Process(process.popen.pid), *psutil.Process(process.popen.pid).children(recursive=True)]
    own = sum(member.memory_info().rss - member.memory_info().shared for member in family)
    assert own < 0.9e9, f"{own / 1e9:.2f} GB of its own, with topic and embedding models loaded"


def _silence(path: Path) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16_000 * 5))


def _picture(path: Path) -> None:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
