"""The codebook on the real engine: numbers follow a decision at once, and no decision is lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from event_factories import MODEL, NEWBORN, NOON, assigned, empty, merged, newborn, topic, video, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from agents.curation.codebook_service import CodebookService, decision_of
from agents.curation.theme_suggestions import suggestions
from models.codebook import commands
from models.codebook.file_format import read as read_file
from models.codebook.file_format import write as write_file
from models.codebook.state import CodebookChange, CodebookState
from models.errors import BadInput
from streams import events as e
from streams.errors import DataError, Fatal, Unavailable
from streams.logs.codebook_log import CodebookLog, Conflict
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.codebook import decisions as views
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse
from tests.conftest import Hold

pytestmark = pytest.mark.long

RAG, AGENTS, EVALUATION = 1, 2, 3
TALKS: list[e.Event] = [
    e.EpochBegun(model_version=MODEL, sequence=0, epoch=0, embedding_model="m", codebook="c"),
    topic(RAG, "Architecture"),
    topic(AGENTS, "Architecture"),
    topic(EVALUATION, "Evaluation"),
    assigned(0, video("a"), RAG, AGENTS),
    assigned(1, video("b"), RAG, EVALUATION),
    assigned(2, video("c"), EVALUATION),
    assigned(3, video("d"), None),
    newborn(4, (3, "d", 0, NEWBORN)),
]
VIEWS: dict[str, Callable[..., Any]] = {
    view.__name__: view
    for view in (
        *(views.codebook_standing, views.codebook_revision),
        *(views.codebook_decisions, views.codebook_judgements),
    )
}
moments = itertools.count()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


def curator(warehouse: Warehouse, blobs: Blobs, author: str = "ann", **other: Any) -> CodebookService:
    """Return a codebook service whose decisions are written to the database at once."""
    parts: dict[str, Any] = {
        "ask": lambda view, **parameters: VIEWS[view](warehouse, **parameters),
        "deliver": lambda events: write(warehouse, events),
        "now": lambda: NOON + timedelta(seconds=next(moments)),
        "pause": lambda _: None,
    }
    return CodebookService(blobs=blobs, author=author, **parts | other)


@pytest.fixture
def ann(either: Warehouse, blobs: Blobs) -> CodebookService:
    write(either, TALKS)
    return curator(either, blobs)


def numbers(warehouse: Warehouse, revision: int | None = None) -> dict[str, Any]:
    """Return all numbers as of a revision."""
    selection = Selection(codebook=revision)
    return {
        view.__name__: view(warehouse, selection)
        for view in (
            *(prevalence.prevalence, prevalence.themes, prevalence.topics, prevalence.topic_months),
            *(prevalence.months, prevalence.cooccurrence),
        )
    }


def shares(warehouse: Warehouse, revision: int | None = None) -> dict[str, tuple[int, int]]:
    rows = prevalence.themes(warehouse, Selection(codebook=revision))
    return {row["theme"]: (row["videos"], row["of_videos"]) for row in rows}


def held(warehouse: Warehouse) -> dict[str, Any]:
    return {
        table: warehouse.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")
        for table in ("codebook_entries", "themes", "decisions", "judgements")
    }


def excluding(topic_id: int) -> Callable[[CodebookState], CodebookChange]:
    return lambda standing: commands.exclude(standing, topic_id, "greetings")


def merging(topic_id: int, into: int) -> Callable[[CodebookState], CodebookChange]:
    return lambda standing: commands.merge(standing, topic_id, into)


def renaming(topic_id: int, name: str) -> Callable[[CodebookState], CodebookChange]:
    return lambda standing: commands.rename(standing, topic_id, name)


def assigning(topic_id: int, theme: str) -> Callable[[CodebookState], CodebookChange]:
    return lambda standing: commands.assign(standing, topic_id, theme)


def creating(theme: str, about: str = "") -> Callable[[CodebookState], CodebookChange]:
    return lambda standing: commands.create_theme(standing, theme, about)


def test_numbers_follow_decisions_at_once_and_undo_restores_them(
    either: Warehouse, ann: CodebookService
) -> None:
    stages = [numbers(either)]
    assert shares(either) == {"Architecture": (2, 4), "Evaluation": (2, 4), UNSORTED: (1, 4)}

    ann.decide(excluding(NEWBORN))
    assert shares(either) == {"Architecture": (2, 3), "Evaluation": (2, 3)}
    stages.append(numbers(either))

    ann.decide(merging(AGENTS, RAG))
    assert [(row["topic_id"], row["videos"]) for row in prevalence.topics(either)] == [
        (RAG, 2),
        (EVALUATION, 2),
    ]
    stages.append(numbers(either))

    ann.decide(assigning(EVALUATION, "Architecture"))
    assert shares(either) == {"Architecture": (3, 3)}
    stages.append(numbers(either))

    for revision, stage in enumerate(stages):
        assert numbers(either, revision) == stage
    for stage in reversed(stages[:-1]):
        ann.undo()
        assert numbers(either) == stage
    assert numbers(either, 3) == stages[3]  # what was undone can still be asked
    with pytest.raises(BadInput, match="no decision to undo"):
        ann.undo()


def test_a_codebook_as_of_an_earlier_revision_is_what_it_was(ann: CodebookService) -> None:
    before = ann.standing()
    ann.decide(creating("Costs", "What it costs."))
    ann.decide(assigning(AGENTS, "Costs"))
    between = ann.standing()
    ann.decide(lambda standing: commands.rename_theme(standing, "Costs", "Money"))
    assert ann.standing(0) == before
    assert ann.standing(2) == between
    assert dict(ann.standing().themes) == {"Architecture": "", "Evaluation": "", "Money": "What it costs."}
    assert ann.standing().topics[AGENTS].entry.theme == "Money"


def test_what_the_store_shows_is_what_was_decided(ann: CodebookService) -> None:
    """The tables and the pure functions agree on the codebook's state."""
    expected = ann.standing()
    for decision in (
        creating("Costs"),
        renaming(NEWBORN, "Tool servers"),
        assigning(NEWBORN, "Costs"),
        merging(AGENTS, RAG),
        lambda standing: commands.rename_theme(standing, "Architecture", "Design"),
        lambda standing: commands.split(standing, AGENTS),
        lambda standing: commands.assign(standing, EVALUATION, ""),
        lambda standing: commands.remove_theme(standing, "Evaluation"),
    ):
        change = decision(expected)
        ann.decide(decision)
        expected = expected.after(change)
        assert ann.standing() == expected


