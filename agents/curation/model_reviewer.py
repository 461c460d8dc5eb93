"""A language model as a reviewer of paragraphs: its answers are judgements that people see and can overrule.

It is asked only by a person's command, never while talks are learned. Each answer is logged as a judgement of
`model:NAME` before the next question is sent, so an interrupted command loses nothing that was answered, and
none of it is asked again. It changes no number before the next refit, and has no weight where a person has
judged (`streams.logs.concept_judgements`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from agents.consumer.retry import ATTEMPTS, retried
from agents.curation.concept_teaching import ConceptTeacher
from agents.curation.model_questions import TASK, ConceptQuestion, questions, verdicts_in
from models.codebook import commands
from models.codebook.codebook import Codebook
from models.errors import BadInput
from models.relevance.kappa import Agreement, agreement
from streams.errors import DataError
from streams.events import ConceptJudged
from streams.http.chat_completions import ChatCompletions, UnusableAnswer
from streams.logs.concept_judgements import (
    MODEL_REVIEWER,
    ConceptJudgements,
    counted_judgements,
    is_model,
)
from streams.store.rows.codebook import DoubtfulParagraph
from streams.timestamps import whole_ms

WAIT_S = 300.0
"""How long an answer may take (seconds): a question has some 3,000 tokens, which a processor reads slowly."""
FRUITLESS = 3
"""Number of questions in a row without any verdict, after which a model is not asked again."""


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """What a language model said to a question.

    Attributes:
        question: the question.
        judged: the paragraphs that it answered, with the judgements, which are logged.
        unanswered: the paragraphs without a usable answer: they stay doubtful.
        reason: why there was none; empty if every paragraph was answered.
    """

    question: ConceptQuestion
    judged: tuple[tuple[DoubtfulParagraph, ConceptJudged], ...]
    unanswered: tuple[DoubtfulParagraph, ...]
    reason: str


class ModelReviewer(ConceptTeacher):
    """Asks a language model about doubtful paragraphs on behalf of a person, and records its answers."""

    def questions(
        self, model: str, codebook: Codebook, topic_id: int | None = None, limit: int = 100
    ) -> list[ConceptQuestion]:
        """Return what a model would be asked: paragraphs that neither it nor a person has judged.

        Args:
            model: name of the language model.
            codebook: the codebook by which the present epoch judges.
            topic_id: a topic of the codebook; None: all.
            limit: the most paragraphs.

        Raises:
            BadInput: there is no such topic, or it was born from the talks.
        """
        reviewer = reviewer_of(model)
        if topic_id is not None:
            self._concept(topic_id)
        rows: list[DoubtfulParagraph] = self.ask(
            "doubtful", topic_id=topic_id, reviewer=reviewer, limit=limit
        )
        judged = {  # the store may lag behind the log
            (each.paragraph_id, each.concept)
            for each in ConceptJudgements(self.blobs).standing()
            if each.reviewer == reviewer or not is_model(each.reviewer)
        }
        left = [row for row in rows if (row["paragraph_id"], row["concept"]) not in judged]
        return list(questions(left, {topic.key: topic for topic in codebook.topics}))

    def ask_model(
        self, model: ChatCompletions, asked: Iterable[ConceptQuestion], attempts: int = ATTEMPTS
    ) -> Iterator[QuestionAnswered]:
        """Ask one question after another, and yield each answer once it is recorded.

        Raises:
            Unavailable: the endpoint does not answer, or a judgement is logged and could not be sent.
            DataError: the endpoint refuses the requests, or gives no usable answer to `FRUITLESS` questions.
        """
        fruitless = 0
        for question in asked:
            said = reason = ""
            try:
                said = retried(partial(model.answer, TASK, question.given()), attempts=attempts)
            except UnusableAnswer as error:
                reason = error.cause
            answered = self._answered(model.name, question, said, reason)
            self._record(judgement for _, judgement in answered.judged)
            fruitless = 0 if answered.judged else fruitless + 1
            yield answered
            if fruitless == FRUITLESS:
                raise DataError(
                    f"{FRUITLESS} answers of {model.name} in a row are of no use ({answered.reason})",
                    "try another GROUNDSWELL_LABELLER_MODEL",
                )

    def withdraw(self, model: str, topic_id: int | None = None) -> int:
        """Withdraw all judgements of a language model, of one topic if given; return their number.

        Raises:
            BadInput: there are none, or there is no such topic.
        """
        reviewer = reviewer_of(model)
        concept = None if topic_id is None else self._concept(topic_id)
        standing = ConceptJudgements(self.blobs).standing()
        own = [each for each in standing if each.reviewer == reviewer and concept in {None, each.concept}]
        if not own:
            others = sorted({each.reviewer for each in standing if is_model(each.reviewer)})
            known = ", ".join(each.removeprefix(MODEL_REVIEWER) for each in others)
            raise BadInput(
                f"there are no judgements of the language model {model!r} to withdraw",
                f"name one that has judged: {known}" if known else "no language model has judged anything",
            )
        now, note = whole_ms(self.now()), f"withdrawn by {self.author}"
        taken_back = {"verdict": "withdrawn", "judged_at": now, "note": note}
        withdrawn = [each.model_copy(update=taken_back) for each in own]
        self._record(withdrawn)
        self._wait_for(withdrawn[-1])
        return len(withdrawn)

    def agreement_with_people(self, model: str) -> Agreement:
        """Return how far a language model and people agree on what both have decided."""
        standing = ConceptJudgements(self.blobs).standing()
        people = _decided(each for each in standing if not is_model(each.reviewer))
        own = _decided(each for each in standing if each.reviewer == reviewer_of(model))
        both = sorted(people.keys() & own.keys())
        return agreement([people[each] for each in both], [own[each] for each in both])

    def _answered(self, model: str, question: ConceptQuestion, said: str, reason: str) -> QuestionAnswered:
        verdicts = verdicts_in(said, len(question.paragraphs))
        numbered = list(enumerate(question.paragraphs, 1))
        unanswered = tuple(row for number, row in numbered if number not in verdicts)
        if unanswered and not reason:
            beginning = " ".join(said.split())[:100]
            reason = f"the answer lacks verdicts: {beginning!r}" if beginning else "the answer is empty"
        now = whole_ms(self.now())
        judged = tuple(
            (
                row,
                ConceptJudged(
                    video_id=row["video_id"],
                    paragraph_id=row["paragraph_id"],
                    concept=row["concept"],
                    verdict=verdicts[number],
                    reviewer=reviewer_of(model),
                    note=f"asked by {self.author}",
                    judged_at=now,
                ),
            )
            for number, row in numbered
            if number in verdicts
        )
        return QuestionAnswered(question, judged, unanswered, reason)


def _decided(standing: Iterable[ConceptJudged]) -> dict[tuple[str, str], str]:
    """Return the verdict of each paragraph and concept, where reviewers do not differ."""
    return {
        (each.paragraph_id, each.concept): "about" if each.about else "not about"
        for each in counted_judgements(standing)
        if each.weight
    }


def reviewer_of(model: str) -> str:
    """Return the name of a language model as a reviewer.

    Example:
        >>> reviewer_of("llama3.1:8b")
        'model:llama3.1:8b'

    Raises:
        BadInput: it is empty, or has control characters.
    """
    return f"{MODEL_REVIEWER}{commands.clean(model, 'the name of the model')}"
