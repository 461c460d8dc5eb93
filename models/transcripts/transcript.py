"""The transcript: who said what, from which second to which."""

from collections import Counter
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from models.transcripts.unicode_text import Text, valid

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _label(text: str) -> str:
    return valid(text) or "�"


Label = Annotated[str, Field(min_length=1), AfterValidator(_label)]


class _Span(BaseModel):
    """A stretch of the recording; `start` and `end` in seconds from its beginning, `end >= start >= 0`."""

    model_config = ConfigDict(frozen=True)

    start: Seconds
    end: Seconds

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"ends at {self.end} s, before its start at {self.start} s")
        return self

    @property
    def duration_s(self) -> float:
        """Length in seconds; 0 for what the recogniser could not give a length."""
        return self.end - self.start


class Word(_Span):
    """One spoken word.

    `text` is what the recogniser wrote, punctuation and leading space included: the words of a
    segment joined with nothing between them are its text, in languages without spaces too.
    `speaker` is None where nobody was heard speaking within reach of the word.
    """

    text: Text
    probability: Probability | None = None
    speaker: Label | None = None


class Segment(_Span):
    """A run of words of one speaker (`speaker` None: unknown). `words` is empty if words have no times."""

    text: Text
    speaker: Label | None = None
    words: tuple[Word, ...] = ()

    def moved(self, by_s: float) -> "Segment":
        """Return it so many seconds later, with its words."""
        if not by_s:
            return self
        words = tuple(
            word.model_copy(update={"start": round(word.start + by_s, 3), "end": round(word.end + by_s, 3)})
            for word in self.words
        )
        times = {"start": round(self.start + by_s, 3), "end": round(self.end + by_s, 3)}
        return self.model_copy(update=times | {"words": words})


class Turn(_Span):
    """A stretch in which one speaker holds the floor."""

    speaker: Label


class Voice(BaseModel):
    """The sound of a talk's speaker.

    `heard_s`: seconds in which they speak, also while others do. `embedding`: of length one, comparable with
    those that the same diarization model made; empty where it made none.
    """

    model_config = ConfigDict(frozen=True)

    speaker: Label
    heard_s: Seconds
    embedding: tuple[float, ...] = ()


class Dropped(_Span):
    """Words that the recogniser wrote and nobody said, as far as can be told: they are in no segment.

    `text` is what it wrote, `reason` why it was not believed, readable.
    """

    text: Text
    reason: Label

    def moved(self, by_s: float) -> "Dropped":
        """Return it so many seconds later."""
        times = {"start": round(self.start + by_s, 3), "end": round(self.end + by_s, 3)}
        return self.model_copy(update=times)


class Correction(BaseModel):
    """A name that was written otherwise than it was heard.

    `start` is the second at which it is said. `heard` and `written` are what stood there and what stands
    there now, punctuation included; `entry` is the glossary's entry: what it writes.
    """

    model_config = ConfigDict(frozen=True)

    start: Seconds
    heard: Label
    written: Label
    entry: Label


class Transcript(BaseModel):
    """A whole talk, as transcribed: the artefact that everything downstream reads.

    `language` is an ISO 639-1 code and `language_probability` how sure the recogniser was of it
    (None: it was told). `duration_s` is the length of the recording, in seconds. `segments` are in
    the order they were spoken. `made_by` names the version of each model that had a part in it. `dropped` is
    what was recognised and not believed, in spoken order; `corrections` what a glossary wrote otherwise.
    `turns` are all that were heard, also those of people who speak at once; `voices` are of their speakers.
    Both are empty for captions, and for transcripts that were made before they were kept.

    Its JSON reads back to an equal transcript; unknown fields are ignored, so that fields can be added.
    """

    model_config = ConfigDict(frozen=True)

    language: Label
    language_probability: Probability | None
    duration_s: Seconds
    segments: tuple[Segment, ...]
    made_by: dict[str, str]
    dropped: tuple[Dropped, ...] = ()
    corrections: tuple[Correction, ...] = ()
    turns: tuple[Turn, ...] = ()
    voices: tuple[Voice, ...] = ()

    @property
    def words_total(self) -> int:
        """Words spoken in the talk; a segment whose words have no times is counted by its spaces."""
        return sum(len(segment.words) or len(segment.text.split()) for segment in self.segments)

    @property
    def words_by_speaker(self) -> Counter[str | None]:
        """Words that each speaker says, counted as `words_total` does."""
        words: Counter[str | None] = Counter()
        for segment in self.segments:
            words[segment.speaker] += len(segment.words) or len(segment.text.split())
        return words