def test_a_topic_without_its_own_name_has_the_models_label(either: Warehouse, ann: CodebookService) -> None:
    ann.decide(assigning(NEWBORN, "Evaluation"))
    later = e.TopicChanged(model_version=MODEL, topic_id=NEWBORN, sequence=9, label="tool servers", words=())
    write(either, [later])
    assert ann.standing().topics[NEWBORN].called == "tool servers"
    ann.decide(renaming(NEWBORN, "Servers"))
    assert ann.standing().topics[NEWBORN].called == "Servers"
    ann.undo()
    assert ann.standing().topics[NEWBORN].called == "tool servers"


def test_of_two_curators_at_once_one_succeeds_and_one_is_told(
    either: Warehouse, blobs: Blobs, ann: CodebookService
) -> None:
    bob = curator(either, blobs, "bob")

    def while_bob_thinks(standing: CodebookState) -> CodebookChange:
        ann.decide(merging(AGENTS, RAG), note="both plan")
        return commands.exclude(standing, AGENTS, "greetings")

    with pytest.raises(Conflict, match=r"revision 1 was decided by ann meanwhile: topic 2 \(2\) counts for"):
        bob.decide(while_bob_thinks)
    assert [(event.author, event.note) for event in CodebookLog(blobs).events()] == [("ann", "both plan")]
    assert ann.standing().topics[AGENTS].entry.target == RAG
    assert bob.decide(excluding(NEWBORN)).revision == 2


def test_whoever_saw_an_earlier_revision_is_told_what_came_since(ann: CodebookService) -> None:
    ann.decide(merging(AGENTS, RAG), expected=0)
    with pytest.raises(Conflict, match="revision 1 was decided by ann"):
        ann.decide(excluding(NEWBORN), expected=0)
    with pytest.raises(BadInput, match="there is no revision 7 yet"):
        ann.decide(excluding(NEWBORN), expected=7)
    assert ann.decide(excluding(NEWBORN), expected=1).revision == 2


