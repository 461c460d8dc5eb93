"""Tests of caption drafts: human captions serve until a talk is transcribed, and never delay its audio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from structlog.testing import capture_logs

from agents.acquisition.caption import TRIES, Caption
from agents.consumer.consumer import Position
from agents.transcription.transcribe import Transcribe
from models.transcripts.transcript import Transcript
from streams.errors import DataError
from streams.events import (
    AudioStored,
    Event,
    Source,
    SourceDue,
    TranscriptReady,
    Video,
    VideoAccepted,
    VideoRejected,
    stable_id,
)
from streams.talks.caption_drafts import Drafts, is_draft
from streams.youtube.client import YouTube
from streams.youtube.request_budget import Governor
from tests.ingestion.moving_clock import AT, NOON, TALK, Front
from tests.loopback_youtube import FakeVideo, LoopbackYouTube, m4a

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
OTHER = "otherotheri"
HOUR = timedelta(hours=1)


def vtt(words: str, language: str = "en") -> bytes:
    return f"WEBVTT\nKind: captions\nLanguage: {language}\n\n00:01.000 --> 00:04.000\n{words}\n".encode()


ENGLISH = vtt("We run agents in production.")


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    stamina.set_testing(True, attempts=TRIES, cap=True)  # the same retries, without the waiting
    yield
    stamina.set_testing(False)


@pytest.fixture(scope="module")
def audio() -> bytes:
    return m4a(200.0)


class Clock:
    """The clock of the request budgets, and of fetch."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment


class Desk:
    """The agents fetch, caption and transcribe of one study, with its real request budgets."""

    def __init__(self, home: Path, loopback: LoopbackYouTube, **settings: Any) -> None:
        self.clock = Clock()
        self.main, self.files = (self._governor(home, name) for name in ("all", "captions"))
        youtube = YouTube(loopback.proxy, insecure_tls=True, governor=self.main, captions_governor=self.files)
        self.front = Front(home, youtube, **{"captions": "draft"} | settings)
        self.blobs = self.front.blobs
        self.caption = Caption(self.front.settings, self.blobs, youtube)
        self.transcribe = Transcribe(self.front.settings, self.blobs, _no_models, home)

    def _governor(self, home: Path, name: str) -> Governor:
        return Governor(
            home / "egress", name, 10**6, 3600.0, now=self.clock, sleep=lambda _: None, jitter=lambda: 0.0
        )

    def pass_time(self, **time: float) -> None:
        self.clock.moment += timedelta(**time)
        self.front.now = self.clock.moment

    async def drafts(self, event: Event) -> AudioStored:
        (said,) = await self.caption.handle(event, AT)
        assert isinstance(said, AudioStored)
        assert said.draft and said.audio is None and said.captions is not None
        return said

    async def drafts_nothing(self, event: Event) -> None:
        assert list(await self.caption.handle(event, AT)) == []

    async def words(self, event: AudioStored) -> list[Event]:
        return list(await self.transcribe.handle(event, Position("log", "audio.stored", 0, 0)))

    async def captions_of(self, event: Event) -> bytes:
        said = await self.drafts(event)
        assert said.captions is not None
        return self.blobs.read(said.captions)


def _no_models() -> Any:
    raise AssertionError("captions need no speech models")


@pytest.fixture
def desk(tmp_path: Path, loopback: LoopbackYouTube) -> Desk:
    return Desk(tmp_path, loopback)


def accepted(video_id: str = TALK, **video: Any) -> VideoAccepted:
    about = {"published_at": NOON, "duration_s": 200.0} | video
    return VideoAccepted(video=Video(video_id=video_id, **about))


