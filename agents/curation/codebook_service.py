"""Codebook decisions: a person's decision → the codebook's log → ClickHouse. No talk is processed again.

A decision applies to the current codebook, so the store has to catch up with the log first. The log accepts
one decision per revision; the first one wins. Then the event is sent, and the numbers follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Literal

from agents.curation.decision_service import DecisionService
from agents.instance.event_publisher import deliver_kept
from models.codebook import commands
from models.codebook.file_format import CodebookFile, carry_over, take_over
from models.codebook.state import CodebookChange, CodebookState, TopicEntry, TopicRecord
from models.codebook.undo import PastDecision, newest, undo, undone
from models.errors import BadInput
from streams.errors import DataError, Fatal, Unavailable
from streams.events import CodebookDecided, CodebookEntry, ThemeEntry, TopicJudged
from streams.logs.codebook_log import CodebookLog, Conflict
from streams.logs.judgements import Judgements
from streams.store.rows.codebook import Codebook, Decision
from streams.timestamps import whole_ms

EVERY = 100_000
"""A limit above the number of decisions of any study."""
NOTHING_YET = ("there is no topic model yet", "hand in talks, and let groundswell run learn them")


class CodebookService(DecisionService):
    """Makes decisions about a study's codebook; uses the views of `streams.store.codebook.decisions`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._log = CodebookLog(self.blobs)

    def standing(self, revision: int | None = None, model: str = "") -> CodebookState:
        """Return the codebook as the store shows it, as of a revision or for another model if given."""
        return standing_of(self.ask("codebook_standing", revision=revision, model=model))

    def decide(
        self, decision: Callable[[CodebookState], CodebookChange], note: str = "", expected: int | None = None
    ) -> CodebookDecided:
        """Make a decision and record its change as the next revision.

        Args:
            decision: a function from the current codebook to a change; see `models.codebook.commands`.
            note: a note of the author.
            expected: the revision that the author saw; None accepts any.

        Raises:
            BadInput: the codebook does not allow the decision.
            Conflict: somebody else has decided since.
            Unavailable: the store has not caught up with the log, or the event could not be sent.
        """
        standing = self._ready(expected)
        return self._commit(standing, decision(standing), note)

    def undo(
        self, revision: int | None = None, note: str = "", expected: int | None = None
    ) -> CodebookDecided:
        """Undo a decision; None: the newest active one.

        Raises:
            BadInput: later decisions depend on it, or there is no decision to undo.
        """
        return self.decide(lambda standing: self.taken_back(standing, revision), note, expected)

    def taken_back(self, standing: CodebookState, revision: int | None = None) -> CodebookChange:
        """Return the change that undoing a decision would make; None: the newest active one.

        Raises:
            BadInput: later decisions depend on it, or there is no decision to undo.
        """
        rows = self.ask("codebook_decisions", limit=EVERY)
        decisions = [decision_of(row) for row in rows if row["model_version"] == standing.model_version]
        decision = newest(decisions)
        if revision is not None:
            decision = next((each for each in decisions if each.revision == revision), None)
        if decision is None:
            raise _nothing_to_undo(revision, rows)
        later = [each for each in decisions if each.revision > decision.revision]
        before = self.standing(decision.revision - 1)
        return undo(standing, before, decision, later)

    def take_over(self, file: CodebookFile, note: str = "", expected: int | None = None) -> CodebookDecided:
        """Replace the codebook by the content of a file, as one decision."""
        return self.decide(lambda standing: take_over(standing, file), note, expected)

    def carry_over(self, note: str = "", expected: int | None = None) -> CodebookDecided:
        """Apply the decisions about the previous topic model to the current one.

        Topics of the current model with active decisions of their own stay unchanged.

        Raises:
            BadInput: there are no decisions about another model, or they are carried over already.
        """
        standing = self._ready(expected)
        rows = self.ask("codebook_decisions", limit=EVERY)
        other = next((row for row in rows if row["model_version"] != standing.model_version), None)
        if other is None:
            raise BadInput(
                "nothing was decided about another topic model", "see groundswell codebook history"
            )
        own = [decision_of(row) for row in rows if row["model_version"] == standing.model_version]
        gone = undone(own)
        held = [each for each in own if each.revision not in gone and each.undoes is None]
        kept = frozenset[int]().union(*(each.topic_ids for each in held))
        earlier = self.standing(model=other["model_version"])
        return self._commit(standing, carry_over(standing, earlier, kept), note)

    def judge(
        self, topic_id: int, verdict: Literal["include", "exclude"], theme: str = "", note: str = ""
    ) -> TopicJudged:
        """Record the author's judgement of a topic as a reviewer; it changes no number.

        Raises:
            BadInput: there is no such topic or theme.
            DataError: there is no topic model yet.
            Unavailable: the judgement is logged, but could not be sent.
        """
        standing = self.standing()
        if not standing.model_version:
            raise DataError(*NOTHING_YET)
        commands.known(standing, topic_id)
        judged = TopicJudged(
            model_version=standing.model_version,
            topic_id=topic_id,
            reviewer=self.author,
            verdict=verdict,
            theme=commands.theme_of(standing, theme) if theme.strip() else "",
            note=commands.clean(note, "the note", commands.LONG, needed=False),
            judged_at=whole_ms(self.now()),
        )
        Judgements(self.blobs).append(judged)
        deliver_kept(
            self.deliver,
            [judged],
            "the judgement is kept, but not sent to the store",
            "do not judge it again: it is sent when the store starts",
        )
        said = judged.model_dump(include={"topic_id", "reviewer", "verdict", "theme", "note"})

        def stored() -> bool:
            return any(said.items() <= row.items() for row in self.ask("codebook_judgements"))

        if not self._arrived(stored):
            self.say("the judgement is sent; the store has not taken it up yet")
        return judged

    def _ready(self, expected: int | None) -> CodebookState:
        """Return the current codebook, once the store has caught up with the log."""
        latest = self._log.latest()
        if expected is not None and expected < latest:
            raise Conflict(self._log.read(latest))
        if expected is not None and expected > latest:
            raise BadInput(f"there is no revision {expected} yet, the newest is {latest}", "look again")
        shown = self.ask("codebook_revision")
        if shown["revision"] > (ends := self._log.latest()):
            raise Fatal(
                f"the database has revision {shown['revision']} of the codebook, but its log ends at {ends}",
                f"restore the folder codebook in {self.blobs.url} from a backup",
            )
        if shown["decisions"] < latest:
            held = {row["revision"] for row in self.ask("codebook_decisions", limit=EVERY)}
            self.deliver(list(self._log.missing(held)))
            if not self._arrived(lambda: self._shows(latest)):
                raise Unavailable(
                    f"the store has not taken up all {latest} revisions of the codebook",
                    "check that groundswell run, or the store worker, is running; then decide again",
                )
        standing = self.standing()
        if not standing.model_version:
            raise DataError(*NOTHING_YET)
        if expected is not None and standing.revision > expected:
            raise Conflict(self._log.read(standing.revision))
        return standing

    def _commit(self, standing: CodebookState, change: CodebookChange, note: str) -> CodebookDecided:
        event = CodebookDecided(
            revision=standing.revision + 1,
            model_version=standing.model_version,
            action=change.action,  # type: ignore[arg-type]
            said=change.said,
            entries=tuple(CodebookEntry(**asdict(entry)) for entry in change.entries),
            themes=tuple(ThemeEntry(**asdict(theme)) for theme in change.themes),
            undoes=change.undoes,
            author=self.author,
            note=commands.clean(note, "the note", commands.LONG, needed=False),
            decided_at=self.now(),
        )
        self._log.append(event)
        deliver_kept(
            self.deliver,
            [event],
            f"revision {event.revision} is decided and kept, but not sent to the store",
            "do not decide it again: it is sent with the next decision, or when the store starts",
        )
        if not self._arrived(lambda: self._shows(event.revision)):
            self.say(f"revision {event.revision} is decided and sent; the store has not taken it up yet")
        return event

    def _shows(self, revision: int) -> bool:
        shown = self.ask("codebook_revision")
        return bool(shown["decisions"] >= revision)