def test_what_cannot_be_decided_leaves_no_trace(
    either: Warehouse, blobs: Blobs, ann: CodebookService
) -> None:
    before = held(either)
    for wrong in (excluding(99), merging(RAG, RAG), assigning(RAG, "Architcture"), renaming(RAG, " ")):
        with pytest.raises(BadInput):
            ann.decide(wrong)
    for revision in (1, None):
        with pytest.raises(BadInput):
            ann.undo(revision)
    assert held(either) == before
    assert CodebookLog(blobs).latest() == 0


def test_sql_in_a_name_is_a_name(either: Warehouse, ann: CodebookService) -> None:
    name = '\'; DROP TABLE decisions; -- {topic:UInt32} \\ `x` "y"'
    ann.decide(creating(name, name))
    ann.decide(renaming(RAG, name), note=name)
    ann.decide(assigning(RAG, name))
    assert ann.standing().themes[name] == name
    assert ann.standing().topics[RAG].called == name
    assert shares(either)[name] == (2, 4)
    assert views.codebook_decisions(either)[1]["note"] == name


def test_an_unsent_decision_is_sent_with_the_next_one(
    either: Warehouse, blobs: Blobs, ann: CodebookService
) -> None:
    def broken(_: Sequence[e.Event]) -> None:
        raise Unavailable("cannot reach Kafka", "start it")

    with pytest.raises(
        Unavailable, match=r"revision 1 is decided and kept, but not sent.*do not decide it again"
    ):
        curator(either, blobs, deliver=broken).decide(merging(AGENTS, RAG))
    assert ann.standing().revision == 0
    assert [event.revision for event in views.missing(CodebookLog(blobs), either)] == [1]
    assert ann.decide(excluding(NEWBORN)).revision == 2
    assert ann.standing().topics[AGENTS].entry.target == RAG
    assert views.missing(CodebookLog(blobs), either) == []


def test_nothing_is_decided_while_the_store_lags_behind(
    either: Warehouse, blobs: Blobs, ann: CodebookService
) -> None:
    said: list[str] = []
    lagging = curator(either, blobs, "bob", deliver=lambda _: None, say=said.append, patience_s=3)
    assert lagging.decide(merging(AGENTS, RAG)).revision == 1
    assert said == [
        "waiting for the store …",
        "revision 1 is decided and sent; the store has not taken it up yet",
    ]
    with pytest.raises(Unavailable, match="has not taken up all 1 revisions"):
        lagging.decide(excluding(NEWBORN))
    assert CodebookLog(blobs).latest() == 1


def test_a_log_that_lost_its_end_is_not_written_over(
    either: Warehouse, blobs: Blobs, ann: CodebookService
) -> None:
    ann.decide(merging(AGENTS, RAG))
    blobs.delete("codebook/00000001.json")
    with pytest.raises(
        Fatal, match="has revision 1 of the codebook, but its log ends at 0: restore the folder"
    ):
        ann.decide(excluding(NEWBORN))


def test_an_empty_study_has_nothing_to_decide_about(either: Warehouse, blobs: Blobs) -> None:
    with pytest.raises(DataError, match="no topic model yet: hand in talks"):
        curator(either, blobs).decide(creating("Costs"))
    assert views.codebook_standing(either) == {"revision": 0, "model_version": "", "topics": [], "themes": []}


def test_the_model_s_merge_goes_before_a_person_s(either: Warehouse, ann: CodebookService) -> None:
    ann.decide(merging(AGENTS, RAG))
    write(either, [merged(AGENTS, EVALUATION, sequence=9)])
    assert ann.standing().counts_as(AGENTS) == EVALUATION
    assert {row["topic_id"]: row["videos"] for row in prevalence.topics(either)}[EVALUATION] == 3
    with pytest.raises(BadInput, match=r"is a part of topic 3 \(3\).*decide about topic 3"):
        ann.decide(excluding(AGENTS))


def test_a_codebook_is_exported_and_comes_back_as_one_decision(
    either: Warehouse, ann: CodebookService
) -> None:
    ann.decide(creating("Costs", "What it costs."))
    ann.decide(assigning(NEWBORN, "Costs"))
    ann.decide(merging(AGENTS, RAG))
    text, stage = write_file(ann.standing(), "study"), numbers(either)
    ann.undo()
    ann.decide(excluding(NEWBORN))
    ann.decide(lambda standing: commands.rename_theme(standing, "Costs", "Money"))
    event = ann.take_over(read_file(text, "study.yaml"), note="from the file")
    assert (event.action, event.revision) == ("import", 7)
    assert numbers(either) == stage
    assert "Money" not in ann.standing().themes
    ann.undo()
    assert "Money" in ann.standing().themes


