"""Tests of fetching: audio is fetched once, complete and of the right length, or waits, or fails."""

import errno
import io
import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import stamina

from agents.acquisition import verify_recording as verification
from agents.acquisition.audio_retention import retain
from agents.acquisition.verify_recording import RecordingError, verify
from models.audio.samples import measure
from models.errors import BadInput
from streams.errors import DataError
from streams.events import (
    AudioStored,
    Blob,
    Event,
    Source,
    SourceDue,
    Video,
    VideoAccepted,
    VideoParked,
    VideoRejected,
    stable_id,
)
from streams.http.client import HttpClient
from streams.state.blobs import Blobs
from streams.youtube.client import YouTube
from tests.ingestion.moving_clock import NOON, TALK, Front, seen
from tests.ingestion.podcast_host import PodcastHost
from tests.loopback_youtube import FakeVideo, LoopbackYouTube, m4a

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 200.0
EPISODE = "/shows/episode.m4a"
MB = 1 << 20


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


@pytest.fixture
def host() -> Iterator[PodcastHost]:
    with PodcastHost() as host:
        yield host


@pytest.fixture
def front(tmp_path: Path, loopback: LoopbackYouTube) -> Front:
    return Front(tmp_path, YouTube(proxy=loopback.proxy, insecure_tls=True))


@pytest.fixture(scope="module")
def audio() -> bytes:
    return m4a(SECONDS)


def accepted(video_id: str = TALK, **about: Any) -> VideoAccepted:
    return VideoAccepted(video=Video(video_id=video_id, published_at=NOON, **about))


def episode(host: PodcastHost, path: str = EPISODE, **about: Any) -> VideoAccepted:
    return accepted("episode-1", media_url=f"{host.url}{path}", **about)


