"""Transcription of a recording with speakers: both speech models on one decoded array."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel

from models.audio import samples as audio
from models.audio.segmentation import STRETCH_S, stretches
from models.errors import BadInput
from models.speakers.attribution import attribute
from models.speakers.diarization import Diarizer
from models.speech.hallucinations import FOREIGN
from models.speech.transcription import Transcriber
from models.transcripts.transcript import Dropped, Segment, Transcript


@dataclass(frozen=True, slots=True)
class Done:
    """The progress of a transcription.

    Attributes:
        step: the current step. Diarization runs in parallel with transcription; "finding speakers" is the
            rest.
        done_s: seconds of the recording that are transcribed.
        total_s: length of the recording in seconds.
        resumed_s: seconds that an earlier, interrupted attempt had transcribed.
    """

    step: Literal["transcribing", "finding speakers"]
    done_s: float
    total_s: float
    resumed_s: float


class StretchStore(Protocol):
    """Stores finished stretches of a recording, by number, until the transcript is complete."""

    def get(self, number: int) -> bytes | None:
        """Return the stored content of a stretch, or None."""

    def keep(self, number: int, content: bytes) -> None:
        """Store a stretch durably."""


class _Stretch(BaseModel):
    """The transcript of a stretch; seconds are from the beginning of the recording."""

    segments: tuple[Segment, ...]
    language: str
    language_probability: float | None
    dropped: tuple[Dropped, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether it has speech in a language of sufficient probability; for music that is a guess."""
        return bool(self.segments) and (
            self.language_probability is None or self.language_probability >= FOREIGN
        )


