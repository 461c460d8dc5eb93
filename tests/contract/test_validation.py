"""People code a sample of paragraphs: precision, recall and corrected shares follow from what they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from event_factories import MODEL, NOON, TRANSCRIPT, seen, topic, video, write
from typer.testing import CliRunner

from agents.curation.validation.coding_sheet import CodedRow, filled_in, sheet
from agents.curation.validation.validator import Validator, weight
from agents.queries.like_for_like import topic_shares
from agents.queries.registry import VIEWS
from agents.queries.validation import validities, without_errors
from agents.report.facts import Made, gather
from agents.report.page import write as write_page
from models.codebook.codebook import load
from models.errors import BadInput
from models.stats.trend import Interval
from streams import events as e
from streams.errors import DataError
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import missing, writer
from streams.store.codebook.effective import book
from streams.store.queries.selection import EVERYTHING
from streams.store.warehouse import Warehouse

pytestmark = pytest.mark.long

BOOK = load("llm-in-production")
RAG, AGENTS = "rag-systems", "agents"
TALKS, PARAGRAPHS = 12, 10
BORN = 21


def learned(index: int, counted: dict[int, tuple[int, ...]]) -> Iterator[tuple[str, writer.Columns]]:
    """Yield the rows of a talk, whose paragraphs at these positions are about these topics."""
    of = video(f"t{index}")
    yield from writer.rows_of(seen(of))
    for position in range(PARAGRAPHS):
        yield writer.paragraph_row(
            of.video_id,
            TRANSCRIPT,
            position,
            paragraph_id=e.paragraph_id(of.video_id, TRANSCRIPT, position),
            start_s=position * 30.0,
            end_s=position * 30.0 + 30,
            text=f"paragraph {position} of talk {index}",
            speakers=[],
            tokens=5,
        )
    yield from writer.rows_of(
        e.ParagraphsAssigned(
            video=of,
            video_index=index,
            model_version=MODEL,
            transcript_version=TRANSCRIPT,
            sequence=index + 1,
            judge="judge-1",
            assignments=tuple(
                e.AssignedParagraph(
                    paragraph_id=e.paragraph_id(of.video_id, TRANSCRIPT, position),
                    topic_id=None,
                    probability=0.0,
                    boilerplate=False,
                    concepts=tuple(
                        e.ConceptMembership(topic_id=each, probability=0.6)
                        for each in counted.get(position, ())
                    ),
                )
                for position in range(PARAGRAPHS)
            ),
        )
    )


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Warehouse]:
    """Yield 120 paragraphs in 12 talks: of each the first two count for RAG, the second for Agents too."""
    with Warehouse(Settings(home=tmp_path, study="validated")) as warehouse:
        warehouse.migrate()
        named = [
            topic(1, "Architecture").model_copy(update={"codebook_key": RAG, "label": "RAG Systems"}),
            topic(2, "Architecture").model_copy(update={"codebook_key": AGENTS, "label": "Agents"}),
        ]
        write(warehouse, named)
        rows = [row for index in range(TALKS) for row in learned(index, {0: (1,), 1: (1, 2)})]
        writer.write(warehouse, rows)
        yield warehouse


def validator(study: Warehouse, name: str, at: datetime = NOON) -> Validator:
    def deliver(events: Iterable[e.Event]) -> None:
        write(study, events)

    clock = iter(at + timedelta(seconds=number) for number in range(10_000))
    return Validator(
        Blobs(study.settings.blobs_url),
        lambda view, **given: VIEWS[view](study, **given),
        deliver,
        lambda: next(clock),
        name,
    )


def place(video_id: str, position: int) -> str:
    return e.paragraph_id(video_id, TRANSCRIPT, position)


def by_name(study: Warehouse) -> dict[str, Any]:
    return {row["name"]: row for row in VIEWS["validation"](study)}


def test_a_sample_has_what_counts_and_what_is_near(study: Warehouse) -> None:
    event = validator(study, "ann").draw(counted=3, near=2, random=10)
    assert event.population == TALKS * PARAGRAPHS
    assert event.topics == (RAG, AGENTS)
    found = {(each.video_id, each.paragraph_id): each for each in event.paragraphs}
    assert len(found) == len(event.paragraphs) <= 3 * 2 + 2 * 2 + 10
    about_agents = {place(f"t{index}", 1) for index in range(TALKS)}
    assert len(about_agents & {paragraph for _, paragraph in found}) >= 3
    assert sum(each.stratum == "random" for each in event.paragraphs) == 10
    (sample,) = VIEWS["validation_samples"](study)
    assert (sample["paragraphs"], sample["coded"], sample["coded_twice"]) == (len(found), 0, 0)


def test_a_larger_sample_contains_the_smaller_one(study: Warehouse) -> None:
    small = validator(study, "ann").draw(counted=2, near=1, random=8)
    large = validator(study, "ann", NOON + timedelta(days=1)).draw(counted=4, near=3, random=30)
    assert {each.paragraph_id for each in small.paragraphs} <= {
        each.paragraph_id for each in large.paragraphs
    }
    assert VIEWS["validation_samples"](study)[0]["sample"] == large.sample, "the newest counts"


def test_the_weights_of_a_sample_add_up_to_all_paragraphs(study: Warehouse) -> None:
    """In the mean over many draws; over one, nearly: the random ones carry most of it."""
    whole = validator(study, "ann").draw(counted=TALKS * PARAGRAPHS, near=0, random=TALKS * PARAGRAPHS)
    assert [each.weight for each in whole.paragraphs] == [1.0] * (TALKS * PARAGRAPHS)
    drawn: Any = {"counted": [24, 12], "near": [], "population": 120}
    assert 1 / weight(drawn, 3, 2, 10) == pytest.approx(1 - (1 - 10 / 120) * (1 - 3 / 24) * (1 - 3 / 12))


def test_reviewers_are_blind(study: Warehouse) -> None:
    ann, ben = validator(study, "ann"), validator(study, "ben")
    ann.draw(counted=3, near=2, random=10)
    queue = VIEWS["coding_queue"](study, reviewer="ben")
    assert set(queue[0]) == {
        *("sample", "paragraph_id", "video_id", "title", "url", "published_at", "position", "start_s", "text")
    }, "neither why it was drawn, nor for what it counts"
    ann.code([CodedRow(queue[0]["paragraph_id"], (RAG,), "")])
    assert VIEWS["coding_queue"](study, reviewer="ben") == queue
    assert VIEWS["coding_queue"](study, reviewer="ann") == queue[1:]
    ben.code([CodedRow(queue[0]["paragraph_id"], (), "")])
    (sample,) = VIEWS["validation_samples"](study)
    assert (sample["coded"], sample["coded_twice"]) == (1, 1)


def test_precision_and_recall_follow_from_what_people_say(study: Warehouse) -> None:
    """All paragraphs are coded: of each talk the second and the third are about RAG, none about Agents."""
    truth = {place(f"t{index}", position) for index in range(TALKS) for position in (1, 2)}
    for name in ("ann", "ben"):
        coder = validator(study, name)
        if name == "ann":
            coder.draw(counted=0, near=0, random=TALKS * PARAGRAPHS)
        queue = VIEWS["coding_queue"](study, reviewer=name)
        coder.code(
            CodedRow(row["paragraph_id"], (RAG,) if row["paragraph_id"] in truth else (), "") for row in queue
        )
    found = by_name(study)
    rag, agents = found["RAG Systems"], found["Agents"]
    assert (rag["precision"], rag["recall"], rag["kappa"]) == (0.5, 0.5, 1.0)
    assert rag["precision_low"] < 0.5 < rag["precision_high"]
    assert not rag["validated"], "its precision may be below one half"
    assert [rag["share"], rag["corrected"]] == pytest.approx([0.2, 0.2])
    assert (agents["precision"], agents["recall"]) == (0.0, None)
    assert agents["corrected"] == 0.0, "nothing of what counts is right, and nothing else is about it"
    assert found["Architecture"]["kind"] == "theme"
    assert (found["All topics"]["counted"], found["All topics"]["right"]) == (36, 12.0)


def test_where_two_people_differ_half_counts(study: Warehouse) -> None:
    paragraph = place("t0", 1)
    validator(study, "ann").draw(counted=TALKS, near=0, random=0)
    validator(study, "ann").code([CodedRow(paragraph, (RAG,), "")])
    validator(study, "ben").code([CodedRow(paragraph, (), "")])
    assert by_name(study)["RAG Systems"]["precision"] == 0.5


def test_a_coding_is_replaced_or_withdrawn(study: Warehouse) -> None:
    paragraph = place("t0", 1)
    validator(study, "ann").draw(counted=TALKS, near=0, random=0)
    later = NOON + timedelta(hours=1)
    assert len(validator(study, "ann").code([CodedRow(paragraph, (RAG,), "")])) == 1
    assert validator(study, "ann", later).code([CodedRow(paragraph, (RAG,), "")]) == [], "nothing new"
    assert len(validator(study, "ann", later).code([CodedRow(paragraph, (AGENTS,), "")])) == 1
    (coding,) = VIEWS["codings"](study)
    assert (coding["topics"], coding["offered"]) == ([AGENTS], [RAG, AGENTS])
    validator(study, "ann", later + timedelta(hours=1)).withdraw(paragraph)
    assert VIEWS["codings"](study) == VIEWS["validation"](study) == []
    with pytest.raises(BadInput, match="has not coded"):
        validator(study, "ann").withdraw(paragraph)


def test_a_withdrawn_talk_is_not_validated(study: Warehouse) -> None:
    validator(study, "ann").draw(counted=TALKS, near=0, random=0)
    validator(study, "ann").code([CodedRow(place("t0", 1), (RAG,), ""), CodedRow(place("t1", 1), (), "")])
    assert by_name(study)["RAG Systems"]["coded"] == 2
    withdrawn = e.VideoCorrected(
        video_id="t0", what="withdrawn", reason="a repeat", author="ann", corrected_at=datetime.now(UTC)
    )
    write(study, [withdrawn])
    assert by_name(study)["RAG Systems"]["coded"] == 1


def test_what_is_wrong_is_refused_with_cause_and_cure(study: Warehouse) -> None:
    ann = validator(study, "ann")
    with pytest.raises(DataError, match="no sample has been drawn"):
        ann.code([CodedRow("p", (), "")])
    with pytest.raises(BadInput, match="would be empty"):
        ann.draw(counted=0, near=0, random=0)
    ann.draw(counted=2, near=0, random=0)
    with pytest.raises(BadInput, match="is not in the sample"):
        ann.code([CodedRow("p", (), "")])
    there = VIEWS["coding_queue"](study)[0]["paragraph_id"]
    with pytest.raises(BadInput, match="'cooking' is not a topic"):
        ann.code([CodedRow(there, ("cooking",), "")])
    assert VIEWS["codings"](study) == []


def test_a_sample_chosen_elsewhere_is_taken_as_random(study: Warehouse) -> None:
    ann = validator(study, "ann")
    event = ann.give([("t0", place("t0", 0)), ("t1", place("t1", 5)), ("t1", place("t1", 5))])
    assert [each.stratum for each in event.paragraphs] == ["given", "given"]
    assert [each.weight for each in event.paragraphs] == [60.0, 60.0]
    with pytest.raises(BadInput, match="the talk 't1' has no paragraph 'p'"):
        ann.give([("t1", "p")])


def test_two_sheets_are_read_on_the_command_line(
    study: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People who coded paragraphs elsewhere name them; what both say is precision, recall and kappa."""
    from agents.cli.curation.validating import app

    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))
    monkeypatch.setenv("GROUNDSWELL_STUDY", "validated")

    def said(*command: str) -> Result:
        answer = CliRunner().invoke(app, command)
        if answer.exception is not None:
            raise answer.exception
        return answer

    # Ann: RAG in all that count for it but one, and once where it does not count. Ben agrees but for one.
    ann = [("t0", 0, RAG), ("t1", 0, RAG), ("t2", 0, RAG), ("t3", 0, "none"), ("t4", 5, "RAG Systems")]
    ben = [*ann[:2], ("t2", 0, "none"), *ann[3:]]
    for name, coded in (("ann", ann), ("ben", ben)):
        rows = [f"{talk},{place(talk, position)},{topic}" for talk, position, topic in coded]
        (tmp_path / f"{name}.csv").write_text("\n".join(["talk,paragraph_id,topics", *rows]))
    drawn = said("draw", "--given", str(tmp_path / "ann.csv"), "--author", "ann")
    assert "5 of 120 paragraphs, to code for 2 topics" in drawn.stdout
    for name in ("ann", "ben"):
        answer = said("read", str(tmp_path / f"{name}.csv"), "--reviewer", name)
        assert f"5 paragraphs coded by {name}, 5 of them new or changed" in answer.stderr
    rag = next(row for row in json.loads(said("show", "--json").stdout) if row["name"] == "RAG Systems")
    assert rag["precision"] == pytest.approx(2.5 / 4)
    found, missed = 24 * 2.5 / 4, 96 * 1 / 1  # of 24 that count, and of the other 96
    assert rag["recall"] == pytest.approx(found / (found + missed))
    assert said("sheet", "--reviewer", "ben").stdout.count("\n") == 1, "ben has coded all"
    for wrong, cause in (
        ("talk,topics\nt0,none", "no column 'paragraph_id'"),
        ("talk,paragraph_id\nt0,", "line 2"),
    ):
        (tmp_path / "wrong.csv").write_text(wrong)
        with pytest.raises(BadInput, match=cause):
            said("draw", "--given", str(tmp_path / "wrong.csv"))


