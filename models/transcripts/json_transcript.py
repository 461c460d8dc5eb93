"""Talk records: transcripts as plain JSON, whose times may be missing or estimated."""

from itertools import accumulate, pairwise

from pydantic import BaseModel, Field

from models.transcripts.transcript import Seconds, Segment
from models.transcripts.unicode_text import Text

WORDS_PER_SECOND = 2.5
"""Assumed speaking rate if a record has no times: 150 words a minute."""


class RecordedSegment(BaseModel):
    """The words of one speaker. `start_est`, an estimate, is used if there is no `start`; seconds."""

    text: Text
    speaker: Text | None = None
    start: Seconds | None = None
    start_est: Seconds | None = None
    end: Seconds | None = None

    @property
    def stated_start(self) -> float | None:
        """The start in the record, measured or estimated."""
        return self.start if self.start is not None else self.start_est

    @property
    def words(self) -> int:
        """Number of words in the text, at least one."""
        return max(len(self.text.split()), 1)


class TalkRecord(BaseModel):
    """The transcript in a talk record; other fields are ignored.

    Example:
        >>> record = TalkRecord.model_validate(
        ...     {"segments": [{"text": "Two words", "start": 3}, {"text": "and three more"}]}
        ... )
        >>> [(segment.start, segment.end) for segment in record.timed_segments()]
        [(3.0, 3.8), (3.8, 5.0)]
    """

    segments: list[RecordedSegment] = Field(min_length=1)
    duration_s: Seconds | None = None
    language: Text | None = None

    def timed_segments(self) -> tuple[Segment, ...]:
        """Return the segments that have text, each with a start and an end.

        A missing end is the next segment's start. A missing start is interpolated between the stated ones by
        the number of words; the talk's own start and end count as stated. After the last stated one, the rate
        is `WORDS_PER_SECOND`. A start before an earlier segment's counts as missing.
        """
        spoken = [segment for segment in self.segments if segment.text.strip()]
        starts = self._starts(spoken)
        return tuple(
            Segment(
                start=start,
                end=segment.end if segment.end is not None and segment.end >= start else after,
                text=" ".join(segment.text.split()),
                speaker=segment.speaker or None,
            )
            for segment, (start, after) in zip(spoken, pairwise(starts), strict=True)
        )

    def _starts(self, spoken: list[RecordedSegment]) -> list[float]:
        """Return the start of every segment and, last, the end of all; they never decrease."""
        stated = {0: 0.0}
        latest = 0.0
        for index, segment in enumerate(spoken):
            if segment.stated_start is not None and segment.stated_start >= latest:
                stated[index] = latest = segment.stated_start
        if self.duration_s and self.duration_s >= latest:
            stated[len(spoken)] = self.duration_s
        said = [0, *accumulate(segment.words for segment in spoken)]
        starts: list[float] = []
        for (left, start), (right, end) in pairwise(stated.items()):
            pace = (end - start) / (said[right] - said[left])
            starts += [start + (said[index] - said[left]) * pace for index in range(left, right)]
        last, start = max(stated.items())
        starts += [start + (total - said[last]) / WORDS_PER_SECOND for total in said[last:]]
        return starts
