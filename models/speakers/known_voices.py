"""Voices across talks: recognition of known speakers, and doubtful speakers of a talk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from models.transcripts.transcript import Transcript, Voice

ALIKE = 0.65
"""Cosine from which two voices may be the same person: with CAM++, halves of talks have .86 or more for one
person, and .43 or less for two (`benchmarks/voices.py`)."""
GHOST_WORDS, GHOST_S = 8, 5.0
"""A speaker with at most this many words and this many seconds may be an artefact."""


class Known(NamedTuple):
    """A voice that a person has named."""

    name: str
    embedding: Sequence[float]
    video_id: str


class Recognition(NamedTuple):
    """A voice of a talk that resembles a known one; `similarity`: their cosine."""

    speaker: str
    name: str
    similarity: float
    video_id: str


def recognised(voices: Iterable[Voice], known: Sequence[Known]) -> list[Recognition]:
    """Return the speakers who were named before, by descending similarity; each name at most once.

    Args:
        voices: the voices of one talk.
        known: named voices; embeddings of another width are ignored, but all must be of the same model.
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
    """Return the speakers who may be artefacts, or the same person as another one, with the reason.

    Diarization produces such speakers from laughter, music, or a changing voice.
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
    """Return the cosine of two unit embeddings; 0 if they cannot be compared."""
    return float(np.dot(one, other)) if one and len(one) == len(other) else 0.0
