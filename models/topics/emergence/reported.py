"""Record of reported subjects, so that each is reported once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from models.topics.online.centring import Background, Vectors, compare


class Story(BaseModel):
    """A subject that an alert was raised for.

    Attributes:
        names: its terms and words, in lower case.
        paragraph_ids: the latest paragraphs that mention it; talks cover many subjects, paragraphs few.
        topic_id: its topic, once it has one.
        touched: index of the video at which it was last recognised.
        subject: its name for display.
        only_on: the source that nearly alone mentioned it when it was reported; empty: several did, by now.
    """

    names: list[str]
    paragraph_ids: list[str]
    topic_id: int | None
    touched: int
    subject: str = ""
    only_on: str = ""


@dataclass(frozen=True, eq=False)
class SubjectSighting:
    """A subject as detected by a channel.

    Attributes:
        names: terms and words. paragraph_ids: paragraphs that mention it.
        centre: float64 [d], not centred.
        topic_id: its topic, if it has one yet.
    """

    names: tuple[str, ...]
    paragraph_ids: tuple[str, ...]
    centre: Vectors
    topic_id: int | None = None


@dataclass(frozen=True)
class Kinship:
    """The conditions under which two sightings are of one subject.

    Attributes:
        overlap: share of the paragraphs of one that are also the other's …
        cosine: … or this centred cosine of their centroids …
        named: … or this one, if they have a name in common as well.
    """

    overlap: float
    cosine: float
    named: float

    def same(self, paragraphs: float, cosine: float, names: bool) -> bool:
        """Return whether both are one subject, given shared paragraphs, cosine, and a shared name."""
        return paragraphs >= self.overlap or cosine >= self.cosine or (names and cosine >= self.named)


def part_in(paragraph_ids: Sequence[str], others: Sequence[str]) -> float:
    """Return the share of some paragraphs that is among others; 0 for fewer than 2."""
    mine = frozenset(paragraph_ids)
    return len(mine.intersection(others)) / len(mine) if len(mine) > 1 else 0.0


class ReportedSubjects:
    """The reported subjects, at most `bound`; those that were recognised longest ago are forgotten first."""

    PARAGRAPHS = 64
    NAMES = 24

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._stories: list[Story] = []
        self._centres: list[Vectors] = []

    def find(self, seen: SubjectSighting, background: Background, kinship: Kinship) -> Story | None:
        """Return the reported subject that a sighting is of, the most similar first; None if it is new.

        Subjects of several sources come before those of one. A sighting with a reported subject's paragraphs
        and many others is about more than that, and is new.
        """
        if not self._stories:
            return None
        centres = background.centre(np.array(self._centres))
        cosines = compare(background.centre(seen.centre)[np.newaxis], centres)[0]
        called = {name.lower() for name in seen.names}
        of_one_source = None
        for at in np.argsort(-cosines, kind="stable").tolist():
            story: Story = self._stories[int(at)]
            if seen.topic_id is not None and story.topic_id == seen.topic_id:
                return story
            part = part_in(seen.paragraph_ids, story.paragraph_ids)
            if kinship.same(part, float(cosines[at]), not called.isdisjoint(story.names)):
                if not story.only_on:
                    return story
                of_one_source = of_one_source or story
        return of_one_source

    def add(self, seen: SubjectSighting, at: int, subject: str, only_on: str) -> None:
        """Record a subject that is reported at the video of index `at`."""
        story = Story(
            names=[],
            paragraph_ids=[],
            topic_id=seen.topic_id,
            touched=at,
            subject=subject,
            only_on=only_on,
        )
        self._stories.append(story)
        self._centres.append(np.asarray(seen.centre, np.float32).astype(np.float64))
        self.touch(story, seen, at)
        if len(self._stories) > self._bound:
            oldest = min(range(len(self._stories)), key=lambda i: self._stories[i].touched)
            del self._stories[oldest], self._centres[oldest]

    def touch(self, story: Story, seen: SubjectSighting, at: int) -> None:
        """Update a reported subject that was detected again, with its new names and paragraphs."""
        names = (name.lower() for name in seen.names)
        story.names = list(dict.fromkeys([*story.names, *names]))[: self.NAMES]
        paragraphs = dict.fromkeys([*story.paragraph_ids, *seen.paragraph_ids])
        story.paragraph_ids = list(paragraphs)[-self.PARAGRAPHS :]
        story.topic_id = seen.topic_id if story.topic_id is None else story.topic_id
        story.touched = at

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the subjects' centroids: float32 [n, d]."""
        return {
            "told_centres": np.array(self._centres, np.float32).reshape(
                len(self._centres), -1 if self._centres else 0
            )
        }

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rest of the subjects, in the same order."""
        return [story.model_dump(mode="json") for story in self._stories]

    def restore(self, arrays: dict[str, NDArray[Any]], stories: list[dict[str, Any]]) -> None:
        """Restore the state that `to_arrays` and `to_json` stored."""
        self._stories = [Story.model_validate(story) for story in stories]
        self._centres = list(arrays["told_centres"].astype(np.float64))
