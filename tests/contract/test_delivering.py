"""People's decisions reach the store, also from the process that serves the page, or are kept for later."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from event_factories import MODEL, NOON, assigned, numbers, seen, topic, video, write

from agents.curation.codebook_service import CodebookService
from agents.curation.video_corrections import Corrector, moment_of
from agents.instance.event_publisher import Deliver, arrived, delivering_from
from agents.queries.registry import VIEWS
from agents.storage.store import Store
from models.errors import BadInput
from streams import events as e
from streams.errors import Unavailable
from streams.kafka.admin import Cluster
from streams.kafka.codec import decode
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.kafka.topics import CURATION
from streams.logs.corrections import Corrections
from streams.logs.judgements import Judgements
from streams.settings import EMBEDDED, Settings
from streams.state.blobs import Blobs
from streams.store import missing
from streams.store.queries import prevalence
from streams.store.warehouse import Warehouse

pytestmark = pytest.mark.long

LATER = datetime(2026, 1, 1, 9, 30, 0, 123_456, tzinfo=UTC)

moments = itertools.count()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture
def talks(study: Warehouse) -> Warehouse:
    """Return a study with two talks about one topic."""
    told = [video("a"), video("b")]
    write(study, [topic(1, "Architecture"), *map(seen, told)])
    write(study, [assigned(number, each, 1) for number, each in enumerate(told)])
    return study


def refuse(_: Sequence[e.Event]) -> None:
    raise Unavailable("cannot reach Kafka", "start it")


def corrector(warehouse: Warehouse, blobs: Blobs, deliver: Deliver, **other: Any) -> Corrector:
    parts: dict[str, Any] = {"author": "ann", "now": clock, "pause": lambda _: None}
    return Corrector(blobs, asking(warehouse), deliver, **parts | other)


def curator(warehouse: Warehouse, blobs: Blobs, deliver: Deliver) -> CodebookService:
    return CodebookService(blobs, asking(warehouse), deliver, lambda: LATER, "ann", pause=lambda _: None)


def clock() -> datetime:
    return LATER + timedelta(seconds=next(moments))


def asking(warehouse: Warehouse) -> Callable[..., Any]:
    return lambda view, **parameters: VIEWS[view](warehouse, **parameters)


def of_videos(warehouse: Warehouse) -> int:
    return sum(row["of_videos"] for row in prevalence.months(warehouse))


def test_a_decision_is_written_by_the_process_with_the_database(talks: Warehouse, blobs: Blobs) -> None:
    with delivering_from(talks.settings, EMBEDDED, talks) as deliver:
        (done,) = corrector(talks, blobs, deliver).withdraw(["a"], "told twice")
        assert "counts nowhere" in done.said
        assert of_videos(talks) == 1
        (again,) = corrector(talks, blobs, deliver).withdraw(["a"], "sure")
        assert again.event is None
        assert "withdrawn already: a “Talk a”, by ann" in again.said
        corrector(talks, blobs, deliver).restore(["a"])
        assert of_videos(talks) == 2
        judged = curator(talks, blobs, deliver).judge(1, "include")
    assert Judgements(blobs).events() == [judged]


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with EmbeddedBroker() as running:
        yield running.bootstrap


def test_a_decision_goes_to_the_broker_of_the_running_study(
    talks: Warehouse, blobs: Blobs, broker: str
) -> None:
    """The running study's store writes it a moment later, and the correction waits for that."""
    from kafka import KafkaConsumer

    settings = Settings(home=talks.settings.home, study=f"sent_{next(numbers)}")
    with Cluster(settings, broker) as cluster:
        cluster.wait(patience_s=20)
        cluster.ensure_topics()
    name = CURATION.full_name(settings.study)
    consumer = KafkaConsumer(
        name, bootstrap_servers=broker, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    said: list[str] = []
    paused: list[float] = []

    def pause(seconds: float) -> None:
        """Let the store write the decision after a while."""
        paused.append(seconds)
        if sum(paused) > 3:
            write(talks, [decode(next(consumer).value)])

    with delivering_from(settings, broker, talks) as deliver:
        (done,) = corrector(talks, blobs, deliver, pause=pause, say=said.append).withdraw(["a"], "why not")
    consumer.close()
    assert done.event is not None
    assert of_videos(talks) == 1
    assert said == ["waiting for the store …"]


def test_an_unsent_correction_holds_when_the_store_starts(talks: Warehouse, blobs: Blobs) -> None:
    with pytest.raises(Unavailable, match=r"the correction is kept, but not sent .*cannot reach Kafka"):
        corrector(talks, blobs, refuse).withdraw(["a"], "told twice")
    assert of_videos(talks) == 2
    Store(talks, blobs)._catch_up()
    assert of_videos(talks) == 1
    assert missing.corrections(Corrections(blobs), talks) == []


def test_an_unsent_judgement_is_there_when_the_store_starts(talks: Warehouse, blobs: Blobs) -> None:
    with pytest.raises(Unavailable, match=r"the judgement is kept, but not sent .*cannot reach Kafka"):
        curator(talks, blobs, refuse).judge(1, "exclude", note="'; noise")
    assert VIEWS["codebook_judgements"](talks) == []
    Store(talks, blobs)._catch_up()
    (row,) = VIEWS["codebook_judgements"](talks)
    assert (row["topic_id"], row["reviewer"], row["verdict"], row["note"]) == (
        1,
        "ann",
        "exclude",
        "'; noise",
    )
    assert missing.judgements(Judgements(blobs), talks) == []


def test_of_a_reviewer_s_judgements_only_the_last_can_be_missing(talks: Warehouse, blobs: Blobs) -> None:
    log = Judgements(blobs)
    first, second, third = (
        e.TopicJudged(
            model_version=MODEL,
            topic_id=1,
            reviewer="ann",
            verdict=verdict,  # type: ignore[arg-type]
            judged_at=NOON + timedelta(minutes=minutes),
        )
        for minutes, verdict in enumerate(("include", "exclude", "include"))
    )
    log.append(second)
    log.append(first)
    assert missing.judgements(log, talks) == [second]
    write(talks, [second])
    assert missing.judgements(log, talks) == []
    log.append(third)
    assert missing.judgements(log, talks) == [third]


def test_what_cannot_be_corrected_leaves_no_trace(talks: Warehouse, blobs: Blobs) -> None:
    ann = corrector(talks, blobs, refuse)
    with pytest.raises(BadInput, match="there is no talk 'nobody'"):
        ann.withdraw(["a", "nobody"], "told twice")
    with pytest.raises(BadInput, match="say why"):
        ann.withdraw(["a"], " \n ")
    with pytest.raises(BadInput, match="over the limit"):
        ann.redate("a", NOON, "x" * 10_000)
    with pytest.raises(BadInput, match="the author is empty"):
        corrector(talks, blobs, refuse, author=" ")
    for text, wrong in (("2999-01-01", "in the future"), ("1969-12-31", "before 1970"), ("soon", "no date")):
        with pytest.raises(BadInput, match=wrong.replace("no date", "not a date")):
            moment_of(text, LATER)
    assert Corrections(blobs).events() == []
    assert of_videos(talks) == 2


def test_a_correction_has_the_time_that_the_database_holds(talks: Warehouse, blobs: Blobs) -> None:
    """Otherwise a copy of the study made from the database would have it under another id."""
    with delivering_from(talks.settings, EMBEDDED, talks) as deliver:
        (done,) = corrector(talks, blobs, deliver).redate(
            "a", NOON + timedelta(days=30), "the upload was late"
        )
    assert done.event is not None
    (row,) = VIEWS["corrections"](talks)
    assert row["corrected_at"] == done.event.corrected_at
    assert {each["month"] for each in prevalence.months(talks)} == {"2025-03", "2025-04"}


def test_waiting_for_the_store_ends() -> None:
    said: list[str] = []
    assert not arrived(lambda: False, say=said.append, pause=lambda _: None, patience_s=4)
    assert said == ["waiting for the store …"]


def test_the_later_correction_holds_whatever_the_clock_says(talks: Warehouse, blobs: Blobs) -> None:
    stood_still = {"now": lambda: LATER}
    with delivering_from(talks.settings, EMBEDDED, talks) as deliver:
        for _ in range(3):
            corrector(talks, blobs, deliver, **stood_still).withdraw(["b", "a"], "told twice")
            assert of_videos(talks) == 0
            corrector(talks, blobs, deliver, **stood_still).restore(["a", "b"])
            assert of_videos(talks) == 2
    said = [(event.video_id, event.what) for event in Corrections(blobs).events()]
    assert said == [("b", "withdrawn"), ("a", "withdrawn"), ("a", "restored"), ("b", "restored")] * 3