def test_the_logs_survive_a_lost_database(study: Warehouse) -> None:
    ann = validator(study, "ann")
    ann.draw(counted=2, near=0, random=0)
    there = VIEWS["coding_queue"](study)[0]["paragraph_id"]
    ann.code([CodedRow(there, (RAG,), "")])
    before = {view: VIEWS[view](study) for view in ("validation_samples", "codings")}
    for table in before:
        study.command(f"TRUNCATE TABLE {table}")
    from streams.logs.codings import Codings
    from streams.logs.validation_samples import ValidationSamples

    blobs = Blobs(study.settings.blobs_url)
    late = [
        *missing.validation_samples(ValidationSamples(blobs), study),
        *missing.codings(Codings(blobs), study),
    ]
    assert len(late) == 2
    write(study, late)
    assert {view: VIEWS[view](study) for view in before} == before


def test_a_sheet_goes_out_and_comes_back(study: Warehouse) -> None:
    ann = validator(study, "ann")
    ann.draw(counted=2, near=1, random=4)
    tasks = VIEWS["coding_queue"](study, reviewer="ann")
    lines = sheet(tasks).splitlines()
    assert len(lines) == 1 + len(tasks)
    said = ["RAG Systems; agents", "none", ""]
    filled = [lines[0], *(f"{line[:-1]}{topics}," for line, topics in zip(lines[1:], said, strict=False))]
    rows = list(filled_in("\ufeff" + "\n".join(filled), BOOK))
    assert [row.topics for row in rows] == [(RAG, AGENTS), ()]
    assert len(ann.code(rows)) == 2


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("paragraph_id,text\np,hello\n", "no column 'topics'"),
        ("paragraph_id,topics\np,Cooking\n", "line 2 of the sheet has an unknown topic 'cooking'"),
        ("paragraph_id,topics\np,none; agents\n", "line 2 of the sheet has topics and 'none'"),
    ],
)
def test_a_sheet_with_mistakes_names_the_line(text: str, cause: str) -> None:
    with pytest.raises(BadInput, match=cause):
        list(filled_in(text, BOOK))


