"""The report of a real study agrees with the store for any period, whatever the talks' titles."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
from event_factories import MODEL, NOON, TRANSCRIPT, emerged, merged, path_of, seen, topic, video, write
from typer.testing import CliRunner

from agents.cli.study.report import report as command
from agents.queries.registry import VIEWS, Ask
from agents.report.drawing import label
from agents.report.facts import Facts, Made, gather
from agents.report.page import LONGEST_NAME
from agents.report.page import write as write_page
from streams import events as e
from streams.settings import Settings
from streams.store import writer
from streams.store.queries import prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.warehouse import Warehouse

MADE = Made("a_study", NOON, {"max_tokens": 300, "languages": ["en"]}, {"groundswell": "0.1.0"})
HOSTILE = (
    "<script>alert(1)</script>",
    'x" onmouseover="alert(1)',
    "Retrieval" * 1111 + "!",
    "כיצד בנינו סוכן \u202eتجربة",
    "Ship it 🚀👩🏽‍💻",
)


class Read(HTMLParser):
    """The content of a page as a browser parses it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def asking(warehouse: Warehouse) -> Ask:
    return lambda view, /, **parameters: VIEWS[view](warehouse, **parameters)


def report_of(warehouse: Warehouse, selection: Selection = EVERYTHING) -> Facts:
    return gather(asking(warehouse), selection, MADE)


def page_of(facts: Facts, folder: Path) -> str:
    return write_page(facts, folder).read_text(encoding="utf-8")


