"""The systems that are measured, each in a process of its own: bare models, our worker's code, whisperX."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.speech_child import Hear, Options, serve
from benchmarks.speech_scores import Heard
from models.transcripts.transcript import Turn, Word
from streams.errors import DataError

BARE, OURS, WHISPERX = "bare models", "groundswell", "whisperX"
MODULES = {
    BARE: "benchmarks.speech_systems import serve_bare as main",
    OURS: "benchmarks.speech_systems import serve_ours as main",
    WHISPERX: "benchmarks.speech_whisperx import main",
}
SAMPLED_S = 0.5


def bare(options: Options) -> Hear:
    """faster-whisper and pyannote.audio, as a script that follows their READMEs uses them.

    On a GPU with faster-whisper's batches. Each word goes to whom the largest part of it belongs.
    """
    import torch
    from faster_whisper import BatchedInferencePipeline, WhisperModel, decode_audio
    from pyannote.audio import Pipeline

    whisper = WhisperModel(
        options["whisper"],
        device=options["device"],
        compute_type=options["compute_type"],
        cpu_threads=options["threads"],
    )
    torch.set_num_threads(options["threads"])
    pipeline = Pipeline.from_pretrained(options["diarization"], token=options["token"])
    pipeline.to(torch.device(options["device"]))

    def hear(path: str) -> dict[str, Any]:
        audio = decode_audio(path)
        wanted = {
            "language": options["language"],
            "beam_size": 5,
            "word_timestamps": True,
            "vad_filter": True,
        }
        if options["device"] == "cuda":
            found, _ = BatchedInferencePipeline(whisper).transcribe(
                audio, batch_size=options["batch"], **wanted
            )
        else:
            found, _ = whisper.transcribe(audio, **wanted)
        words = [word for segment in found for word in segment.words or ()]
        diarization = pipeline({"waveform": torch.from_numpy(audio)[None], "sample_rate": 16_000})
        turns = [
            (turn.start, turn.end, speaker)
            for turn, _, speaker in diarization.speaker_diarization.itertracks(yield_label=True)
        ]

        def speaker(start: float, end: float) -> str | None:
            shared: dict[str, float] = {}
            for begin, stop, name in turns:
                overlap = min(end, stop) - max(start, begin)
                if overlap > 0:
                    shared[name] = shared.get(name, 0) + overlap
            return max(shared, key=lambda name: shared[name], default=None)

        return {
            "words": [
                {
                    "start": word.start,
                    "end": max(word.start, word.end),
                    "text": word.word,
                    "speaker": speaker(word.start, word.end),
                }
                for word in words
            ],
            "turns": [{"start": max(0.0, start), "end": end, "speaker": name} for start, end, name in turns],
        }

    return hear


def ours(options: Options) -> Hear:
    """`SpeechModels`, as the child process of `agents.transcription.transcribe` uses it: on a mapped file.

    A refusal ("no speech") is nothing heard.
    """
    from models.audio import samples as audio
    from models.errors import BadInput
    from models.speech.transcriber import SpeechModels

    speech = SpeechModels(
        options["whisper"],
        options["diarization"],
        device=options["device"],
        compute_type=options["compute_type"],
        language=options["language"],
        threads=options["threads"],
        token=options["token"],
    )

    def hear(path: str) -> dict[str, Any]:
        try:
            with tempfile.TemporaryDirectory() as folder:
                decoded = Path(folder) / "decoded"
                audio.decode_to(Path(path), decoded)
                transcript = speech.listen(audio.kept(decoded), Path(path).name)
        except BadInput as error:
            return {"words": [], "turns": [], "refused": error.cause}
        words = [word for segment in transcript.segments for word in segment.words]
        return {
            "words": [word.model_dump(include={"start", "end", "text", "speaker"}) for word in words],
            "turns": [turn.model_dump() for turn in transcript.turns],
        }

    return hear


def serve_bare() -> None:
    """Serve the bare models."""
    serve(bare)


def serve_ours() -> None:
    """Serve our worker's code."""
    serve(ours)


@dataclass(frozen=True)
class Run:
    """A recording heard once: what, in how many seconds, and the most memory that it took."""

    heard: Heard
    wall_s: float
    cpu_s: float
    peak_mb: float
    gpu_busy: float | None
    refused: str | None


class System:
    """A system's process, for the time of a `with` block.

    Raises:
        DataError: it cannot be started, or ended; on entry and at every recording.
    """

    def __init__(self, name: str, options: Options, python: str = sys.executable) -> None:
        self.name = name
        self.load_mb = 0.0
        self._options = options
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> System:
        # -c puts the working folder, which is the project, first on the path.
        command = [self._python, "-c", f"from {MODULES[self.name]}; main()"]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(self._options["threads"]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError as error:
            raise DataError(
                f"{self.name} cannot be started ({error})", "name a Python that has it"
            ) from error
        try:
            self.load_mb = self._ask(self._options)["peak_mb"]
        except DataError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def hear(self, path: Path) -> Run:
        """Let it hear a recording."""
        with Gpu(self._options["device"] == "cuda") as gpu:
            answer = self._ask(str(path.resolve()))
        heard = Heard(
            tuple(Word(**word) for word in answer["words"]), tuple(Turn(**turn) for turn in answer["turns"])
        )
        return Run(
            heard, answer["wall_s"], answer["cpu_s"], answer["peak_mb"], gpu.busy, answer.get("refused")
        )

    def _ask(self, request: Options | str) -> dict[str, Any]:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        line = ""
        with suppress(BrokenPipeError):
            print(json.dumps(request), file=process.stdin, flush=True)
            line = process.stdout.readline()
        if not line:
            raise DataError(
                f"{self.name} ended before it answered", "see that its environment works, and memory"
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise DataError(f"{self.name} failed ({answer['error']})", "see its models and environment")
        return answer


class Gpu:
    """Samples nvidia-smi for the first GPU during a `with` block; empty without a GPU.

    `busy`: per cent of the time in which it computed anything, on average.
    """

    def __init__(self, wanted: bool = True) -> None:
        self.busy: float | None = None
        self._seen: list[float] = []
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True) if wanted else None

    def __enter__(self) -> Gpu:
        if self._watch:
            self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._watch:
            self._watch.join()
        self.busy = sum(self._seen) / len(self._seen) if self._seen else None

    def _look(self) -> None:
        while not self._done.is_set():
            with suppress(ValueError):
                self._seen += [float(each) for each in ask_gpu("utilization.gpu")[:1]]
            self._done.wait(SAMPLED_S)


def ask_gpu(*what: str) -> Sequence[str]:
    """Return what nvidia-smi says of the first GPU; empty where there is none."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", f"--query-gpu={','.join(what)}", "--format=csv,noheader,nounits", "--id=0"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return [each.strip() for each in answer.stdout.strip().split(",")] if answer.returncode == 0 else []


def environment(threads: int) -> dict[str, str]:
    """Return the environment of all systems: so many threads, no telemetry, and cuBLAS 12 where it is."""
    more = {
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "KMP_BLOCKTIME": "0",
        "PYANNOTE_METRICS_ENABLED": "0",
    }
    with suppress(metadata.PackageNotFoundError):
        cublas = metadata.distribution("nvidia-cublas-cu12").locate_file("nvidia/cublas/lib")
        more["LD_LIBRARY_PATH"] = os.pathsep.join(
            filter(None, [str(cublas), os.environ.get("LD_LIBRARY_PATH")])
        )
    return os.environ | more
