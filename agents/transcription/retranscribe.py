"""retranscribe: talks whose recording is to be transcribed again, as after a better model was set.

Their recordings are sent to `transcribe` once more. It makes what the present models have not made yet; the
new transcript replaces the old one in every number, and the old one stays in the blob store. Audio that was
deleted when it had served is fetched again.
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
    """The answer to a request to transcribe a talk again.

    Attributes:
        event: what is to be sent for it; None: nothing is.
        said: what happens, or why nothing does.
    """

    video_id: str
    title: str
    event: AudioStored | VideoAccepted | None
    said: str


class Retranscriber:
    """Finds the recordings of talks, and what the present speech models made of them."""

    def __init__(self, blobs: Blobs, version: Callable[[Blob], str]) -> None:
        """`version` names the transcript that the present models make of a recording."""
        self._blobs = blobs
        self._version = version
        self._screened = ScreeningLog(blobs)

    def of(self, video_ids: Sequence[str]) -> list[Again]:
        """Return what becomes of each of these talks. All of them are known, or none is sent.

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
        """Yield what becomes of every talk that was accepted and has a recording, by id."""
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
            said = f"nothing: it is transcribed with these models already ({version})"
        else:
            event, said = AudioStored(video=passes.video, audio=audio), "it is transcribed again"
        return Again(passes.key, passes.video.title, event, said)

    def _made(self, video_id: str, version: str) -> bool:
        return self._blobs.exists(key_of(video_id, version))
