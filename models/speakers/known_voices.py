"""Voices across talks: who was heard before, and which speakers of a talk are doubtful."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from models.transcripts.transcript import Transcript, Voice

ALIKE = 0.65
"""From this cosine on two voices may be one person's: by CAM++, halves of talks are at .86 and more for one
person, and at .43 or less for two (`benchmarks/voices.py`)."""
GHOST_WORDS, GHOST_S = 8, 5.0
"""Who says no more, in no more seconds, is perhaps nobody."""


class Known(NamedTuple):
    """A voice that a person gave a name."""

    name: str
    embedding: Sequence[float]
    video_id: str


class Recognition(NamedTuple):
    """A voice of a talk that sounds like a known one; `similarity`: their cosine."""

    speaker: str
    name: str
    similarity: float
    video_id: str


def recognised(voices: Iterable[Voice], known: Sequence[Known]) -> list[Recognition]:
    """Return who speaks that was named before, the surest first; a name goes to one speaker at most.

    Args:
        voices: of one talk.
        known: made by the same diarization model; others are as if they were not there.
    """
    found = [
        Recognition(
            voice.speaker, each.name, round(similarity(voice.embedding, each.embedding), 3), each.video_id
        )
        for voice in voices
        for each in known
    ]
    found.sort(key=lambda each: (-each.similarity, each.speaker, each.name, each.video_id))
    best: list[Recognition] = []
    for each in found:
        taken = any(each.speaker == other.speaker or each.name == other.name for other in best)
        if each.similarity >= ALIKE and not taken:
            best.append(each)
    return best


def doubtful(transcript: Transcript) -> dict[str, str]:
    """Return the speakers who are perhaps nobody, or the same as another one, and why.

    Diarization makes such ghosts of laughter, of music, or of a voice that changes.
    """
    words = transcript.words_by_speaker
    louder: list[Voice] = []
    doubts = {}
    for voice in sorted(transcript.voices, key=lambda voice: (-voice.heard_s, voice.speaker)):
        said = words[voice.speaker]
        near = max(
            ((similarity(voice.embedding, other.embedding), other.speaker) for other in louder),
            default=(0.0, ""),
        )
        if said <= GHOST_WORDS and voice.heard_s <= GHOST_S:
            doubts[voice.speaker] = (
                f"perhaps nobody: {said or 'no'} word{'s' * (said != 1)}, {voice.heard_s:.1f} s"
            )
        elif near[0] >= ALIKE:
            doubts[voice.speaker] = f"perhaps {near[1]} as well: they sound alike ({near[0]:.2f})"
        louder.append(voice)
    return doubts


def similarity(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two embeddings of length one; 0 where they cannot be compared."""
    return float(np.dot(one, other)) if one and len(one) == len(other) else 0.0