def recording(format: str, codec: str, seconds: float, *, picture: bool = False) -> bytes:
    """Return a file of quiet noise, with a black picture on request; without `codec` it has no sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=format) as container:
        film = container.add_stream("mpeg4", rate=1) if picture else None
        if film is not None:
            film.width = film.height = 64
            film.pix_fmt = "yuv420p"
        sound = container.add_stream(codec, rate=48_000, layout="mono") if codec else None
        for _ in range(int(seconds) if film is not None else 0):
            black = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(film.encode(black))
        if film is not None:
            container.mux(film.encode(None))
        if sound is not None:
            noise = np.random.default_rng(0).normal(0, 0.05, int(seconds * 48_000)).astype(np.float32)
            size = 960
            for start in range(0, len(noise), size):
                frame = av.AudioFrame.from_ndarray(noise[None, start : start + size], "flt", "mono")
                frame.sample_rate, frame.pts = 48_000, start
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return file.getvalue()


async def stored(front: Front, event: Event) -> AudioStored:
    (said,) = await front.handle(event)
    assert isinstance(said, AudioStored)
    assert said.audio is not None
    return said


async def parked(front: Front, event: Event, state: str, attempt: int = 1) -> VideoParked:
    (said,) = await front.handle(event)
    assert isinstance(said, VideoParked), said
    assert (said.state, said.attempt) == (state, attempt)
    kept = front.lot.get(event.key)
    assert kept is not None
    assert (kept.parked, kept.again) == (said, event)
    return said


def content(front: Front, event: AudioStored) -> bytes:
    assert event.audio is not None
    return front.blobs.read(event.audio)


def audio_keys(front: Front) -> list[str]:
    return [key for key in front.blobs.keys("audio") if not key.endswith(".json")]


class TestStored:
    @pytest.mark.long
    async def test_a_talks_audio_is_what_youtube_sent_and_is_fetched_once(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        said = await stored(front, accepted(duration_s=200))
        assert content(front, said) == audio
        assert said.video.duration_s == 200
        asked = len(loopback.requests)
        assert await front.handle(accepted(duration_s=200)) == [said]
        assert len(loopback.requests) == asked
        assert list(front.folder.iterdir()) == []

    async def test_an_unknown_length_is_measured_and_a_known_one_kept(
        self, front: Front, host: PodcastHost, audio: bytes
    ) -> None:
        host.files[EPISODE] = audio
        said = await stored(front, episode(host))
        assert said.video.duration_s == pytest.approx(SECONDS, abs=0.1)
        assert await front.handle(episode(host)) == [said]  # also when it comes again
        assert len(host.asked) == 1

    async def test_a_recording_may_be_longer_than_was_said(
        self, front: Front, host: PodcastHost, audio: bytes
    ) -> None:
        host.files[EPISODE] = audio
        assert (await stored(front, episode(host, duration_s=100.0))).video.duration_s == 100.0

    @pytest.mark.parametrize("stated", [SECONDS + 29, SECONDS * 1.04])
    async def test_a_little_shorter_is_a_rounding_or_a_cut_pause(
        self, stated: float, front: Front, host: PodcastHost, audio: bytes
    ) -> None:
        host.files[EPISODE] = audio
        await stored(front, episode(host, duration_s=stated))

    async def test_what_came_with_the_talk_is_passed_on(self, front: Front) -> None:
        media = front.blobs.put("inbox/a.m4a", b"sound")
        event = accepted("file-a").model_copy(update={"media": media})
        assert (await stored(front, event)).audio == media

    async def test_an_address_without_a_suffix_is_read_all_the_same(
        self, front: Front, host: PodcastHost, audio: bytes
    ) -> None:
        host.files["/play?id=3"] = audio
        said = await stored(front, episode(host, "/play?id=3"))
        assert said.audio is not None
        assert said.audio.key.endswith(".audio")

    async def test_what_is_not_for_fetch_is_named(self, front: Front) -> None:
        source = Source(source_id="s", kind="channel", locator="@Meetup", added_at=NOON)
        with pytest.raises(DataError, match="SourceDue is not for fetch"):
            await front.fetch.handle(SourceDue(source=source, slot=NOON), None)  # type: ignore[arg-type]


class TestBroken:
    @pytest.mark.long
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda audio: audio[: len(audio) // 2], "not a media file, or not a whole one"),
            (
                lambda _: recording("webm", "libopus", 60.0)[:200_000],
                r"lasts \d+ s, but it should last 200 s|breaks off",
            ),
            (lambda _: recording("webm", "libopus", 60.0), "lasts 60 s, but it should last 200 s"),
            (lambda _: b"", "is empty"),
            (
                lambda _: b"<!DOCTYPE html><html><body>Sign in to listen</body></html>" * 50,
                "not a media file",
            ),
            (lambda _: recording("mp4", "", 60.0, picture=True), "no audio stream"),
            (lambda _: _no_samples(), "without a single sample"),
        ],
        ids=["half m4a", "half webm", "shorter", "empty", "html named m4a", "no sound", "no samples"],
    )
    async def test_it_is_fetched_once_more_and_then_a_persons(
        self,
        make: Callable[[bytes], bytes],
        words: str,
        front: Front,
        host: PodcastHost,
        audio: bytes,
    ) -> None:
        host.files[EPISODE] = make(audio)
        with pytest.raises(DataError, match=words) as refused:
            await front.handle(episode(host, duration_s=SECONDS))
        assert "fetched 2 times" in refused.value.cause
        assert "replay" in refused.value.cure
        assert len(host.asked) == 2
        assert audio_keys(front) == []
        assert list(front.lot.all()) == []
        host.files[EPISODE] = audio  # the file is repaired, and a person replays the event
        assert content(front, await stored(front, episode(host, duration_s=SECONDS))) == audio

    async def test_what_youtube_cut_short_is_noticed(self, front: Front, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, audio=m4a(60.0), duration_s=200))
        with pytest.raises(DataError, match="lasts 60 s, but it should last 200 s; fetched 2 times"):
            await front.handle(accepted(duration_s=200))
        assert len(loopback.asked("videoplayback")) == 2

    async def test_what_is_whole_the_second_time_is_stored(
        self, front: Front, host: PodcastHost, audio: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host.files[EPISODE] = b"<html>one moment please</html>"
        answer = host.answer

        def once(to: Any) -> None:
            answer(to)
            host.files[EPISODE] = audio

        monkeypatch.setattr(host, "answer", once)
        assert content(front, await stored(front, episode(host, duration_s=SECONDS))) == audio

    def test_a_decoder_that_crashes_takes_nobody_with_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audio: bytes
    ) -> None:
        path = tmp_path / "talk.m4a"
        path.write_bytes(audio)
        monkeypatch.setattr(verification, "_measure", _crash)
        with pytest.raises(
            RecordingError, match=r"decoder ended in the middle of talk.m4a \(exit code -11\)"
        ):
            verify(path, None)

    def test_hours_are_measured_in_little_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "long.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_u8", rate=8_000, layout="mono")
            silence = np.full((1, 8_000 * 60), 128, np.uint8)
            for minute in range(180):
                frame = av.AudioFrame.from_ndarray(silence, "u8", "mono")
                frame.sample_rate, frame.pts = 8_000, minute * silence.size
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        script = (
            "import resource, sys; from pathlib import Path; from models.audio.samples import measure\n"
            "import av, numpy\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "print(measure(Path(sys.argv[1])))\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
        )
        told = _run(script, str(path)).stdout.split()
        assert float(told[0]) == pytest.approx(3 * 3600)
        assert int(told[1]) < 100 * 1024  # kB; decoded as a whole it is 690 MB

    def test_measuring_is_as_strict_as_decoding(self, tmp_path: Path, audio: bytes) -> None:
        path = tmp_path / "talk.m4a"
        path.write_bytes(audio)
        assert measure(path) == pytest.approx(SECONDS, abs=0.1)
        path.write_bytes(audio[: len(audio) // 2])
        with pytest.raises(BadInput, match="not a whole one"):
            measure(path)


class TestInterrupted:
    async def test_a_cut_transfer_goes_on_where_it_was(
        self, front: Front, loopback: LoopbackYouTube, host: PodcastHost, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        loopback.drop_transfers(TALK, times=4)
        assert content(front, await stored(front, accepted(duration_s=200))) == audio
        ranges = [int((each.range or "bytes=0-")[6:].split("-")[0]) for each in loopback.asked("playback")]
        assert ranges == sorted(ranges) and ranges[-1] > len(audio) // 2

        host.files[EPISODE] = audio
        host.cuts[EPISODE] = 1
        assert content(front, await stored(front, episode(host, duration_s=SECONDS))) == audio
        (first, then) = (ranged for _, ranged in host.asked)
        assert first is None
        assert then is not None and MB < int(then.removeprefix("bytes=").rstrip("-")) <= len(audio) // 2

    async def test_a_part_cut_off_by_a_kill_is_left_to_the_next_process(
        self, tmp_path: Path, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        loopback.drop_transfers(TALK, times=3)  # yt-dlp's own retries; then patience waits, and we are killed
        died = _handle_in_a_process(tmp_path, loopback, "threading.Thread(target=die_with_part).start()")
        assert died.returncode == -9, died.stderr
        (part,) = front.folder.rglob("*.part")
        have = part.stat().st_size
        assert 0 < have < len(audio)
        assert content(front, await stored(front, accepted(duration_s=200))) == audio
        assert (loopback.asked("videoplayback")[-1].range or "").startswith(f"bytes={have}-")

    @pytest.mark.long
    @pytest.mark.parametrize("killed", ["before it is stored", "before the ledger says so"])
    async def test_a_kill_after_the_download_does_not_fetch_it_again(
        self, killed: str, tmp_path: Path, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        how = "Blobs.put_file = die" if "stored" in killed else "Blobs.put = die"
        died = _handle_in_a_process(tmp_path, loopback, how)
        assert died.returncode == -9, died.stderr
        asked = len(loopback.requests)
        assert asked > 0
        said = await stored(front, accepted(duration_s=200))
        assert content(front, said) == audio
        assert len(loopback.requests) == asked
        assert list(front.folder.iterdir()) == []


class TestWaiting:
    @pytest.mark.long
    @pytest.mark.parametrize(
        ("how", "state", "attempt"),
        [
            ("private", "recheck", 1),
            ("geo", "recheck", 1),
            ("unavailable", "recheck", 1),
            ("media 403", "recheck", 1),
            ("media 503", "recheck", 1),
            ("premiere", "upcoming", 1),
            ("members", "recheck", 1),
            ("age", "sign-in", 1),
            ("bot check", "paused", 0),
            ("rate limit", "paused", 0),
            ("player 429", "paused", 0),
        ],
    )
    async def test_a_refused_download_waits_as_it_should_and_then_goes_on(
        self,
        *,
        how: str,
        state: str,
        attempt: int,
        front: Front,
        loopback: LoopbackYouTube,
        audio: bytes,
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        loopback.fail(TALK, how)
        said = await parked(front, accepted(duration_s=200), state, attempt)
        asked = len(loopback.requests)
        assert await front.handle(accepted(duration_s=200)) == [said]  # its event comes again
        assert len(loopback.requests) == asked
        loopback.heal(TALK)
        front.lot.wake(TALK, front.now)
        (done,) = await front.wait(days=0)
        assert isinstance(done, AudioStored)
        assert list(front.lot.all()) == []

    async def test_it_became_live_again_meanwhile(self, front: Front, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, live_now=True, audio=b"x"))
        await parked(front, accepted(), "live")

    async def test_what_was_removed_meanwhile_is_gone_at_once(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, "removed")
        (gone,) = await front.handle(accepted())
        assert isinstance(gone, VideoRejected)
        assert gone.rule == "gone"
        assert list(front.lot.all()) == []

    async def test_what_stays_refused_is_gone_in_the_end(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, "geo")
        await parked(front, accepted(), "recheck")
        said: list[Event] = []
        for _ in range(60):
            said += await front.wait(days=0.5)
        assert [type(each) for each in said] == [VideoParked] * 5 + [VideoRejected]
        asked = len(loopback.requests)
        assert await front.handle(accepted()) == said[-1:]
        assert len(loopback.requests) == asked

    async def test_a_new_sighting_does_not_disturb_what_fetch_waits_for(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, "geo")
        await parked(front, accepted(), "recheck")
        front.now += timedelta(minutes=10)
        asked = len(loopback.requests)
        assert await front.handle(seen(at=front.now, source_id="t")) == []
        assert len(loopback.requests) == asked
        assert front.lot.get(TALK) is not None

    async def test_screens_parking_does_not_hold_up_what_was_accepted(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        loopback.fail(TALK, "bot check")
        (said,) = await front.handle(seen())
        assert isinstance(said, VideoParked)
        loopback.heal(TALK)
        await stored(front, accepted(duration_s=200))
        assert list(front.lot.all()) == []

    async def test_an_episode_that_is_not_there_is_rechecked(
        self, front: Front, host: PodcastHost, audio: bytes
    ) -> None:
        said = await parked(front, episode(host), "recheck")
        assert "HTTP 404" in said.reason
        assert "episode.m4a" not in said.reason  # the address may be a private feed's
        host.files[EPISODE] = audio
        (done,) = await front.wait(hours=1)
        assert isinstance(done, AudioStored)

    async def test_an_episode_that_was_taken_away_is_gone(self, front: Front, host: PodcastHost) -> None:
        host.refusals[EPISODE] = 410
        (gone,) = await front.handle(episode(host))
        assert isinstance(gone, VideoRejected)

    async def test_a_host_that_fails_is_asked_later(self, front: Front, host: PodcastHost) -> None:
        host.refusals[EPISODE] = 503
        await parked(front, episode(host), "recheck")
        assert len(host.asked) == 2  # patience first

    async def test_an_episode_inside_this_network_is_refused(
        self, tmp_path: Path, loopback: LoopbackYouTube, host: PodcastHost, audio: bytes
    ) -> None:
        host.files[EPISODE] = audio
        youtube = YouTube(proxy=loopback.proxy, insecure_tls=True)
        front = Front(tmp_path, youtube, reader=HttpClient(internal_addresses=False))
        with pytest.raises(DataError):
            await front.handle(episode(host))
        assert host.asked == []


class TestDisk:
    async def test_nothing_is_fetched_while_little_is_free(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        front.fetch._settings = front.settings.model_copy(update={"min_free_gb": 1e9})
        said = await parked(front, accepted(duration_s=200), "paused", 0)
        assert "GB are free in" in said.reason and "GROUNDSWELL_MIN_FREE_GB" in said.reason
        assert said.until is not None
        assert said.until - front.now < timedelta(minutes=20)
        assert not loopback.requests
        (again,) = await front.wait(minutes=20)
        assert isinstance(again, VideoParked)
        assert (again.state, again.attempt) == ("paused", 0)
        front.fetch._settings = front.settings
        (done,) = await front.wait(minutes=20)
        assert isinstance(done, AudioStored)

    @pytest.mark.long
    @pytest.mark.parametrize("full", ["downloads", "blobs"])
    @pytest.mark.parametrize("kind", ["video", "episode"])
    async def test_a_full_disk_loses_nothing(
        self,
        *,
        full: str,
        kind: str,
        tmp_path: Path,
        loopback: LoopbackYouTube,
        host: PodcastHost,
        audio: bytes,
    ) -> None:
        assert len(audio) > 2 * MB
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        host.files[EPISODE] = audio
        event = accepted(duration_s=200) if kind == "video" else episode(host, duration_s=SECONDS)
        front = Front(tmp_path, YouTube(proxy=loopback.proxy, insecure_tls=True))
        small = front.folder if full == "downloads" else Path(front.blobs.url) / "audio"
        small.mkdir(parents=True)
        _mount(small, "1m")
        try:
            said = await parked(front, event, "paused", 0)
            assert "No space left" in said.reason
            assert audio_keys(front) == []
            _system("mount", "-o", "remount,size=64m", str(small))
            (done,) = await front.wait(minutes=20)
            assert isinstance(done, AudioStored)
            assert content(front, done) == audio
        finally:
            _system("umount", "-l", str(small))

    @pytest.mark.long
    async def test_a_limit_on_the_size_of_files_is_a_full_disk_too(
        self, tmp_path: Path, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({MB}, {MB}))"
        ended = _handle_in_a_process(tmp_path, loopback, limit)
        assert ended.returncode == 0, ended.stderr
        kept = front.lot.get(TALK)
        assert kept is not None
        assert (kept.parked.state, kept.parked.attempt) == ("paused", 0)
        assert os.strerror(errno.EFBIG) in kept.parked.reason
        (done,) = await front.wait(minutes=20)
        assert isinstance(done, AudioStored)


class TestRetention:
    async def test_audio_goes_when_it_has_served_and_can_be_fetched_again(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        first = await stored(front, accepted(duration_s=200))
        assert first.audio is not None
        month = NOON + timedelta(days=30)
        assert retain(front.blobs, 7, month) == 0  # nobody has transcribed it
        _transcribed(front, first.audio)
        assert retain(front.blobs, 0, month) == 0  # 0: it is kept
        assert retain(front.blobs, 31, month) == 0
        assert retain(front.blobs, 7, month) == 1
        assert list(front.blobs.keys("audio")) == []
        assert len(list(front.blobs.keys("transcripts"))) == 1
        assert await front.handle(accepted(duration_s=200)) == [first]  # a person replays it
        assert content(front, first) == audio

    async def test_a_transcript_of_other_audio_does_not_count(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        await stored(front, accepted(duration_s=200))
        _transcribed(front, Blob(key="audio/x.m4a", sha256="0" * 64, size=1))
        assert retain(front.blobs, 7, NOON + timedelta(days=30)) == 0

    async def test_a_kill_between_audio_and_ledger_is_made_good(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        said = await stored(front, accepted(duration_s=200))
        assert said.audio is not None
        _transcribed(front, said.audio)
        front.blobs.delete(said.audio.key)
        assert retain(front.blobs, 7, NOON + timedelta(days=30)) == 1
        assert list(front.blobs.keys("audio")) == []

    def test_audio_of_an_earlier_version_is_counted_from_now_on(self, tmp_path: Path) -> None:
        blobs = Blobs(str(tmp_path))
        name = stable_id(TALK)
        audio = blobs.put(f"audio/{name}.m4a", b"sound")
        blobs.put(f"audio/{name}.json", audio.model_dump_json().encode())
        blobs.put(f"transcripts/{name}/w-{audio.sha256[:12]}.json", b"{}")
        assert retain(blobs, 7, NOON) == 0
        assert retain(blobs, 7, NOON + timedelta(days=6)) == 0
        assert retain(blobs, 7, NOON + timedelta(days=8)) == 1

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"stored_at": "yesterday"}', b'{"key": "a"}'])
    def test_a_damaged_ledger_deletes_nothing(self, damage: bytes, tmp_path: Path) -> None:
        blobs = Blobs(str(tmp_path))
        blobs.put("audio/x.m4a", b"sound")
        blobs.put("audio/x.json", damage)
        assert retain(blobs, 1, NOON) == 0
        assert blobs.exists("audio/x.m4a")

    async def test_fetch_sees_to_it_by_the_clock(
        self, tmp_path: Path, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        youtube = YouTube(proxy=loopback.proxy, insecure_tls=True)
        front = Front(tmp_path, youtube, keep_audio_days=7)
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        said = await stored(front, accepted(duration_s=200))
        assert said.audio is not None
        _transcribed(front, said.audio)
        assert await front.fetch.tick() == ()
        assert len(audio_keys(front)) == 1
        front.now += timedelta(days=8)
        assert await front.fetch.tick() == ()
        assert audio_keys(front) == []


def _transcribed(front: Front, audio: Blob) -> None:
    """Store a transcript where the agent transcribe does."""
    front.blobs.put(
        f"transcripts/{stable_id(TALK)}/whisper-{audio.sha256[:12]}.json", json.dumps({}).encode()
    )


def _no_samples() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
    return file.getvalue()


def _crash(*_: object) -> None:
    os.kill(os.getpid(), 11)


def _mount(folder: Path, size: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here ({done.stderr.decode().strip()})")


def _system(*command: str) -> None:
    subprocess.run(command, check=True)


def _handle_in_a_process(
    home: Path, loopback: LoopbackYouTube, before: str
) -> "subprocess.CompletedProcess[str]":
    """Let fetch handle the talk in a separate process, after the line of code `before`."""
    return _run(
        "import asyncio, os, resource, sys, threading, time; from pathlib import Path\n"
        "sys.path.insert(0, os.getcwd())\n"
        "from tests.ingestion.moving_clock import Front, TALK, NOON\n"
        "from streams.state.blobs import Blobs; from streams.events import Video, VideoAccepted\n"
        "from streams.youtube.client import YouTube\n"
        "def die(*_, **__): os.kill(os.getpid(), 9)\n"
        "front = Front(Path(sys.argv[1]), YouTube(proxy=sys.argv[2], insecure_tls=True))\n"
        "def die_with_part():\n"
        "    while not any(p.stat().st_size for p in front.folder.rglob('*.part')): time.sleep(0.01)\n"
        "    time.sleep(0.5); die()\n"
        f"{before}\n"
        "video = Video(video_id=TALK, published_at=NOON, duration_s=200)\n"
        "asyncio.run(front.handle(VideoAccepted(video=video)))\n",
        str(home),
        loopback.proxy,
    )


def _run(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
