"""The benchmark of hours strings recordings together, and knows whether people stay apart in them."""

from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.hours import PAUSE_S, kept, strung
from benchmarks.speech_samples import Sample, in_folder
from benchmarks.speech_scores import Heard
from models.audio.samples import duration_s
from models.transcripts.transcript import Turn

DIALOGUES = Path(__file__).parents[2] / "agents" / "cli" / "demo" / "audio"


def found(*turns: tuple[float, float, str]) -> Heard:
    return Heard((), tuple(Turn(start=start, end=end, speaker=speaker) for start, end, speaker in turns))


def test_a_persons_speaker_is_who_has_most_of_their_seconds() -> None:
    turns = (
        Turn(start=0, end=2, speaker="Ann"),
        Turn(start=2, end=4, speaker="Bo"),
        Turn(start=4, end=9, speaker="Ann"),
        Turn(start=4, end=9, speaker="Bo"),  # at once: that says nothing
    )
    call = Sample("call", Path("call.wav"), 9.0, None, turns)
    places = [(0.0, call), (10.0, call)]
    right = found((0, 2, "S0"), (2, 4, "S1"), (4, 9, "S9"), (10, 12, "S0"), (12, 14, "S1"))
    assert kept(right, places, 20 / 3600) == (1.0, 2)
    other = found((0, 2, "S0"), (2, 4, "S1"), (10, 12, "S2"), (12, 13, "S1"))
    share, people = kept(other, places, 20 / 3600)
    assert share == pytest.approx((2 + 3) / 8, abs=0.03)
    assert people == 2


def test_a_recording_of_hours_has_every_sample_again_and_again() -> None:
    samples = in_folder(DIALOGUES)[:2]
    recording, places = strung(samples, hours=0.05)
    assert duration_s(recording) == 180
    assert {sample.name for _, sample in places[:2]} == {sample.name for sample in samples}
    for (begin, sample), (after, _) in pairwise(places):
        assert after - begin == pytest.approx(sample.seconds + PAUSE_S, abs=0.01)
    assert places == strung(samples, hours=0.05)[1]
