"""Recordings as they arrive: good ones in every format, and every way of being bad."""

import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.audio.resampler import AudioResampler

from models.audio.samples import SAMPLE_RATE, decode, duration_s, is_silent, probe
from models.errors import BadInput

FORMATS = [
    ("talk.m4a", "aac", 44_100),
    ("talk.webm", "libopus", 48_000),
    ("talk.ogg", "libopus", 48_000),
    ("talk.mp3", "libmp3lame", 44_100),
    ("talk.wav", "pcm_s16le", 8_000),
    ("talk.flac", "flac", 44_100),
    ("talk.ts", "aac", 48_000),
    ("talk.mp4", "aac", 48_000),
    ("talk.mkv", "aac", 48_000),
]
SECONDS = 10.0


def hum(seconds: float, rate: int, loudness: float = 0.3) -> npt.NDArray[np.float32]:
    return (loudness * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def record(
    path: Path,
    codec: str,
    rate: int,
    *,
    seconds: float = SECONDS,
    layout: str = "stereo",
    options: dict[str, str] | None = None,
) -> Path:
    """Write a hum at 220 Hz; .mp4 and .mkv get a black picture too; no `codec`, no sound."""
    with av.open(str(path), "w", options=options or {}) as container:
        film = container.add_stream("mpeg4", rate=10) if path.suffix in {".mp4", ".mkv"} else None
        sound = container.add_stream(codec, rate=rate, layout=layout) if codec else None
        if film is not None:
            film.width = film.height = 64
            film.pix_fmt = "yuv420p"
            for _ in range(int(seconds * 10)):
                picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                container.mux(film.encode(picture))
            container.mux(film.encode(None))
        if sound is not None:
            for frame in heard(seconds, rate, layout, sound.format.name, sound.frame_size or 1024):
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path


def heard(seconds: float, rate: int, layout: str, format: str, size: int) -> Iterator[av.AudioFrame]:
    resampler = AudioResampler(format=format, layout=layout, rate=rate, frame_size=size)
    channels = 2 if layout == "stereo" else 1
    for i, part in enumerate(np.split(hum(seconds, rate), range(1024, int(seconds * rate), 1024))):
        if part.size:
            frame = av.AudioFrame.from_ndarray(np.tile(part, (channels, 1)), format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, 1024 * i
            yield from resampler.resample(frame)
    yield from resampler.resample(None)


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        decode(path)
    assert caught.value.cause.startswith(path.name)
    assert caught.value.cure
    return caught.value


@pytest.mark.parametrize(("name", "codec", "rate"), FORMATS)
def test_every_common_format_becomes_the_same_sound(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = record(tmp_path / name, codec, rate)
    audio = decode(path)
    assert (audio.dtype, audio.ndim, audio.flags.writeable) == (np.float32, 1, True)
    assert duration_s(audio) == pytest.approx(SECONDS, abs=0.15)
    assert probe(path) == pytest.approx(SECONDS, abs=0.15)
    middle = audio[3 * SAMPLE_RATE : 4 * SAMPLE_RATE]
    assert np.abs(np.fft.rfft(middle)).argmax() == 220
    assert np.abs(middle).max() == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize("advertisement_first", [False, True])
def test_an_advertisement_in_another_rate_ends_no_podcast(tmp_path: Path, advertisement_first: bool) -> None:
    show = record(tmp_path / "show.mp3", "libmp3lame", 48_000).read_bytes()
    advertisement = record(tmp_path / "ad.mp3", "libmp3lame", 44_100, layout="mono").read_bytes()
    podcast = tmp_path / "podcast.mp3"
    podcast.write_bytes(advertisement + show if advertisement_first else show + advertisement)
    assert duration_s(decode(podcast)) == pytest.approx(2 * SECONDS, abs=0.3)
    assert probe(podcast) == pytest.approx(2 * SECONDS, abs=2)


def test_a_live_recording_without_length_is_measured_by_packets(tmp_path: Path) -> None:
    path = record(tmp_path / "live.webm", "libopus", 48_000, options={"live": "1"})
    assert probe(path) == pytest.approx(SECONDS, abs=0.1)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "talk.m4a"
    path.touch()
    assert "is empty" in refused(path).cause
    with pytest.raises(BadInput, match="is empty"):
        probe(path)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body>Sign in to confirm you are not a bot</body></html>" * 40,
        b"plain text, a lot of it. " * 200,
        bytes(50_000),
        np.random.default_rng(0).bytes(50_000),
    ],
    ids=["html", "text", "zeros", "noise"],
)
def test_what_is_not_media_is_refused_whatever_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "talk.m4a"
    path.write_bytes(content)
    assert "not a media file" in refused(path).cause
    with pytest.raises(BadInput, match="not a media file"):
        probe(path)


def test_a_playlist_cannot_make_us_open_other_files(tmp_path: Path) -> None:
    record(tmp_path / "secret.ts", "aac", 48_000)
    playlist = tmp_path / "talk.m3u8"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{tmp_path}/secret.ts\n#EXT-X-ENDLIST\n"
    )
    refused(playlist)
    listing = tmp_path / "talk.txt"
    listing.write_text(f"ffconcat version 1.0\nfile {tmp_path}/secret.ts\n")
    refused(listing)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "film.mp4", "", 0)
    assert "no audio stream" in refused(path).cause
    with pytest.raises(BadInput, match="no audio stream"):
        probe(path)


