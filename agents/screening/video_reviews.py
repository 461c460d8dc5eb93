"""Reviews of videos: a person's verdict → the log of reviews → the queue, screening and ClickHouse.

Reviewers judge independently: the reviews of a waiting video stay hidden until enough reviewers have judged
it. A review is logged before it is sent. If a video was accepted already, a later decision removes it from
every number, or restores it, like `groundswell videos withdraw` and `restore`.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from agents.curation.video_corrections import Corrected, Corrector
from agents.instance.event_publisher import PATIENCE_S, Deliver, deliver_kept
from agents.screening.rulings import KEPT, describe_ruling, kind_of, mark
from models.codebook import commands
from models.errors import BadInput
from models.relevance.consensus import EXCLUDE, ReviewerPair, Ruling, pairs, ruled
from streams.events import VideoReviewed
from streams.logs.reviews import Reviews
from streams.logs.screening_log import ScreeningLog
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.rows.screening import Waiting
from streams.store.rows.talks import WholeTalk
from streams.timestamps import whole_ms

Verdict = Literal["keep", "exclude"]
PAGE = 1000
MOMENT = timedelta(milliseconds=1)
BY_REVIEWERS = "reviewers: "
"""Prefix of the reason of a withdrawal that reviews caused; stored, and compared."""
PASSED = frozenset({"accepted", "fetched", "transcribed", "split", "assigned"})


class Meanwhile(BadInput):
    """Somebody else has reviewed the video since the person looked; nothing was stored."""


class WaitingVideo(Waiting):
    """A video that waits (open or disputed), how many have judged it, and this reviewer's own review."""

    state: str
    judged: int
    own: VideoReviewed | None


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """The result of a review.

    Attributes:
        event: the logged review.
        ruling: the resulting ruling on the video.
        corrected: the withdrawal or restoration that followed, if the video had been accepted already.
    """

    event: VideoReviewed
    ruling: Ruling[VideoReviewed]
    corrected: tuple[Corrected, ...] = ()


