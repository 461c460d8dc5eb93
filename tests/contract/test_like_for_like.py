"""Shares that a new mix of talks does not move, shares of paragraphs and minutes, and the note on the mix."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from event_factories import About, topic, video, write
from test_bases import TOPICS, talk
from test_report import page_of, report_of, text

from agents.queries import registry
from streams.settings import Settings
from streams.store import writer
from streams.store.queries.selection import Selection
from streams.store.queries.strata import LENGTHS
from streams.store.warehouse import Warehouse

JOINED = "2024-07"
WEEKLY = ("Night Deploys", "Model Room", "The Hour")
DAILY = "Daily Bytes"


def two_years() -> Iterator[tuple[str, writer.Columns]]:
    """Yield two years of three weekly shows of an hour, which a daily channel of ten minutes joins.

    Every talk is about Evaluation. Of the long ones one in four is about each other topic, in one paragraph,
    at any time; of the short ones one in twenty.
    """
    day = date(2023, 7, 1)
    told: Counter[bool] = Counter()
    while day < date(2025, 7, 1):
        shows = [show for number, show in enumerate(WEEKLY) if day.toordinal() % 7 == 2 * number]
        if f"{day:%Y-%m}" >= JOINED:
            shows.append(DAILY)
        for show in shows:
            short = show == DAILY
            told[short] += 1
            topics = [
                each for each in TOPICS if each != 3 and (told[short] + each) % (20 if short else 4) == 0
            ]
            paragraphs: list[About] = [(None, {each: 0.5}) for each in (3, *topics)]
            paragraphs += [(None, {})] * ((3 if short else 20) - len(paragraphs))
            moment = datetime.combine(day, datetime.min.time(), UTC)
            index = told.total()
            yield from talk(index, video(f"v{index}", moment, channel=show), paragraphs)
        day += timedelta(days=1)


@pytest.fixture(scope="module")
def joined(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="joined")) as warehouse:
        warehouse.migrate()
        write(warehouse, [topic(topic_id, theme) for topic_id, theme in TOPICS.items()])
        writer.write(warehouse, two_years())
        yield warehouse


def halves(rows: Sequence[Any], theme: str) -> tuple[float, float]:
    """Return the mean share of a theme's months before the daily channel joined, and since."""
    shares: dict[bool, list[float]] = defaultdict(list)
    for row in rows:
        if row["theme"] == theme:
            shares[row["month"] >= JOINED].append(row["share"])
    return sum(shares[False]) / len(shares[False]), sum(shares[True]) / len(shares[True])


RARE = ["Architecture", "Costs"]


@pytest.mark.parametrize("theme", RARE)
def test_the_plain_share_halves_when_short_videos_join(joined: Warehouse, theme: str) -> None:
    before, since = halves(registry.prevalence(joined), theme)
    assert since < 0.55 * before


@pytest.mark.parametrize("standard", ["length", "source"])
@pytest.mark.parametrize("theme", RARE)
def test_the_standardised_share_stays_when_they_join(joined: Warehouse, standard: Any, theme: str) -> None:
    rows = registry.prevalence(joined, standard=standard)
    before, since = halves(rows, theme)
    assert since == pytest.approx(before, rel=0.15)
    covered = {row["covered"] for row in rows}
    assert min(covered) > 0.3, "the weekly shows"
    assert max(covered) < 0.6, "the daily channel came later, so it is in no month's standardised share"
    assert all(row["low"] <= row["share"] <= row["high"] for row in rows)


@pytest.mark.parametrize("basis", ["paragraphs", "minutes"])
@pytest.mark.parametrize("theme", RARE)
def test_the_share_of_what_is_said_stays_when_they_join(joined: Warehouse, basis: Any, theme: str) -> None:
    before, since = halves(registry.prevalence(joined, basis=basis), theme)  # type: ignore[arg-type]
    assert since == pytest.approx(before, rel=0.15)


