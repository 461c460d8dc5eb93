"""Speakers of a talk, and the names that people give them."""

from __future__ import annotations

from agents.curation.video_corrections import Corrected, Corrector
from agents.transcription.speaker_candidates import Speakers, speakers
from agents.web.curation.context import PATIENCE_S, CurationContext, as_refusal
from agents.web.security.access import Who


def speakers_of_talk(desk: CurationContext, video_id: str) -> Speakers:
    """Return the speakers of a talk.

    Raises:
        RequestRefused: 422, there is no such talk, or nothing of it can be read.
    """
    with as_refusal():
        return speakers(desk.blobs, desk.ask, video_id)


def name_speaker(
    desk: CurationContext, who: Who, video_id: str, speaker: str, name: str, *, reason: str
) -> Corrected:
    """Name a speaker; an empty name removes the current one.

    Raises:
        RequestRefused: 422, there is no such talk or speaker, or it cannot be a name.
        Unavailable: it is kept, but could not be sent.
    """
    found = speakers_of_talk(desk, video_id)
    now = desk.site.runtime.parts.now
    with as_refusal(), desk.deliver() as deliver:
        meant = found.one(speaker).speaker
        corrector = Corrector(desk.blobs, desk.ask, deliver, now, who.name, patience_s=PATIENCE_S)
        if name.strip():
            return corrector.name(found.talk, found.transcript_version, meant, name, reason)[0]
        return corrector.unname(found.talk, found.transcript_version, meant, reason)[0]
