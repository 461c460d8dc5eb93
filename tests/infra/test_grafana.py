"""Tests of Grafana's files: they fit the schema, and their SQL gives correct results on the real engine."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_schema import CLICKHOUSE, Dashboard, DataSource, DataSources, Providers, Sql, loaded
from pydantic import ValidationError

from streams import events as e
from streams.settings import Settings
from streams.store import writer
from streams.store.operations import throughput
from streams.store.queries import alerts as news
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse
from tests.web import studies

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PROVISIONING = ROOT / "infra" / "grafana" / "provisioning"
READER = ROOT / "infra" / "clickhouse" / "users.d" / "reader.xml"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
BOARDS: dict[str, Dashboard] = {
    path.stem: loaded(Dashboard, json.loads(path.read_text()))
    for path in sorted((PROVISIONING / "dashboards").glob("*.json"))
}
STATEMENTS = {
    (board, title): statement
    for board, each in BOARDS.items()
    for title, statement in each.statements.items()
}
PERIOD = (datetime(2024, 3, 1, tzinfo=UTC), datetime(2025, 12, 17, 23, tzinfo=UTC))
SELECTION = Selection("2024-03-01", "2025-12-17")
INTERVAL_S = 3600
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}


def expanded(statement: str, chosen: dict[str, list[str]]) -> str:
    """Return a statement as the plugin sends it: with Grafana's variables, then its pkg/macros, expanded."""

    def variable(match: re.Match[str]) -> str:
        assert match[2] == "singlequote", f"{match[0]} is not quoted: write ${{{match[1]}:singlequote}}"
        return ",".join("'" + value.replace("'", "\\'") + "'" for value in chosen[match[1]])

    statement = re.sub(r"\$\{(\w+)(?::(\w+))?\}", variable, statement)
    first, last = PERIOD

    def macro(match: re.Match[str]) -> str:
        name, column = match[1], match[2]
        seconds = f"toDateTime({int(first.timestamp())})", f"toDateTime({int(last.timestamp())})"
        days = f"toDate('{first:%Y-%m-%d}')", f"toDate('{last:%Y-%m-%d}')"
        match name:
            case "timeFilter":
                return f"{column} >= {seconds[0]} AND {column} <= {seconds[1]}"
            case "dateFilter":
                return f"{column} >= {days[0]} AND {column} <= {days[1]}"
            case "timeInterval":
                return f"toStartOfInterval(toDateTime({column}), INTERVAL {INTERVAL_S} second)"
        raise AssertionError(f"the plugin knows no macro $__{name}, or this test does not")

    statement = re.sub(r"\$__(\w+)\(([\w.]+)\)", macro, statement)
    assert "$" not in statement, f"Grafana would leave this as it is: {statement}"
    return statement


def raw(statement: Sql | str) -> str:
    return statement if isinstance(statement, str) else statement.raw_sql


def asked(
    warehouse: Warehouse, board: str, title: str, chosen: dict[str, list[str]] | None = None
) -> list[dict[str, Any]]:
    """Return the answer that Grafana gets as the user `reader`, who may only set max_execution_time."""
    if chosen is None:
        names = [each.name for each in BOARDS[board].templating.list]
        chosen = {
            name: [next(iter(row.values())) for row in asked(warehouse, board, f"variable {name}", {})]
            for name in names
            if title != f"variable {name}"
        }
    text = expanded(raw(STATEMENTS[board, title]), chosen)
    found: list[dict[str, Any]] = warehouse.raw(
        lambda client: list(
            client.query(
                f"{text}\nSETTINGS readonly = 1, max_execution_time = 60", tz_mode="aware"
            ).named_results()
        )
    )
    return found