class SpeechModels:
    """Transcription with speaker diarization; loads its models on first use. Not thread-safe.

    It can be pickled, loaded or not, and sent to a spawned process, which loads the models anew.

    Args:
        whisper: model of `Transcriber`.
        diarization: model of `Diarizer`.
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU if there is one; both models use the same.
        compute_type: CTranslate2's compute type for the transcription, or "auto".
        language: ISO 639-1 code of the speech; None: detect it.
        threads: CPU threads of each model.
        token: token of the model hub, if the diarization model needs one.
        stretch_s: approximate length of a stretch in seconds; progress is reported and stored after each.
        hotwords: names that are likely in every talk, given to the decoder as hints.
        hotwords_from_title: also use each talk's title as a hint; measured, it did harm (`Transcriber`).
        min_speakers: minimum number of speakers in each talk; 0: unknown.
        max_speakers: maximum number of speakers in each talk; 0: unknown.
    """

    def __init__(
        self,
        whisper: str | Path,
        diarization: str | Path,
        *,
        device: str = "auto",
        compute_type: str = "auto",
        language: str | None = None,
        threads: int = 1,
        token: str | None = None,
        stretch_s: float = STRETCH_S,
        hotwords: Sequence[str] = (),
        hotwords_from_title: bool = False,
        min_speakers: int = 0,
        max_speakers: int = 0,
    ) -> None:
        self._stretch_s = stretch_s
        self._from_title = hotwords_from_title
        self._transcriber = Transcriber(
            whisper,
            device=device,
            compute_type=compute_type,
            language=language,
            threads=threads,
            hotwords=hotwords,
        )
        self._diarizer = Diarizer(
            diarization,
            token=token,
            device=device,
            threads=threads,
            min_speakers=min_speakers,
            max_speakers=max_speakers,
        )

    @property
    def version(self) -> str:
        """Names of both models, the versions of their libraries, and the hints; safe in file names.

        A title is used as it is when its talk is transcribed, so another title does not change the version.

        Raises:
            ModelUnavailable: a model is given as a folder that does not exist.
        """
        titled = "-titled" if self._from_title else ""
        return f"{self._transcriber.version}{titled}--{self._diarizer.version}"

    def transcribe(self, path: Path, title: str = "") -> Transcript:
        """Transcribe a recording in any language; the caller decides whether the language is wanted.

        Args:
            path: a media file in any common format.
            title: the talk's title; used only if these models take hints from titles.

        Returns:
            The transcript, at least one word long; `dropped` has the recognised words that were rejected.

        Raises:
            BadInput: the file cannot be decoded, is silent, or has no words in it.
            ModelUnavailable: a model cannot be loaded.
            OSError: the file cannot be read at all.
        """
        return self.listen(audio.decode(path), path.name, title=title)

    def listen(
        self,
        samples: audio.Audio,
        name: str,
        *,
        parts: StretchStore | None = None,
        tell: Callable[[Done], None] = lambda _: None,
        title: str = "",
    ) -> Transcript:
        """Transcribe a decoded recording stretch by stretch, in parallel with diarization.

        Args:
            samples: float32 [n], mono, 16 kHz.
            name: name of the recording in errors.
            parts: store of finished stretches; stretches in it are not transcribed again.
            tell: called with the progress before each stretch that is transcribed, and at the end.
            title: the talk's title; used only if these models take hints from titles.

        Raises:
            BadInput: the recording is silent, or has no words in it.
            ModelUnavailable: a model cannot be loaded.
        """
        if audio.is_silent(samples):
            raise BadInput(f"no speech in {name}: it is silent", "check that it was recorded with sound")
        lasts_s = audio.duration_s(samples)
        with ThreadPoolExecutor(1) as beside:
            speakers = beside.submit(self._diarizer.diarize, samples)
            also = (title.strip(),) if self._from_title and title.strip() else ()
            heard = self._heard(samples, parts, tell, also)
            segments = [segment for stretch in heard for segment in stretch.segments]
            if not any(segment.text for segment in segments):
                raise BadInput(f"no speech in {name}: no word was heard", "if it is music only, exclude it")
            diarization = speakers.result()
        spoken = next((stretch for stretch in heard if stretch.sure), heard[0])
        return Transcript(
            language=spoken.language,
            language_probability=spoken.language_probability,
            duration_s=round(lasts_s, 3),
            segments=attribute(segments, diarization.floor),
            dropped=tuple(dropped for stretch in heard for dropped in stretch.dropped),
            turns=tuple(diarization.turns),
            voices=tuple(diarization.voices),
            made_by={
                "transcription": self._transcriber.version,
                "diarization": self._diarizer.version,
            },
        )

    def _heard(
        self,
        samples: audio.Audio,
        parts: StretchStore | None,
        tell: Callable[[Done], None],
        also: Sequence[str],
    ) -> list[_Stretch]:
        """Transcribe each stretch, in the language of the first one whose language is certain enough."""
        heard: list[_Stretch] = []
        lasts_s, resumed_s = audio.duration_s(samples), 0.0
        language: str | None = None
        for number, (begin, end) in enumerate(cuts := stretches(samples, self._stretch_s)):
            kept = parts.get(number) if parts is not None and len(cuts) > 1 else None
            if kept is not None:
                stretch, resumed_s = _Stretch.model_validate_json(kept), end / audio.SAMPLE_RATE
            else:
                tell(Done("transcribing", begin / audio.SAMPLE_RATE, lasts_s, resumed_s))
                stretch = self._stretch(samples[begin:end], begin / audio.SAMPLE_RATE, language, also)
                if parts is not None and len(cuts) > 1:
                    parts.keep(number, stretch.model_dump_json().encode())
            if language is None and stretch.sure:
                language = stretch.language
            heard.append(stretch)
        tell(Done("finding speakers", lasts_s, lasts_s, resumed_s))
        return heard

    def _stretch(
        self, samples: audio.Audio, offset_s: float, language: str | None, also: Sequence[str]
    ) -> _Stretch:
        heard = self._transcriber.transcribe(samples, language, also)
        return _Stretch(
            segments=tuple(segment.moved(offset_s) for segment in heard.segments),
            language=heard.language,
            language_probability=heard.probability,
            dropped=tuple(dropped.moved(offset_s) for dropped in heard.dropped),
        )
