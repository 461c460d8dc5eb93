"""Transcripts of a talk with several speakers, as the worker stores them."""

from models.transcripts.transcript import Segment, Transcript, Voice, Word
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.talks.transcripts import key_of

HOST, GUEST, COUGH = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"
VOICES = {HOST: (1.0, 0.0, 0.0), GUEST: (0.0, 1.0, 0.0), COUGH: (0.0, 0.0, 1.0)}
SPOKEN = (
    (HOST, 0.0, 4.0, "Hello, my name is Ann Lee."),
    (HOST, 4.0, 24.0, "Please welcome Bo Berg."),
    (GUEST, 24.0, 50.0, "Hello there."),
    (COUGH, 50.0, 50.8, "Hm."),
)


def transcript(*spoken: tuple[str | None, float, float, str], diarization: str = "d-1") -> Transcript:
    """Return a transcript of (speaker, start, end, text); a speaker has the same voice in every talk."""
    segments = tuple(
        Segment(
            start=start,
            end=end,
            text=text,
            speaker=speaker,
            words=tuple(Word(start=start, end=end, text=f" {word}") for word in text.split()),
        )
        for speaker, start, end, text in spoken
    )
    names = list(dict.fromkeys(each.speaker for each in segments if each.speaker))
    return Transcript(
        language="en",
        language_probability=1.0,
        duration_s=max(each.end for each in segments),
        segments=segments,
        made_by={"diarization": diarization},
        voices=tuple(
            Voice(
                speaker=name,
                heard_s=sum(each.duration_s for each in segments if each.speaker == name),
                embedding=VOICES[name],
            )
            for name in names
        ),
    )


def keep(warehouse: Warehouse, video_id: str, version: str, said: Transcript) -> None:
    """Store a transcript where the pages look for it."""
    Blobs(warehouse.settings.blobs_url).put(key_of(video_id, version), said.model_dump_json().encode())