@pytest.mark.parametrize(("name", "codec"), [("talk.m4a", "aac"), ("talk.webm", "libopus")])
def test_half_a_file_is_refused(tmp_path: Path, name: str, codec: str) -> None:
    path = record(tmp_path / name, codec, 48_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "fetch it again" in refused(path).cure


def test_a_file_that_breaks_off_says_where(tmp_path: Path) -> None:
    path = record(tmp_path / "talk.flac", "flac", 48_000, seconds=20)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "breaks off after 10 of 20 s" in refused(path).cause


@pytest.mark.long
@pytest.mark.parametrize(("name", "codec", "rate"), [each for each in FORMATS if each[0] != "talk.wav"])
def test_a_file_with_garbage_in_it_is_refused(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = record(tmp_path / name, codec, rate, seconds=20)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = np.random.default_rng(0).bytes(third)
    path.write_bytes(content)
    assert "fetch it again" in refused(path).cure


def test_junk_at_the_end_is_only_junk(tmp_path: Path) -> None:
    path = record(tmp_path / "talk.mp3", "libmp3lame", 44_100)
    path.write_bytes(path.read_bytes() + b"junk" * 1000)
    assert duration_s(decode(path)) == pytest.approx(SECONDS, abs=0.15)


def test_a_file_without_a_single_sample_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as header_only:
        header_only.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
    assert "without a single sample" in refused(path).cause
    with pytest.raises(BadInput, match="of no length"):
        probe(path)


def test_a_recording_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    declared = record(tmp_path / "talk.m4a", "aac", 48_000)
    undeclared = record(tmp_path / "live.webm", "libopus", 48_000, options={"live": "1"})
    for path in (declared, undeclared):
        with pytest.raises(BadInput, match=r"longer than 0\.001 h"):
            decode(path, longest_s=3.6)


def test_a_file_that_is_not_there_is_no_bad_input(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "talk.m4a")


def test_only_silence_is_silent() -> None:
    minute = np.zeros(60 * SAMPLE_RATE, np.float32)
    assert is_silent(minute)
    assert is_silent(minute[:0])
    hiss = np.random.default_rng(0).normal(0, 0.0008, minute.size).astype(np.float32)
    assert is_silent(hiss)
    one_word = minute.copy()
    one_word[-5000:] = hum(1, SAMPLE_RATE, 0.02)[:5000]
    assert not is_silent(one_word)
    assert not is_silent(hum(0.05, SAMPLE_RATE))
