"""groundswell transcript: the command exports captions that were handed in and stored by the real agent."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from event_factories import MODEL, numbers, seen, topic, video
from typer.testing import CliRunner, Result

from agents.cli import app
from agents.consumer.consumer import Position
from agents.transcription.transcribe import Transcribe
from models.transcripts.captions import parse
from models.transcripts.transcript import Transcript
from streams import events as e
from streams.errors import DataError
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import writer
from streams.store.warehouse import Warehouse
from tests.conftest import Hold

TALK = "youtube:a/b"
VTT = b"""WEBVTT
Language: en

00:00:01.000 --> 00:00:04.000
<v Ann Lee>We run agents in production.

00:00:05.000 --> 00:00:07.500
<v Bo>At what cost &lt; value?
"""
LATER = VTT.replace(b"agents", b"many agents")


class Reader:
    """A user at the command line of a study that is not running."""

    def __init__(self, home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> None:
        self.settings = Settings(home=home, study=f"transcript_{next(numbers)}")
        self.blobs = Blobs(self.settings.blobs_url)
        self.folder = folder
        monkeypatch.setenv("GROUNDSWELL_HOME", str(home))
        monkeypatch.setenv("GROUNDSWELL_STUDY", self.settings.study)
        monkeypatch.setenv("COLUMNS", "400")
        hold(self.settings)
        rejected = e.VideoRejected(video=video("tutorial"), rule="language", reason="it is spoken in 'de'")
        self.happens(seen(video(TALK)), seen(video("unheard")), seen(video("tutorial")), rejected)

    def happens(self, *events: e.Event) -> None:
        with Warehouse(self.settings) as warehouse:
            writer.write(warehouse, [row for event in events for row in writer.rows_of(event)])

    def transcribed(self, captions: bytes) -> str:
        """Let the agent transcribe the talk from captions; return the transcript's version."""
        blob = self.blobs.put(f"captions/{len(captions)}.vtt", captions)
        agent = Transcribe(self.settings, self.blobs, _no_models, self.folder)
        stored = e.AudioStored(video=video(TALK), captions=blob)
        (event,) = asyncio.run(agent.handle(stored, Position("log", "audio.stored", 0, 0)))
        assert isinstance(event, e.TranscriptReady)
        self.happens(event)
        return event.transcript_version

    def learned(self, version: str) -> None:
        """Make a transcript the one that counts."""
        assigned = e.AssignedParagraph(
            paragraph_id=e.paragraph_id(TALK, version, 0), topic_id=1, probability=0.5
        )
        paragraph = writer.paragraph_row(
            TALK,
            version,
            0,
            paragraph_id=assigned.paragraph_id,
            start_s=1.0,
            end_s=7.5,
            text="We run agents",
            speakers=["Ann Lee"],
            tokens=7,
        )
        event = e.ParagraphsAssigned(
            video=video(TALK),
            video_index=0,
            model_version=MODEL,
            transcript_version=version,
            sequence=1,
            assignments=(assigned,),
        )
        with Warehouse(self.settings) as warehouse:
            writer.write(warehouse, [paragraph, *writer.rows_of(topic(1)), *writer.rows_of(event)])

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["transcript", *words])

    def reads(self, *words: str) -> str:
        answer = self.types(TALK, *words)
        assert answer.exit_code == 0, answer.output
        return answer.stdout


def _no_models() -> Any:
    raise AssertionError("captions need no speech models")


@pytest.fixture
def reader(chdb_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> Reader:
    return Reader(chdb_home, tmp_path, monkeypatch, hold)


def test_a_talk_is_read_and_watched(reader: Reader, tmp_path: Path) -> None:
    version = reader.transcribed(VTT)
    assert reader.reads() == "Ann Lee: We run agents in production.\n\nBo: At what cost < value?\n"
    assert reader.reads("--times").startswith("[00:00:01] Ann Lee: We run")
    assert reader.reads("--format", "vtt").encode() == VTT
    assert reader.reads("--format", "srt").endswith(
        "2\n00:00:05,000 --> 00:00:07,500\nBo: At what cost &lt; value?\n"
    )
    kept = reader.reads("--format", "json")
    assert Transcript.model_validate_json(kept).segments[0].speaker == "Ann Lee"
    assert json.loads(kept)["made_by"] == {"captions": "captions-1"}
    assert kept.encode() == reader.blobs.get(f"transcripts/{e.stable_id(TALK)}/{version}.json")

    file = tmp_path / "talk.SRT"
    answer = reader.types(TALK, "--out", str(file))
    assert answer.exit_code == 0, answer.output
    assert answer.stdout == ""
    assert f"Talk {TALK}, transcript {version}: {file}" in answer.stderr
    assert [each.text for each in parse(file.read_bytes(), "talk.srt").segments] == [
        "Ann Lee: We run agents in production.",
        "Bo: At what cost < value?",
    ]


def test_the_transcript_that_counts_is_meant(reader: Reader) -> None:
    first, second = reader.transcribed(VTT), reader.transcribed(LATER)
    several = reader.types(TALK)
    assert several.exit_code == 2
    assert "none counts yet" in several.stderr and first in several.stderr and second in several.stderr
    reader.learned(second)
    assert "many agents" in reader.reads()
    assert "many agents" not in reader.reads("--version", first)
    assert "many agents" not in reader.reads("--version", first[: len("captions-1-") + 6])
    for wrong, why in (("captions", "2 versions begin"), ("whisper", "no version begins")):
        answer = reader.types(TALK, "--version", wrong)
        assert answer.exit_code == 2
        assert f"{why} with '{wrong}'" in answer.stderr
        assert f"{second} (counts)" in answer.stderr


def test_what_cannot_be_shown_says_why(reader: Reader, tmp_path: Path) -> None:
    unknown = reader.types("youtube:a/c")
    assert unknown.exit_code == 2
    assert (
        f"there is no talk 'youtube:a/c': see groundswell videos list, or /talks. Did you mean {TALK}?"
        in unknown.stderr
    )
    for talk, why in (
        ("unheard", "it is seen"),
        ("tutorial", "it is rejected (language: it is spoken in 'de')"),
    ):
        answer = reader.types(talk)
        assert isinstance(answer.exception, DataError)
        assert why in answer.exception.cause
        assert "groundswell videos waiting" in answer.exception.cure

    version = reader.transcribed(VTT)
    file = tmp_path / "talk.txt"
    file.write_text("mine")
    there = reader.types(TALK, "--out", str(file))
    assert there.exit_code == 2
    assert "--force" in there.stderr
    assert file.read_text() == "mine"
    assert reader.types(TALK, "--out", str(file), "--force").exit_code == 0
    assert file.read_text().startswith("Ann Lee: ")
    nowhere = reader.types(TALK, "--out", str(tmp_path / "no" / "talk.txt"))
    assert isinstance(nowhere.exception, DataError)
    assert "No such file or directory" in nowhere.exception.cause
    assert reader.types(TALK, "--format", "vtt", "--times").exit_code == 2

    key = f"transcripts/{e.stable_id(TALK)}/{version}.json"
    reader.blobs.put(key, b'{"language": "en"}')
    damaged = reader.types(TALK)
    assert isinstance(damaged.exception, DataError)
    assert "damaged" in damaged.exception.cause
    reader.blobs.delete(key)
    lost = reader.types(TALK)
    assert isinstance(lost.exception, DataError)
    assert "imported" in lost.exception.cure