def test_a_share_is_corrected_by_what_people_say(study: Warehouse) -> None:
    """Half of what counts is right, and all there is counts: half the share is left."""
    truth = {place(f"t{index}", 1) for index in range(TALKS)}
    ann = validator(study, "ann")
    ann.draw(counted=0, near=0, random=TALKS * PARAGRAPHS)
    ann.code(
        CodedRow(row["paragraph_id"], (RAG,) if row["paragraph_id"] in truth else (), "")
        for row in VIEWS["coding_queue"](study)
    )
    of = validities(study, "topic")[1]
    corrected = of.corrected(0.2, Interval(0.2, 0.2))
    assert corrected is not None
    assert corrected.value == pytest.approx(0.1)
    assert corrected.low < 0.1 < corrected.high < 0.2
    none = of.corrected(0.0, Interval(0.0, 0.0))
    assert none is not None
    assert none.value == 0.0


def test_the_report_says_what_is_validated(study: Warehouse, tmp_path: Path) -> None:
    def page() -> str:
        made = Made("validated", NOON, {"max_tokens": 300}, {"groundswell": "1"})
        facts = gather(lambda view, **given: VIEWS[view](study, **given), EVERYTHING, made)
        return write_page(facts, tmp_path).read_text("utf-8")

    assert "No topic of this study is validated" in page()
    ann = validator(study, "ann")
    ann.draw(counted=TALKS, near=0, random=0)
    ann.code(CodedRow(row["paragraph_id"], (RAG,), "") for row in VIEWS["coding_queue"](study))
    said = page()
    assert "randomly drawn paragraphs of the study" in said
    assert "1 of 2 topics are validated" in said, "RAG is right each time, Agents never"
    assert "100.0 % (" in said