def standing_of(row: Codebook) -> CodebookState:
    """Return the codebook state in a row of the view `codebook_standing`."""
    return CodebookState(
        topics={
            topic["topic_id"]: TopicRecord(
                entry=TopicEntry(
                    topic_id=topic["topic_id"],
                    name=topic["name"],
                    theme=topic["theme"],
                    retained=topic["retained"],
                    target=topic["target"],
                    reason=topic["reason"],
                ),
                own=topic["own"],
                key=topic["key"],
                alias=topic["alias"],
                revision=topic["revision"],
            )
            for topic in row["topics"]
        },
        themes={theme["theme"]: theme["description"] for theme in row["themes"]},
        revision=row["revision"],
        model_version=row["model_version"],
    )


def decision_of(row: Decision) -> PastDecision:
    """Return the decision in a row of the view `codebook_decisions`."""
    return PastDecision(
        revision=row["revision"],
        action=row["action"],
        said=row["said"],
        author=row["author"],
        topic_ids=frozenset(row["topic_ids"]),
        theme_names=frozenset(row["theme_names"]),
        undoes=row["undoes"],
    )


def _nothing_to_undo(revision: int | None, rows: Iterable[Decision]) -> BadInput:
    see = "see groundswell codebook history"
    if revision is None:
        return BadInput("there is no decision to undo", see)
    if any(row["revision"] == revision for row in rows):
        return BadInput(
            f"revision {revision} is about the topics of another topic model, which no longer count",
            see,
        )
    return BadInput(f"there is no revision {revision}", see)
