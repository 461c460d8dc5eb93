"""Tests of the gate: how each setting decides about a video, and how reviews change the decision."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from agents.screening.admission import Admission
from agents.screening.relevance_ranker import RelevanceRanker
from models.bundled_models import prepare
from models.embedding.embedder import Embedder
from models.errors import ModelUnavailable
from streams.events import (
    Blob,
    Event,
    Sighting,
    Video,
    VideoAccepted,
    VideoParked,
    VideoRejected,
    VideoReviewed,
    VideoSeen,
)
from streams.logs.reviews import Reviews
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.state.parked_videos import ParkingLot

pytestmark = pytest.mark.long

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
KEPT = (
    "How {0} runs retrieval in production",
    "We tell what failed, what worked and what we learned at {0}.",
)
OUT = (
    "{0} tutorial for beginners, part by part",
    "Learn {0} from scratch, step by step, in this free course.",
)
NAMES = [
    "Acorn", "Bluebell", "Cedar", "Dune", "Elder", "Fjord", "Glade", "Heron", "Iris", "Juniper", "Kestrel",
    "Larch", "Marsh", "Nettle", "Osprey", "Poplar", "Quail", "Rowan", "Sorrel", "Thistle", "Umber", "Violet",
]  # fmt: skip


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(
        prepare(platformdirs.user_cache_path("groundswell") / "models").embedding, "cpu", 1, max_tokens=300
    )


def nobody() -> Embedder:
    raise AssertionError("no model is needed here")


class Study:
    """A gate between a parking lot and a log of reviews, as the agent of screening uses it."""

    def __init__(self, home: Path, embedder: Callable[[], Embedder], **settings: Any) -> None:
        self.settings = Settings(home=home, **settings)
        self.embedder = embedder
        self.blobs = Blobs(self.settings.blobs_url)
        self.lot = ParkingLot(self.blobs)
        self.reviews = Reviews(self.blobs)
        self.minutes = 0
        self.sent: list[Event] = []
        self.gate = self.begun()

    def begun(self, **settings: Any) -> Admission:
        """Start a new gate on the same study, as after a restart."""
        self.settings = self.settings.model_copy(update=settings)
        self.gate = Admission(self.settings, self.blobs, self.embedder, self.lot, self.now)
        return self.gate

    def now(self) -> datetime:
        self.minutes += 1
        return NOON + timedelta(minutes=self.minutes)

    def seen(self, video: Video, **about: Any) -> Event:
        """Judge a video, and park it if it waits, as screen does."""
        sighting = Sighting(source_id="s", kind="channel", seen_at=NOON)
        event = VideoSeen(**{"video": video, "sighting": sighting} | about)
        Outbox(self.blobs).keep(event)
        outcome = asyncio.run(self.gate.judge(video, event))
        if isinstance(outcome, VideoParked):
            self.lot.park(outcome, event)
        return outcome

    def said(
        self, name: str, video_id: str, verdict: Any, kind: Any = "", *, final: bool = False
    ) -> VideoReviewed:
        event = VideoReviewed(
            video_id=video_id,
            reviewer=name,
            verdict=verdict,
            talk_kind=kind or ("experience report" if verdict == "keep" else "tutorial"),
            final=final,
            reviewed_at=self.now(),
        )
        self.reviews.append(event)
        return event

    def heard(self, event: VideoReviewed) -> Sequence[Event]:
        found = asyncio.run(self.gate.reviewed(event))
        self.sent.extend(found)
        if any(each.key == event.key for each in found):
            self.lot.leave(event.key)  # as screen does
        return found

    def decided(self, video_id: str, verdict: Any, kind: Any = "") -> None:
        for name in ("anna", "ben")[: self.settings.reviewers]:
            self.heard(self.said(name, video_id, verdict, kind))


def video(video_id: str, title: str = "", description: str = "", **about: Any) -> Video:
    given = {"channel": "Night Deploys", "duration_s": 1800.0 + sum(map(ord, video_id)), "published_at": NOON}
    return Video(
        **{"video_id": video_id, "title": title or f"Talk {video_id}", "description": description}
        | given
        | about
    )


def labelled(study: Study, count: int) -> None:
    """Let reviewers decide `count` videos of each kind."""
    for number in range(count):
        for form, verdict in ((KEPT, "keep"), (OUT, "exclude")):
            video_id = f"{verdict}-{number}"
            title, description = (text.format(NAMES[number % len(NAMES)]) for text in form)
            study.seen(video(video_id, title, description))
            study.decided(video_id, verdict)


def test_by_rules_without_labels_all_pass_and_no_model_loads(tmp_path: Path) -> None:
    study = Study(tmp_path, nobody)
    found = study.seen(video("a", language=None))
    assert isinstance(found, VideoAccepted)
    assert found.relevance is None
    assert study.seen(video("a")) == VideoAccepted(video=video("a")), "asked again, it is the same"


def test_by_rules_with_labels_everything_passes_with_a_score(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, reviewers=1)
    labelled(study, 2)
    good, bad = (
        study.seen(video(name, *(text.format("Zinnia") for text in form)))
        for name, form in (("g", KEPT), ("b", OUT))
    )
    assert isinstance(good, VideoAccepted) and isinstance(bad, VideoAccepted)
    assert good.relevance and bad.relevance
    assert good.relevance.score > bad.relevance.score
    assert bad.relevance.talk_kind == "tutorial"
    assert good.relevance.reasons and "labels of 4 videos" in good.relevance.model


def test_unreviewed_videos_wait_with_a_score_from_no_labels(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review")
    waits = study.seen(video("a", *(text.format("Acorn") for text in KEPT)))
    assert isinstance(waits, VideoParked)
    assert (waits.state, waits.until, waits.reason) == ("in review", None, "nothing passes unreviewed")
    assert waits.relevance and "no labels" in waits.relevance.model
    assert study.seen(video("a", *(text.format("Acorn") for text in KEPT))) == waits, "also its moment"
    handed_in = study.seen(video("b"), media=Blob(key="media/b.mp3", sha256="0" * 64, size=1))
    assert isinstance(handed_in, VideoParked)
    (passed,) = (study.decided("b", "keep"), study.heard(study.reviews.of("b")[-1]))[1]
    assert isinstance(passed, VideoAccepted)
    assert passed.media is not None, "what was handed in comes along"


def test_two_reviewers_decide_together_and_a_verdict_names_them(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review")
    study.seen(video("a"))
    assert study.heard(study.said("anna", "a", "exclude", "lecture")) == []
    last = study.said("ben", "a", "exclude", "tutorial")
    (out,) = study.heard(last)
    assert isinstance(out, VideoRejected)
    assert (out.rule, out.reason) == ("not relevant", "anna: lecture; ben: tutorial")
    assert study.heard(last) == [out], "it may come again"
    assert study.begun().judge and study.heard(last) == [out], "also to the next process"
    assert study.seen(video("a")) == out, "and a new sighting changes nothing"


def test_reviewers_who_disagree_wait_and_an_adjudication_decides(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review")
    study.seen(video("a"))
    study.heard(study.said("anna", "a", "keep"))
    assert study.heard(study.said("ben", "a", "exclude")) == []
    assert isinstance(study.seen(video("a")), VideoParked)
    (passed,) = study.heard(study.said("ben", "a", "keep", final=True))
    assert isinstance(passed, VideoAccepted)
    assert passed.relevance is not None


def test_who_changes_their_mind_changes_the_verdict_both_ways(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review", reviewers=1)
    study.seen(video("a", description="as its page says"))
    (out,) = study.heard(study.said("anna", "a", "exclude"))
    found = [
        study.heard(study.said("ben", "a", verdict, final=True))[0] for verdict in ("keep", "exclude", "keep")
    ]
    assert [type(each) for each in (out, *found)] == [VideoRejected, VideoAccepted] * 2
    assert all(
        each.video.description == "as its page says" for each in found if isinstance(each, VideoAccepted)
    )


def test_what_passed_without_review_is_not_resent_but_excludable(tmp_path: Path) -> None:
    study = Study(tmp_path, nobody, reviewers=1)
    study.seen(video("a"))
    assert study.heard(study.said("anna", "a", "keep")) == []
    (out,) = study.heard(study.said("anna", "a", "exclude", final=True))
    assert isinstance(out, VideoRejected)
    assert study.heard(study.said("anna", "never-seen", "keep")) == []


def test_automatic_keeps_all_until_reviewed_enough_then_decides(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="automatic", reviewers=1, recall=0.9)
    bad = video("bad", *(text.format("Zinnia") for text in OUT))
    assert isinstance(study.seen(bad), VideoAccepted), "no threshold yet"
    labelled(study, 12)
    again = video("worse", *(text.format("Yarrow") for text in OUT))
    out = study.seen(again)
    assert isinstance(out, VideoRejected)
    assert out.rule == "not relevant" and out.reason.startswith("its score is 0.")
    assert isinstance(study.seen(video("good", *(text.format("Yarrow") for text in KEPT))), VideoAccepted)
    assert isinstance(study.seen(bad), VideoAccepted), "what passed once is not taken back by a newer model"
    study.begun(recall=1.0)
    assert isinstance(study.seen(video("worst", *(text.format("Aster") for text in OUT))), VideoAccepted)


def test_assisted_passes_the_likely_and_leaves_the_rest(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="assisted", reviewers=1, recall=0.9)
    early = study.seen(video("early", *(text.format("Zinnia") for text in KEPT)))
    assert isinstance(early, VideoParked) and early.reason.startswith("too little is reviewed")
    low = study.seen(video("low", *(text.format("Zinnia") for text in OUT)))
    labelled(study, 12)
    assert isinstance(study.seen(video("good", *(text.format("Yarrow") for text in KEPT))), VideoAccepted)
    waits = study.seen(video("bad", *(text.format("Yarrow") for text in OUT)))
    assert isinstance(waits, VideoParked) and waits.reason.startswith("its score is 0.")
    found = {
        each.video.video_id: each for each in study.sent if isinstance(each, VideoAccepted | VideoParked)
    }
    assert isinstance(found["early"], VideoAccepted), "it need not wait any more"
    assert isinstance(found["low"], VideoParked) and isinstance(low, VideoParked)
    assert found["low"].relevance != low.relevance
    again = asyncio.run(study.begun().overdue())
    assert [each.key for each in again] == ["early"], "until it is fetched: perhaps it was not sent"


def test_retraining_ranks_the_whole_queue_by_one_model(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review")
    for name, form in (("x", KEPT), ("y", OUT), ("a", KEPT), ("b", OUT)):
        study.seen(video(name, *(text.format(f"Zinnia{name}") for text in form)))
    study.heard(study.said("anna", "a", "exclude", "opinion"))
    events = study.heard(study.said("ben", "a", "exclude", "opinion"))
    parked = {each.key: each for each in events if isinstance(each, VideoParked)}
    assert "a" not in parked, "it is decided"
    kept = {each.parked.key: each.parked for each in study.lot.all()}
    for name, each in parked.items():
        assert each == kept[name], "the lot knows it before anybody is told"
        assert each.relevance and "1 labels of 1 videos" in each.relevance.model
        assert each.parked_at < NOON + timedelta(minutes=6), "it waits since it waits"
    assert parked["x"].relevance and parked["x"].relevance.score < 0.9
    assert study.heard(study.said("anna", "b", "keep")) == [], "what one says of a video moves nothing"


def test_a_score_tells_nobody_what_another_reviewer_said(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review")
    study.seen(video("a", *(text.format("Acorn") for text in OUT)))
    ranking = RelevanceRanker(study.settings, study.blobs, lambda: embedder)
    (before,) = ranking.of([video("a")])
    study.heard(study.said("anna", "a", "keep"))
    assert ranking.of([video("a")]) == [before]
    study.heard(study.said("ben", "a", "exclude"))
    assert ranking.of([video("a")]) == [before], "nor while they disagree"
    study.heard(study.said("ben", "a", "keep"))
    assert ranking.of([video("a")]) != [before]


def test_learning_anew_embeds_nothing_again(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review", reviewers=1)
    labelled(study, 2)
    asked: list[str] = []

    class Counting(Embedder):
        def __init__(self) -> None:
            super().__init__(embedder._name, "cpu", 1, max_tokens=300)

        def embed(self, texts: Sequence[str]) -> Any:
            asked.extend(texts)
            return embedder.embed(texts)

    counting = Counting()
    ranking = RelevanceRanker(study.settings, study.blobs, lambda: counting)
    ranking.of([video("keep-0", *(text.format("Acorn") for text in KEPT))])
    assert not any("Acorn" in text or "Bluebell" in text for text in asked), "videos are read from the blobs"
    described = len(asked)
    study.said("clara", "keep-0", "exclude", final=True)
    ranking.of([video("keep-0", *(text.format("Acorn") for text in KEPT))])
    assert len(asked) == described


def test_without_the_model_nothing_is_rejected_but_by_reviewers(tmp_path: Path) -> None:
    def missing() -> Embedder:
        raise ModelUnavailable("it is not here", "bring it")

    found = {
        mode: Study(tmp_path / mode, missing, screening=mode).seen(video("a"))
        for mode in ("rules", "automatic", "assisted", "review")
    }
    assert [type(each) for each in found.values()] == [VideoAccepted] * 2 + [VideoParked] * 2
    study = Study(tmp_path / "review", missing, screening="review")
    study.heard(study.said("anna", "a", "keep"))
    (passed,) = study.heard(study.said("ben", "a", "keep"))
    assert isinstance(passed, VideoAccepted)


def test_a_cross_post_is_rejected_and_names_the_other(tmp_path: Path) -> None:
    study = Study(tmp_path, nobody)
    about = {"title": "Taming hallucinations in claims processing at Kestrel Mutual", "duration_s": 1834.0}
    study.seen(video("first", **about))
    out = study.seen(video("again", channel="Conference Reruns", **about))
    assert isinstance(out, VideoRejected)
    assert out.rule == "duplicate"
    assert out.reason.startswith("it is first again: ") and "titles are alike" in out.reason
    assert isinstance(study.seen(video("first", **about)), VideoAccepted), (
        "the first is no copy of the second"
    )
    part = video("other", **about | {"title": about["title"] + " (part 2)"})  # type: ignore[operator]
    assert isinstance(study.seen(part), VideoAccepted)
    by_hand = Sighting(source_id="ingest", kind="link", seen_at=NOON)
    assert isinstance(study.seen(video("wanted", **about), sighting=by_hand), VideoAccepted)
    study.decided("again", "keep")
    (passed,) = study.heard(study.reviews.of("again")[-1])
    assert isinstance(passed, VideoAccepted), "reviewers know better"


def test_what_was_rejected_makes_nothing_a_duplicate(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, reviewers=1)
    about = {"title": "Taming hallucinations in claims processing at Kestrel Mutual", "duration_s": 1834.0}
    study.seen(video("first", **about))
    study.heard(study.said("anna", "first", "exclude"))
    assert isinstance(study.seen(video("again", **about)), VideoAccepted)


def test_decisions_made_while_nobody_listened_are_sent_at_start(tmp_path: Path, embedder: Embedder) -> None:
    study = Study(tmp_path, lambda: embedder, screening="review")
    for name in "abc":
        study.seen(video(name))
    for name in ("anna", "ben"):
        study.said(name, "a", "keep")
        study.said(name, "b", "exclude")
    found = asyncio.run(study.begun().overdue())
    assert {
        each.video.video_id: type(each) for each in found if isinstance(each, VideoAccepted | VideoRejected)
    } == {
        "a": VideoAccepted,
        "b": VideoRejected,
    }
    passed = asyncio.run(study.begun(screening="rules").overdue())
    names = {each.video.video_id for each in passed if isinstance(each, VideoAccepted)}
    assert names == {"a", "c"}, "nobody reviews any more"