class TestWhichCaptions:
    async def test_what_people_wrote_is_a_draft_and_is_asked_for_once(
        self, desk: Desk, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH}, heard={"en": vtt("wee run")}))
        said = await desk.drafts(accepted())
        assert said.captions is not None
        assert desk.blobs.read(said.captions) == ENGLISH
        asked = len(loopback.requests)
        assert await desk.drafts(accepted()) == said  # its event comes again
        assert len(loopback.requests) == asked
        assert len(loopback.asked("timedtext")) == 1
        assert (desk.main.status().turns, desk.files.status().turns) == (1, 1)

    async def test_what_youtube_heard_by_itself_is_left(self, desk: Desk, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", heard={"en": ENGLISH}))
        await desk.drafts_nothing(accepted())
        asked = len(loopback.requests)
        await desk.drafts_nothing(accepted())  # the absence of captions is stored too
        assert len(loopback.requests) == asked
        assert loopback.asked("timedtext") == []

    async def test_another_language_is_left(self, desk: Desk, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"de": vtt("Agenten", "de"), "eno": ENGLISH}))
        await desk.drafts_nothing(accepted())
        assert loopback.asked("timedtext") == []

    @pytest.mark.parametrize(
        ("tracks", "taken"),
        [
            (("de", "en-GB"), "en-GB"),
            (("en-GB", "en"), "en"),
            (("en-US", "en-GB"), "en-GB"),
            (("fr", "en-US"), "fr"),
        ],
    )
    async def test_the_exact_language_goes_first_then_its_regions(
        self, tmp_path: Path, loopback: LoopbackYouTube, tracks: tuple[str, ...], taken: str
    ) -> None:
        desk = Desk(tmp_path, loopback, languages=["fr", "en"])
        loopback.add(FakeVideo(TALK, audio=b"0", captions={name: vtt(f"in {name}") for name in tracks}))
        assert f"in {taken}\n".encode() in await desk.captions_of(accepted())

    async def test_a_translation_is_not_what_was_said(
        self, tmp_path: Path, loopback: LoopbackYouTube
    ) -> None:
        desk = Desk(tmp_path, loopback, languages=["en", "de"])
        german = vtt("Wir haben Agenten im Einsatz.", "de")
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH, "de": german}))
        loopback.add(FakeVideo(OTHER, audio=b"0", captions={"en": ENGLISH}))
        assert await desk.captions_of(accepted(language="de")) == german
        await desk.drafts_nothing(accepted(OTHER, language="de"))

    async def test_captions_without_a_word_are_none(self, desk: Desk, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": vtt("[Music]")}))
        with capture_logs() as said:
            await desk.drafts_nothing(accepted())
        assert "has no words" in next(line["cause"] for line in said if "cannot parse" in line["event"])
        await desk.drafts_nothing(accepted())
        assert len(loopback.asked("timedtext")) == 1


class TestNobodyIsAsked:
    async def test_where_it_is_switched_off(self, tmp_path: Path, loopback: LoopbackYouTube) -> None:
        desk = Desk(tmp_path, loopback, captions="never")
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH}))
        await desk.drafts_nothing(accepted())
        assert loopback.requests == []

    async def test_for_what_was_handed_in_or_is_a_podcast(
        self, desk: Desk, loopback: LoopbackYouTube
    ) -> None:
        file = desk.blobs.put("inbox/a.vtt", ENGLISH)
        for came in ({"captions": file}, {"media": file}):
            await desk.drafts_nothing(accepted().model_copy(update=came))
        await desk.drafts_nothing(accepted(media_url="https://example.org/e.mp3"))
        assert loopback.requests == []

    async def test_for_a_talk_that_is_transcribed(self, desk: Desk, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH}))
        heard(desk)
        await desk.drafts_nothing(accepted())
        assert loopback.requests == []

    async def test_an_event_of_another_kind_is_refused(self, desk: Desk) -> None:
        source = Source(source_id="s", kind="channel", locator="@x", added_at=NOON)
        with pytest.raises(DataError, match="SourceDue is not for caption"):
            await desk.caption.handle(SourceDue(source=source, slot=NOON), AT)


class TestRefusals:
    async def test_a_429_on_the_file_leaves_the_audio_alone(
        self, desk: Desk, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        for each in (TALK, OTHER):
            loopback.add(FakeVideo(each, audio=audio, duration_s=200, captions={"en": ENGLISH}))
        loopback.fail(TALK, "captions 429")
        with capture_logs() as said:
            await desk.drafts_nothing(accepted())
        assert "429" in next(line["cause"] for line in said if line["event"].startswith("no draft"))
        assert len(loopback.asked("timedtext")) == 1  # after a 429 no further request is sent
        assert desk.files.status().open_until is not None
        assert desk.main.status().open_until is None

        asked = len(loopback.requests)
        await desk.drafts_nothing(accepted(OTHER))  # caption neither waits for the pause nor requests a page
        assert len(loopback.requests) == asked
        (stored,) = await desk.front.handle(accepted())
        assert isinstance(stored, AudioStored)
        assert stored.audio is not None and not stored.draft

        loopback.heal(TALK)
        desk.pass_time(hours=1, minutes=7)
        assert await desk.captions_of(accepted(OTHER)) == ENGLISH
        assert desk.files.status().open_until is None

    @pytest.mark.parametrize("how", ["private", "bot check", "player 429", "premiere", "captions 404"])
    async def test_no_refusal_becomes_a_rejection_or_a_dead_letter(
        self, desk: Desk, loopback: LoopbackYouTube, how: str
    ) -> None:
        talk = FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH})
        loopback.add(talk)
        loopback.fail(TALK, how)
        with capture_logs() as said:
            await desk.drafts_nothing(accepted())
        assert [line["log_level"] for line in said if line["event"].startswith("no draft")] == ["warning"]
        assert list(desk.front.lot.all()) == []
        assert not Drafts(desk.blobs).asked(TALK)  # the absence of captions is not established

        loopback.heal(TALK)
        desk.pass_time(hours=2)
        assert await desk.captions_of(accepted()) == ENGLISH  # when the talk's event arrives again

    async def test_what_was_only_not_shown_is_not_taken_for_none(
        self, desk: Desk, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0"))
        loopback.fail(TALK, "player 503")
        await desk.drafts_nothing(accepted())
        assert not Drafts(desk.blobs).asked(TALK)
        loopback.heal(TALK)
        await desk.drafts_nothing(accepted())
        assert Drafts(desk.blobs).asked(TALK)

    async def test_an_empty_answer_is_asked_for_again_a_few_times(
        self, desk: Desk, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH}))
        loopback.fail(TALK, "captions empty")
        await desk.drafts_nothing(accepted())
        assert len(loopback.asked("watch")) == TRIES
        loopback.heal(TALK)
        assert await desk.captions_of(accepted()) == ENGLISH