def test_a_rebuilt_model_inherits_decisions_about_seeded_topics(
    either: Warehouse, ann: CodebookService
) -> None:
    ann.decide(creating("Costs"))
    ann.decide(assigning(AGENTS, "Costs"))
    ann.decide(excluding(NEWBORN))
    again: list[e.Event] = []
    for event in TALKS:
        about: dict[str, Any] = {"model_version": f"{MODEL}-e1"}
        if isinstance(event, e.EpochBegun):
            about["epoch"] = 1
        again.append(event.model_copy(update=about))
    write(either, again)
    assert "Costs" not in ann.standing().themes
    with pytest.raises(BadInput, match="revision 2 is about the topics of another topic model"):
        ann.undo(2)
    event = ann.carry_over()
    assert (event.action, event.model_version) == ("carry over", f"{MODEL}-e1")
    assert shares(either) == {
        "Architecture": (2, 4), "Costs": (1, 4), "Evaluation": (2, 4), UNSORTED: (1, 4)
    }  # fmt: skip
    with pytest.raises(BadInput, match="change nothing"):
        ann.carry_over()
    ann.undo()
    assert "Costs" not in ann.standing().themes


def test_reviewers_judge_independently_and_change_no_number(
    either: Warehouse, blobs: Blobs, ann: CodebookService
) -> None:
    before = numbers(either)
    bob = curator(either, blobs, "bob")
    ann.judge(NEWBORN, "exclude", note="'; a greeting")
    ann.judge(NEWBORN, "include", "Evaluation")  # the later one holds
    bob.judge(NEWBORN, "exclude")
    with pytest.raises(BadInput, match="no topic 99"):
        bob.judge(99, "exclude")
    with pytest.raises(BadInput, match="did you mean 'Evaluation'"):
        bob.judge(RAG, "include", "Evaluatoin")
    rows = views.codebook_judgements(either)
    assert [(row["reviewer"], row["verdict"], row["theme"], row["name"]) for row in rows] == [
        ("ann", "include", "Evaluation", "servers"),
        ("bob", "exclude", "", "servers"),
    ]
    assert numbers(either) == before


@given(order=st.permutations(range(8)), twice=st.lists(st.integers(0, 7), max_size=4))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_order_and_repetition_of_decisions_change_nothing(
    study: Warehouse, tmp_path: Path, order: list[int], twice: list[int]
) -> None:
    empty(study)
    write(study, TALKS)
    blobs = Blobs(str(tmp_path / f"blobs-{next(moments)}"))
    ann = curator(study, blobs)
    ann.decide(creating("Costs"))
    ann.decide(assigning(AGENTS, "Costs"))
    ann.decide(merging(AGENTS, RAG))
    ann.decide(excluding(NEWBORN))
    ann.undo(3)
    ann.decide(lambda standing: commands.rename_theme(standing, "Costs", "Money"))
    ann.judge(RAG, "include")
    events = list(CodebookLog(blobs).events())
    tables, figures = held(study), numbers(study)
    judged = [
        e.TopicJudged(
            **{name: row[name] for name in ("topic_id", "reviewer", "verdict", "theme", "note", "judged_at")},
            model_version=MODEL,
        )
        for row in views.codebook_judgements(study)
    ]
    earlier = judged[0].model_copy(update={"verdict": "exclude", "judged_at": NOON - timedelta(days=1)})
    every: list[e.Event] = [*events, *judged, earlier]
    empty(study)
    for index in [*order, *twice]:
        if index < len(every):
            write(study, [every[index]])
    write(study, TALKS)
    assert held(study) == tables
    assert numbers(study) == figures


def test_the_log_takes_a_revision_once_and_leaves_no_gap(blobs: Blobs) -> None:
    log = CodebookLog(blobs)
    said = [
        e.CodebookDecided(
            revision=revision,
            model_version=MODEL,
            action="rename",
            said=author,
            author=author,
            decided_at=NOON,
        )
        for revision, author in ((1, "ann"), (1, "bob"), (2, "bob"), (4, "cid"))
    ]
    log.append(said[0])
    with pytest.raises(Conflict, match="by ann meanwhile"):
        log.append(said[1])
    log.append(said[2])
    with pytest.raises(ValueError, match="gap"):
        log.append(said[3])
    assert list(log.events()) == [said[0], said[2]]
    assert list(log.events(after=1)) == list(log.missing({1})) == [said[2]]
    assert log.latest() == 2


