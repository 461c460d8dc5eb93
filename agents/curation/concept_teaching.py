"""Teaching of concepts: people judge paragraphs, and ask for the concepts to be fitted to what was judged.

A judgement by itself changes no number, so that reviewers can work blind. A request puts all judgements that
count into the order of the talks (`agents.topics.teaching`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from agents.curation.codebook_service import NOTHING_YET, CodebookService
from agents.instance.event_publisher import Deliver, deliver_kept
from models.codebook import commands
from models.errors import BadInput
from streams.errors import DataError
from streams.events import ConceptJudged, ConceptsTaught
from streams.logs.concept_judgements import (
    COUNTED,
    MODEL_REVIEWER,
    MODEL_WEIGHT,
    ConceptJudgements,
    counted_judgements,
    is_model,
)
from streams.logs.validation_samples import ValidationSamples
from streams.store.rows.talks import Paragraph
from streams.timestamps import whole_ms

Verdict = Literal["about", "not about", "withdrawn"]
_REQUESTS = "concept-judgements-counted"


class ConceptTeacher(CodebookService):
    """Records one person's judgements of paragraphs, and requests that concepts learn from all of them."""

    def judge_paragraph(
        self, video_id: str, paragraph: int | str, topic_id: int, verdict: Verdict, note: str = ""
    ) -> ConceptJudged:
        """Record whether a paragraph is about a topic of the codebook; it replaces one's earlier judgement.

        Args:
            paragraph: its index in the transcript that counts, from 0, or its id.

        Raises:
            BadInput: there is no such topic or paragraph, the topic was born from the talks, there is no
                judgement to withdraw, or the author has a language model's name.
            Unavailable: the judgement is logged, but could not be sent.
        """
        if is_model(self.author):
            raise BadInput(
                f"names that begin with {MODEL_REVIEWER} are those of language models",
                "give your own name; groundswell codebook ask-model --withdraw MODEL withdraws a model's",
            )
        concept = self._concept(topic_id)
        said = self._paragraph(video_id, paragraph)
        own = (said["paragraph_id"], concept, self.author)
        standing = ConceptJudgements(self.blobs).standing() if verdict == "withdrawn" else []
        if verdict == "withdrawn" and not any(_place(each) == own for each in standing):
            raise BadInput(
                f"{self.author} has not judged paragraph {said['position']} for topic {topic_id}",
                "see /api/concept_judgements for the judgements",
            )
        event = ConceptJudged(
            video_id=video_id,
            paragraph_id=said["paragraph_id"],
            concept=concept,
            verdict=verdict,
            reviewer=self.author,
            note=commands.clean(note, "the note", commands.LONG, needed=False),
            judged_at=whole_ms(self.now()),
        )
        self._record([event])
        self._wait_for(event)
        return event

    def request(self, send: Deliver) -> tuple[ConceptsTaught, int]:
        """Request that the concepts are fitted again; return the request and its number of judgements.

        Without judgements, the concepts become again what they were at the beginning. Judgements of
        paragraphs that were drawn to validate the codebook are left out: they measure it.

        Args:
            send: sends the request to the log of the talks.

        Raises:
            DataError: the topic model began before its topics could be taught.
        """
        if self.ask("status")["codebook_as_clusters"]:
            raise DataError(
                "the topics of this study's codebook are counted as clusters, which cannot be taught",
                "begin a new topic model (groundswell rebuild), then ask again: the judgements are kept",
            )
        validates = ValidationSamples(self.blobs).paragraphs()
        standing = ConceptJudgements(self.blobs).standing()
        counted = counted_judgements(each for each in standing if each.paragraph_id not in validates)
        now = whole_ms(self.now())
        blob = self.blobs.put(f"{_REQUESTS}/{now:%Y%m%dT%H%M%S%f}.json", COUNTED.dump_json(counted))
        event = ConceptsTaught(judgements=blob, requested_by=self.author, requested_at=now)
        send([event])
        if of_models := sum(each.weight == MODEL_WEIGHT for each in counted):
            self.say(f"{of_models} of the judgements are only a language model's, and count half")
        return event, len(counted)

    def _record(self, events: Iterable[ConceptJudged]) -> None:
        """Log judgements and send them to the store."""
        log, events = ConceptJudgements(self.blobs), list(events)
        for event in events:
            log.append(event)
        deliver_kept(
            self.deliver,
            events,
            "the judgement is kept, but not sent to the store",
            "do not judge it again: it is sent when the store starts",
        )

    def _wait_for(self, event: ConceptJudged) -> None:
        """Wait until the store shows a judgement; say so if it does not in time."""
        if not self._arrived(lambda: self._shows_judgement(event)):
            self.say("the judgement is sent; the store has not taken it up yet")

    def _concept(self, topic_id: int) -> str:
        standing = self.standing()
        if not standing.model_version:
            raise DataError(*NOTHING_YET)
        commands.known(standing, topic_id)
        key = standing.topics[topic_id].key
        if not key:
            raise BadInput(
                f"topic {topic_id} was born from the talks: only topics of the codebook can be taught",
                "merge it into one (groundswell codebook merge), or judge paragraphs of a topic with a key",
            )
        return key

    def _paragraph(self, video_id: str, which: int | str) -> Paragraph:
        rows: list[Paragraph] = self.ask("paragraphs", video_id=video_id)
        found = next((row for row in rows if which in {row["position"], row["paragraph_id"]}), None)
        if found is None:
            there = f"its paragraphs are 0 to {len(rows) - 1}" if rows else "see groundswell videos"
            raise BadInput(f"there is no paragraph {str(which)[:60]} of the talk {video_id[:80]!r}", there)
        return found

    def _shows_judgement(self, event: ConceptJudged) -> bool:
        shown = [
            row
            for row in self.ask("concept_judgements")
            if (row["paragraph_id"], row["concept"], row["reviewer"]) == _place(event)
        ]
        if event.verdict == "withdrawn":
            return not shown
        return any(row["verdict"] == event.verdict for row in shown)


def _place(event: ConceptJudged) -> tuple[str, str, str]:
    return event.paragraph_id, event.concept, event.reviewer