def test_shares_of_paragraphs_come_with_corrected_ones(study: Warehouse) -> None:
    """Of the paragraphs that count for RAG half are right, and none is missed: half the share is left."""
    truth = {place(f"t{index}", 1) for index in range(TALKS)}
    ann = validator(study, "ann")
    ann.draw(counted=0, near=0, random=TALKS * PARAGRAPHS)
    ann.code(
        CodedRow(row["paragraph_id"], (RAG,) if row["paragraph_id"] in truth else (), "")
        for row in VIEWS["coding_queue"](study)
    )
    rows = VIEWS["topic_months"](study, basis="paragraphs")
    rag = next(row for row in rows if row["topic_id"] == 1)
    assert (rag["share"], rag["corrected"]) == pytest.approx((0.2, 0.1))
    assert rag["corrected_low"] < 0.1 < rag["corrected_high"]
    (theme,) = {row["corrected"] for row in VIEWS["prevalence"](study, basis="paragraphs")}
    assert theme == pytest.approx(0.1)
    shares = topic_shares(study, EVERYTHING, book(study), "paragraphs", "none")
    drawn = without_errors(shares, validities(study, "topic"), [1, BORN])
    assert set(drawn.units) == {1}, "nobody can code for a topic that was born"
    for options in ({}, {"basis": "minutes"}, {"basis": "paragraphs", "standard": "source"}):
        for row in VIEWS["topic_months"](study, **options):
            assert row["corrected"] is row["corrected_low"] is row["corrected_high"] is None
