"""A talk that repeats another one is rejected with its reason, until a person keeps it; then it counts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from event_factories import (
    MODEL,
    NOON,
    TRANSCRIPT,
    assigned,
    dead_letter,
    empty,
    numbers,
    path_of,
    settled,
    topic,
    video,
    write,
)
from typer.testing import CliRunner, Result

from agents.cli.study import videos
from agents.discovery.kept_duplicates import Keeping
from agents.topics import rebuild
from streams import events as e
from streams.logs.corrections import Corrections
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.epochs import Epochs
from streams.store import writer
from streams.store.operations import screening
from streams.store.queries import corpus, prevalence
from streams.store.talks import listing, talk_queries, talks
from streams.store.warehouse import Warehouse
from tests.conftest import Hold

SAID = "it repeats what a said: 96% of it"
NEXT = "model-1-e1"


def begun(epoch: int = 0) -> list[e.Event]:
    model = NEXT if epoch else MODEL
    return [
        e.EpochBegun(model_version=model, sequence=0, epoch=epoch, embedding_model="m", codebook="c"),
        topic(1, "Architecture").model_copy(update={"model_version": model}),
    ]


def rejected(video_id: str, epoch: int = 0) -> e.VideoRejected:
    return e.VideoRejected(video=video(video_id), rule="duplicate", reason=SAID, epoch=epoch)


def learned(index: int, video_id: str, epoch: int = 0) -> e.ParagraphsAssigned:
    model = NEXT if epoch else MODEL
    return assigned(index, video(video_id), 1, 1).model_copy(update={"model_version": model, "epoch": epoch})


def heard(video_id: str) -> list[e.Event]:
    """Return the events of a talk up to the point where the model is about to learn it."""
    return path_of(0, video(video_id), 1, 1)[:-1]


CROSS_POSTED = [*begun(), *heard("a"), learned(0, "a"), *heard("b"), rejected("b")]


class Study:
    """A user at the command line of a study that is not running."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> None:
        self.settings = Settings(home=home, study=f"contract_{next(numbers)}")
        self.blobs = Blobs(self.settings.blobs_url)
        self.blobs.put("audio/a.ogg", b"a transcript")  # where `event_factories.BLOB` is
        monkeypatch.setenv("GROUNDSWELL_HOME", str(home))
        monkeypatch.setenv("GROUNDSWELL_STUDY", self.settings.study)
        monkeypatch.setenv("GROUNDSWELL_AUTHOR", "ann")
        monkeypatch.setenv("COLUMNS", "200")
        hold(self.settings)
        self.hears(*CROSS_POSTED)

    def hears(self, *events: e.Event) -> None:
        with Warehouse(self.settings) as warehouse:
            write(warehouse, events)

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(videos.app, [*words])

    def asks(self, view: Callable[..., Any], *about: Any, **more: Any) -> Any:
        with Warehouse(self.settings) as warehouse:
            return view(warehouse, *about, **more)

    def due(self, keeping: Keeping | None = None) -> list[e.TranscriptReady]:
        """Return the events that discover would send, by default those of one that has just started."""
        with Warehouse(self.settings) as warehouse:
            keeping = keeping or Keeping(self.blobs, warehouse)
            keeping._warehouse = warehouse
            return keeping.due()


