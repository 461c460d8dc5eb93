"""Decoding of media files into samples: float32 [n], mono, 16 kHz, in [-1, 1]."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.errors import BadInput

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Audio = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
"""Samples per second of all audio in this package; what Whisper and the pyannote models were trained on."""

LONGEST_S = 12 * 3600.0
"""The longest recording that is decoded, in seconds: one hour takes 230 MB, so 12 hours take 2.8 GB."""

SILENCE_DBFS = -60.0
"""Silence: no tenth of a second of the recording is louder than this (RMS; full scale is 0)."""

_WINDOW = SAMPLE_RATE // 10
_DAMAGED_SHARE = 0.01
_MISSING_S = 2.0
_MISSING_SHARE = 0.1

# These containers state no length; FFmpeg guesses it from the bit rate, which is far off if the rate changes.
_LENGTH_GUESSED = {"aac", "ac3", "eac3", "mp3"}

_DOWNMIX = {"rematrix_maxval": "1.0"}  # averages the channels; by default floats are summed and exceed 1

# A whitelist, because FFmpeg also opens playlists, which read other files and addresses.
_FORMATS = "aac,aiff,amr,asf,avi,caf,eac3,ac3,flac,flv,matroska,mov,mp3,mp4,mpeg,mpegts,ogg,w64,wav,webm"


def decode(path: Path, longest_s: float = LONGEST_S) -> Audio:
    """Decode the first audio stream of a media file.

    The decoder works packet by packet, so memory is bounded by the result, and the result by `longest_s`.
    Up to 1 % of damaged packets are skipped, as media players do.

    Args:
        path: a media file in any common format; video is ignored.
        longest_s: the longest length that is accepted, in seconds.

    Returns:
        float32 [n], mono, `SAMPLE_RATE` samples per second, in [-1, 1] except where a lossy codec
        overshoots.

    Raises:
        BadInput: the file is empty, not media, damaged, shorter than it declares, too long or without an
            audio stream.
        OSError: the file cannot be read at all.
    """
    samples = bytearray()
    for chunk in _decoded(path, longest_s):
        samples += chunk
    return np.frombuffer(samples, dtype=np.float32)


def decode_to(path: Path, target: Path, longest_s: float = LONGEST_S) -> None:
    """Decode as `decode`, into a file that `kept` reads; memory does not grow with the recording.

    Raises:
        BadInput: as `decode`; no file is left behind.
        OSError: the recording cannot be read, or the file cannot be written.
    """
    partial = target.with_name(f"{target.name}.part")
    try:
        with partial.open("wb") as file:
            for chunk in _decoded(path, longest_s):
                file.write(chunk)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def kept(path: Path) -> Audio:
    """Return the samples that `decode_to` wrote: float32 [n], memory-mapped copy-on-write.

    Changes to the array stay in this process and never reach the file.
    """
    return np.memmap(path, dtype=np.float32, mode="c")


def _decoded(path: Path, longest_s: float) -> Iterator[bytes]:
    """Yield a recording's samples as float32 bytes, in chunks."""
    total = 0
    with _open(path) as (container, stream):
        declared_s = _declared_duration_s(container, stream)
        if declared_s is not None and declared_s > longest_s:
            raise _too_long(path, longest_s)
        for resampled in _resampled(_frames(path, container, stream)):
            chunk = resampled.to_ndarray().tobytes()
            total += len(chunk)
            if total > longest_s * SAMPLE_RATE * 4:
                raise _too_long(path, longest_s)
            yield chunk
    _check_whole(path, total / 4 / SAMPLE_RATE, declared_s)


def measure(path: Path) -> float:
    """Decode the first audio stream to its end and return its length in seconds, not the declared one.

    As strict as `decode`, but discards the samples: memory does not grow with the recording, which may be
    longer than `LONGEST_S`.

    Raises:
        BadInput: as `decode`, except that no length is too long.
        OSError: the file cannot be read at all.
    """
    heard_s = 0.0
    with _open(path) as (container, stream):
        declared_s = _declared_duration_s(container, stream)
        for frame in _frames(path, container, stream):
            heard_s += frame.samples / frame.sample_rate
    _check_whole(path, heard_s, declared_s)
    return heard_s


