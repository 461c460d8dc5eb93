"""Validation of the codebook: draws a sample of paragraphs, and records what people say they are about.

A coding changes no number, and no topic learns from it (`agents.curation.concept_teaching`): the paragraphs
of a sample measure how valid the numbers are. Each is coded for all topics of the codebook at once, by people
who do not see why it was drawn, for what it is counted, or what others said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from agents.curation.codebook_service import NOTHING_YET
from agents.curation.decision_service import DecisionService
from agents.curation.validation.coding_sheet import CodedRow
from agents.instance.event_publisher import deliver_kept
from models.codebook import commands
from models.errors import BadInput
from streams.errors import DataError
from streams.events import ParagraphCoded, SampledParagraph, ValidationSampleDrawn
from streams.logs.codings import Codings
from streams.logs.validation_samples import ValidationSamples
from streams.store.rows.validation import CodingTask, DrawnParagraph, ValidationSample
from streams.timestamps import whole_ms

COUNTED, NEAR, RANDOM = 10, 5, 120
"""Default size of a sample: paragraphs of each topic that are counted and near, and of any kind."""
MOST = 2000
"""Maximum number of paragraphs in a sample: nobody reads more."""
NO_SAMPLE = ("no sample has been drawn", "draw one with groundswell validate draw")


class Validator(DecisionService):
    """Draws samples and records one person's codings."""

    def draw(self, counted: int = COUNTED, near: int = NEAR, random: int = RANDOM) -> ValidationSampleDrawn:
        """Draw a sample, which replaces the one before; what was coded of it still counts if drawn again.

        Args:
            counted, near: paragraphs of each topic that are counted, and near: see `validation_draw`.
            random: paragraphs of any kind.

        Raises:
            BadInput: the sample would be empty, or larger than `MOST`.
            DataError: there is no topic model yet.
            Unavailable: the sample is logged, but could not be sent.
        """
        rows: list[DrawnParagraph] = self.ask("validation_draw", of_topic=counted, near=near, random=random)
        drawn = [
            SampledParagraph.model_validate(
                {
                    "video_id": row["video_id"],
                    "paragraph_id": row["paragraph_id"],
                    "weight": weight(row, counted, near, random),
                    "stratum": row["stratum"],
                }
            )
            for row in rows
        ]
        return self._record(drawn, rows[0]["population"] if rows else 0)

    def give(self, paragraphs: Iterable[tuple[str, str]]) -> ValidationSampleDrawn:
        """Make a sample of paragraphs that were chosen elsewhere, as if they were drawn at random.

        Args:
            paragraphs: the talk and the id of each.

        Raises:
            BadInput: a talk does not have the paragraph, or as for `draw`.
            DataError, Unavailable: as for `draw`.
        """
        chosen: dict[str, set[str]] = {}
        for video_id, paragraph_id in paragraphs:
            chosen.setdefault(video_id, set()).add(paragraph_id)
        for video_id, asked in sorted(chosen.items()):
            there = {row["paragraph_id"] for row in self.ask("paragraphs", video_id=video_id)}
            if unknown := sorted(asked - there):
                raise BadInput(
                    f"the talk {video_id[:80]!r} has no paragraph {unknown[0][:60]!r}",
                    "take the ids from /api/paragraphs",
                )
        found = [(video_id, each) for video_id, asked in sorted(chosen.items()) for each in sorted(asked)]
        drawn: list[DrawnParagraph] = self.ask("validation_draw", random=1)
        population = drawn[0]["population"] if drawn else 0
        given = [
            SampledParagraph(
                video_id=video_id, paragraph_id=each, weight=population / len(found), stratum="given"
            )
            for video_id, each in found
        ]
        return self._record(given, population)

    def _record(self, paragraphs: Sequence[SampledParagraph], population: int) -> ValidationSampleDrawn:
        standing = self.ask("codebook_standing")
        if not standing["model_version"]:
            raise DataError(*NOTHING_YET)
        if not paragraphs:
            raise BadInput("the sample would be empty", "hand in talks first, or draw more paragraphs")
        if len(paragraphs) > MOST:
            raise BadInput(f"the sample would have {len(paragraphs):,} paragraphs", f"draw {MOST:,} at most")
        topics = [
            topic["key"]
            for topic in standing["topics"]
            if topic["key"] and topic["retained"] and not topic["target"]
        ]
        if not topics:
            raise BadInput(
                "the codebook has no topic with a definition to code for",
                "give GROUNDSWELL_CODEBOOK a codebook with topics",
            )
        now = whole_ms(self.now())
        event = ValidationSampleDrawn(
            sample=f"{now:%Y-%m-%dT%H:%M:%S.%f}"[:-3],
            model_version=standing["model_version"],
            topics=tuple(topics),
            population=population,
            paragraphs=tuple(paragraphs),
            drawn_by=self.author,
            drawn_at=now,
        )
        ValidationSamples(self.blobs).append(event)
        deliver_kept(
            self.deliver,
            [event],
            "the sample is kept, but not sent to the store",
            "do not draw it again: it is sent when the store starts",
        )
        if not self._arrived(lambda: any(row["sample"] == event.sample for row in self._samples())):
            self.say("the sample is sent; the store has not taken it up yet")
        return event

    def code(self, rows: Iterable[CodedRow]) -> list[ParagraphCoded]:
        """Record codings of paragraphs of the newest sample; they replace the author's earlier ones.

        Rows that say what the author has said before change nothing.

        Raises:
            BadInput: a paragraph is not in the sample, or a topic is not one that it is coded for; then
                nothing is recorded.
            DataError: no sample has been drawn.
            Unavailable: the codings are logged, but could not be sent.
        """
        sample = self.sample()
        there: dict[str, CodingTask] = {row["paragraph_id"]: row for row in self.ask("coding_queue")}
        log = Codings(self.blobs)
        said = {each.paragraph_id: each for each in log.standing() if each.reviewer == self.author}
        events = []
        for row in rows:
            task = there.get(row.paragraph_id)
            if task is None:
                raise BadInput(
                    f"paragraph {row.paragraph_id[:60]!r} is not in the sample of {sample['sample']}",
                    "code the paragraphs that groundswell validate sheet gives",
                )
            for topic in row.topics:
                if topic not in sample["topics"]:
                    raise BadInput(
                        f"{topic[:60]!r} is not a topic that this sample is coded for",
                        f"name any of {', '.join(sample['topics'])}",
                    )
            event = ParagraphCoded(
                video_id=task["video_id"],
                paragraph_id=row.paragraph_id,
                offered=tuple(sample["topics"]),
                topics=tuple(topic for topic in sample["topics"] if topic in row.topics),
                reviewer=self.author,
                note=commands.clean(row.note, "the note", commands.LONG, needed=False),
                coded_at=whole_ms(self.now()),
            )
            before = said.get(row.paragraph_id)
            if before is None or (before.topics, before.note) != (event.topics, event.note):
                events.append(event)
        self._send(log, events)
        return events

    def withdraw(self, paragraph_id: str) -> ParagraphCoded:
        """Withdraw the author's coding of a paragraph.

        Raises:
            BadInput: the author has not coded it.
            Unavailable: as for `code`.
        """
        log = Codings(self.blobs)
        said = [
            each
            for each in log.standing()
            if each.reviewer == self.author and each.paragraph_id == paragraph_id
        ]
        if not said:
            raise BadInput(f"{self.author} has not coded this paragraph", "see /api/codings for the codings")
        event = said[0].model_copy(update={"verdict": "withdrawn", "coded_at": whole_ms(self.now())})
        self._send(log, [event])
        return event

    def sample(self) -> ValidationSample:
        """Return the sample that counts: the newest.

        Raises:
            DataError: none has been drawn.
        """
        samples = self._samples()
        if not samples:
            raise DataError(*NO_SAMPLE)
        return samples[0]

    def _samples(self) -> list[ValidationSample]:
        rows: list[ValidationSample] = self.ask("validation_samples")
        return rows

    def _send(self, log: Codings, events: Sequence[ParagraphCoded]) -> None:
        if not events:
            return
        for event in events:
            log.append(event)
        deliver_kept(
            self.deliver,
            events,
            "the codings are kept, but not sent to the store",
            "do not code them again: they are sent when the store starts",
        )

        def stored() -> bool:
            held = {(row["paragraph_id"], row["reviewer"]): row["coded_at"] for row in self.ask("codings")}
            return all(
                (event.paragraph_id, event.reviewer) not in held
                if event.verdict == "withdrawn"
                else held.get((event.paragraph_id, event.reviewer)) == event.coded_at
                for event in events
            )

        if not self._arrived(stored):
            self.say("the codings are sent; the store has not taken them up yet")


def weight(row: DrawnParagraph, counted: int, near: int, random: int) -> float:
    """Return how many paragraphs a drawn one stands for: the inverse of its probability of being drawn.

    It could have been drawn at random, and as a counted or a near paragraph of each of its topics, each
    independently of the others.

    Example:
        >>> row = {"counted": [40], "near": [], "population": 1000}
        >>> round(weight(row, counted=10, near=5, random=100), 2)
        3.08
    """
    missed = [
        1 - min(1.0, random / row["population"]),
        *(1 - min(1.0, counted / size) for size in row["counted"]),
        *(1 - min(1.0, near / size) for size in row["near"]),
    ]
    return 1 / (1 - prod(missed))
