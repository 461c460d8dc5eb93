"""Speech recognition with faster-whisper."""

import ctypes
import hashlib
import logging
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from models.audio.samples import Audio
from models.errors import ModelUnavailable, first_line
from models.loading.gpu_memory import retry_with_smaller_batch
from models.loading.model_locator import label, locate
from models.speech.decoding import BATCH, Passage, in_order, together
from models.speech.hallucination_filter import filter_hallucinations
from models.speech.hallucinations import FOREIGN, bare
from models.transcripts.transcript import Dropped, Segment

log = logging.getLogger(__name__)
JUDGED = 1
"""Part of a transcript's version; raise it when the filter of hallucinations changes."""

_HINT = ", "

_COMPUTE = {"cuda": ("float16", "int8_float16", "int8_float32"), "cpu": ("int8_float32", "int8")}
"""Compute types for "auto", best first; if none is supported, the one that the model was converted to."""


class Heard(NamedTuple):
    """The recognised words of a recording.

    `segments` in spoken order, with words and without speakers, empty if there is no speech; `language`,
    ISO 639-1, and its `probability`, None if the language was given; `dropped`: rejected words.
    """

    segments: list[Segment]
    language: str
    probability: float | None
    dropped: list[Dropped]


class Transcriber:
    """Speech recognition with word times; loads its model on first use. Not thread-safe.

    On a GPU many windows are decoded at once, without Whisper's safeguards; a window whose text is repetitive
    or of low confidence is decoded again, with them. On a CPU everything is decoded with them. On both,
    passages that look hallucinated are decoded again separately, and dropped if they still do
    (`hallucinations`).

    Args:
        model: a folder with a CTranslate2 Whisper model, or its name on the hub, such as "large-v3-turbo".
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU if there is one.
        compute_type: CTranslate2's compute type ("int8", "float16", …), or "auto".
        language: ISO 639-1 code of the speech; None: detect it.
        threads: CPU threads.
        batched: decode windows together; None: only on a GPU.
        hotwords: names that are likely in the talk, given as a hint for every window; the first 220 tokens
            count. Measure before use: on three short talks Whisper base had 4 % errors without hints, 7 %
            with the talk's own names, 16 % with its title and 25 % with six names that nobody says.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        device: str = "auto",
        compute_type: str = "auto",
        language: str | None = None,
        threads: int = 1,
        batched: bool | None = None,
        hotwords: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._device = device
        self._compute_type = compute_type
        self._language = language
        self._threads = threads
        self._batched = batched
        self._hotwords = tuple(hotwords)
        self._batch = BATCH
        self._whisper: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_whisper": None}

    @property
    def version(self) -> str:
        """Version of the library, the model and the filter, and a hash of the hints; safe in file names.

        Raises:
            ModelUnavailable: the model is given as a folder that does not exist.
        """
        made = f"faster-whisper-{metadata.version('faster-whisper')}-{label(self._model)}-judged-{JUDGED}"
        if not self._hotwords:
            return made
        return f"{made}-hotwords-{hashlib.sha256(_HINT.join(self._hotwords).encode()).hexdigest()[:8]}"

    def transcribe(self, audio: Audio, language: str | None = None, also: Sequence[str] = ()) -> Heard:
        """Transcribe a recording.

        Deterministic on a CPU, except for windows in which Whisper fails and falls back on sampling:
        CTranslate2 seeds its generator once per thread, so the result depends on earlier sampling.

        Args:
            audio: float32 [n], mono, 16 kHz.
            language: ISO 639-1 code of the speech; None: the constructor's.
            also: more hot words, for this recording only.

        Raises:
            ModelUnavailable: the model cannot be loaded.
        """
        import ctranslate2

        ctranslate2.set_random_seed(0)
        hotwords = tuple(dict.fromkeys((*self._hotwords, *also)))
        hint = _HINT.join(hotwords) or None
        told = language or self._language
        passages, info = self._decoded(audio, told, hint)

        def again(part: Audio, begin_s: float) -> list[Passage]:
            return in_order(self._loaded(), part, info.language, hint, begin_s)[0]

        prompted = frozenset(filter(None, (bare(word) for text in hotwords for word in text.split())))
        unknown = told is None and info.language_probability < FOREIGN
        known = ["in a language that is not known for sure"] * unknown
        segments, dropped = filter_hallucinations(audio, passages, again, prompted, known)
        probability = None if told else float(info.language_probability)
        return Heard(segments, info.language, probability, dropped)

    def _decoded(self, audio: Audio, language: str | None, hint: str | None) -> tuple[list[Passage], Any]:
        """Decode with smaller batches if the GPU is out of memory, and finally on the CPU, from then on."""
        whisper = self._loaded()
        batched = whisper.model.device == "cuda" if self._batched is None else self._batched
        if not batched:
            return in_order(whisper, audio, language, hint)

        def on_cpu() -> tuple[list[Passage], Any]:
            log.warning("the GPU has too little memory to transcribe: on the CPU from now on")
            self._device, self._compute_type, self._whisper = "cpu", "auto", None
            return in_order(self._loaded(), audio, language, hint)

        def at_once(batch: int) -> tuple[list[Passage], Any]:
            return together(whisper, audio, language, hint, batch)

        found, batch = retry_with_smaller_batch(self._batch, at_once, on_cpu)
        self._batch = batch or BATCH
        return found

    def _loaded(self) -> Any:
        if self._whisper is None:
            import ctranslate2
            from faster_whisper import WhisperModel

            from models.audio.spectrogram import InBlocks

            source = locate(self._model)
            device, _, index = self._device.partition(":")
            if device == "auto":
                device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
            if device == "cuda":
                _load_cublas()
            try:
                compute_type = self._compute_type
                if compute_type == "auto":
                    supported = ctranslate2.get_supported_compute_types(device)
                    compute_type = next((kind for kind in _COMPUTE[device] if kind in supported), "default")
                self._whisper = WhisperModel(
                    str(source),
                    device=device,
                    device_index=int(index or 0),
                    compute_type=compute_type,
                    cpu_threads=self._threads,
                )
                self._whisper.feature_extractor = InBlocks(**self._whisper.feat_kwargs)
            except Exception as error:
                raise ModelUnavailable(
                    f"cannot load the Whisper model {self._model} on {device} ({first_line(error)})",
                    "a folder must hold a CTranslate2 model (model.bin, config.json, tokenizer.json)"
                    if isinstance(source, Path)
                    else "check the network and the name, or name a folder that holds it",
                ) from error
        return self._whisper


def _load_cublas() -> None:
    """Load cuBLAS 12 for CTranslate2, since PyTorch for CUDA 13 does not include it."""
    if sys.platform != "linux":
        return
    try:
        package = metadata.distribution("nvidia-cublas-cu12")
        for library in ("libcublasLt.so.12", "libcublas.so.12"):
            ctypes.CDLL(str(package.locate_file(f"nvidia/cublas/lib/{library}")), mode=ctypes.RTLD_GLOBAL)
    except metadata.PackageNotFoundError:
        try:
            ctypes.CDLL("libcublas.so.12", mode=ctypes.RTLD_GLOBAL)
        except OSError as error:
            raise ModelUnavailable(
                f"Whisper on a GPU needs cuBLAS 12 ({first_line(error)})",
                'install it with "pip install nvidia-cublas-cu12", or set the device to cpu',
            ) from error