def probe(path: Path) -> float:
    """Return the length of a recording in seconds, read from the container without decoding.

    If the container states no length (a recorded live stream), it follows from the packets' times.

    Raises:
        BadInput: as `decode`, for faults that show without decoding.
        OSError: the file cannot be read at all.
    """
    with _open(path) as (container, stream):
        declared_s = _declared_duration_s(container, stream)
        if declared_s is None:
            ends = [
                float((packet.pts + (packet.duration or 0)) * packet.time_base)
                for packet in container.demux(stream)
                if packet.pts is not None and packet.time_base is not None
            ]
            declared_s = max(ends, default=0.0)
        if declared_s <= 0:
            raise BadInput(f"{path.name} has an audio stream of no length", "fetch or export it again")
        return declared_s


def duration_s(audio: Audio) -> float:
    """Return the length in seconds of audio at `SAMPLE_RATE`."""
    return len(audio) / SAMPLE_RATE


def is_silent(audio: Audio) -> bool:
    """Return whether no tenth of a second of the audio is louder than `SILENCE_DBFS`; True if empty."""
    whole = audio[: len(audio) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    power = np.einsum("ij,ij->i", whole, whole).max(initial=0.0) / _WINDOW
    rest = audio[whole.size :]
    if rest.size:
        power = max(power, float(rest @ rest) / _WINDOW)
    return bool(power <= 10 ** (SILENCE_DBFS / 10))


@contextmanager
def _open(path: Path) -> Iterator["tuple[InputContainer, AudioStream]"]:
    """Open a media file at its first audio stream; FFmpeg's errors become `BadInput`."""
    import av

    if path.stat().st_size == 0:
        raise BadInput(f"{path.name} is empty", "fetch it again; the transfer wrote nothing")
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        container = av.open(str(path), mode="r", metadata_errors="ignore", options=options)
    except (av.FFmpegError, ValueError) as error:
        raise BadInput(
            f"{path.name} is not a media file, or not a whole one ({_reason(error)})",
            "check that it plays; fetch it again or export it as m4a, mp3, wav, ogg or webm",
        ) from error
    with container:
        if not container.streams.audio:
            raise BadInput(f"{path.name} has no audio stream", "choose a format with sound")
        try:
            yield container, container.streams.audio[0]
        except (av.FFmpegError, IndexError) as error:  # PyAV raises IndexError if a stream begins in mid-file
            raise BadInput(
                f"{path.name} cannot be read to its end ({_reason(error)})",
                "fetch it again; the file is incomplete or corrupt",
            ) from error


def _check_whole(path: Path, heard_s: float, declared_s: float | None) -> None:
    if heard_s == 0:
        raise BadInput(f"{path.name} has an audio stream without a single sample", "fetch or export it again")
    missing_s = (declared_s or 0.0) - heard_s
    if declared_s is not None and missing_s > max(_MISSING_S, _MISSING_SHARE * declared_s):
        raise BadInput(
            f"{path.name} breaks off after {heard_s:.0f} of {declared_s:.0f} s",
            "fetch it again; the file is incomplete",
        )


def _resampled(frames: "Iterator[AudioFrame]") -> "Iterator[AudioFrame]":
    """Yield the frames as mono float32 at `SAMPLE_RATE`, with a new resampler at every change of format.

    Podcasts with inserted advertisements change rate and channels in mid-stream.
    """
    from av.audio.resampler import AudioResampler

    def key(frame: "AudioFrame") -> tuple[str, str, int]:
        return frame.format.name, frame.layout.name, frame.sample_rate

    for _, alike in groupby(frames, key):
        resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE, options=_DOWNMIX)
        for frame in chain(alike, [None]):
            yield from (resampled for resampled in resampler.resample(frame) if resampled is not None)


def _frames(path: Path, container: "InputContainer", stream: "AudioStream") -> "Iterator[AudioFrame]":
    import av

    packets = damaged = 0
    reason = ""
    for packet in container.demux(stream):
        packets += 1
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            damaged += 1
            reason = _reason(error)
    if damaged > _DAMAGED_SHARE * packets:
        raise BadInput(
            f"{path.name} is damaged ({damaged} of {packets} packets: {reason})",
            "fetch it again; the file is incomplete or corrupt",
        )


def _declared_duration_s(container: "InputContainer", stream: "AudioStream") -> float | None:
    """Return the declared length of the audio in seconds, or None; a video's own length does not count."""
    import av

    if container.format.name in _LENGTH_GUESSED:
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and not container.streams.video:
        return container.duration / av.time_base
    return None


def _too_long(path: Path, longest_s: float) -> BadInput:
    return BadInput(f"{path.name} is longer than {longest_s / 3600:g} h", "split it into shorter recordings")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
