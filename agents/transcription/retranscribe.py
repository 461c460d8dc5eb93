"""Retranscription: sends recordings to be transcribed again, for example with a better model.

`transcribe` then makes the transcripts that the current models have not made yet; a new transcript replaces
the old one in every number, and the old one stays in the blob store. Deleted audio is fetched again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from models.errors import BadInput
from streams.events import AudioStored, Blob, VideoAccepted
from streams.logs.screening_log import ScreeningLog, ScreeningRecord
from streams.state.blobs import Blobs
from streams.talks.audio_index import recording
from streams.talks.transcripts import key_of


@dataclass(frozen=True, slots=True)
class Again:
    """The result of a request to transcribe a talk again.

    Attributes:
        event: the event to send; None: there is none.
        said: in words, what happens, or why nothing does.
    """

    video_id: str
    title: str
    event: AudioStored | VideoAccepted | None
    said: str


class Retranscriber:
    """Finds the recordings of talks, and their transcripts by the current speech models."""

    def __init__(self, blobs: Blobs, version: Callable[[Blob], str]) -> None:
        """Keep the dependencies; `version`: the version of a recording's transcript by the current models."""
        self._blobs = blobs
        self._version = version
        self._screened = ScreeningLog(blobs)

    def of(self, video_ids: Sequence[str]) -> list[Again]:
        """Return the result for each of these talks; if one is unknown, none is sent.

        Raises:
            BadInput: there is no such talk.
        """
        found = []
        for video_id in dict.fromkeys(video_ids):
            screening = self._screened.get(video_id)
            if screening is None:
                raise BadInput(f"there is no talk {video_id[:80]!r}", "see groundswell videos list")
            found.append(self._again(screening))
        return found

    def all(self) -> Iterator[Again]:
        """Yield the result for every accepted talk that was not handed in as captions."""
        for screening in self._screened.of(self._screened.keys()):
            if screening.outcome == "accepted" and screening.passes.captions is None:
                yield self._again(screening)

    def _again(self, screening: ScreeningRecord) -> Again:
        passes = screening.passes
        event: AudioStored | VideoAccepted | None = None
        if screening.outcome != "accepted":
            said = f"nothing: it is {screening.outcome}" + (f" ({screening.said})" if screening.said else "")
        elif passes.captions is not None:
            said = "nothing: it was handed in as captions, and there is no recording"
        elif (audio := passes.media or recording(self._blobs, passes.key)) is None:
            event, said = passes, "its recording is fetched again, and transcribed"
        elif self._made(passes.key, version := self._version(audio)):
            said = f"nothing: these models have transcribed it already ({version})"
        else:
            event, said = AudioStored(video=passes.video, audio=audio), "it is transcribed again"
        return Again(passes.key, passes.video.title, event, said)

    def _made(self, video_id: str, version: str) -> bool:
        return self._blobs.exists(key_of(video_id, version))
