"""Voices across talks: who is recognised, and which speakers are doubtful."""

import math

import pytest

from models.speakers.known_voices import ALIKE, GHOST_S, GHOST_WORDS, Known, doubtful, recognised
from models.transcripts.transcript import Segment, Transcript, Voice, Word

EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def towards(cosine: float) -> tuple[float, float]:
    """Return a voice with this cosine to EAST."""
    return cosine, math.sqrt(1 - cosine**2)


def voice(number: int, embedding: tuple[float, ...], heard_s: float = 60.0) -> Voice:
    return Voice(speaker=f"SPEAKER_{number:02}", heard_s=heard_s, embedding=embedding)


def transcript(*voices: Voice, words: tuple[int, ...]) -> Transcript:
    segments = tuple(
        Segment(
            start=0,
            end=9,
            text=" word" * count,
            speaker=each.speaker,
            words=tuple(Word(start=0, end=1, text=" word") for _ in range(count)),
        )
        for each, count in zip(voices, words, strict=True)
    )
    return Transcript(
        language="en", language_probability=1, duration_s=99, segments=segments, made_by={}, voices=voices
    )


def test_a_known_voice_is_recognised_and_an_unlike_one_is_not() -> None:
    known = [Known("Ann", EAST, "first"), Known("Bo", NORTH, "first")]
    (found,) = recognised([voice(0, towards(0.9))], known)
    assert found == ("SPEAKER_00", "Ann", 0.9, "first")
    assert recognised([voice(0, towards(ALIKE - 0.01))], known[:1]) == []
    assert recognised([voice(0, ())], known) == []
    assert recognised([voice(0, (1.0, 0.0, 0.0))], known) == [], "another model's"


def test_a_name_goes_only_to_the_most_similar_speaker() -> None:
    found = recognised(
        [voice(0, towards(0.8)), voice(1, towards(0.95))], [Known("Ann", EAST, "a"), Known("Ann", EAST, "b")]
    )
    assert [(each.speaker, each.name) for each in found] == [("SPEAKER_01", "Ann")]


@pytest.mark.parametrize(
    ("words", "heard_s", "doubt"),
    [
        (0, 1.5, "perhaps nobody: no words, 1.5 s"),
        (1, GHOST_S, "perhaps nobody: 1 word, 5.0 s"),
        (GHOST_WORDS + 1, GHOST_S, None),
        (GHOST_WORDS, GHOST_S + 0.1, None),
    ],
)
def test_who_hardly_says_anything_is_perhaps_nobody(words: int, heard_s: float, doubt: str | None) -> None:
    talk = transcript(voice(0, EAST), voice(1, NORTH, heard_s), words=(100, words))
    assert doubtful(talk).get("SPEAKER_01") == doubt
    assert "SPEAKER_00" not in doubtful(talk)


def test_of_two_similar_voices_the_one_saying_less_is_doubtful() -> None:
    talk = transcript(voice(0, EAST, 20), voice(1, towards(0.9), 60), words=(50, 200))
    assert doubtful(talk) == {"SPEAKER_00": "perhaps SPEAKER_01 as well: they sound alike (0.90)"}
    assert doubtful(talk.model_copy(update={"voices": ()})) == {}
