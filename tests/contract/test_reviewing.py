"""Reviewing in a real study: verdicts are blind and adjudicated, and the reviewers' decision counts."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from event_factories import MODEL, NOON, assigned, seen, topic, video
from typer.testing import CliRunner, Result

from agents.cli import app
from agents.queries.registry import VIEWS
from agents.screening.admission import Admission
from agents.screening.rulings import mark
from agents.screening.video_reviews import Meanwhile, Reviewer, ReviewOutcome
from models.embedding.embedder import Embedder
from models.errors import BadInput, ModelUnavailable
from streams import events as e
from streams.errors import Unavailable
from streams.logs.reviews import Reviews
from streams.state.blobs import Blobs
from streams.state.parked_videos import ParkingLot
from streams.store import writer
from streams.store.queries import prevalence
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse


def no_model() -> Embedder:
    raise ModelUnavailable("no model is at hand", "scores are not what is looked at here")


class Desk:
    """A study in which screening and the store process reviews at once."""

    def __init__(self, warehouse: Warehouse, **settings: Any) -> None:
        self.warehouse = warehouse
        self.settings = warehouse.settings.model_copy(update={"screening": "review"} | settings)
        warehouse.settings = self.settings
        self.blobs = Blobs(self.settings.blobs_url)
        self.lot = ParkingLot(self.blobs)
        minutes = itertools.count()
        self.now = lambda: NOON + timedelta(minutes=next(minutes))
        self.gate = Admission(self.settings, self.blobs, no_model, self.lot, self.now)

    def write(self, events: Sequence[e.Event]) -> None:
        writer.write(self.warehouse, (row for event in events for row in writer.rows_of(event)))

    def deliver(self, events: Sequence[e.Event]) -> None:
        self.write(events)
        for event in events:
            if isinstance(event, e.VideoReviewed):
                self.write(asyncio.run(self.gate.reviewed(event)))

    def ask(self, view: str, **parameters: Any) -> Any:
        return VIEWS[view](self.warehouse, **parameters)

    def reviewer(self, name: str, deliver: Callable[[Sequence[e.Event]], None] | None = None) -> Reviewer:
        return Reviewer(self.settings, self.blobs, self.ask, deliver or self.deliver, self.now, name)

    def found(self, *names: str) -> None:
        for name in names:
            event = seen(video(name, duration_s=1800.0 + len(name)))
            outcome = asyncio.run(self.gate.judge(event.video, event))
            if isinstance(outcome, e.VideoParked):
                self.lot.park(outcome, event)
            self.write([event, outcome])

    def decided(self, video_id: str, verdict: Any, kind: str = "") -> ReviewOutcome:
        self.reviewer("anna").judge(video_id, verdict, kind)
        return self.reviewer("ben").judge(video_id, verdict, kind)


@pytest.fixture
def desk(study: Warehouse) -> Desk:
    return Desk(study)


def ids(reviewer: Reviewer) -> list[str]:
    return [row["video_id"] for row in reviewer.waiting()]


def test_each_reviews_what_waits_without_seeing_the_others(desk: Desk) -> None:
    desk.found("a", "b")
    anna, ben = desk.reviewer("anna"), desk.reviewer("ben")
    assert ids(anna) == ["a", "b"]
    anna.judge("a", "exclude", "tutorial", "slides only")
    assert (anna.next(anna.waiting()) or {})["video_id"] == "b"
    waiting = ben.waiting()
    first = ben.next(waiting)
    assert first is not None and first["video_id"] == "a"
    assert not {"anna", "tutorial", "slides only"} & {str(value) for value in first.values()}
    assert (ben.next(waiting, after="a") or {})["video_id"] == "b", "skipped"
    assert (ben.next(waiting, after="b") or {})["video_id"] == "a", "and from the beginning"
    assert desk.ask("reviews") == ben.agreement() == []
    judged = ben.judge("a", "exclude", "lecture")
    assert judged.ruling.state == "decided"
    assert ids(ben) == ["b"]
    assert desk.ask("talk", video_id="a")["screening"] == {
        "verdict": "rejected",
        "rule": "not relevant",
        "reason": "anna: tutorial (slides only); ben: lecture",
    }
    (pair,) = ben.agreement()
    assert (pair.verdicts.observed, pair.verdicts.kappa, pair.differ) == (1.0, None, ("a",))


def test_a_disagreement_waits_for_an_adjudication(desk: Desk) -> None:
    desk.found("a")
    anna, ben, clara = (desk.reviewer(name) for name in ("anna", "ben", "clara"))
    with pytest.raises(BadInput, match="nobody disagrees about a: it waits for 2 reviewers"):
        clara.adjudicate("a", "keep")
    anna.judge("a", "keep")
    with pytest.raises(BadInput, match="it waits for one more reviewer"):
        clara.adjudicate("a", "keep")
    assert ben.judge("a", "exclude", "workshop").ruling.state == "disputed"
    assert [row["state"] for row in clara.waiting()] == ["disputed"]
    assert clara.next(clara.waiting()) is None
    with pytest.raises(BadInput, match="enough reviewers have judged a, and they disagree"):
        clara.judge("a", "keep")
    shown = mark(clara.ruling("a"))
    ben.judge("a", "exclude", "lecture")
    with pytest.raises(Meanwhile, match="somebody judged a meanwhile"):
        clara.adjudicate("a", "keep", expected=shown)
    judged = clara.adjudicate("a", "exclude", expected=mark(clara.ruling("a")))
    assert judged.event.talk_kind == "lecture", "as who said the same"
    assert desk.ask("talk", video_id="a")["state"] == "rejected"
    with pytest.raises(BadInput, match="it is decided so already"):
        ben.adjudicate("a", "exclude", "other")


def test_one_of_the_two_may_give_in(desk: Desk) -> None:
    desk.found("a")
    desk.reviewer("anna").judge("a", "keep")
    ben = desk.reviewer("ben")
    ben.judge("a", "exclude", "opinion")
    assert ben.judge("a", "keep").ruling.state == "decided"
    assert desk.ask("talk", video_id="a")["state"] == "accepted"
    with pytest.raises(BadInput, match="a is decided already: anna: keep, ben: keep"):
        ben.judge("a", "exclude", "opinion")


def test_what_was_said_last_is_taken_back_until_it_is_decided(desk: Desk) -> None:
    desk.found("a", "b")
    anna = desk.reviewer("anna")
    with pytest.raises(BadInput, match="anna has said nothing that holds"):
        anna.undo()
    anna.judge("a", "keep")
    anna.judge("b", "keep")
    assert [anna.undo().video_id, anna.undo().video_id] == ["b", "a"]
    assert (anna.next(anna.waiting()) or {})["video_id"] == "a"
    assert len(anna.log.events()) == 4, "nothing is ever deleted"
    desk.decided("a", "keep")
    with pytest.raises(BadInput, match="a is decided meanwhile"):
        anna.undo("a")


def test_what_cannot_be_reviewed_says_why(desk: Desk) -> None:
    desk.found("talk-one")
    anna = desk.reviewer("anna")
    with pytest.raises(BadInput, match="there is no video 'talk-on': did you mean talk-one"):
        anna.judge("talk-on", "keep")
    with pytest.raises(BadInput, match="'tutorail' is not a class of talk: did you mean tutorial"):
        anna.judge("talk-one", "exclude", "tutorail")
    with pytest.raises(BadInput, match="an excluded video needs a class"):
        anna.judge("talk-one", "exclude")
    desk.write([seen(video("x")), e.VideoRejected(video=video("x"), rule="too short", reason="it lasts 5 s")])
    with pytest.raises(BadInput, match=r"a rule rejected x \(too short: it lasts 5 s\)"):
        anna.judge("x", "keep")
    assert Reviews(desk.blobs).events() == []


def test_a_change_of_mind_reaches_every_number_both_ways(desk: Desk) -> None:
    desk.write([e.EpochBegun(model_version=MODEL, sequence=0, epoch=0, embedding_model="m", codebook="c")])
    desk.write([topic(1, "Architecture")])
    desk.found("a")
    desk.decided("a", "exclude", "lecture")
    assert talk_queries.finished_videos(desk.warehouse) == {"a"}
    clara = desk.reviewer("clara")
    assert clara.adjudicate("a", "keep").corrected == (), "nothing was withdrawn"
    assert talk_queries.finished_videos(desk.warehouse) == set(), "after a crash it is sent again"
    desk.write([assigned(0, video("a"), 1)])
    assert [row["videos"] for row in prevalence.topics(desk.warehouse)] == [1]
    assert desk.ask("talk", video_id="a")["screening"]["verdict"] == "accepted"
    assert desk.ask("screening_queue", verdict="rejected")["videos"] == 0
    (out,) = clara.adjudicate("a", "exclude", "opinion").corrected
    assert out.event is not None
    assert out.event.reason == "reviewers: opinion, adjudicated by clara"
    assert [row["videos"] for row in prevalence.topics(desk.warehouse)] == [0]
    (back,) = clara.adjudicate("a", "keep").corrected
    assert back.event is not None and back.event.what == "restored"
    assert [row["videos"] for row in prevalence.topics(desk.warehouse)] == [1]


def test_what_was_withdrawn_for_another_reason_stays_withdrawn(study: Warehouse) -> None:
    desk = Desk(study, screening="rules", reviewers=1)
    desk.found("a")
    from agents.curation.video_corrections import Corrector

    Corrector(desk.blobs, desk.ask, desk.deliver, desk.now, "olga").withdraw(["a"], "recorded twice")
    assert desk.reviewer("anna").judge("a", "keep").corrected == ()
    assert desk.ask("talk", video_id="a")["withdrawn"]


def test_an_unsent_review_is_acted_on_at_the_next_start(desk: Desk) -> None:
    desk.found("a")

    def fail(_: Sequence[e.Event]) -> None:
        raise Unavailable("the broker does not answer", "start it")

    desk.reviewer("anna").judge("a", "keep")
    with pytest.raises(Unavailable, match="the review is kept, but not sent"):
        desk.reviewer("ben", fail).judge("a", "keep")
    desk.write(asyncio.run(desk.gate.overdue()))
    assert desk.ask("talk", video_id="a")["state"] == "accepted"


def test_the_clock_may_go_back_and_what_is_said_later_holds(desk: Desk) -> None:
    desk.found("a")
    desk.reviewer("anna").judge("a", "keep")
    desk.now = lambda: NOON - timedelta(days=1)
    late = desk.reviewer("anna")
    late.judge("a", "exclude", "other")
    own = late.own(late.ruling("a"))
    assert own is not None and own.verdict == "exclude"


@pytest.mark.long
def test_the_command_line_reviews_a_study(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.found("a", "b")
    desk.warehouse.close()
    for name in ("home", "study", "screening"):
        monkeypatch.setenv(f"GROUNDSWELL_{name.upper()}", str(getattr(desk.settings, name)))

    def run(*words: str, code: int = 0) -> Result:
        found = CliRunner().invoke(app, ["review", *words])
        assert found.exit_code == code, (found.output, found.exception)
        return found

    shown = run("next", "--reviewer", "anna")
    assert "video     a" in shown.stdout and "2 to judge as anna" in shown.stderr
    run("exclude", "a", "--as", "tutorial", "--note", "slides", "--reviewer", "anna")
    assert "did you mean tutorial" in run("exclude", "b", "--as", "tutorials", code=2).output
    as_json = json.loads(run("next", "--reviewer", "ben", "--json").stdout)
    assert (as_json["video_id"], as_json["judged"]) == ("a", 1)
    assert "anna" not in json.dumps(as_json) and "slides" not in json.dumps(as_json)
    told = run("keep", "a", "--reviewer", "ben")
    assert "reviewers disagree: groundswell review adjudicate a keep|exclude" in told.stderr
    queue = json.loads(run("queue", "--json").stdout)
    assert (queue["waiting"], queue["disputed"], queue["judged"]) == (2, 1, {"anna": 1, "ben": 1})
    assert "2 of 2" in run("queue").stdout
    assert "is neither keep nor exclude" in run("adjudicate", "a", "maybe", code=2).output
    assert (
        "decided: keep, adjudicated by clara" in run("adjudicate", "a", "keep", "--reviewer", "clara").stderr
    )
    agreed = run("agreement").stdout
    assert "anna and ben" in agreed and "kappa 0.00" in agreed
    assert "a  anna: tutorial, ben: keep; keep, adjudicated by clara" in agreed
    assert json.loads(run("agreement", "--json").stdout)[0]["differ"] == ["a"]
    run("keep", "b", "--reviewer", "ben")
    assert "undone: ben judged keep for b" in run("undo", "--reviewer", "ben").stderr


def test_a_study_without_reviewers_says_how_to_get_some(
    study: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = str(study.settings.home)
    study.close()
    monkeypatch.setenv("GROUNDSWELL_HOME", home)
    monkeypatch.setenv("GROUNDSWELL_STUDY", study.settings.study)
    found = CliRunner().invoke(app, ["review", "next"])
    assert found.exit_code == 0
    assert "because GROUNDSWELL_SCREENING is rules: set it to assisted or review" in found.stderr
