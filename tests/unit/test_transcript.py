"""The transcript as an artefact, and the errors that speak of data and models."""

import math
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.errors import BadInput, ModelUnavailable, first_line
from models.transcripts.transcript import Segment, Transcript, Turn, Word

seconds = st.floats(0, 40_000, allow_nan=False)
names = st.none() | st.text(min_size=1, max_size=12)


@st.composite
def words(draw: st.DrawFn) -> Word:
    start, length = draw(seconds), draw(st.floats(0, 5, allow_nan=False))
    return Word(
        start=start,
        end=start + length,
        text=draw(st.text(max_size=12)),
        probability=draw(st.none() | st.floats(0, 1)),
        speaker=draw(names),
    )


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    segments = []
    for _ in range(draw(st.integers(0, 4))):
        said = tuple(draw(st.lists(words(), max_size=4)))
        start = min((word.start for word in said), default=0.0)
        end = max((word.end for word in said), default=1.0)
        segments.append(Segment(start=start, end=end, text=draw(st.text()), speaker=draw(names), words=said))
    return Transcript(
        language="en",
        language_probability=draw(st.none() | st.floats(0, 1)),
        duration_s=draw(seconds),
        segments=tuple(segments),
        made_by={"transcription": "whisper"},
    )


@given(transcripts())
def test_a_transcript_reads_back_from_its_json_as_it_was(transcript: Transcript) -> None:
    assert Transcript.model_validate_json(transcript.model_dump_json()) == transcript


def test_a_field_of_a_later_version_is_ignored() -> None:
    json = '{"start": 1, "end": 2, "text": " hello", "emphasis": 0.4}'
    assert Word.model_validate_json(json) == Word(start=1, end=2, text=" hello")


@pytest.mark.parametrize("span", [(2.0, 1.0), (-1.0, 1.0), (math.nan, 1.0), (0.0, math.nan), (0.0, math.inf)])
def test_time_runs_forward_from_zero(span: tuple[float, float]) -> None:
    start, end = span
    with pytest.raises(ValidationError):
        Word(start=start, end=end, text="hello")
    with pytest.raises(ValidationError):
        Segment(start=start, end=end, text="hello")
    with pytest.raises(ValidationError):
        Turn(start=start, end=end, speaker="ann")


@pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan])
def test_a_probability_is_between_none_and_certain(probability: float) -> None:
    with pytest.raises(ValidationError):
        Word(start=0, end=1, text="hello", probability=probability)


def test_a_speaker_has_a_name_or_is_none() -> None:
    with pytest.raises(ValidationError):
        Word(start=0, end=1, text="hello", speaker="")


def test_what_was_said_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Word(start=0, end=1, text="hello").text = "goodbye"  # type: ignore[misc]


def test_words_are_counted_by_times_or_else_by_spaces() -> None:
    timed = tuple(Word(start=i, end=i + 1, text=f" {i}") for i in range(3))
    transcript = Transcript(
        language="en",
        language_probability=None,
        duration_s=9,
        segments=(
            Segment(start=0, end=3, text="0 1 2", words=timed),
            Segment(start=3, end=9, text="from a caption file"),
        ),
        made_by={},
    )
    assert transcript.words_total == 7


@pytest.mark.parametrize("kind", [BadInput, ModelUnavailable])
def test_an_error_names_cause_and_cure_and_spares_its_process(
    kind: type[BadInput] | type[ModelUnavailable],
) -> None:
    error = kind("the file is empty", "fetch it again")
    assert str(error) == "the file is empty: fetch it again"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.cause, again.cure) == (kind, "the file is empty", "fetch it again")


def test_an_error_that_says_nothing_is_called_by_its_kind() -> None:
    assert first_line(OSError("\n one \n two")) == "one"
    assert first_line(TimeoutError()) == "TimeoutError"


def test_transcripts_and_errors_cost_nothing_to_import() -> None:
    heavy = {"torch", "numpy", "av", "pyannote", "faster_whisper", "ctranslate2", "huggingface_hub"}
    loaded = f"print(sorted({heavy!r} & set(sys.modules)))"
    program = (
        f"import sys, models.transcripts.transcript, models.errors, models.speakers.attribution; {loaded}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