def test_a_theme_is_suggested_with_how_sure_that_is(study: Warehouse, blobs: Blobs) -> None:
    import numpy as np

    write(study, TALKS)
    ann = curator(study, blobs)
    row = views.codebook_standing(study)

    def embed(texts: Sequence[str]) -> Any:
        """Return embeddings on three axes, by subject."""
        return np.array([[("scores" in t) + 0.1, ("retrieval" in t) + 0.1, 1.0] for t in texts], np.float32)

    def suggested(**asked: Any) -> list[dict[str, Any]]:
        words = {each["topic_id"]: each["words"] for each in row["topics"]}
        about = {"key-1": "retrieval", "key-2": "retrieval", "key-3": "scores"}
        return suggestions(ann.standing(), words, lambda _: ["we look at scores"], about, embed, **asked)

    (found,) = suggested()
    assert (found["topic_id"], found["theme"]) == (NEWBORN, "")
    assert [each["theme"] for each in found["suggestions"]] == ["Evaluation", "Architecture"]
    assert found["suggestions"][0]["confidence"] > 0.9
    assert sum(each["confidence"] for each in found["suggestions"]) == pytest.approx(1)
    assert suggested(topic_id=RAG)[0]["theme"] == "Architecture"
    ann.decide(assigning(NEWBORN, "Evaluation"))
    assert suggested() == []
    with pytest.raises(BadInput, match="no topic 99"):
        suggested(topic_id=99)


def test_the_command_line_decides_shows_and_takes_back(
    chdb_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold
) -> None:
    import json

    from agents.cli.curation.codebook import app
    from agents.queries import registry as asked

    for name, view in VIEWS.items():
        monkeypatch.setitem(asked.VIEWS, name, view)
    monkeypatch.setenv("GROUNDSWELL_HOME", str(chdb_home))
    monkeypatch.setenv("GROUNDSWELL_STUDY", "curated")
    monkeypatch.setenv("GROUNDSWELL_AUTHOR", "ann")
    write(hold(Settings(home=chdb_home, study="curated")), TALKS)

    def said(*command: str) -> Any:
        answer = CliRunner().invoke(app, command)
        if answer.exception is not None:
            raise answer.exception
        return answer

    assert "revision 1: servers (21) is excluded: hello" in said("exclude", "21", "--reason", "hello").stderr
    said("theme", "create", "Costs", "--description", "Bills.")
    said("assign", "2", "Costs", "--expect", "2", "--author", "bob", "--note", "tokens")
    with pytest.raises(Conflict, match="revision 3 was decided by bob"):
        said("rename", "2", "x", "--expect", "2")
    shown = said("show").stdout.splitlines()
    assert shown[:4] == ["Architecture", "     1  topic 1", "Costs: Bills.", "     2  topic 2"]
    assert shown[-2:] == ["(excluded)", "    21  servers: hello"]
    file = tmp_path / "codebook.yaml"
    said("export", str(file))
    said("undo")
    said("import", str(file))
    rows = json.loads(said("history", "--json").stdout)
    assert [(row["action"], row["author"], row["undone_by"]) for row in rows] == [
        ("import", "ann", None),
        ("undo", "ann", None),
        ("assign", "bob", 4),
        ("create theme", "ann", None),
        ("exclude", "ann", None),
    ]
    assert [decision_of(row).revision for row in rows] == [5, 4, 3, 2, 1]
    for reviewer, verdict in (("ann", "include"), ("bob", "exclude")):
        judged = said("judge", "1", verdict, "--reviewer", reviewer, "--note", f"as {reviewer} sees it")
        assert judged.stdout == ""
        assert ("ann" in judged.stderr) == (reviewer == "ann")
    found = json.loads(said("agreement", "--json").stdout)
    assert found["pairs"][0]["verdicts"] == {"both": 1, "observed": 0.0, "kappa": 0.0, "undefined": ""}
    assert [each["note"] for each in found["disagreements"][0]["judgements"]] == [
        "as ann sees it",
        "as bob sees it",
    ]
    with pytest.raises(BadInput, match="nothing was decided about another topic model"):
        said("carry-over")
