"""What is said when, with faster-whisper."""

import ctypes
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from models.audio import SAMPLE_RATE, Audio
from models.errors import ModelUnavailable, first_line
from models.source import label, locate
from models.transcript import Segment, Word

BATCH = 16
"""Windows of up to 30 s that a GPU decodes at once."""

REPETITIVE = 2.4
"""Text that gzip shrinks by more than this factor is a loop, not speech (Whisper paper, section 4.5)."""

UNSURE = -1.0
"""Mean log-probability per token below which a decoding has failed (same section)."""

SILENT = 0.6
"""Probability of no speech above which an unsure decoding is of silence (same section)."""

_COMPUTE = {"cuda": ("float16", "int8_float16", "int8_float32"), "cpu": ("int8_float32", "int8")}
"""What "auto" takes, best first; where none is supported, what the model was converted to."""

_LANGUAGE_WINDOWS = 4
"""Windows of 30 s that may be listened to until the language is more likely than not."""

_Found = tuple[list[Segment], Any]


class Transcriber:
    """Writes down speech, word by word. Loads its model at the first use; one thread at a time.

    On a GPU many windows are decoded at once, without Whisper's safeguards; a window that comes out
    repetitive or unsure is decoded again, with them. On a CPU everything is decoded with them.

    Args:
        model: a folder with a CTranslate2 Whisper model, or its name on the hub, such as
            "large-v3-turbo".
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU if there is one.
        compute_type: as CTranslate2 names it ("int8", "float16", …), or "auto".
        language: ISO 639-1 code of the speech; None: find out.
        threads: CPU threads.
        batched: decode windows together; None: on a GPU.
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
    ) -> None:
        self._model = model
        self._device = device
        self._compute_type = compute_type
        self._language = language
        self._threads = threads
        self._batched = batched
        self._whisper: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_whisper": None}

    @property
    def version(self) -> str:
        """Names the library's version and the model; safe in file names.

        Raises:
            ModelUnavailable: the model is a folder that is not there.
        """
        return f"faster-whisper-{metadata.version('faster-whisper')}-{label(self._model)}"

    def transcribe(self, audio: Audio) -> tuple[list[Segment], str, float | None]:
        """Write down a recording.

        Deterministic on a CPU: the sampling that Whisper falls back on starts from the same seed.

        Args:
            audio: float32 [n], mono, 16 kHz.

        Returns:
            The segments in spoken order, with words and no speakers, empty if there is no speech;
            the language, ISO 639-1; and its probability, None if it was given.

        Raises:
            ModelUnavailable: the model cannot be loaded.
        """
        import ctranslate2

        whisper = self._loaded()
        ctranslate2.set_random_seed(0)
        batched = whisper.model.device == "cuda" if self._batched is None else self._batched
        segments, info = (_batched if batched else _sequential)(whisper, audio, self._language)
        probability = None if self._language else float(info.language_probability)
        return segments, info.language, probability

    def _loaded(self) -> Any:
        if self._whisper is None:
            import ctranslate2
            from faster_whisper import WhisperModel

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
            except Exception as error:
                raise ModelUnavailable(
                    f"cannot load the Whisper model {self._model} on {device} ({first_line(error)})",
                    "a folder must hold a CTranslate2 model (model.bin, config.json, tokenizer.json)"
                    if isinstance(source, Path)
                    else "check the network and the name, or name a folder that holds it",
                ) from error
        return self._whisper


def _sequential(whisper: Any, audio: Audio, language: str | None, offset_s: float = 0.0) -> _Found:
    """Decode window by window, with Whisper's safeguards; what is repetitive after all of them is dropped."""
    found, info = whisper.transcribe(
        audio,
        language=language,
        vad_filter=True,
        word_timestamps=True,
        condition_on_previous_text=False,  # else one loop begets the next
        compression_ratio_threshold=REPETITIVE,
        log_prob_threshold=UNSURE,
        no_speech_threshold=SILENT,
        language_detection_segments=_LANGUAGE_WINDOWS,
    )
    return [_segment(each, offset_s) for each in found if each.compression_ratio <= REPETITIVE], info


def _batched(whisper: Any, audio: Audio, language: str | None) -> _Found:
    """Decode many windows at once, and those that fail again by `_sequential`."""
    from faster_whisper import BatchedInferencePipeline

    found, info = BatchedInferencePipeline(whisper).transcribe(
        audio,
        language=language,
        word_timestamps=True,
        batch_size=BATCH,
        language_detection_segments=_LANGUAGE_WINDOWS,
    )
    segments: list[Segment] = []
    for each in found:
        if each.no_speech_prob > SILENT and each.avg_logprob < UNSURE:
            continue
        if _passes(each):
            segments.append(_segment(each))
            continue
        window = audio[int(each.start * SAMPLE_RATE) : int(each.end * SAMPLE_RATE)]
        again, _ = _sequential(whisper, window, info.language, each.start)
        segments.extend(again)
    return segments, info


def _passes(decoded: Any) -> bool:
    return bool(decoded.compression_ratio <= REPETITIVE and decoded.avg_logprob >= UNSURE)


def _segment(decoded: Any, offset_s: float = 0.0) -> Segment:
    words = tuple(
        Word(
            start=round(word.start + offset_s, 3),
            end=round(max(word.start, word.end) + offset_s, 3),
            text=word.word,
            probability=min(1.0, float(word.probability)),
        )
        for word in decoded.words or ()
    )
    start, end = decoded.start + offset_s, max(decoded.start, decoded.end) + offset_s
    return Segment(start=round(start, 3), end=round(end, 3), text=decoded.text.strip(), words=words)


def _load_cublas() -> None:
    """Make cuBLAS 12 known to CTranslate2, which PyTorch for CUDA 13 does not bring."""
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
