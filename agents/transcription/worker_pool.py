"""Pool of child processes for transcription: one decodes ahead, the others hold the speech models.

Transcription may take the GPU, gigabytes of memory and hours, and a crash in native code ends only the child.
While one talk is transcribed, the next one is decoded, so that a GPU does not wait for FFmpeg.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from models.audio import samples
from models.speech.transcriber import Done, SpeechModels
from models.transcripts.transcript import Transcript
from streams.errors import DataError
from streams.events import Blob
from streams.log_output import LogFormat, capture_output, configure_logging, log_format
from streams.state.blobs import Blobs
from streams.talks.partial_transcripts import PartialTranscripts

log = structlog.get_logger()
CRASHES = 2
"""Number of crashes of the child process after which a recording becomes a dead letter."""
FORGOTTEN_S = 24 * 3600.0
"""Age (seconds) from which decoded audio is deleted: a killed process left it."""
RELEASE_S = 1.0
"""How long an ended process's last progress is waited for (seconds)."""
SUFFIX = ".f32"
T = TypeVar("T")
Told = Callable[[Done], None]


@dataclass(frozen=True, slots=True)
class Work:
    """A recording to transcribe.

    Attributes:
        name: the key of the transcript; partial results of a killed attempt are stored under it.
        recording: the audio.
        title: the title of the talk.
    """

    name: str
    recording: Blob
    title: str


class SpeechPool:
    """Transcribes `workers` talks at a time, each with its own models, and decodes the next one ahead."""

    def __init__(
        self, speech: Callable[[], SpeechModels], blobs: Blobs, folder: Path, workers: int = 1
    ) -> None:
        """Keep the dependencies; `speech` is called for the first recording; `folder` holds decoded audio.

        A GPU's driver also caches its compiled programs there (minutes of work for a new kind of GPU), unless
        CUDA_CACHE_PATH names another folder.
        """
        self._speech = speech
        self._blobs = blobs
        self._folder = folder
        self._decoder = _Child(folder / "cuda")
        self._listeners = [_Child(folder / "cuda") for _ in range(workers)]
        self._free: asyncio.Queue[_Child] = asyncio.Queue()
        for listener in self._listeners:
            self._free.put_nowait(listener)
        self._decoding = asyncio.Lock()

    async def transcribe(self, work: Work, tell: Told = lambda _: None) -> Transcript:
        """Transcribe a recording; resume where a killed attempt ended.

        Args:
            work: the recording.
            tell: receives the progress, from another thread.

        Raises:
            DataError: the recording crashed its process twice.
            BadInput: the recording cannot be decoded, or has no words in it.
            ModelUnavailable: a model cannot be loaded.
        """
        for _ in range(CRASHES):
            decoded = self._folder / f"{uuid.uuid4().hex}{SUFFIX}"
            try:
                async with self._decoding:  # one at a time, so that a crash is that file's fault
                    await self._decoder.run(_decode, self._blobs.url, work.recording, self._folder, decoded)
                listener = await self._free.get()
                try:
                    return await listener.run(
                        _transcribe, self._speech(), self._blobs.url, work, decoded, tell=tell
                    )
                finally:
                    self._free.put_nowait(listener)
            except BrokenProcessPool:
                log.warning("the speech process died", audio=work.recording.key)
            finally:
                decoded.unlink(missing_ok=True)
        raise DataError(
            f"the speech process died {CRASHES} times on this recording (out of memory, or a codec crashed)",
            "convert it to another format or give the worker more memory, then replay",
        )

    def tidy(self) -> None:
        """Delete decoded audio that killed processes left."""
        for path in self._folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > FORGOTTEN_S:
                    path.unlink()

    def kill(self) -> None:
        """End the processes, even in the middle of a talk."""
        for child in (self._decoder, *self._listeners):
            child.kill()


class _Child:
    """A process, started on first use and again after a crash; it runs one function at a time."""

    def __init__(self, cuda_cache: Path) -> None:
        self._cuda_cache = str(cuda_cache.absolute())
        self._context = multiprocessing.get_context("spawn")
        self._pool: ProcessPoolExecutor | None = None
        self._said: Any = None
        self._listening: threading.Thread | None = None
        self._tell: Told = lambda _: None

    async def run(self, work: Callable[..., T], *arguments: Any, tell: Told = lambda _: None) -> T:
        """Run a function of this module in the process; `tell` receives its progress.

        Raises:
            BrokenProcessPool: the process died.
        """
        self._tell = tell
        try:
            await asyncio.wrap_future(self._started().submit(os.getpid))
        except BrokenProcessPool:  # it died while it was idle, which was not this work's fault
            self.kill()
        try:
            return await asyncio.wrap_future(self._started().submit(work, *arguments))
        except BrokenProcessPool:
            self.kill()
            raise

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._said = self._context.SimpleQueue()
            begin = (self._said, self._cuda_cache, log_format())
            self._pool = ProcessPoolExecutor(1, mp_context=self._context, initializer=_begin, initargs=begin)
            self._listening = threading.Thread(target=self._listen, args=(self._said,), daemon=True)
            self._listening.start()
        return self._pool

    def _listen(self, said: Any) -> None:
        while (done := said.get()) is not None:
            self._tell(done)

    def kill(self) -> None:
        """End the process, and release what it shared with this one, which takes milliseconds.

        Otherwise Python warns of leaked semaphores if this process ends at once. It is not waited for a
        listener that is still writing progress to a slow store.
        """
        if self._pool is None or self._listening is None:
            return
        for process in list((self._pool._processes or {}).values()):
            with suppress(ProcessLookupError):
                os.kill(process.pid or 0, signal.SIGKILL)
        self._pool.shutdown(cancel_futures=True)
        self._said.put(None)
        self._listening.join(RELEASE_S)
        self._pool = self._said = self._listening = None


# The following functions run in the child processes.

_queue: Any = None
_loaded: SpeechModels | None = None


def _begin(said: Any, cuda_cache: str, how: LogFormat) -> None:
    """Prepare a child: the parent handles Ctrl-C, waiting threads do not spin, and no orphan stays."""
    from tqdm import tqdm

    global _queue  # noqa: PLW0603 - one per child process
    _queue = said
    tqdm.set_lock(threading.RLock())  # its own is a semaphore, which stays when this process is killed
    configure_logging(how)
    capture_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    os.environ.setdefault("CUDA_CACHE_PATH", cuda_cache)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the parent was killed: nothing waits for the result, and the GPU's memory is needed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _decode(blobs_url: str, recording: Blob, folder: Path, decoded: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with Blobs(blobs_url).local_file(recording, folder) as path:
        samples.decode_to(path, decoded)


def _transcribe(speech: SpeechModels, blobs_url: str, work: Work, decoded: Path) -> Transcript:
    """Return the transcript of a decoded recording; the models stay loaded between talks."""
    global _loaded  # noqa: PLW0603 - one per child process
    if _loaded is None or _loaded.version != speech.version:
        _loaded = speech
    parts = PartialTranscripts(Blobs(blobs_url), work.name)
    name = work.recording.key.rpartition("/")[2]
    return _loaded.listen(samples.kept(decoded), name, title=work.title, parts=parts, tell=_queue.put)
