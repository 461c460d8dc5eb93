"""Speakers of a talk, with suggested names from its transcript and from other talks of its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agents.curation.video_corrections import known, named
from agents.transcription.speaker_names import Names, names
from agents.transcription.transcript_export import artefact, counting, parsed
from models.errors import BadInput
from models.speakers import known_voices
from models.speakers.introductions import introductions
from models.transcripts.transcript import Segment, Transcript
from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.store.rows.talks import WholeTalk

REMEMBERED = 30
"""Maximum number of talks whose named voices are compared, the latest named first."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggested name of a speaker, and why; `start`: seconds at which the talk says it, if it does."""

    name: str
    why: str
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """A speaker of a talk.

    Attributes:
        speaker: the label in the transcript.
        name: the name that a person gave; empty: none.
        heard_s: seconds in which they speak.
        words: the number of their words.
        hear_s: seconds at which their longest segment begins, to recognize the voice; None: there is none.
        doubt: why this is perhaps not a speaker, or the same person as another one; empty: no doubt.
        offers: suggested names, the likeliest first; empty for a speaker with a name.
    """

    speaker: str
    name: str
    heard_s: float
    words: int
    hear_s: float | None
    doubt: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Speakers:
    """The speakers of a talk in its current transcript, by speaking time, longest first."""

    talk: WholeTalk
    transcript_version: str
    speakers: tuple[Speaker, ...]

    def one(self, name: str) -> Speaker:
        """Return the speaker with this label in the transcript or this name given by a person.

        Raises:
            BadInput: there is no such speaker, or there are several.
        """
        found = [
            each
            for each in self.speakers
            if name.casefold() in (each.speaker.casefold(), each.name.casefold())
        ]
        if len(found) == 1:
            return found[0]
        there = ", ".join(each.speaker for each in found or self.speakers) or "none"
        how = "several speakers are" if found else "no speaker of the transcript is"
        raise BadInput(f"{how} called {name[:80]!r}", f"there are {there}: see groundswell videos speakers")


def speakers(blobs: Blobs, ask: Callable[..., Any], video_id: str) -> Speakers:
    """Return the speakers of a talk.

    Args:
        blobs: the study's blob store.
        ask: queries a view by name with its parameters (`talk`, `corrections`).
        video_id: the talk.

    Raises:
        BadInput: there is no such talk, or it has no transcript.
        DataError: its transcript is missing or damaged.
    """
    talk = known(ask, video_id)
    version = counting(talk["transcripts"])
    if version is None:
        raise BadInput(
            f"{named(talk)} has no transcript that counts", "see its state with groundswell videos show"
        )
    transcript = parsed(artefact(blobs, video_id, version))
    given = names(ask("corrections"))
    return Speakers(talk, version, tuple(_speakers(blobs, ask, talk, version, transcript, given)))


def _speakers(  # noqa: PLR0917 - each input comes from another place
    blobs: Blobs, ask: Callable[..., Any], talk: WholeTalk, version: str, transcript: Transcript, given: Names
) -> Iterator[Speaker]:
    words = transcript.words_by_speaker
    heard: dict[str, float] = {}
    longest: dict[str, Segment] = {}
    for segment in transcript.segments:
        if segment.speaker is not None:
            heard[segment.speaker] = heard.get(segment.speaker, 0.0) + segment.duration_s
            before = longest.get(segment.speaker)
            if before is None or segment.duration_s > before.duration_s:
                longest[segment.speaker] = segment
    heard |= {voice.speaker: voice.heard_s for voice in transcript.voices}
    offers = _offers(transcript, _library(blobs, ask, talk, transcript, given))
    doubts = known_voices.doubtful(transcript)
    for speaker in sorted(heard, key=lambda each: (-heard[each], each)):
        name = given.get((talk["video_id"], version, speaker), "")
        yield Speaker(
            speaker,
            name,
            round(heard[speaker], 1),
            words[speaker],
            round(longest[speaker].start, 1) if speaker in longest else None,
            doubts.get(speaker, ""),
            () if name else tuple(offers.get(speaker, ())),
        )


def _offers(transcript: Transcript, library: Sequence[known_voices.Known]) -> dict[str, list[Offer]]:
    found: dict[str, list[Offer]] = {}
    for each in known_voices.recognised(transcript.voices, library):
        why = f"sounds like {each.name} in {each.video_id} ({each.similarity:.2f})"
        found.setdefault(each.speaker, []).append(Offer(each.name, why))
    for said in introductions(transcript.segments):
        offered = found.setdefault(said.speaker, [])
        if all(each.name.casefold() != said.name.casefold() for each in offered):
            offered.append(Offer(said.name, f"“{said.quote}”", round(said.start, 1)))
    return found


def _library(
    blobs: Blobs, ask: Callable[..., Any], talk: WholeTalk, transcript: Transcript, given: Names
) -> list[known_voices.Known]:
    """Return the named voices of other talks of the same source, diarized by the same model."""
    if not transcript.voices:
        return []
    made_by = transcript.made_by.get("diarization")
    found: list[known_voices.Known] = []
    places = list(dict.fromkeys((video_id, version) for video_id, version, _ in given))
    for video_id, version in [each for each in places if each[0] != talk["video_id"]][:REMEMBERED]:
        other = ask("talk", video_id=video_id)
        if other is None or _source(other) != _source(talk):
            continue
        try:
            heard = parsed(artefact(blobs, video_id, version))
        except DataError:  # deleted, or not part of the imported study
            continue
        if heard.made_by.get("diarization") == made_by:
            found += [
                known_voices.Known(given[video_id, version, voice.speaker], voice.embedding, video_id)
                for voice in heard.voices
                if (video_id, version, voice.speaker) in given
            ]
    return found


def _source(talk: WholeTalk) -> str:
    """Return the source of a talk, as defined by `streams.store.codebook.sql_fragments.SOURCE`."""
    return str(talk["channel_id"] or talk["channel"] or talk["show"] or talk["video_id"])
