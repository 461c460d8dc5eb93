"""The transcript: words with times and speakers."""

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
    """A span of the recording; `start` and `end` in seconds from its beginning, `end >= start >= 0`."""

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
        """Length in seconds; 0 if the recogniser gave no length."""
        return self.end - self.start


class Word(_Span):
    """One spoken word.

    `text` is the recogniser's text, with punctuation and leading space: the words of a segment, concatenated,
    give its text, also in languages without spaces. `speaker` is None if no speaker was active within reach
    of the word.
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
        """Return the segment moved later by this many seconds, with its words."""
        if not by_s:
            return self
        words = tuple(
            word.model_copy(update={"start": round(word.start + by_s, 3), "end": round(word.end + by_s, 3)})
            for word in self.words
        )
        times = {"start": round(self.start + by_s, 3), "end": round(self.end + by_s, 3)}
        return self.model_copy(update=times | {"words": words})


class Turn(_Span):
    """A span in which one speaker talks."""

    speaker: Label


class Voice(BaseModel):
    """The voice of a speaker in a talk.

    `heard_s`: seconds in which they speak, also in overlap. `embedding`: of unit length, comparable with
    those of the same diarization model; empty if the model gave none.
    """

    model_config = ConfigDict(frozen=True)

    speaker: Label
    heard_s: Seconds
    embedding: tuple[float, ...] = ()


class Dropped(_Span):
    """Words that the recogniser wrote and that were rejected as hallucinated: they are in no segment.

    `text` is the recogniser's text, `reason` why it was rejected, in words.
    """

    text: Text
    reason: Label

    def moved(self, by_s: float) -> "Dropped":
        """Return it moved later by this many seconds."""
        times = {"start": round(self.start + by_s, 3), "end": round(self.end + by_s, 3)}
        return self.model_copy(update=times)


class Correction(BaseModel):
    """A correction of a name's spelling.

    `start` is the second at which it is said. `heard` and `written` are the text before and after the
    correction, with punctuation; `entry` is the spelling in the glossary's entry.
    """

    model_config = ConfigDict(frozen=True)

    start: Seconds
    heard: Label
    written: Label
    entry: Label


class Transcript(BaseModel):
    """A whole talk, as transcribed: the artefact that everything downstream reads.

    `language` is an ISO 639-1 code and `language_probability` the recogniser's probability for it (None: it
    was given). `duration_s` is the length of the recording, in seconds. `segments` are in spoken order.
    `made_by` has the version of each model that contributed. `dropped` has the recognised words that were
    rejected, in spoken order; `corrections` the changes by a glossary. `turns` are all speech turns, also
    overlapping ones; `voices` are those of their speakers. Both are empty for captions, and for transcripts
    made before they were stored.

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
        """Number of words in the talk; a segment whose words have no times is counted by its spaces."""
        return sum(len(segment.words) or len(segment.text.split()) for segment in self.segments)

    @property
    def words_by_speaker(self) -> Counter[str | None]:
        """Number of words of each speaker, counted as in `words_total`."""
        words: Counter[str | None] = Counter()
        for segment in self.segments:
            words[segment.speaker] += len(segment.words) or len(segment.text.split())
        return words
