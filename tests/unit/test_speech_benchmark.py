"""The speech benchmark reads its references correctly and measures transcripts against them correctly."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import speech, speech_samples, speech_systems
from benchmarks.speech_samples import Said, Sample, in_folder, read, spoken
from benchmarks.speech_scores import (
    Count,
    Heard,
    diarization_errors,
    diarized_word_errors,
    permuted_word_errors,
    scored,
    word_errors,
    words_with_wrong_speaker,
)
from benchmarks.speech_systems import BARE, OURS, Run, System
from models.transcripts.transcript import Turn, Word
from streams.errors import DataError

SAID = (Said("Ann", "Where do you host it?"), Said("Bo", "On twenty-one machines."))
TURNS = (Turn(start=0, end=2, speaker="Ann"), Turn(start=2, end=4, speaker="Bo"))


def heard(speakers: str, text: str = "Where do you host it? On 21 machines.", lasts_s: float = 0.5) -> Heard:
    """Words one after the other; a letter of `speakers` for each, "-" for nobody."""
    words = tuple(
        Word(start=lasts_s * i, end=lasts_s * (i + 1), text=f" {each}", speaker=None if who == "-" else who)
        for i, (each, who) in enumerate(zip(text.split(), speakers, strict=True))
    )
    turns = tuple(Turn(start=word.start, end=word.end, speaker=word.speaker or "?") for word in words)
    return Heard(words, turns)


def sound(path: Path, lasts_s: float = 3.0) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        hum = 0.3 * np.sin(2 * np.pi * 220 * np.arange(int(lasts_s * 16_000)) / 16_000)
        file.writeframes((hum * 32_767).astype("<i2").tobytes())
    return path


def run(found: Heard, wall_s: float, cpu_s: float = 1.0, peak_mb: float = 100.0) -> Run:
    return Run(found, wall_s, cpu_s, peak_mb, None, None)


def test_words_are_compared_as_the_whisper_paper_does() -> None:
    said, found = "We won't host twenty-one machines, Dr. Lee!", "we will not host 21 Machines doctor Lee"
    assert word_errors(said, found) == Count(0, 8)
    assert word_errors("here we go again", "now here they go") == Count(3, 4)
    assert word_errors("here we", "") == Count(2, 2)
    assert word_errors("", "thank you").share is None


def test_names_of_speakers_do_not_matter() -> None:
    for speakers in ("AAAAABBB", "BBBBBAAA", "xxxxxyyy"):
        found = heard(speakers)
        assert permuted_word_errors(SAID, found.words) == Count(0, 8)
        assert diarized_word_errors(SAID, found.words) == Count(0, 8)


def test_a_word_of_the_wrong_speaker_counts_twice_as_wrong() -> None:
    found = heard("AAAABBBB").words
    assert permuted_word_errors(SAID, found) == Count(2, 8)
    assert diarized_word_errors(SAID, found) == Count(1, 8)


def test_a_speaker_too_many_or_too_few_costs_all_that_was_said() -> None:
    assert permuted_word_errors(SAID, heard("AAACCBBB").words) == Count(4, 8)
    assert permuted_word_errors(SAID, heard("AAAAAAAA").words) == Count(6, 8)
    assert diarized_word_errors(SAID, heard("AAAAAAAA").words) == Count(3, 8)


def test_a_word_without_a_speaker_has_a_wrong_one() -> None:
    found = heard("AAAA-BBB").words
    assert diarized_word_errors(SAID, found) == Count(1, 8)
    assert words_with_wrong_speaker(TURNS, found).wrong == 1
    assert words_with_wrong_speaker(TURNS, heard("--------").words) == Count(8, 8)


def test_what_was_dropped_or_invented_has_no_wrong_speaker() -> None:
    found = heard("AAABBBB", "Where do you On 21 machines okay").words
    assert diarized_word_errors(SAID, found) == Count(0, 6)
    assert permuted_word_errors(SAID, found) == Count(3, 8)


def test_words_count_where_one_person_alone_speaks() -> None:
    turns = (Turn(start=0, end=2.5, speaker="Ann"), Turn(start=2, end=4, speaker="Bo"))
    assert words_with_wrong_speaker(turns, heard("AAAABBBB").words) == Count(0, 7)
    assert words_with_wrong_speaker(turns, heard("AAABABBB").words) == Count(1, 7)
    assert words_with_wrong_speaker((), heard("AAAABBBB").words).share is None


def test_seconds_are_missed_invented_or_confused() -> None:
    turns = [Turn(start=0, end=10, speaker="Ann"), Turn(start=10, end=20, speaker="Bo")]
    given = [
        Turn(start=0, end=12, speaker="x"),  # two seconds into Bo's turn
        Turn(start=12, end=19, speaker="y"),  # one too short
        Turn(start=22, end=25, speaker="y"),  # nobody speaks there
    ]
    found = diarization_errors(turns, given, 30, 0)
    assert found["confused"].wrong == pytest.approx(2)
    assert found["missed"].wrong == pytest.approx(1)
    assert found["false_alarm"].wrong == pytest.approx(3)
    assert found["der"].share == pytest.approx(6 / 20)
    collared = diarization_errors(turns, given, 30, 4)["der"]
    assert collared.wrong == pytest.approx(3)


def test_overlapping_speech_counts_twice_and_alone_not_at_all() -> None:
    turns = [Turn(start=0, end=10, speaker="Ann"), Turn(start=8, end=20, speaker="Bo")]
    exclusive = [Turn(start=0, end=10, speaker="x"), Turn(start=10, end=20, speaker="y")]
    found = diarization_errors(turns, exclusive, 20, 0)
    assert found["der"].share == pytest.approx(2 / 22)
    assert found["der_alone"].share == 0


def test_what_is_not_known_is_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    unknown = (Said(None, "Where do you host it? On 21 machines."),)
    assert set(scored(Sample("talk", path, 4, unknown, None), heard("AAAABBBB"), 0)) == {"wer"}
    assert "wer" not in scored(Sample("talk", path, 4, None, TURNS), heard("AAAABBBB"), 0)
    assert scored(Sample("talk", path, 4, None, None), heard("AAAABBBB"), 0) == {}


def test_the_truth_lies_beside_the_recording(tmp_path: Path) -> None:
    talk = sound(tmp_path / "talk.wav")
    talk.with_suffix(".txt").write_text("Ann Lee: Where: here?\n\nBo: On machines.\n")
    talk.with_suffix(".rttm").write_text("SPEAKER talk 1 0.500 1.250 <NA> <NA> Ann_Lee <NA> <NA>\n")
    assert read(talk).said == (Said("Ann_Lee", "Where: here?"), Said("Bo", "On machines."))
    assert read(talk).turns == (Turn(start=0.5, end=1.75, speaker="Ann_Lee"),)
    assert read(talk).seconds == pytest.approx(3)
    plain = sound(tmp_path / "plain.wav")
    plain.with_suffix(".txt").write_text("We do this:\nour machines.\n")
    assert read(plain).said == (Said(None, "We do this: our machines."),)
    call = sound(tmp_path / "call.wav")
    call.with_suffix(".stm").write_text(
        ";; a call\ncall 1 Ann 0.5 1.5 <o,f0> Hello there.\ncall 1 Bo 1.5 2 Hi.\n"
    )
    assert read(call).said == (Said("Ann", "Hello there."), Said("Bo", "Hi."))
    assert read(call).turns == (
        Turn(start=0.5, end=1.5, speaker="Ann"),
        Turn(start=1.5, end=2, speaker="Bo"),
    )
    listed = sound(tmp_path / "listed.wav")
    (tmp_path / "transcription").write_text("<s> he was a young man </s> (listed)\nten of clubs  (other)\n")
    assert [each.name for each in in_folder(tmp_path)] == ["call", "listed", "plain", "talk"]
    assert in_folder(tmp_path)[1].said == (Said(None, "he was a young man"),)
    assert read(listed).said is None


def test_truth_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    talk = sound(tmp_path / "talk.wav")
    for suffix, line in ((".rttm", "SPEAKER talk 1 soon"), (".stm", "talk 1 Ann 5 2 Hello")):
        beside = talk.with_suffix(suffix)
        beside.write_text(line)
        with pytest.raises(DataError, match=rf"talk\{suffix} has a line that cannot be read"):
            read(talk)
        beside.unlink()


@pytest.mark.skipif(speech_samples.flite() is None, reason="flite is not installed")
def test_a_dialogue_is_spoken_as_it_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.audio.samples import SAMPLE_RATE, decode

    monkeypatch.setattr(speech_samples, "CASTS", (("slt", "rms", "awb", "kal"),))
    (dialogue,) = spoken(tmp_path)
    assert dialogue.said is not None and dialogue.turns is not None
    assert [each.speaker for each in dialogue.said] == [turn.speaker for turn in dialogue.turns]
    assert {turn.speaker for turn in dialogue.turns} == {"slt", "rms", "awb", "kal"}
    pairs = list(zip(dialogue.turns, dialogue.turns[1:], strict=False))
    assert any(one.end > other.start for one, other in pairs), "some speak at once"
    audio = decode(dialogue.path)
    assert len(audio) / SAMPLE_RATE == pytest.approx(dialogue.seconds, abs=0.01)
    for one, other in pairs:
        if one.end + 0.1 < other.start:
            pause = audio[int(one.end * SAMPLE_RATE) + 1 : int(other.start * SAMPLE_RATE)]
            assert np.abs(pause).max() < 0.02
    for turn in dialogue.turns:
        voice = audio[int(turn.start * SAMPLE_RATE) : int(turn.end * SAMPLE_RATE)]
        assert np.abs(voice).max() > 0.3
    again = tmp_path / "again"
    again.mkdir()
    assert spoken(again)[0].turns == dialogue.turns


def test_ratios_and_goals_are_of_totals() -> None:
    samples = [
        Sample("a", Path("a.wav"), 4, SAID, TURNS),
        Sample("b", Path("b.wav"), 4, SAID, TURNS),
    ]
    right, wrong = heard("AAAABBBB"), heard("BAAABBBB")
    runs = {
        BARE: {"a": [run(right, 2), run(right, 9), run(right, 4)], "b": [run(right, 6)] * 3},
        OURS: {"a": [run(right, 4, 0.5)] * 3, "b": [run(wrong, 5, 0.5, 150)] * 3},
    }
    found = speech.report(samples, runs, 0)
    assert found["systems"][BARE]["rtfx"] == pytest.approx(8 / 10)
    assert found["systems"][OURS]["rtfx"] == pytest.approx(8 / 9)
    assert found["against_bare"][OURS]["speed"] == pytest.approx(10 / 9)
    assert found["against_bare"][OURS]["speed_of_each_round"] == pytest.approx([8 / 9, 15 / 9, 10 / 9])
    assert found["against_bare"][OURS]["cpu"] == 2
    assert found["against_bare"][OURS]["peak"] == 1.5
    assert found["systems"][OURS]["wrong_speaker"] == pytest.approx(1 / 16)
    assert found["systems"][OURS]["wer"] == found["systems"][BARE]["wer"] == 0
    met = {name: goal["met"] for name, goal in found["goals"].items()}
    assert met == {"speed": True, "wer": True, "der": False, "wrong_speaker": False}


def test_an_unmeasurable_goal_is_neither_met_nor_missed() -> None:
    nothing = dict.fromkeys(speech.MEASURES)
    found = speech.goals({BARE: nothing, OURS: nothing}, 0.94)
    assert {name: goal["met"] for name, goal in found.items()} == {
        "speed": False,
        "wer": None,
        "der": None,
        "wrong_speaker": None,
    }


def test_who_goes_first_alternates(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []

    class Noting:
        def __init__(self, name: str) -> None:
            self.name = name

        def hear(self, path: Path) -> Run:
            asked.append(f"{self.name} {path.stem}")
            return run(heard(""[:0], ""), 1)

    samples = [Sample(name, Path(f"{name}.wav"), 1, None, None) for name in "abc"]
    systems: Sequence[System] = [Noting("x"), Noting("y")]  # type: ignore[list-item]
    runs, first = speech.measured(systems, samples, 2)
    assert asked[:2] == ["x a", "y a"]  # these do not count
    assert asked[2:] == [
        *("x a", "y a", "y b", "x b", "x c", "y c"),
        *("y a", "x a", "x b", "y b", "y c", "x c"),
    ]
    assert {name: len(each["a"]) for name, each in runs.items()} == {"x": 2, "y": 2}
    assert set(first) == {"x", "y"}
    capsys.readouterr()


CHILD = """
from benchmarks.speech_child import serve