def talk(index: int, of: e.Video, *topic_ids: int | None, text: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the rows of a complete talk, with one paragraph of a minute for each topic."""
    for event in path_of(index, of, *topic_ids):
        yield from writer.rows_of(event)
    for position in range(len(topic_ids)):
        yield writer.paragraph_row(
            of.video_id,
            TRANSCRIPT,
            position,
            paragraph_id=e.paragraph_id(of.video_id, TRANSCRIPT, position),
            start_s=60.0 * position,
            end_s=60.0 * position + 50,
            text=text or f"{of.video_id} says it",
            speakers=["Ann"],
            tokens=9,
        )


def on(month: int, day: int = 4) -> datetime:
    return datetime(2025, month, day, 12, tzinfo=UTC)


def small(warehouse: Warehouse) -> None:
    """Write six talks: one rejected, one withdrawn, one parked; the topic Greetings does not count."""
    write(
        warehouse,
        [topic(1, "Architecture"), topic(2, "Architecture"), topic(3, "Evaluation"), topic(4), topic(5)],
    )
    talks: tuple[tuple[str, int, list[int | None]], ...] = (
        ("a", 1, [1, 1, 2]),
        ("b", 1, [3]),
        ("c", 1, [4]),
        ("d", 2, [2, 3]),
        ("e", 4, [1, None]),
        ("f", 4, [5]),
        ("gone", 4, [1]),
    )
    rows = [
        row
        for index, (name, month, ids) in enumerate(talks)
        for row in talk(index, video(name, on(month), url=f"https://youtu.be/{name}", show="Nights"), *ids)
    ]
    writer.write(warehouse, rows)
    short = video("short", on(2))
    write(
        warehouse,
        [
            merged(5, 1, sequence=20),
            seen(short),
            e.VideoRejected(video=short, rule="too short", reason="40 s"),
            seen(video("waited", on(2))),
            e.VideoCorrected(
                video_id="gone", what="withdrawn", reason="a repeat", author="ann", corrected_at=NOON
            ),
            e.CodebookDecided(
                revision=1,
                model_version=MODEL,
                action="exclude",
                said="topic 4 does not count",
                entries=(
                    e.CodebookEntry(topic_id=4, name="Greetings", retained=False, reason="no subject <b>"),
                ),
                author="ann",
                decided_at=NOON,
            ),
            emerged(21, "MCP", 3, "b", "d"),
            e.AlertRaised(
                rule="emergence",
                model_version=MODEL,
                topic_id=3,
                title="New topic: judges",
                reason="2 of the last 5",
                raised_at=on(2),
                video_ids=("b", "d"),
            ),
        ],
    )


@pytest.fixture(scope="module")
def small_study(copied: Callable[[], Settings]) -> Settings:
    settings = copied()
    with Warehouse(settings) as warehouse:
        small(warehouse)
    return settings


@pytest.fixture
def told(small_study: Settings) -> Iterator[Warehouse]:
    """Yield the small study for reading."""
    with Warehouse(small_study) as warehouse:
        yield warehouse


def cells(page: str, table: str) -> list[list[str]]:
    """Return the rows of the first table with a class, as text."""
    found = re.search(rf'<table class="{table}">(.*?)</table>', page, re.DOTALL)
    assert found is not None
    rows = re.findall(r"<tr.*?</tr>", found[1], re.DOTALL)
    return [[text(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.long
def test_the_study_table_has_the_numbers_of_the_store(either: Warehouse, tmp_path: Path) -> None:
    small(either)
    for selection in (Selection(), Selection("2025-01", "2025-02")):
        page = page_of(report_of(either, selection), tmp_path)
        shown = {row[0]: row[1:3] for row in cells(page, "study")[1:]}
        counted = prevalence.themes(either, selection) + [
            row for row in prevalence.topics(either, selection) if row["videos"]
        ]
        assert shown == {
            row.get("name", row.get("theme")): [str(row["videos"]), f"{100 * row['share']:.1f} %"]
            for row in counted
        }
    assert shown == {
        "Architecture": ["2", "66.7 %"],
        "topic 1": ["1", "33.3 %"],
        "topic 2": ["2", "66.7 %"],
        "Evaluation": ["2", "66.7 %"],
        "topic 3": ["2", "66.7 %"],
    }


@pytest.mark.long
def test_the_corpus_is_counted_by_what_became_of_each_video(either: Warehouse) -> None:
    small(either)
    facts = report_of(either)
    assert facts.whole == facts.corpus
    assert facts.corpus == {
        "found": 9,
        "kept": 6,
        "withdrawn": 1,
        "waiting": 1,
        "rejections": {"too short": 1},
        "paragraphs": 10,
        "hours": pytest.approx(6 * 61.5 / 3600),
        "mean_minutes": pytest.approx(61.5 / 60),
        "first": date(2025, 1, 4),
        "last": date(2025, 4, 4),
    }
    february = report_of(either, Selection("2025-02", "2025-02", speaker="Ann")).corpus
    assert (february["found"], february["kept"]) == (1, 1)
    assert report_of(either, Selection("2025-02", "2025-02")).corpus["found"] == 3


@pytest.mark.long
def test_what_was_decided_is_told_with_its_reason(told: Warehouse, tmp_path: Path) -> None:
    facts = report_of(told)
    assert facts.provenance["revision"] == 1
    assert facts.provenance["excluded"] == [{"topic_id": 4, "name": "Greetings", "reason": "no subject <b>"}]
    assert [(row["topic_id"], row["into_id"], row["by"]) for row in facts.provenance["merged"]] == [
        (5, 1, "model")
    ]
    assert facts.provenance["transcripts"] == {TRANSCRIPT: 6}
    page = page_of(facts, tmp_path)
    assert "Greetings (4): no subject <b>" in text(page).replace("&lt;b&gt;", "<b>")
    before = report_of(told, Selection(codebook=0))
    assert (before.provenance["revision"], before.provenance["excluded"]) == (0, [])
    assert before.of_videos == facts.of_videos + 1, "the talk with nothing but greetings counted then"


def test_months_without_a_video_are_gaps(told: Warehouse) -> None:
    facts = report_of(told)
    assert [(month.month, month.counted and month.counted["of_videos"]) for month in facts.months] == [
        ("2025-01", 2),
        ("2025-02", 1),
        ("2025-03", None),
        ("2025-04", 2),
    ]
    evaluation = next(theme for theme in facts.themes if theme.name == "Evaluation")
    assert [month.counted and month.counted["videos"] for month in evaluation.months] == [1, 1, None, 0]


def test_alerts_of_the_period_are_told_and_quoted(told: Warehouse) -> None:
    assert [each.title for each in report_of(told, Selection("2025-02", "2025-02")).news] == [
        "New topic: judges"
    ]
    assert report_of(told, Selection("2025-04")).news == ()
    (judges,) = report_of(told).news
    assert [quote.text for quote in judges.quotes] in (["b says it"], ["d says it"])


def test_a_topic_that_nobody_speaks_of_any_more_has_declined(study: Warehouse, tmp_path: Path) -> None:
    write(study, [topic(1, "Architecture"), topic(2, "Evaluation")])
    spoken = [
        row
        for index in range(60)
        for row in talk(index, video(f"v{index}", on(1 + index // 30)), 2, *((1,) if index < 20 else ()))
    ]
    writer.write(study, spoken)
    facts = report_of(study, Selection("2025-02", "2025-02"))
    assert [topic.name for topic in facts.unspoken] == ["topic 1"]
    moved = text(page_of(facts, tmp_path).split('id="moving"')[1].split("</table>")[0])
    assert "topic 1 ○ dormant 20 of 30 0 of 30 −66.7" in moved
    assert "topic 2 " not in moved


def test_quotes_lead_to_the_second(told: Warehouse) -> None:
    quoted = {topic.name: topic.quotes for topic in report_of(told).quoted}
    (quote,) = [quote for quote in quoted["topic 2"] if quote.title == "Talk a"]
    assert (quote.link, quote.at, quote.speakers, quote.published_on) == (
        "https://youtu.be/a?t=120",
        "2:00",
        ("Ann",),
        "2025-01-04",
    )


def test_a_study_without_talks_gives_an_explained_report(study: Warehouse, tmp_path: Path) -> None:
    assert "Choose a period" not in explained(study, Selection(), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("selection", [Selection("1999-01", "1999-12"), Selection(show="none")])
def test_a_period_without_talks_gives_an_explained_report(
    told: Warehouse, tmp_path: Path, selection: Selection
) -> None:
    assert "Choose a period" in explained(told, selection, tmp_path)


def explained(warehouse: Warehouse, selection: Selection, folder: Path) -> str:
    """Return the page of an empty report."""
    facts = report_of(warehouse, selection)
    page = page_of(facts, folder)
    assert "Nothing to count" in page
    assert facts.themes == () and "<svg" not in page
    assert list((folder / "figures").iterdir()) == []
    json.dumps(facts.as_json())
    return page


@pytest.mark.long
@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
def test_what_talks_and_topics_are_called_is_shown_and_never_run(
    study: Warehouse, tmp_path: Path, name: str
) -> None:
    of = video("x", NOON, url="javascript:alert(1)", show=name, speakers=(name,))
    write(study, [topic(1, name).model_copy(update={"label": name}), topic(2, "Other")])
    writer.write(study, talk(0, of.model_copy(update={"title": name}), 1, 2, text=f"{name} {name}"))
    page = page_of(report_of(study, Selection(show=name)), tmp_path)
    read = Read()
    read.feed(page)
    assert not read.tags & {"script", "img", "iframe", "form", "object"}
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert {value[:8] for name, value in read.attributes if name == "href"} <= {"#table", "https://"}
    assert label(name, LONGEST_NAME) in read.text
    assert len(page) < 400_000
    for svg in (tmp_path / "figures").glob("*.svg"):
        ElementTree.fromstring(svg.read_text(encoding="utf-8"))


def test_the_page_asks_the_network_for_nothing(told: Warehouse, tmp_path: Path) -> None:
    page = page_of(report_of(told), tmp_path)
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img|iframe|object|embed|base)\b|@import|url\((?!#)|\ssrc=", page)
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {f"{n}.{kind}" for n in ("treemap", "cooccurrence", "trends") for kind in ("svg", "png")}


def test_the_same_facts_give_the_same_report(told: Warehouse, tmp_path: Path) -> None:
    one, other = (page_of(report_of(told), tmp_path / name) for name in ("one", "other"))
    assert one == other


def test_co_occurrence_is_that_of_the_store(told: Warehouse, tmp_path: Path) -> None:
    facts = report_of(told)
    assert [(pair.topic_id, pair.other_id, pair.videos) for pair in facts.pairs] == [(1, 2, 1), (2, 3, 1)]
    matrix = cells(page_of(facts, tmp_path), "matrix")
    assert matrix[1:] == [
        ["1 topic 1", "3", "1", "0"],
        ["2 topic 2", "1", "2", "1"],
        ["3 topic 3", "0", "1", "2"],
    ]


@pytest.fixture
def commanded(small_study: Settings, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """Return the command for the small study; the command opens the database itself."""
    monkeypatch.setenv("GROUNDSWELL_HOME", str(small_study.home))
    monkeypatch.setenv("GROUNDSWELL_STUDY", small_study.study)
    app = typer.Typer()
    app.command()(command)
    return app


def test_the_command_writes_the_report_and_says_where(commanded: typer.Typer, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    done = CliRunner().invoke(commanded, ["--from", "2025-01", "--to", "2025-02", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out / 'report.html'}\n"
    assert "published from 2025-01 to 2025-02" in (out / "report.html").read_text(encoding="utf-8")


def test_the_command_prints_the_facts_as_json(commanded: typer.Typer) -> None:
    done = CliRunner().invoke(commanded, ["--json", "--to", "2025-02"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["of_videos"] == 3
    assert said["made"]["settings"]["max_tokens"] == 300
    assert not [name for name in said["made"]["settings"] if "token" in name.replace("max_tokens", "")]


def test_the_command_on_a_period_without_talks_succeeds(commanded: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(commanded, ["--from", "1999-01", "--to", "1999-01", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "no selected talk has a retained topic" in done.stderr


def test_the_command_wants_a_folder(commanded: typer.Typer, tmp_path: Path) -> None:
    assert CliRunner().invoke(commanded, []).exit_code == 2
    (tmp_path / "taken").write_text("")
    taken = CliRunner().invoke(commanded, ["--out", str(tmp_path / "taken" / "below")])
    assert taken.exit_code != 0
    assert "cannot write the report" in str(taken.exception)