@pytest.fixture
def study(chdb_home: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> Study:
    return Study(chdb_home, monkeypatch, hold)


def test_a_duplicate_is_shown_with_its_reason_as_a_rejection(study: Study) -> None:
    status = study.asks(talk_queries.status)
    assert status["states"] == {"rejected": 1, "assigned": 1}
    assert status["rejections"] == {"duplicate": 1}
    about = study.asks(corpus.corpus)
    assert (about["found"], about["kept"], about["rejections"]) == (2, 1, {"duplicate": 1})
    (row,) = study.asks(screening.queue, verdict="rejected")["rows"]
    assert (row["video_id"], row["rule"], row["reason"]) == ("b", "duplicate", SAID)
    assert study.asks(screening.summary)["rules"] == [
        {"rule": "duplicate", "videos": 1, "share": 1.0, "reason": SAID}
    ]
    (listed,) = study.asks(listing.listing, state="rejected")["rows"]
    assert (listed["video_id"], listed["rule"], listed["reason"]) == ("b", "duplicate", SAID)
    assert study.asks(prevalence.months) == [{"month": "2025-03", "of_videos": 1}]
    shown = study.types("show", "b").stdout
    assert f"rejected: duplicate: {SAID}" in shown
    assert study.asks(talks.talk, "b")["transcripts"][0]["counts"] is False


@pytest.mark.long
def test_a_kept_duplicate_is_sent_until_learned_and_then_counts(study: Study) -> None:
    assert study.due() == []
    said = study.types("keep", "b", "--reason", "another audience")
    assert said.exit_code == 0, said.output
    assert "kept: b “Talk b” is learned, and counts, within the minute" in said.stderr
    assert "(undo: groundswell videos withdraw b)" in said.stderr
    (decided,) = Corrections(study.blobs).events()
    assert (decided.what, decided.author, decided.reason) == ("kept", "ann", "another audience")
    assert "kept by ann: another audience" in study.types("show", "b").stdout
    assert study.asks(prevalence.months)[0]["of_videos"] == 1, "nothing has learned it yet"

    with Warehouse(study.settings) as warehouse:
        keeping = Keeping(study.blobs, warehouse)
    (ready,) = study.due(keeping)
    assert (ready.key, ready.transcript_version, ready.kept_by) == ("b", TRANSCRIPT, "ann")
    assert ready.transcript.sha256 == study.blobs.put("audio/a.ogg", b"a transcript").sha256
    assert study.due(keeping) == [], "once is enough, as long as this process lives"
    assert study.due() == [ready], "the next one sends it again: nobody knows whether it arrived"

    study.hears(ready, learned(1, "b"))
    assert study.due() == []
    assert study.due(keeping) == []
    assert study.asks(talk_queries.status)["states"] == {"assigned": 2}
    about = study.asks(corpus.corpus)
    assert (about["kept"], about["rejections"]) == (2, {})
    (row,) = (row for row in study.asks(screening.queue)["rows"] if row["video_id"] == "b")
    assert (row["verdict"], row["rule"], row["reason"]) == ("accepted", "", "")
    assert study.asks(prevalence.months) == [{"month": "2025-03", "of_videos": 2}]
    assert "rejected" not in study.types("show", "b").stdout
    again = study.types("keep", "b", "--reason", "sure")
    assert "kept already: b “Talk b”, by ann on" in again.stderr

    assert study.types("withdraw", "b", "--reason", "after all").exit_code == 0
    assert study.asks(prevalence.months) == [{"month": "2025-03", "of_videos": 1}]
    with Warehouse(study.settings) as warehouse:
        write(warehouse, [corrected("b", 900)])  # kept is not restored
    assert study.asks(prevalence.months) == [{"month": "2025-03", "of_videos": 1}]


def corrected(video_id: str, minutes: int, author: str = "ann") -> e.VideoCorrected:
    moment = datetime(2030, 1, 1, tzinfo=UTC).replace(hour=minutes // 60)
    return e.VideoCorrected(video_id=video_id, what="kept", reason="r", author=author, corrected_at=moment)


REFUSED = [
    ("nobody", "there is no talk 'nobody'", "see groundswell videos list"),
    ("a", "a “Talk a” is not rejected as a duplicate (its state is assigned)", "groundswell videos show"),
    ("c", "its state is rejected: language, it is spoken in 'fr'", "groundswell videos show"),
    ("d", "its state is seen", "groundswell videos show"),
    ("e", "rejected before it was fetched (it is a again", "groundswell ingest"),
]


def test_only_a_duplicate_whose_words_were_heard_is_kept(study: Study) -> None:
    study.hears(
        *heard("c"),
        e.VideoRejected(video=video("c"), rule="language", reason="it is spoken in 'fr'"),
        *heard("d")[:1],
        *heard("e")[:1],
        e.VideoRejected(video=video("e"), rule="duplicate", reason="it is a again: titles"),
    )
    for video_id, cause, cure in REFUSED:
        refused = study.types("keep", video_id, "--reason", "r")
        assert refused.exit_code == 2
        said = " ".join(refused.stderr.replace("│", " ").split())
        assert cause in said
        assert cure in said
        assert Corrections(study.blobs).events() == []
    assert study.types("keep", "b", "--reason", " ").exit_code == 2


def test_a_duplicate_in_dead_letters_waits_until_it_is_settled(study: Study) -> None:
    letter = dead_letter(7, "b")
    Corrections(study.blobs).append(corrected("b", 0))
    study.hears(letter)
    assert study.due() == []
    study.hears(settled(letter, "replayed"))
    assert [ready.key for ready in study.due()] == ["b"]


def test_a_damaged_correction_is_said_and_holds_nobody_up(study: Study, capsys: Any) -> None:
    Corrections(study.blobs).append(corrected("b", 0))
    study.blobs.put("corrections/broken.json", b"{")
    assert [ready.key for ready in study.due()] == ["b"]
    assert "a correction cannot be read" in capsys.readouterr().out


def test_a_rebuild_skips_duplicates_that_nobody_kept(study: Study) -> None:
    study.hears(*heard("c"), rejected("c"), learned(1, "c"))
    Corrections(study.blobs).append(corrected("c", 0, "bo"))
    epoch = Epochs(study.blobs).begin(NOON)
    with Warehouse(study.settings) as warehouse:
        sent = list(rebuild.to_learn(study.blobs, warehouse, epoch))
    assert [(ready.key, ready.kept_by) for ready in sent] == [("a", None), ("c", "bo")]


def counts(warehouse: Warehouse) -> tuple[Any, Any, Any]:
    about = corpus.corpus(warehouse)
    return talk_queries.status(warehouse)["states"], about["rejections"], about["kept"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([learned(1, "b"), rejected("b", 1)], ({"rejected": 1, "assigned": 1}, {"duplicate": 1}, 1)),
        ([rejected("b"), rejected("b", 1), learned(1, "b", 1)], ({"assigned": 2}, {}, 2)),
        ([rejected("b"), learned(1, "b"), learned(1, "b", 1)], ({"assigned": 2}, {}, 2)),
    ],
    ids=["the new model rejects it", "kept in the new epoch", "kept in the old one, and learned again"],
)
def test_the_newest_epoch_holds_in_any_order_of_storing(
    chdb_home: Path, events: Sequence[e.Event], expected: tuple[Any, Any, Any]
) -> None:
    first = [*begun(), *heard("a"), learned(0, "a"), *heard("b"), *begun(1), learned(0, "a", 1)]
    with Warehouse(Settings(home=chdb_home, study="any_order")) as warehouse:
        warehouse.migrate()
        for order in itertools.permutations(events):
            empty(warehouse)
            write(warehouse, first)
            for event in order:
                writer.write(warehouse, writer.rows_of(event))
            assert counts(warehouse) == expected, [type(event).__name__ for event in order]


def test_the_table_of_corrections_says_what_can_be_corrected(study: Study) -> None:
    rows = study.asks(
        lambda warehouse: warehouse.rows(
            "SELECT comment FROM system.columns WHERE table = 'corrections' AND name = 'what' "
            "AND database = {db:String}",
            db=warehouse.database,
        )
    )
    assert "kept" in json.dumps(rows)