def begin(options):
    print("what a library prints")
    if options["whisper"] == "none":
        raise OSError("no such model")

    def hear(path):
        if "broken" in path:
            raise ValueError("cannot decode\\nmore")
        held = b"x" * 50_000_000
        word = {"start": 0, "end": len(held) / 1e8, "text": path[-8:], "speaker": None}
        return {"words": [word], "turns": []}

    return hear

def main():
    serve(begin)
"""
OPTIONS = {"whisper": "some", "device": "cpu", "threads": 1}


def test_a_system_answers_from_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_child.py").write_text(CHILD)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setitem(speech_systems.MODULES, OURS, "some_child import main")
    with System(OURS, OPTIONS) as system:
        found = system.hear(tmp_path / "talk.wav")
        assert [word.text for word in found.heard.words] == ["talk.wav"]
        assert found.peak_mb > system.load_mb + 40
        assert found.wall_s > 0 and found.cpu_s > 0
        with pytest.raises(DataError, match=r"groundswell failed \(ValueError: cannot decode\)"):
            system.hear(tmp_path / "broken.wav")
        assert system.hear(tmp_path / "next.wav").heard.words
    with pytest.raises(DataError, match=r"no such model"), System(OURS, OPTIONS | {"whisper": "none"}):
        pass
    with pytest.raises(DataError, match=r"cannot be started"), System(OURS, OPTIONS, "/nowhere/python"):
        pass
    monkeypatch.setitem(speech_systems.MODULES, OURS, "no_such_module import main")
    with pytest.raises(DataError, match=r"ended before it answered"), System(OURS, OPTIONS):
        pass


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["--audio", "nowhere"], "there is no recording in nowhere"),
        (["--only", "no such name"], "no recording has 'no such name' in its name"),
        (["--preset", "large-v3-turbo"], "nvidia-smi shows no GPU"),
    ],
)
def test_what_cannot_be_measured_is_said_before_loading_models(
    arguments: list[str], cause: str, tmp_path: Path
) -> None:
    answer = subprocess.run(
        [sys.executable, speech.__file__, *arguments],
        env=os.environ | {"PATH": str(tmp_path), "GROUNDSWELL_TEST_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 1
    assert f"cannot measure: {cause}" in answer.stderr
    if "--only" in arguments:
        assert "flite is not installed: no dialogues are made" in answer.stderr
