"""Retranscription after a change of the model: which events are sent, and which talks are skipped."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.acquisition.audio_retention import retain
from agents.transcription.retranscribe import Retranscriber
from models.errors import BadInput
from streams.events import AudioStored, Blob, Video, VideoAccepted, stable_id
from streams.logs.screening_log import Outcome, ScreeningLog, ScreeningRecord
from streams.state.blobs import Blobs
from streams.talks.transcripts import key_of, version_of

JUNE = datetime(2025, 6, 1, tzinfo=UTC)


class Archive:
    """Talks in the blob store as fetch and transcribe store them."""

    def __init__(self, folder: Path) -> None:
        self.blobs = Blobs(str(folder))
        self.model = "whisper-base"

    def accepted(
        self,
        video_id: str,
        outcome: Outcome = "accepted",
        media: Blob | None = None,
        captions: Blob | None = None,
    ) -> Video:
        video = Video(video_id=video_id, title=f"Talk {video_id}", published_at=JUNE)
        passes = VideoAccepted(video=video, media=media, captions=captions)
        ScreeningLog(self.blobs).keep(
            ScreeningRecord(passes, outcome, said="" if outcome == "accepted" else "too short")
        )
        return video

    def fetched(self, video_id: str) -> Blob:
        self.accepted(video_id)
        talk = stable_id(video_id)
        audio = self.blobs.put(f"audio/{talk}.m4a", video_id.encode())
        entry = audio.model_dump() | {"duration_s": 60.0, "stored_at": JUNE.isoformat()}
        self.blobs.put(f"audio/{talk}.json", json.dumps(entry).encode())
        return audio

    def transcribed(self, video_id: str, audio: Blob) -> None:
        self.blobs.put(key_of(video_id, version_of(self.model, audio)), b"{}")

    @property
    def again(self) -> Retranscriber:
        return Retranscriber(self.blobs, lambda audio: version_of(self.model, audio))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "blobs")


def test_another_model_is_given_the_same_recording(archive: Archive) -> None:
    audio = archive.fetched("a")
    archive.transcribed("a", audio)
    (same,) = archive.again.of(["a"])
    assert same.event is None
    assert "whisper-base" in same.said
    archive.model = "whisper-large"
    (better,) = archive.again.of(["a", "a"])
    assert isinstance(better.event, AudioStored)
    assert better.event.audio == audio
    assert better.event.video.published_at == JUNE


def test_a_recording_that_was_handed_in_is_found_too(archive: Archive) -> None:
    media = archive.blobs.put("inbox/talk.mp3", b"sound")
    archive.accepted("a", media=media)
    (again,) = archive.again.of(["a"])
    assert isinstance(again.event, AudioStored)
    assert again.event.audio == media


def test_audio_that_was_deleted_after_use_is_fetched_again(archive: Archive) -> None:
    archive.transcribed("a", archive.fetched("a"))
    archive.model = "whisper-large"
    assert retain(archive.blobs, 7, datetime(2025, 7, 1, tzinfo=UTC)) == 1
    (again,) = archive.again.of(["a"])
    assert isinstance(again.event, VideoAccepted)
    assert "fetched again" in again.said


def test_captions_and_rejected_talks_are_left_alone_with_reason(archive: Archive) -> None:
    archive.accepted("a", captions=archive.blobs.put("inbox/a.vtt", b"WEBVTT"))
    archive.accepted("b", outcome="rejected")
    captions, rejected = archive.again.of(["a", "b"])
    assert captions.event is None and "captions" in captions.said
    assert rejected.event is None and "too short" in rejected.said
    assert list(archive.again.all()) == []


def test_all_are_those_with_a_recording(archive: Archive) -> None:
    archive.transcribed("a", archive.fetched("a"))
    archive.fetched("b")
    archive.accepted("c", outcome="waiting")
    found = {each.video_id: each.event is not None for each in archive.again.all()}
    assert found == {"a": False, "b": True}


def test_one_that_is_not_known_stops_it_before_anything_is_sent(archive: Archive) -> None:
    archive.fetched("a")
    with pytest.raises(BadInput, match="no talk 'nobody'"):
        archive.again.of(["a", "nobody"])