@dataclass
class Reviewer:
    """Reviews waiting videos on behalf of one person.

    Attributes:
        settings: the study's settings.
        blobs: the study's blob store, which holds the log.
        ask: queries a view by name with its parameters (`review_queue`, `talk`, `talks`, `corrections`).
        deliver: sends events to the store, or writes their rows itself if no store runs.
        now: the clock.
        name: the reviewer.
        log: the log of reviews, if the caller has loaded it already.
        say: shows the person a progress message.
        pause: sleeps for a number of seconds.
        patience_s: how long to wait for the store (seconds).
    """

    settings: Settings
    blobs: Blobs
    ask: Callable[..., Any]
    deliver: Deliver
    now: Callable[[], datetime]
    name: str
    log: Reviews = None  # type: ignore[assignment] # made from blobs
    say: Callable[[str], None] = lambda _: None
    pause: Callable[[float], None] = time.sleep
    patience_s: float = PATIENCE_S
    _screened: ScreeningLog = field(init=False)

    def __post_init__(self) -> None:
        self.name = commands.clean(self.name, "the reviewer")
        self.log = self.log or Reviews(self.blobs)
        self._screened = ScreeningLog(self.blobs)

    def ruling(self, video_id: str) -> Ruling[VideoReviewed]:
        """Return the current ruling on a video."""
        return ruled(self.log.of(video_id), self.settings.reviewers)

    def rulings(self) -> dict[str, Ruling[VideoReviewed]]:
        """Return the current ruling on every reviewed video, by its id."""
        found = self.log.by_video().items()
        return {video_id: ruled(said, self.settings.reviewers) for video_id, said in found}

    def waiting(self) -> list[WaitingVideo]:
        """Return the videos that wait for reviewers or an adjudication, the most relevant first.

        Most videos with a high score are kept, so talks worth fetching do not wait behind the rest, and the
        model learns from its mistakes among the videos of which it is surest (Cormack and Grossman 2014,
        continuous active learning).
        """
        rulings = self.rulings()
        rows: list[Waiting] = []
        while len(page := self.ask("review_queue", limit=PAGE, offset=len(rows))["rows"]) > 0:
            rows += page
            if len(page) < PAGE:
                break
        found = [(row, rulings.get(row["video_id"], Ruling("open", ()))) for row in rows]
        return [
            {**row, "state": ruling.state, "judged": len(ruling.said), "own": self.own(ruling)}
            for row, ruling in found
            if ruling.state != "decided"
        ]

    def own(self, ruling: Ruling[VideoReviewed]) -> VideoReviewed | None:
        """Return this reviewer's own review of a video, or None."""
        return next((each for each in ruling.said if each.reviewer == self.name), None)

    def next(self, waiting: Sequence[WaitingVideo], after: str = "") -> WaitingVideo | None:
        """Return the next video for this reviewer to judge: the first after `after`, or else the first."""
        mine = [row for row in waiting if row["state"] == "open" and row["own"] is None]
        ids = [row["video_id"] for row in waiting]
        later = set(ids[ids.index(after) + 1 :]) if after in ids else set[str]()
        return next((row for row in mine if row["video_id"] in later), mine[0] if mine else None)

    def judge(self, video_id: str, verdict: Verdict, talk_kind: str = "", note: str = "") -> ReviewOutcome:
        """Record this reviewer's verdict on a video; it replaces an earlier one of the same reviewer.

        Raises:
            BadInput: there is no such video or class, or the video is decided or disputed already.
            Unavailable: the review is logged, but could not be sent.
        """
        kind = kind_of(talk_kind or (KEPT if verdict == "keep" else ""))
        known, ruling = self._known(video_id), self.ruling(video_id)
        if ruling.state == "decided":
            raise BadInput(
                f"{video_id} is decided already: {describe_ruling(ruling)}",
                f"to change that: groundswell review adjudicate {video_id} keep|exclude",
            )
        if ruling.state == "disputed" and self.own(ruling) is None:
            raise BadInput(
                f"enough reviewers have judged {video_id}, and they disagree",
                f"groundswell review adjudicate {video_id} keep|exclude",
            )
        return self._kept(known, verdict, kind, note, final=False)

    def adjudicate(
        self,
        video_id: str,
        verdict: Verdict,
        talk_kind: str = "",
        note: str = "",
        expected: str | None = None,
    ) -> ReviewOutcome:
        """Decide about a video on which reviewers disagree, or overrule an earlier decision.

        Args:
            video_id: the video.
            verdict: the final verdict.
            talk_kind: its class; empty: the class given by a reviewer with the same verdict.
            note: the reason.
            expected: `mark` of the reviews that the person saw; None accepts any.

        Raises:
            BadInput: there is no such video or class, the reviewers do not disagree, or the verdict is the
                current one.
            Meanwhile: somebody has reviewed the video since `expected`.
            Unavailable: the adjudication is logged, but could not be sent.
        """
        known, ruling = self._known(video_id), self.ruling(video_id)
        if expected is not None and expected != mark(ruling):
            raise Meanwhile(f"somebody judged {video_id} meanwhile", "look at it again, then decide")
        if ruling.state == "open":
            missing = self.settings.reviewers - len(ruling.said)
            more = "one more reviewer" if missing == 1 else f"{missing} reviewers"
            raise BadInput(
                f"nobody disagrees about {video_id}: it waits for {more}",
                f"judge it: groundswell review keep {video_id}, or exclude {video_id} --as tutorial",
            )
        if ruling.state == "decided" and ruling.verdict == verdict:
            raise BadInput(
                f"nobody disagrees about {video_id}: it is decided so already ({describe_ruling(ruling)})",
                "you need not do anything",
            )
        same = [each.talk_kind for each in ruling.said if each.verdict == verdict]
        kind = kind_of(talk_kind or next(iter(same), KEPT if verdict == "keep" else ""))
        return self._kept(known, verdict, kind, note, final=True)

    def undo(self, video_id: str = "") -> VideoReviewed:
        """Take back this reviewer's latest review, or the one of a video, as if it had never been made.

        Returns:
            The review taken back.

        Raises:
            BadInput: there is no review to take back, or the video is decided meanwhile.
            Unavailable: the undo is logged, but could not be sent.
        """
        rulings = {video_id: self.ruling(video_id)} if video_id else self.rulings()
        mine = [each for ruling in rulings.values() if (each := self.own(ruling)) is not None]
        if not mine:
            about = f" of {video_id}" if video_id else ""
            raise BadInput(f"{self.name} has said nothing{about} that holds", "see groundswell review queue")
        last = max(mine, key=lambda each: each.reviewed_at)
        if (ruling := rulings[last.video_id]).state == "decided":
            raise BadInput(
                f"{last.video_id} is decided meanwhile: {describe_ruling(ruling)}",
                f"to change that: groundswell review adjudicate {last.video_id} keep|exclude",
            )
        self._send(self._event(last.video_id, "undone", last.talk_kind, "", final=False))
        return last

    def agreement(self) -> list[ReviewerPair]:
        """Return the agreement of each pair of reviewers on the videos that enough of them judged."""
        return pairs({name: each.said for name, each in self.rulings().items() if each.state != "open"})

    def _known(self, video_id: str) -> WholeTalk:
        """Return the row of the view `talk` for a video that can be reviewed.

        Raises:
            BadInput: there is no such video, or a rule rejected it.
        """
        found: WholeTalk | None = self.ask("talk", video_id=video_id)
        if found is None:
            ids = [row["video_id"] for row in self.ask("review_queue", limit=PAGE)["rows"]]
            ids += [row["video_id"] for row in self.ask("talks", limit=PAGE)]
            near = difflib.get_close_matches(video_id, dict.fromkeys(ids), 1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise BadInput(
                f"there is no video {video_id[:80]!r}", f"{meant}see groundswell review queue, or videos list"
            )
        if found["state"] == "rejected" and self._screened.get(video_id) is None:
            rule = found["screening"] and "{rule}: {reason}".format(**found["screening"])
            raise BadInput(
                f"a rule rejected {video_id} ({rule}), which reviewers cannot change",
                "change the setting of that rule, then ingest the video again",
            )
        return found

    def _kept(self, talk: WholeTalk, verdict: Verdict, kind: str, note: str, *, final: bool) -> ReviewOutcome:
        event = self._event(talk["video_id"], verdict, kind, note, final=final)
        self._send(event)
        ruling = self.ruling(event.video_id)
        return ReviewOutcome(event, ruling, self._followed(talk, ruling))

    def _event(
        self, video_id: str, verdict: Verdict | Literal["undone"], kind: str, note: str, *, final: bool
    ) -> VideoReviewed:
        # A later review wins even if the clock went back, and one reviewer's reviews keep their order.
        before = (
            each for each in self.log.events() if each.video_id == video_id or each.reviewer == self.name
        )
        moment = max([whole_ms(self.now()), *(each.reviewed_at + MOMENT for each in before)])
        return VideoReviewed(
            video_id=video_id,
            reviewer=self.name,
            verdict=verdict,
            talk_kind=kind,  # type: ignore[arg-type] # kind_of has looked
            note=commands.clean(note, "the note", commands.LONG, needed=False),
            final=final,
            reviewed_at=moment,
        )

    def _send(self, event: VideoReviewed) -> None:
        self.log.append(event)
        deliver_kept(
            self.deliver,
            [event],
            "the review is kept, but not sent to screening",
            "do not judge it again: it is processed when groundswell run, or the screen worker, starts",
        )

    def _followed(self, known: WholeTalk, ruling: Ruling[VideoReviewed]) -> tuple[Corrected, ...]:
        """Withdraw or restore a talk that was accepted already, by the reviewers' decision."""
        if ruling.state != "decided":
            return ()
        video_id: str = known["video_id"]
        corrector = Corrector(
            self.blobs,
            self.ask,
            self.deliver,
            self.now,
            self.name,
            say=self.say,
            pause=self.pause,
            patience_s=self.patience_s,
        )
        screening = self._screened.get(video_id)
        passed = known["state"] in PASSED or (screening is not None and screening.outcome == "accepted")
        if ruling.verdict == EXCLUDE and passed and not known["withdrawn"]:
            return tuple(corrector.withdraw([video_id], BY_REVIEWERS + describe_ruling(ruling)))
        if ruling.verdict == "keep" and known["withdrawn"]:
            why = next((row["reason"] for row in known["corrections"] if row["what"] == "withdrawn"), "")
            if why.startswith(BY_REVIEWERS):
                return tuple(corrector.restore([video_id], BY_REVIEWERS + describe_ruling(ruling)))
        return ()
