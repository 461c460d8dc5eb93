"""From a recording to an attributed transcript: the two speech models on one decoded array."""

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
        step: what is being done. Speakers are looked for at the same time; this step is what is left of it.
        done_s: seconds of the recording that are transcribed.
        total_s: its length, seconds.
        resumed_s: seconds that were transcribed before, by an attempt that was cut off.
    """

    step: Literal["transcribing", "finding speakers"]
    done_s: float
    total_s: float
    resumed_s: float


class StretchStore(Protocol):
    """Keeps finished stretches of a recording, by number, until the transcript is whole."""

    def get(self, number: int) -> bytes | None:
        """Return what was kept of a stretch, or None."""

    def keep(self, number: int, content: bytes) -> None:
        """Keep a stretch for good."""


class _Stretch(BaseModel):
    """The transcript of a stretch; seconds from the beginning of the recording."""

    segments: tuple[Segment, ...]
    language: str
    language_probability: float | None
    dropped: tuple[Dropped, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether somebody speaks in it, in a language that is known: music at the beginning has a guess."""
        return bool(self.segments) and (
            self.language_probability is None or self.language_probability >= FOREIGN
        )


class SpeechModels:
    """Transcribes words and speakers. Loads its models at the first use; one thread at a time.

    It can be pickled, loaded or not, and sent to a spawned process, which loads the models anew.

    Args:
        whisper: as `Transcriber`'s model.
        diarization: as `Diarizer`'s model.
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU if there is one; both models use the same.
        compute_type: as CTranslate2 names it, or "auto"; of the transcription.
        language: ISO 639-1 code of the speech; None: find out.
        threads: CPU threads of each model.
        token: of the model hub, if the diarization model needs one.
        stretch_s: about how many seconds are transcribed before it is told how far it is, and kept.
        hotwords: names that are likely to be said, hinted at in every talk.
        hotwords_from_title: hint at each talk's title too; it did harm where it was measured (`Transcriber`).
        min_speakers: how many people speak in each talk at least; 0: not known.
        max_speakers: how many at most; 0: not known.
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
        """Names both models, their libraries and what is hinted at; safe in file names.

        Titles are hinted at as they are when a talk is transcribed: another title is no other version.

        Raises:
            ModelUnavailable: a model is a folder that is not there.
        """
        titled = "-titled" if self._from_title else ""
        return f"{self._transcriber.version}{titled}--{self._diarizer.version}"

    def transcribe(self, path: Path, title: str = "") -> Transcript:
        """Transcribe a recording. Whether its language is wanted is for the caller to judge.

        Args:
            path: a media file in any common format.
            title: of the talk; used only if these models take hints from titles.

        Returns:
            The transcript, at least one word long; what was recognised and is not believed is in `dropped`.

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
        """Transcribe a decoded recording, stretch by stretch, while its speakers are looked for.

        Args:
            samples: float32 [n], mono, 16 kHz.
            name: of the recording, for errors.
            parts: where finished stretches are kept; those that are there already are not made again.
            tell: told how far it is after each stretch.
            title: of the talk; used only if these models take hints from titles.

        Raises:
            BadInput: it is silent, or has no words in it.
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
        """Transcribe each stretch, in the language of the first one whose language is sure."""
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
