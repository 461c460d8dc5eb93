"""From a recording to an attributed transcript: the two speech models on one decoded array."""

from pathlib import Path

from models import audio
from models.diarization import Diarizer
from models.errors import BadInput
from models.speakers import attribute
from models.transcript import Transcript
from models.transcription import Transcriber


class SpeechModels:
    """Who said what, when. Loads its models at the first use; one thread at a time.

    It can be pickled, loaded or not, and sent to a spawned process, which loads the models anew.

    Args:
        whisper: as `Transcriber`'s model.
        diarization: as `Diarizer`'s model.
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU if there is one; both models use the same.
        compute_type: as CTranslate2 names it, or "auto"; of the transcription.
        language: ISO 639-1 code of the speech; None: find out.
        threads: CPU threads of each model.
        token: of the model hub, if the diarization model needs one.
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
    ) -> None:
        self._transcriber = Transcriber(
            whisper, device=device, compute_type=compute_type, language=language, threads=threads
        )
        self._diarizer = Diarizer(diarization, token=token, device=device, threads=threads)

    @property
    def version(self) -> str:
        """Names both models and their libraries; safe in file names.

        Raises:
            ModelUnavailable: a model is a folder that is not there.
        """
        return f"{self._transcriber.version}--{self._diarizer.version}"

    def transcribe(self, path: Path) -> Transcript:
        """Transcribe a recording. Whether its language is wanted is for the caller to judge.

        Args:
            path: a media file in any common format.

        Returns:
            The transcript, at least one word long.

        Raises:
            BadInput: the file cannot be decoded, is silent, or has no words in it.
            ModelUnavailable: a model cannot be loaded.
            OSError: the file cannot be read at all.
        """
        samples = audio.decode(path)
        if audio.is_silent(samples):
            raise BadInput(f"no speech in {path.name}: it is silent", "check that it was recorded with sound")
        segments, language, probability = self._transcriber.transcribe(samples)
        if not any(segment.text for segment in segments):
            raise BadInput(f"no speech in {path.name}: no word was heard", "if it is music only, exclude it")
        return Transcript(
            language=language,
            language_probability=probability,
            duration_s=round(audio.duration_s(samples), 3),
            segments=attribute(segments, self._diarizer.turns(samples)),
            made_by={
                "transcription": self._transcriber.version,
                "diarization": self._diarizer.version,
            },
        )
