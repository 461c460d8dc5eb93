"""curate: a person's decision → the codebook's log → ClickHouse. No talk is processed again for it.

A decision is made from the codebook as it stands, so the store has to have followed the log first. The log
takes one decision a revision, whoever comes first; then the event is on its way, and the numbers follow.
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
"""More decisions than a study has."""
NOTHING_YET = ("there is no topic model yet", "hand in talks, and let groundswell run learn them")


class CodebookService(DecisionService):
    """Decides about the codebook of a study; asks the views of `streams.store.codebook.decisions`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._log = CodebookLog(self.blobs)

    def standing(self, revision: int | None = None, model: str = "") -> CodebookState:
        """Return the codebook as the store shows it."""
        return standing_of(self.ask("codebook_standing", revision=revision, model=model))

    def decide(
        self, decision: Callable[[CodebookState], CodebookChange], note: str = "", expected: int | None = None
    ) -> CodebookDecided:
        """Make a decision: what it changes, as the next revision.

        Args:
            decision: from the codebook as it stands to a change; one of `models.codebook.commands`.
            note: what the author wants to say about it.
            expected: the revision that the author saw; None: whichever it is.

        Raises:
            BadInput: it cannot be decided.
            Conflict: somebody else decided since.
            Unavailable: the store has not followed the log, or the event could not be sent.
        """
        standing = self._ready(expected)
        return self._commit(standing, decision(standing), note)

    def undo(
        self, revision: int | None = None, note: str = "", expected: int | None = None
    ) -> CodebookDecided:
        """Take a decision back; None: the newest that still holds.

        Raises:
            BadInput: later decisions stand on it, or there is none to take back.
        """
        return self.decide(lambda standing: self.taken_back(standing, revision), note, expected)

    def taken_back(self, standing: CodebookState, revision: int | None = None) -> CodebookChange:
        """Return what taking a decision back would change; None: the newest that still holds.

        Raises:
            BadInput: later decisions stand on it, or there is none to take back.
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
        """Let the codebook say what a file says."""
        return self.decide(lambda standing: take_over(standing, file), note, expected)

    def carry_over(self, note: str = "", expected: int | None = None) -> CodebookDecided:
        """Let what was decided about the last topic model hold for the one that is shown.

        What was decided about this model's topics already stays.

        Raises:
            BadInput: nothing was decided about another model, or it is carried over already.
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
        """Say what the author, as a reviewer, thinks of a topic; it changes no number.

        Raises:
            BadInput: there is no such topic or theme.
            Unavailable: the judgement is kept, but could not be sent.
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
        """Return the codebook as it stands, when the store has followed the log."""
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
                    "see that groundswell run, or the worker of store, is at work; then decide again",
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
    """Return what a row of the view `codebook_standing` says."""
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
    """Return what a row of the view `codebook_decisions` says."""
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
        return BadInput("there is no decision to take back", see)
    if any(row["revision"] == revision for row in rows):
        return BadInput(
            f"revision {revision} is about the topics of another topic model, which are not counted any more",
            see,
        )
    return BadInput(f"there is no revision {revision}", see)
