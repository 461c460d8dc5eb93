"""Speaker diarization with pyannote.audio."""

import logging
import os
from collections.abc import Callable
from importlib import metadata
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from models.audio.samples import SAMPLE_RATE, Audio
from models.errors import ModelUnavailable, first_line
from models.loading import malloc
from models.loading.gpu_memory import retry_with_smaller_batch
from models.loading.model_locator import label, locate
from models.speakers.voice_clustering import bound
from models.transcripts.transcript import Turn, Voice

log = logging.getLogger(__name__)
BATCH = 32
"""Maximum number of audio chunks per batch; a pipeline may have a lower limit."""
SHAPES_KEPT = 64
"""Input shapes for which PyTorch caches prepared layers; its default is 1,024. Every voice has its own
length: the cache for fifty took ten times the memory, and more with each
(`tests/speech/test_speaker_memory.py`)."""
TIDIED = 64
"""Batches after which free memory is returned to the system. Freed memory is fragmented by results and by the
transcription that runs meanwhile, too small to be reused, and adds up."""
os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # before its import: pyannote.audio reports usage by default
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(SHAPES_KEPT))  # before PyTorch's import


class Diarization(NamedTuple):
    """Speech turns by start time, in seconds from the start of the recording.

    Speakers are "SPEAKER_00", "SPEAKER_01", … in the order in which they first speak; all lists are empty if
    nobody speaks. `floor`: turns without overlap; while several people speak at once, the turn of the one who
    is most likely transcribed (pyannote.audio's exclusive diarization). `turns`: all turns. `voices`: one
    voice per speaker.
    """

    floor: list[Turn]
    turns: list[Turn]
    voices: list[Voice]


class Diarizer:
    """Speaker diarization; loads its model on first use. Not thread-safe.

    Args:
        model: a folder with a pyannote.audio pipeline, or its name on the hub, such as
            "pyannote/speaker-diarization-community-1".
        token: hub token, for pipelines whose terms must be accepted first; None: the token that a hub login
            stored on this machine, if any.
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU if there is one.
        threads: CPU threads; PyTorch has one such setting per process.
        min_speakers: minimum number of speakers; 0: unknown.
        max_speakers: maximum number of speakers; 0: unknown.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        token: str | None = None,
        device: str = "auto",
        threads: int = 1,
        min_speakers: int = 0,
        max_speakers: int = 0,
    ) -> None:
        self._model = model
        self._bounds = {"min_speakers": min_speakers or None, "max_speakers": max_speakers or None}
        self._token = token
        self._device = device
        self._threads = threads
        self._batch = BATCH
        self._pipeline: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_pipeline": None}

    @property
    def version(self) -> str:
        """Version of the library, the model and the bounds on speakers; safe in file names.

        Raises:
            ModelUnavailable: the model is given as a folder that does not exist.
        """
        told = "".join(f"-{name[:3]}{count}" for name, count in self._bounds.items() if count)
        return f"pyannote.audio-{metadata.version('pyannote.audio')}-{label(self._model)}{told}"

    def diarize(self, audio: Audio) -> Diarization:
        """Find the speakers' turns and their voices.

        Args:
            audio: float32 [n], mono, 16 kHz.

        Raises:
            ModelUnavailable: the model cannot be loaded.
        """
        import torch

        found = self._diarized({"waveform": torch.from_numpy(audio)[None], "sample_rate": SAMPLE_RATE})
        names: dict[str, str] = {}
        floor = _turns(found.exclusive_speaker_diarization, names)
        turns = _turns(found.speaker_diarization, names)
        sounds = (
            {}
            if found.speaker_embeddings is None
            else dict(zip(found.speaker_diarization.labels(), found.speaker_embeddings, strict=True))
        )
        heard_s = dict.fromkeys(names.values(), 0.0)
        for turn in turns:
            heard_s[turn.speaker] += turn.duration_s
        return Diarization(
            floor,
            turns,
            [
                Voice(speaker=name, heard_s=round(heard_s[name], 3), embedding=_unit(sounds.get(label)))
                for label, name in names.items()
            ],
        )

    def _diarized(self, sound: dict[str, Any]) -> Any:
        """Run the pipeline; smaller batches if the GPU is out of memory, and finally the CPU."""

        def at_once(batch: int) -> Any:
            pipeline = self._loaded()
            pipeline.segmentation_batch_size = min(batch, pipeline.segmentation_batch_size)
            pipeline.embedding_batch_size = min(batch, pipeline.embedding_batch_size)
            return pipeline(sound, **self._bounds, hook=_tidy())

        def on_cpu() -> Any:
            log.warning("the GPU has too little memory to find speakers: on the CPU from now on")
            self._device, self._pipeline = "cpu", None
            return self._loaded()(sound, **self._bounds, hook=_tidy())

        found, batch = retry_with_smaller_batch(self._batch, at_once, on_cpu)
        self._batch = batch or BATCH
        return found

    def _loaded(self) -> Any:
        if self._pipeline is None:
            import torch

            from models.loading.pyannote_audio import Pipeline
            from models.speakers.speaker_activity import add_up_by_speaker
            from models.speakers.voice_embedding import embed_in_blocks

            source = locate(self._model)
            torch.set_num_threads(self._threads)
            device = self._device
            if device == "auto":
                device = "cuda" if torch.cuda.is_available() else "cpu"
            try:
                pipeline = Pipeline.from_pretrained(source, token=self._token)
                if pipeline is None:
                    raise OSError("the hub has no such pipeline")
                bound(pipeline.clustering)
                embed_in_blocks(pipeline)
                add_up_by_speaker(pipeline)
                self._pipeline = pipeline.to(torch.device(device))
            except Exception as error:
                raise ModelUnavailable(
                    f"cannot load the diarization model {self._model} on {device} ({first_line(error)})",
                    "a folder must hold a pyannote.audio pipeline (config.yaml)"
                    if isinstance(source, Path)
                    else "check the network and the name, accept the model's terms on the hub and give a "
                    "token, or name a folder that holds it",
                ) from error
        return self._pipeline


def _tidy() -> Callable[..., None]:
    """Return a hook that pyannote.audio calls after each batch; it trims memory every `TIDIED` calls."""
    batches = count(1)

    def after_a_batch(step: str, artefact: Any, **more: Any) -> None:
        if next(batches) % TIDIED == 0:
            malloc.give_back()

    return after_a_batch


def _turns(annotation: Any, names: dict[str, str]) -> list[Turn]:
    """Return an annotation's tracks as turns; speakers that `names` lacks are added to it."""
    tracks = annotation.itertracks(yield_label=True)
    spans = sorted((max(0.0, span.start), span.end, speaker) for span, _, speaker in tracks)
    return [
        Turn(
            start=round(start, 3),
            end=round(end, 3),
            speaker=names.setdefault(speaker, f"SPEAKER_{len(names):02d}"),
        )
        for start, end, speaker in spans
    ]


def _unit(embedding: Any) -> tuple[float, ...]:
    """Return an embedding at unit length, rounded to 4 digits; () if it is missing, zero or not finite."""
    if embedding is None:
        return ()
    length = float(np.linalg.norm(embedding))
    if not np.isfinite(length) or length == 0:
        return ()
    return tuple(round(float(value), 4) for value in np.asarray(embedding) / length)