EMERGED = e.SubjectEmerged(
    model_version=studies.MODEL,
    sequence=90,
    day=date(2025, 12, 17),
    subject=studies.SCRIPT,
    topic_id=studies.MERGED,  # which was merged into BORN
    video_ids=("talk0000001",),
    reason="one talk speaks of it",
    evidence=e.Evidence(
        terms=("script",),
        channel="term",
        sources=1,
        recent=1,
        recent_of=50,
        earlier=0,
        earlier_of=200,
        log10_p=-3.0,
        first_on=date(2025, 11, 1),
        latest_on=date(2025, 12, 1),
        quotes=(),
    ),
    emerged_at=datetime(2025, 12, 1, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def lively(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="grafana")) as warehouse:
        warehouse.migrate()
        studies.lively(warehouse)
        writer.write(warehouse, writer.rows_of(EMERGED))
        yield warehouse


# The files.


def test_there_are_two_dashboards_that_fit_the_schema() -> None:
    assert set(BOARDS) == {"topics", "operations"}
    assert len({board.uid for board in BOARDS.values()}) == 2
    assert BOARDS["topics"].timezone == "utc", "months are months in UTC"


@pytest.mark.parametrize(
    "slip",
    [
        lambda board: board["panels"][0].pop("gridPos"),
        lambda board: board["panels"][0].update(tittle="Talks"),
        lambda board: board["panels"][0]["targets"][0].update(
            datasource={"type": "prometheus", "uid": "prometheus"}
        ),
        lambda board: board["panels"][0]["targets"][0].update(format=0),
        lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(unit="percent unit"),
        lambda board: board.update(schemaVersion="39"),
    ],
)
def test_a_slip_of_the_pen_does_not_fit(slip: Any) -> None:
    board = json.loads((PROVISIONING / "dashboards" / "topics.json").read_text())
    loaded(Dashboard, board)
    slip(board)
    with pytest.raises(ValidationError):
        loaded(Dashboard, board)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_panels_have_their_own_number_and_place(board: Dashboard) -> None:
    assert len({panel.id for panel in board.panels}) == len(board.panels)
    assert len({panel.title for panel in board.panels}) == len(board.panels)
    for panel in board.panels:
        assert panel.grid.x + panel.grid.w <= 24, panel.title
    for one, other in combinations(board.panels, 2):
        a, b = one.grid, other.grid
        apart = a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y
        assert apart, f"{one.title} lies over {other.title}"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_columns_that_are_dressed_exist(board: Dashboard) -> None:
    for panel in board.panels:
        text = " ".join(raw(target) for target in panel.targets if isinstance(target, Sql))
        if (name := panel.field_config.defaults.display_name) is not None:
            assert f"AS {name.removesuffix('}').rpartition('.')[2]}," in text, panel.title
        for override in panel.field_config.overrides:
            assert re.search(rf"AS \"?{re.escape(override.matcher.options)}\b", text), panel.title


def sources() -> dict[str, DataSource]:
    found = [
        source
        for path in sorted((PROVISIONING / "datasources").glob("*.yml"))
        for source in loaded(DataSources, yaml.safe_load(path.read_text())).datasources
    ]
    return {source.uid: source for source in found}


def test_dashboards_find_their_data_sources_and_services() -> None:
    found = sources()
    assert {uid: source.type for uid, source in found.items()} == {
        "prometheus": "prometheus",
        "clickhouse": CLICKHOUSE,
    }
    assert [uid for uid, source in found.items() if source.default] == ["prometheus"]
    used = {panel.datasource.uid for board in BOARDS.values() for panel in board.panels}
    assert used == set(found)
    assert found["prometheus"].url == "http://prometheus:9090" and "prometheus" in COMPOSE
    assert found["clickhouse"].settings.host in COMPOSE  # type: ignore[union-attr]


def test_grafana_finds_dashboards_and_installs_a_pinned_plugin() -> None:
    (provider,) = loaded(
        Providers, yaml.safe_load((PROVISIONING / "dashboards" / "groundswell.yml").read_text())
    ).providers
    mounts = dict(volume.split(":")[:2] for volume in COMPOSE["grafana"]["volumes"])
    assert provider.options["path"] == mounts["./infra/grafana/provisioning"] + "/dashboards"
    plugin, _, version = COMPOSE["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"].partition("@")
    assert plugin == CLICKHOUSE and re.fullmatch(r"4\.\d+\.\d+", version)


def test_the_variables_of_data_sources_are_given_by_compose() -> None:
    given = COMPOSE["grafana"]["environment"]
    text = "".join(path.read_text() for path in (PROVISIONING / "datasources").glob("*.yml"))
    asked_for = set(re.findall(r"\$([A-Z_]+)", text))
    assert asked_for == {"STUDY", "READER_PASSWORD"}
    assert asked_for <= set(given)
    assert given["STUDY"] == COMPOSE["web"]["environment"]["GROUNDSWELL_STUDY"]


def test_the_user_of_grafana_can_read_the_study_and_nothing_else() -> None:
    root = ET.parse(READER).getroot()
    reader = root.find("users/reader")
    settings = sources()["clickhouse"].settings
    assert reader is not None and settings.username == "reader"  # type: ignore[union-attr]
    assert root.findtext("users/reader/profile") == "reader"
    assert root.findtext("profiles/reader/readonly") == "1"
    limit = root.find("profiles/reader/constraints/max_execution_time")
    assert limit is not None and limit.find("changeable_in_readonly") is not None
    assert int(limit.findtext("max", "0")) >= int(settings.query_timeout)  # type: ignore[union-attr]
    environment = COMPOSE["clickhouse"]["environment"]
    password, grant = reader.find("password"), reader.find("grants/query")
    assert password is not None and grant is not None
    assert environment[password.attrib["from_env"]] == COMPOSE["grafana"]["environment"]["READER_PASSWORD"]
    assert environment[password.attrib["from_env"]] != environment["CLICKHOUSE_PASSWORD"]
    assert environment[grant.attrib["from_env"]] == "GRANT SELECT ON ${GROUNDSWELL_STUDY:-main}.*"
    assert [each.tag for each in reader] == ["password", "networks", "profile", "quota", "grants"]
    assert (
        f"./{READER.relative_to(ROOT)}:/etc/clickhouse-server/users.d/reader.xml:ro"
        in (COMPOSE["clickhouse"]["volumes"])
    )


# The statements.


@pytest.mark.parametrize(("board", "title"), STATEMENTS, ids=lambda text: text)
def test_every_statement_runs_and_says_something_sensible(lively: Warehouse, board: str, title: str) -> None:
    rows = asked(lively, board, title)
    assert rows
    statement = STATEMENTS[board, title]
    for row in rows:
        assert all(value == value for value in row.values()), "not a number"  # noqa: PLR0124
        for name in ("share", "Share", "Jaccard"):
            assert 0 <= row.get(name, 0) <= 1
    if isinstance(statement, Sql) and statement.format == 0:
        times = [row["time"] for row in rows]
        assert all(isinstance(time, datetime) and PERIOD[0] <= time for time in times) or "Growth" in title
        assert all(one <= other for one, other in pairwise(times)), "Grafana wants time in order"
        kinds = {name: {type(row[name]) for row in rows} for name in rows[0] if name != "time"}
        assert all(len(kind) == 1 and kind <= {str, int, float} for kind in kinds.values())


@pytest.mark.parametrize(("board", "title"), STATEMENTS, ids=lambda text: text)
def test_a_statement_that_writes_would_be_refused(lively: Warehouse, board: str, title: str) -> None:
    verbs = re.findall(r"\b(INSERT|ALTER|DROP|TRUNCATE|CREATE|OPTIMIZE|SET)\b", raw(STATEMENTS[board, title]))
    assert not verbs


def test_every_statement_also_runs_on_a_study_without_a_talk(lively: Warehouse, chdb_home: Path) -> None:
    lively.close()  # the embedded engine holds one study at a time; this one reopens on its next query
    with Warehouse(Settings(home=chdb_home, study="grafana_empty")) as warehouse:
        warehouse.migrate()
        for board, title in STATEMENTS:
            rows = asked(warehouse, board, title)
            assert not rows or [*rows[0].values()] in ([0], [0.0]), title


def by(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Return these columns of the rows, sorted."""

    def plain(value: Any) -> Any:
        return round(value, 9) if isinstance(value, float) else value

    return sorted(tuple(plain(row[name]) for name in names) for row in rows)


def test_themes_by_month_are_the_studys_prevalence(lively: Warehouse) -> None:
    rows = asked(lively, "topics", "Themes by month")
    said = [{**row, "month": f"{row['time']:%Y-%m}"} for row in rows if row["share"]]
    expected = prevalence.prevalence(lively, SELECTION)
    assert by(said, "month", "theme", "share") == by(expected, "month", "theme", "share")
    months = {row["month"] for row in prevalence.months(lively, SELECTION)}
    themes = {row["theme"] for row in expected}
    assert len(rows) == len(months) * len(themes), "a theme without a talk in a month has a zero there"


def test_themes_and_topics_of_a_period_are_the_studys(lively: Warehouse) -> None:
    expected = prevalence.themes(lively, SELECTION)
    assert by(asked(lively, "topics", "Prevalence of themes"), "theme", "share") == by(
        expected, "theme", "share"
    )
    topics = [row for row in prevalence.topics(lively, SELECTION) if row["videos"]]
    said = asked(lively, "topics", "Prevalence of topics")
    assert by(said, "Topic", "Theme", "Talks", "Of", "Share", "Paragraphs") == by(
        topics, "name", "theme", "videos", "of_videos", "share", "paragraphs"
    )
    (talks,), (count,) = asked(lively, "topics", "Talks"), asked(lively, "topics", "Topics")
    assert (talks["talks"], count["topics"]) == (topics[0]["of_videos"], len(topics))


def test_a_chosen_theme_limits_the_view_but_not_the_denominator(lively: Warehouse) -> None:
    chosen = {"theme": ["Costs"]}
    expected = [row for row in prevalence.themes(lively, SELECTION) if row["theme"] == "Costs"]
    assert by(asked(lively, "topics", "Prevalence of themes", chosen), "theme", "share") == by(
        expected, "theme", "share"
    )
    rows = asked(lively, "topics", "Themes by month", chosen)
    assert {row["theme"] for row in rows} == {"Costs"}
    for quoted in ("It's", "') OR 1 = 1 --", "<script>"):
        assert asked(lively, "topics", "Prevalence of topics", {"theme": [quoted]}) == []


def test_topics_by_month_are_the_studys_for_the_ten_largest(lively: Warehouse) -> None:
    rows = asked(lively, "topics", "Topics by month")
    names = {row["topic_id"]: row["name"] for row in prevalence.topics(lively, SELECTION)}
    expected = [row | {"topic": names[row["topic_id"]]} for row in prevalence.topic_months(lively, SELECTION)]
    shown = {row["topic"] for row in rows}
    assert len(shown) == 10
    said = [{**row, "month": f"{row['time']:%Y-%m}"} for row in rows if row["share"]]
    assert by(said, "month", "topic", "share") == by(
        [row for row in expected if row["topic"] in shown], "month", "topic", "share"
    )


def test_topics_that_occur_together_are_the_studys(lively: Warehouse) -> None:
    said = asked(lively, "topics", "Topics that occur together")
    expected = prevalence.cooccurrence(lively, SELECTION, limit=100)
    columns = ("Topic", "Other", "Talks", "Topic's talks", "Other's talks", "Jaccard", "Lift")
    names = ("name", "other", "videos", "topic_videos", "other_videos", "jaccard", "lift")
    assert by(said, *columns) == by(expected, *names)


def test_growth_ends_with_every_talk_that_counts(lively: Warehouse) -> None:
    rows = asked(lively, "topics", "Growth of the corpus")
    months = prevalence.months(lively)
    assert rows[-1]["talks"] == sum(row["of_videos"] for row in months)
    assert len(rows) == len(months)
    assert all(one["talks"] < other["talks"] for one, other in pairwise(rows))
    (newest,) = asked(lively, "topics", "Newest talk")
    assert newest["newest"].date() == date(2025, 12, 11)


def test_alerts_drift_and_subjects_are_those_of_the_views(lively: Warehouse) -> None:
    alerts = [row for row in news.alerts(lively) if row["raised_at"] >= PERIOD[0]]
    assert alerts
    assert by(asked(lively, "topics", "Newest alerts"), "Raised", "Rule", "Alert") == by(
        alerts, "raised_at", "rule", "title"
    )
    assert by(asked(lively, "topics", "annotation Alerts"), "time", "tags") == by(alerts, "raised_at", "rule")
    assert asked(lively, "topics", "Alerts") == [{"alerts": len(alerts)}]
    (drift,) = asked(lively, "topics", "Drift")
    named = {row["topic_id"]: row["name"] for row in prevalence.topics(lively)}
    assert (drift["What"], drift["Lost"], drift["Topic"]) == ("words", "gpt-3", named[1])
    (subject,) = asked(lively, "topics", "Subjects that emerged")
    assert (subject["Subject"], subject["Topic"]) == (studies.SCRIPT, named[studies.BORN])


def test_what_operations_shows_is_what_the_views_say(lively: Warehouse) -> None:
    states = {row["State"]: row["Videos"] for row in asked(lively, "operations", "Where videos are")}
    assert states == talk_queries.status(lively)["states"]
    assert states == {row["state"]: row["videos"] for row in throughput.stages(lively) if row["videos"]}
    rules = {row["Rule"]: row["Videos"] for row in asked(lively, "operations", "Why videos were rejected")}
    assert rules == talk_queries.status(lively)["rejections"]
    letters = asked(lively, "operations", "Dead letters that wait, newest first")
    waiting = talk_queries.dead_letters(lively)
    assert by(letters, "Letter", "Cause", "Cure") == by(waiting, "letter_id", "cause", "cure")
    assert asked(lively, "operations", "Dead letters that wait") == [{"letters": len(letters)}]
    (source,) = asked(lively, "operations", "What sources yield")
    (expected,) = throughput.sources(lively)
    assert (source["Found"], source["Rejected"], source["Newest"]) == (
        expected["found"],
        expected["rejected"],
        expected["last_seen_at"],
    )
    seen = asked(lively, "operations", "Videos seen")
    assert sum(row["videos"] for row in seen) == expected["found"]