def test_the_note_says_when_and_how_the_mix_changed(joined: Warehouse) -> None:
    found = registry.mix(joined)
    length, source = found["changes"]
    assert (length["month"], length["kind"], source["month"], source["kind"]) == (
        JOINED, "length", JOINED, "source",
    )  # fmt: skip
    assert length["said"] == (
        f"From 2024-07 two in three talks are shorter than 15 minutes ({length['videos']} of "
        f"{length['of_videos']}); before, none were (0 of {length['before_of_videos']})."
    )
    assert source["said"].startswith("From 2024-07 two in three talks come from Daily Bytes (184 of ")
    for kind in ("source", "length"):
        by_month: dict[str, int] = defaultdict(int)
        for row in found["rows"]:
            if row["kind"] == kind:
                by_month[row["month"]] += row["videos"]
                assert row["share"] == row["videos"] / row["of_videos"]
        assert by_month == {row["month"]: row["of_videos"] for row in registry.prevalence(joined)}
    assert registry.mix(joined) == found, "chance is drawn alike"


def test_a_mix_that_stays_has_no_note(joined: Warehouse) -> None:
    for selection in (Selection(last="2024-06"), Selection(first="2024-07"), Selection(channel=DAILY)):
        assert registry.mix(joined, selection)["changes"] == []
    assert registry.mix(joined, Selection(channel="nobody")) == {"changes": [], "rows": []}


def test_the_report_shows_what_the_change_did(joined: Warehouse, tmp_path: Path) -> None:
    facts = report_of(joined)
    assert [change.kind for change in facts.mix] == ["length", "source"]
    assert [change.said for change in facts.mix] == [row["said"] for row in registry.mix(joined)["changes"]]
    for change in facts.mix:
        of = {each.theme: each for each in change.effects}
        for theme in RARE:
            assert of[theme].plain_before == pytest.approx(0.5, abs=0.03)
            assert of[theme].plain == pytest.approx(0.22, abs=0.03)
            assert of[theme].alike_before == pytest.approx(0.5, abs=0.05)
            assert of[theme].alike == pytest.approx(0.5, abs=0.05)
    page = page_of(facts, tmp_path)
    section = text(page.split('id="mix"')[1].split("</section>")[0])
    assert facts.mix[0].said in section
    assert "Share before" in section
    same = page_of(report_of(joined, Selection(last="2024-06")), tmp_path)
    assert 'id="mix"' not in same


@pytest.mark.parametrize("standard", ["none", "source", "length"])
@pytest.mark.parametrize("basis", ["talks", "paragraphs", "minutes"])
def test_in_a_single_month_the_standard_changes_nothing(joined: Warehouse, basis: Any, standard: Any) -> None:
    month = Selection("2025-03", "2025-03")
    plain = {row["theme"]: row for row in registry.prevalence(joined, month, basis=basis)}
    found = registry.prevalence(joined, month, basis=basis, standard=standard)
    assert found
    for row in found:
        assert row["share"] == pytest.approx(plain[row["theme"]]["share"])
        assert row["share"] == pytest.approx(row["amount"] / row["of_amount"])
        assert row["covered"] == pytest.approx(1)


@pytest.mark.parametrize("standard", ["source", "length"])
def test_one_stratum_gives_the_plain_numbers(joined: Warehouse, standard: Any) -> None:
    only = Selection(channel=WEEKLY[1], first="2024-01")
    for view in (registry.prevalence, registry.topic_months):
        plain = view(joined, only)
        found = view(joined, only, standard=standard)
        assert len(plain) == len(found)
        for one, other in zip(plain, found, strict=True):
            for name in ("share", "low", "high", "amount", "of_amount", "covered"):
                assert other[name] == pytest.approx(one[name]), name  # type: ignore[literal-required]


def test_classes_of_lengths_have_their_bounds_in_one_place() -> None:
    assert sorted(LENGTHS) == list(LENGTHS)
    assert len(set(LENGTHS)) == len(LENGTHS)


def test_the_timeline_has_the_source_that_joined_and_the_new_mix(joined: Warehouse) -> None:
    found = registry.timeline(joined)
    assert {(each["month"], each["said"]) for each in found if each["kind"] == "source"} == {
        (JOINED, f"{DAILY} joins")
    }
    assert {(each["month"], each["said"]) for each in found if each["kind"] == "mix"} == {
        (each["month"], each["said"]) for each in registry.mix(joined)["changes"]
    }
    later = registry.timeline(joined, Selection(first="2024-08"))
    assert [each for each in later if each["kind"] == "source"] == [], "it had joined before"
