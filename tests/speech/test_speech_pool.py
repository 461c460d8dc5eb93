"""Speech in child processes: the same transcript, with progress, and cut off anywhere without harm."""

import asyncio
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from agents.transcription.worker_pool import FORGOTTEN_S, SpeechPool, Work, _Child
from models.audio import samples as audio
from models.bundled_models import PackagedModels
from models.errors import BadInput
from models.speech.transcriber import Done, SpeechModels
from models.transcripts.transcript import Transcript
from streams.events import Blob
from streams.state.blobs import Blobs
from streams.talks.partial_transcripts import PartialTranscripts
from tests.processes import AUDIO, ROOT, until

pytestmark = [pytest.mark.speech, pytest.mark.long]


@pytest.fixture(scope="module")
def by_stretches(packaged_models: PackagedModels) -> SpeechModels:
    """Models that keep what they have every dozen seconds."""
    return SpeechModels(packaged_models.whisper, packaged_models.diarization, device="cpu", stretch_s=12)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seconds of a talk, in two stretches."""
    samples = audio.decode(min(AUDIO.glob("*.ogg")))[: 20 * audio.SAMPLE_RATE]
    path = tmp_path_factory.mktemp("spoken") / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.SAMPLE_RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def at_home(by_stretches: SpeechModels, spoken: Path) -> Transcript:
    """The expected transcript, made in this process."""
    return by_stretches.transcribe(spoken)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture
def pool(by_stretches: SpeechModels, blobs: Blobs, tmp_path: Path) -> Iterator[SpeechPool]:
    pool = SpeechPool(lambda: by_stretches, blobs, tmp_path / "decoded")
    yield pool
    pool.kill()


def stored(blobs: Blobs, path: Path) -> Blob:
    return blobs.put_file(f"audio/{path.name}", path)


async def test_two_talks_at_once_come_out_the_same_and_leave_nothing(
    pool: SpeechPool, blobs: Blobs, spoken: Path, at_home: Transcript, tmp_path: Path
) -> None:
    said: list[Done] = []
    first = Work("transcripts/a/1.json", stored(blobs, spoken), "A talk")
    second = Work("transcripts/b/1.json", first.recording, "The same again")
    one, other = await asyncio.gather(pool.transcribe(first, said.append), pool.transcribe(second))
    assert one == other == at_home
    steps = [each.step for each in said]
    assert steps[-1] == "finding speakers"
    assert set(steps[:-1]) == {"transcribing"}
    assert [each.done_s for each in said] == sorted(each.done_s for each in said)
    assert said[-1].total_s == pytest.approx(at_home.duration_s, abs=0.01)
    assert list((tmp_path / "decoded").iterdir()) == []


async def test_a_killed_process_continues_with_the_next_stretch(
    pool: SpeechPool, blobs: Blobs, spoken: Path, at_home: Transcript
) -> None:
    said: list[Done] = []

    def kill_once(done: Done) -> None:
        if done.done_s > 0 and not any(each.done_s > 0 for each in said):
            for child in psutil.Process().children(recursive=True):
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
        said.append(done)

    work = Work("transcripts/a/1.json", stored(blobs, spoken), "A talk")
    assert await pool.transcribe(work, kill_once) == at_home
    assert said[-1].resumed_s > 0
    begun = [each.done_s for each in said if each.step == "transcribing"]
    assert begun.count(0.0) == 1, "the first stretch was transcribed once"


async def test_a_process_that_died_idle_is_nobodys_fault(tmp_path: Path) -> None:
    child = _Child(tmp_path)
    try:
        for _ in range(3):
            process = psutil.Process(await child.run(os.getpid))
            process.kill()
            with suppress(psutil.NoSuchProcess):
                while process.status() != psutil.STATUS_ZOMBIE:
                    pass  # at once, before the executor notices
        assert await child.run(os.getpid) != process.pid
    finally:
        child.kill()


def test_what_was_kept_by_a_killed_worker_is_not_made_again(
    by_stretches: SpeechModels, blobs: Blobs, spoken: Path, at_home: Transcript
) -> None:
    parts, samples = PartialTranscripts(blobs, "transcripts/a/1.json"), audio.decode(spoken)
    by_stretches.listen(samples, spoken.name, parts=parts)
    begun: list[Done] = []
    assert by_stretches.listen(samples, spoken.name, parts=parts, tell=begun.append) == at_home
    assert [each.step for each in begun] == ["finding speakers"]
    parts.forget()
    assert parts.get(0) is None


async def test_an_undecodable_recording_says_so_and_the_next_comes_out(
    pool: SpeechPool, blobs: Blobs, spoken: Path, at_home: Transcript
) -> None:
    page = blobs.put("audio/page.m4a", b"<html>not found</html>")
    with pytest.raises(BadInput, match="not a media file"):
        await pool.transcribe(Work("transcripts/a/1.json", page, "A page"))
    assert await pool.transcribe(Work("transcripts/b/1.json", stored(blobs, spoken), "A talk")) == at_home


def test_decoded_audio_of_yesterday_is_tidied_away(pool: SpeechPool, tmp_path: Path) -> None:
    folder = tmp_path / "decoded"
    folder.mkdir()
    old, new = folder / "old.f32", folder / "new.f32"
    for path in (old, new):
        path.write_bytes(b"\0" * 64)
    os.utime(old, (0, old.stat().st_mtime - FORGOTTEN_S - 60))
    pool.tidy()
    assert [path.name for path in folder.iterdir()] == ["new.f32"]


PARENT = """
import asyncio, sys, psutil
from pathlib import Path
from agents.transcription.worker_pool import SpeechPool, Work
from models.speech.transcriber import SpeechModels
from streams.state.blobs import Blobs

async def main(home, whisper, diarization, recording):
    blobs = Blobs(home)
    speech = SpeechModels(whisper, diarization, device="cpu", stretch_s=5)
    pool = SpeechPool(lambda: speech, blobs, Path(home))
    work = Work("transcripts/a/1.json", blobs.put_file("audio/a.ogg", Path(recording)), "A talk")
    tell = lambda done: print(*(each.pid for each in psutil.Process().children()), flush=True)
    await pool.transcribe(work, tell)

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
"""


def test_no_process_outlives_a_worker_that_is_killed(
    packaged_models: PackagedModels, spoken: Path, tmp_path: Path
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    models = (str(packaged_models.whisper), str(packaged_models.diarization))
    command = [sys.executable, str(script), str(tmp_path / "home"), *models, str(spoken)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) >= 2
        parent.send_signal(signal.SIGKILL)
    until(lambda: not any(psutil.pid_exists(pid) for pid in children))


def test_a_process_that_ends_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys
from pathlib import Path
from tqdm import tqdm
from agents.transcription.worker_pool import _Child
def lock():  # as Whisper does
    tqdm.get_lock()
if __name__ == "__main__":
    child = _Child(Path(sys.argv[1]))
    asyncio.run(child.run(lock))
    child.kill()
    os._exit(0)
"""
    (tmp_path / "ending.py").write_text(script)
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "ending.py"), str(tmp_path / "cuda")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == "", "Python tells of semaphores that were not released"
