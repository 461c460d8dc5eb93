"""Tests of the chart pages: the views' numbers by month and quarter, or the reason why there are none."""

import json
import re
from html import escape, unescape
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import studies
from page_process import client_of

from agents.queries import intervals, registry
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import prevalence
from streams.store.queries.facets import choices
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse

QUARTERS = {
    f"{year}-Q{quarter}": Selection(f"{year}-{3 * quarter - 2:02}", f"{year}-{3 * quarter:02}")
    for year in (2024, 2025)
    for quarter in (1, 2, 3, 4)
}
PAGES = (
    "/",
    "/trends",
    "/composition",
    "/ranks",
    "/compare?topic_id=1",
    "/cooccurrence",
    "/cooccurrence/videos?topic_id=1",
)


async def get(warehouse: Warehouse, path: str, status: int = 200) -> httpx.Response:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return answer


def plain(html: str) -> str:
    """Return the visible text of a page."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))).strip()


def data(html: str) -> Any:
    """Return the data that the chart draws."""
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def table(html: str) -> list[list[str]]:
    """Return the rows of the first table, including its head, as text."""
    body = html[html.index("<table") : html.index("</table>")]
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def said(row: dict[str, Any]) -> str:
    share, low, high = (f"{100 * row[name]:.1f}" for name in ("share", "low", "high"))
    return f"{row['videos']}/{row['of_videos']}: {share} % ({low} to {high})"


async def test_trends_say_every_months_share_and_interval(lively: Warehouse) -> None:
    head, *rows = table((await get(lively, "/trends")).text)
    assert head[1:] == [row["theme"] for row in prevalence.themes(lively)][:6]
    assert len(rows) == 24
    found = {(row["theme"], row["month"]): row for row in registry.prevalence(lively)}
    shown = {(theme, row[0][:7]): cell for row in rows for theme, cell in zip(head[1:], row[1:], strict=True)}
    for place, cell in shown.items():
        if place in found:
            assert cell == said(found[place])
        else:
            assert cell.startswith("no talks" if place[1] == "2024-08" else "0/")
    assert rows[-1][0] == "2025-12 (not over yet)"


async def test_a_quarter_counts_each_video_once(lively: Warehouse) -> None:
    head, *rows = table((await get(lively, "/trends?by=quarter")).text)
    assert [row[0][:7] for row in rows] == list(QUARTERS)
    for row, selection in zip(rows, QUARTERS.values(), strict=True):
        counted = {each["theme"]: each for each in prevalence.themes(lively, selection)}
        for theme, cell in zip(head[1:], row[1:], strict=True):
            if theme in counted:
                assert cell == said(
                    counted[theme] | intervals.interval(counted[theme]["videos"], counted[theme]["of_videos"])
                )
            else:
                assert cell.startswith("0/")


async def test_trends_of_topics_are_those_that_were_chosen(lively: Warehouse) -> None:
    html = (await get(lively, f"/trends?of=topics&topic_id=3&topic_id={studies.BORN}")).text
    names = {row["topic_id"]: row["name"] for row in prevalence.topics(lively)}
    assert set(table(html)[0][1:]) == {names[3], names[studies.BORN]}
    assert f'name="topic_id" value="{studies.BORN}" checked' in html
    assert 'href="/api/topic_months?of=topics' in html, "the same as JSON"


async def test_lines_beyond_the_distinguishable_are_named_not_drawn(lively: Warehouse) -> None:
    html = (
        await get(lively, "/trends?of=topics&" + "&".join(f"topic_id={each}" for each in range(1, 11)))
    ).text
    assert len(table(html)[0]) == 1 + 8
    assert "At most eight lines can be drawn. Not drawn:" in plain(html)
    unknown = (await get(lively, "/trends?theme=%3Cscript%3Ealert(1)%3C/script%3E")).text
    assert studies.SCRIPT not in unknown
    assert "no talks about it in this selection: " + studies.SCRIPT in plain(unknown)


@pytest.mark.parametrize("by", ["month", "quarter"])
async def test_the_parts_of_a_composition_add_up_to_all_paragraphs(lively: Warehouse, by: str) -> None:
    found = data((await get(lively, f"/composition?by={by}")).text)
    counted = lively.rows(
        "SELECT count() AS paragraphs, sum(p.end_s - p.start_s) / 60 AS minutes "
        "FROM (SELECT * FROM assignments FINAL) AS a "
        "INNER JOIN (SELECT * FROM paragraphs FINAL) AS p USING (paragraph_id) WHERE a.topic_id > 0"
    )[0]
    assert sum(found["whole"]["paragraphs"]) == counted["paragraphs"] > 0
    assert sum(found["whole"]["minutes"]) == pytest.approx(counted["minutes"])
    themes = {row["theme"]: row for row in prevalence.themes(lively)}
    assert {part["name"] for part in found["parts"]} == set(themes)
    for part in found["parts"]:
        assert sum(part["paragraphs"]) == themes[part["name"]]["paragraphs"]
        assert sum(part["minutes"]) == pytest.approx(themes[part["name"]]["minutes"])


async def test_the_composition_says_what_100_percent_are_of(lively: Warehouse) -> None:
    html = (await get(lively, "/composition")).text
    assert "All paragraphs of a quarter that have a topic are 100 %." in plain(html)
    first = prevalence.themes(lively, QUARTERS["2024-Q1"])[0]
    whole = sum(row["paragraphs"] for row in prevalence.themes(lively, QUARTERS["2024-Q1"]))
    head, *rows = table(html)
    cell = rows[0][head.index(first["theme"])]
    assert cell.startswith(f"{first['paragraphs']} ({100 * first['paragraphs'] / whole:.1f} %)")


async def test_the_first_place_of_a_quarter_has_most_videos(lively: Warehouse) -> None:
    head, *rows = table((await get(lively, "/ranks")).text)
    for row, selection in zip(rows, QUARTERS.values(), strict=True):
        counted = prevalence.themes(lively, selection)
        videos = {each["theme"]: each["videos"] for each in counted if each["theme"] != UNSORTED}
        places = {}
        for theme, cell in zip(head[1:], row[1:], strict=True):
            if theme not in videos:
                assert cell == "–"
                continue
            tied, place, of = re.fullmatch(r"(=?)(\d+) \((\d+/\d+)\)", cell).groups()  # type: ignore[union-attr]
            assert of == f"{videos[theme]}/{counted[0]['of_videos']}"
            assert (tied == "=") == (list(videos.values()).count(videos[theme]) > 1)
            places[int(place)] = videos[theme]
        assert sorted(places) == list(range(1, len(videos) + 1))
        assert [places[place] for place in sorted(places)] == sorted(videos.values(), reverse=True)


async def test_ranks_of_topics_say_among_how_many(lively: Warehouse) -> None:
    html = (await get(lively, "/ranks?of=topics&most=5")).text
    assert "among the 5 most prevalent of 21" in plain(html)
    assert table(html)[0][1:] == [row["name"] for row in prevalence.topics(lively)][:5]


async def test_the_heatmap_and_its_table_have_every_pair_in_numbers(lively: Warehouse) -> None:
    html = (await get(lively, "/cooccurrence?most=40")).text
    pairs = prevalence.cooccurrence(lively, limit=10_000)
    rows = table(html)[1:]
    assert rows == [
        [
            f"{row['name']} and {row['other']}",
            str(row["videos"]),
            f"{row['jaccard']:.3f}",
            f"{row['lift']:.2f}",
        ]
        for row in pairs
    ]
    drawn = data(html)
    ids = [topic["id"] for topic in drawn["topics"]]
    assert sorted(ids) == list(range(1, 22)), "each topic has one place"
    assert {
        (*sorted((ids[one], ids[other])), videos, jaccard, lift)
        for one, other, videos, jaccard, lift in drawn["pairs"]
    } == {(row["topic_id"], row["other_id"], row["videos"], row["jaccard"], row["lift"]) for row in pairs}


async def test_topics_that_occur_together_stand_nearer(lively: Warehouse) -> None:
    ids = [topic["id"] for topic in data((await get(lively, "/cooccurrence")).text)["topics"]]
    jaccard = {(row["topic_id"], row["other_id"]): row["jaccard"] for row in prevalence.cooccurrence(lively)}

    def alike(order: list[int]) -> float:
        return sum(jaccard.get((min(pair), max(pair)), 0.0) for pair in pairwise(order))

    assert alike(ids) > 1.5 * alike([row["topic_id"] for row in prevalence.topics(lively)])


async def test_fewer_topics_are_the_most_prevalent_and_it_says_so(lively: Warehouse) -> None:
    html = (await get(lively, "/cooccurrence?most=10")).text
    assert "The 10 most prevalent of 21 topics are shown" in plain(html)
    assert {topic["id"] for topic in data(html)["topics"]} == {
        row["topic_id"] for row in prevalence.topics(lively)[:10]
    }


async def test_a_pair_leads_to_its_videos(lively: Warehouse) -> None:
    pair = prevalence.cooccurrence(lively)[0]
    html = (await get(lively, "/cooccurrence")).text
    link = f"/cooccurrence/videos?topic_id={pair['topic_id']}&amp;other_id={pair['other_id']}"
    assert f'href="{link}"' in html
    listed = (await get(lively, unescape(link))).text
    assert f"{pair['videos']} talks discuss both, newest first" in plain(listed)
    videos = prevalence.videos(lively, pair["topic_id"], pair["other_id"])
    assert re.findall(r'<th scope="row"><a href="/talks/([^"]+)"', listed) == [
        row["video_id"] for row in videos
    ]


async def test_a_long_list_of_videos_can_be_had_whole(lively: Warehouse) -> None:
    short = (await get(lively, "/cooccurrence/videos?topic_id=3&limit=2")).text
    assert "At least 2 talks discuss it" in plain(short)
    (link,) = re.findall(r'href="([^"]+limit=10000)"', short)
    every = (await get(lively, unescape(link))).text
    videos = next(row["videos"] for row in prevalence.topics(lively) if row["topic_id"] == 3)
    assert every.count('<th scope="row"><a href="/talks/') == videos


async def test_a_merged_topic_is_followed_with_a_note(lively: Warehouse) -> None:
    born, merged = studies.BORN, studies.MERGED
    for path in (f"/compare?topic_id={merged}&topic_id={born}", f"/cooccurrence/videos?topic_id={merged}"):
        html = (await get(lively, path)).text
        assert f"tools {studies.SCRIPT} (22) was merged into mcp, server, protocol" in plain(html)
        assert studies.SCRIPT not in html


async def test_compared_topics_have_the_numbers_of_the_views(lively: Warehouse) -> None:
    html = (await get(lively, "/compare?topic_id=3&topic_id=1")).text
    topics = {row["topic_id"]: row for row in registry.topics(lively)}
    head, *rows = table(html)
    assert head[:3] == ["Topic", "Talks", "Share"]
    for topic_id, row in zip((3, 1), rows, strict=True):
        topic = topics[topic_id]
        assert row[0].startswith(topic["name"])
        assert row[1].startswith(str(topic["videos"]))
        share, low, high = (f"{100 * topic[name]:.1f}" for name in ("share", "low", "high"))
        assert row[2] == f"{share} % ({low} to {high})"
        assert row[5] == ", ".join(topic["words"][:8])
    points = {(row["topic_id"], row["month"]): row for row in registry.topic_months(lively)}
    drawn = data(html)
    for line, topic_id in zip(drawn["lines"], (3, 1), strict=True):
        for month, point in zip(drawn["months"], line["points"], strict=True):
            if (topic_id, month) in points:
                assert point == {name: points[topic_id, month][name] for name in point}


async def test_a_topic_is_added_by_its_name_or_number(lively: Warehouse) -> None:
    async with client_of(lively) as client:
        for add in ("pricing", " 14 "):
            answer = await client.get("/compare", params={"topic_id": 1, "first": "2025-01", "add": add})
            assert answer.status_code == 303
            query = parse_qs(urlsplit(answer.headers["Location"]).query)
            named = {row["topic_id"]: row["name"] for row in prevalence.topics(lively)}
            assert query["topic_id"][0] == "1"
            assert query["first"] == ["2025-01"]
            assert named[int(query["topic_id"][1])] == ("Pricing" if add == "pricing" else named[14])


@pytest.mark.parametrize(
    ("path", "status", "cause"),
    [
        ("/compare?" + "&".join(f"topic_id={each}" for each in range(1, 7)), 422, "6 topics were chosen"),
        ("/compare?topic_id=999", 404, "there is no topic 999"),
        ("/compare?topic_id=-1", 422, "topic_id"),
        ("/compare?topic_id=1&add=%3Cscript%3E", 404, "no topic is called '<script>'"),
        ("/cooccurrence?most=1000000", 422, "most is '1000000'"),
        ("/cooccurrence/videos", 422, "topic_id is missing"),
        ("/cooccurrence/videos?topic_id=1&other_id=999", 404, "there is no topic 999"),
        ("/trends?by=week", 422, "by is 'week'"),
        ("/trends?of=people", 422, "of is 'people'"),
        ("/composition?first=2025-13", 422, "not a month or day"),
        ("/ranks?codebook=99", 422, "there is no revision 99"),
    ],
)
async def test_what_cannot_be_shown_is_said_with_a_cure(
    lively: Warehouse, path: str, status: int, cause: str
) -> None:
    html = (await get(lively, path, status)).text
    assert cause in plain(html)
    assert "What to do:" in plain(html)
    assert "<script>" not in html


@pytest.mark.parametrize("path", PAGES)
async def test_a_selection_without_a_talk_says_so(lively: Warehouse, path: str) -> None:
    joint = "&" if "?" in path else "?"
    text = plain((await get(lively, f"{path}{joint}first=2019-01&last=2019-12")).text)
    assert "in this selection" in text


async def test_links_keep_the_filters_and_the_form_keeps_the_question(lively: Warehouse) -> None:
    html = (await get(lively, "/compare?topic_id=1&topic_id=2&by=quarter&first=2025-01")).text
    form = html[
        html.index('<form class="period"') : html.index("</form>", html.index('<form class="period"'))
    ]
    assert re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form) == [
        ("topic_id", "1"),
        ("topic_id", "2"),
        ("by", "quarter"),
    ]
    assert 'href="/trends?first=2025-01"' in html
    assert f'href="{escape("/compare?first=2025-01&topic_id=2&by=quarter")}"' in html, "one is taken away"
    assert f'href="{escape("/compare?topic_id=1&topic_id=2&by=quarter")}">All talks' in html


async def test_the_filters_offer_what_there_is(lively: Warehouse) -> None:
    html = (await get(lively, "/choices")).text
    assert "<html" not in html, "a part of a page"
    assert studies.SCRIPT not in html
    rows = choices(lively)
    for name in ("show", "source", "speaker", "language"):
        offered = re.search(rf'<datalist id="all-{name}">(.*?)</datalist>', html, re.DOTALL)
        assert offered
        values = [unescape(value) for value in re.findall(r'<option value="([^"]*)"', offered[1])]
        assert values == [row["value"] for row in rows if row["filter"] == name]
    assert studies.RIGHT_TO_LEFT in [row["value"] for row in rows if row["filter"] == "speaker"]


async def test_a_choice_selects_as_many_talks_as_it_says(lively: Warehouse) -> None:
    rows = choices(lively)
    assert {row["filter"] for row in rows} == {"show", "speaker", "source"}, "these talks have no other"
    for row in rows:
        selection = Selection(**{row["filter"]: row["value"]})
        assert sum(each["of_videos"] for each in prevalence.months(lively, selection)) == row["videos"]
    assert len(choices(lively, limit=1)) == len({row["filter"] for row in rows})