class TestKills:
    @pytest.mark.parametrize(
        ("moment", "files"),
        [
            ("Drafts.keep = die", 2),
            ("Blobs.put = put_captions_and_die", 2),
            ("Caption.handle = killed", 1),
        ],
    )
    async def test_the_same_is_said_again(
        self, desk: Desk, tmp_path: Path, loopback: LoopbackYouTube, moment: str, files: int
    ) -> None:
        """Killed before storing the captions, between them and their ledger, or before sending the event."""
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH}))
        ended = _handle_in_a_process(tmp_path, loopback, moment)
        assert ended.returncode == -9, ended.stderr
        said = await desk.drafts(accepted())
        assert said == await desk.drafts(accepted())
        assert said.captions is not None
        assert desk.blobs.read(said.captions) == ENGLISH
        assert len(loopback.asked("timedtext")) == files


def heard(desk: Desk) -> None:
    """Store a transcript of the talk's recording where the agent transcribe would put it."""
    transcript = Transcript(
        language="en", language_probability=None, duration_s=4.0, segments=(), made_by={"t": "w"}
    )
    key = f"transcripts/{stable_id(TALK)}/faster-whisper-1.2-base--d-000000000000.json"
    desk.blobs.put(key, transcript.model_dump_json().encode())


class TestTranscripts:
    async def test_a_draft_is_named_as_one(self, desk: Desk, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en-GB": ENGLISH}))
        stored = await desk.drafts(accepted())
        (ready,) = await desk.words(stored)
        assert isinstance(ready, TranscriptReady)
        assert is_draft(ready.transcript_version)
        assert (ready.language, ready.words) == ("en", 5)
        (final,) = await desk.words(stored.model_copy(update={"draft": False}))
        assert isinstance(final, TranscriptReady)
        assert ready.transcript_version == f"draft-{final.transcript_version}"

    async def test_a_draft_that_comes_late_is_dropped(self, desk: Desk, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, audio=b"0", captions={"en": ENGLISH}))
        late = await desk.drafts(accepted())
        heard(desk)
        assert await desk.words(late) == []
        (kept,) = desk.blobs.keys(f"transcripts/{stable_id(TALK)}")
        assert "whisper" in kept

    async def test_what_is_spoken_is_heard_and_not_read(self, desk: Desk) -> None:
        """Captions in another language do not reject a talk; its recording does."""
        german = desk.blobs.put("captions/x.vtt", vtt("Wir haben Agenten im Einsatz.", "de"))
        stored = AudioStored(video=accepted().video, captions=german)
        assert await desk.words(stored.model_copy(update={"draft": True})) == []
        (rejected,) = await desk.words(stored)
        assert isinstance(rejected, VideoRejected)


class TestFallback:
    async def test_the_captions_of_a_talk_that_is_gone_stay_for_good(
        self, desk: Desk, loopback: LoopbackYouTube
    ) -> None:
        for each in (TALK, OTHER):
            loopback.add(FakeVideo(each, audio=b"0", captions={"en": ENGLISH} if each == TALK else {}))
        draft = await desk.drafts(accepted())
        await desk.drafts_nothing(accepted(OTHER))
        for each in (TALK, OTHER):
            loopback.fail(each, "removed")
        (stays,) = await desk.front.handle(accepted())
        assert stays == AudioStored(video=accepted().video, captions=draft.captions)
        assert await desk.front.handle(accepted()) == [stays]  # its event comes again
        (gone,) = await desk.front.handle(accepted(OTHER))
        assert isinstance(gone, VideoRejected)
        assert gone.rule == "gone"


def _handle_in_a_process(
    home: Path, loopback: LoopbackYouTube, before: str
) -> subprocess.CompletedProcess[str]:
    """Let caption handle the talk in a separate process, after the line of code `before`."""
    script = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "sys.path.insert(0, os.getcwd())\n"
        "from agents.acquisition.caption import Caption; from streams.talks.caption_drafts import Drafts\n"
        "from streams.state.blobs import Blobs; from streams.settings import Settings\n"
        "from streams.youtube.client import YouTube\n"
        "from tests.ingestion.moving_clock import AT\n"
        "from tests.ingestion.test_caption_drafts import accepted\n"
        "def die(*_, **__): os.kill(os.getpid(), 9)\n"
        "put, handle = Blobs.put, Caption.handle\n"
        "async def killed(*given): await handle(*given); die()\n"
        "def put_captions_and_die(blobs, key, content):\n"
        "    put(blobs, key, content)\n"
        "    assert key.endswith('.vtt'); die()\n"
        f"{before}\n"
        "settings = Settings(home=Path(sys.argv[1]), captions='draft')\n"
        "caption = Caption(settings, Blobs(settings.blobs_url), YouTube(sys.argv[2], insecure_tls=True))\n"
        "asyncio.run(caption.handle(accepted(), AT))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, str(home), loopback.proxy],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
