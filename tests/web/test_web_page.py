"""Tests of the pages for a study of two years: they are complete, and text from talks stays text."""

import json
import re
from html import escape
from urllib.parse import quote_plus

import httpx
import pytest
import studies
from page_process import client_of

from agents.queries import registry
from agents.queries.media_links import at_second
from agents.queries.months import every
from agents.web.pages.topics.sparklines import BASE, HEIGHT, STEP
from streams.store.queries import alerts, corpus, prevalence
from streams.store.queries.selection import Selection
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse

PAGES = ("/", "/trends", "/topics", "/talks", "/history", "/system")


async def page(warehouse: Warehouse, query: str = "", status: int = 200, path: str = "/") -> httpx.Response:
    async with client_of(warehouse) as client:
        answer = await client.get(f"{path}{query}")
    assert answer.status_code == status
    return answer


def scripts_are_ours(html: str) -> None:
    """Assert that a page has only scripts of /static, and JSON data that no browser runs."""
    for attributes in re.findall(r"<script([^>]*)>", html):
        assert re.search(r' src="/static/[\w/.-]+"| type="application/json"', attributes), attributes
    for data in re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL):
        json.loads(data)


def plain(html: str) -> str:
    """Return the visible text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


async def test_the_header_counts_the_study(lively: Warehouse) -> None:
    text = plain((await page(lively)).text)
    status = talk_queries.status(lively)
    assert "Talks published from 2024-01 to 2025-12" in text
    assert f"Talks{status['states']['assigned']}" in text.replace(" ", "")
    system = plain((await page(lively, path="/system")).text).replace(" ", "")
    assert f"Found{status['videos']}Unfinished0Deadletters1" in system


async def test_everything_on_the_overview_is_of_its_period(lively: Warehouse) -> None:
    period = Selection("2025-01", "2025-06")
    found = corpus.corpus(lively, period)
    html = (await page(lively, "?first=2025-01&last=2025-06")).text
    text = plain(html)
    counts = f"Talks{found['kept']}Paragraphs{found['paragraphs']}Hours{found['hours']:.1f}"
    assert counts in text.replace(" ", "")
    assert 0 < found["kept"] < corpus.corpus(lively)["kept"]
    assert "vibe coding" not in text, "an alert of an earlier month"
    newest = html[html.index('id="newest-talks"') :]
    assert re.findall(r"<time>(\d{4}-\d\d)-\d\d</time>", newest) == ["2025-06"] * 3 + ["2025-05"] * 3
    trend = registry.themes(lively, period)[0]["trend"]
    assert trend is not None
    more = trend["of_videos"] - trend["before_of_videos"]
    assert more > 0, "the summary compares with the six months before"
    assert (
        f"{trend['of_videos']} talks from 2025-01 to 2025-06, {more} more than in the period before" in text
    )


async def test_reversed_months_are_swapped(lively: Warehouse) -> None:
    answer = await page(lively, "?first=2025-06&last=2025-01&show=A%26B", 303)
    assert answer.headers["location"] == "/?show=A%26B&first=2025-01&last=2025-06"


async def test_a_theme_leads_to_its_topics_quotes_and_talks(lively: Warehouse) -> None:
    months = {row["month"]: row for row in registry.prevalence(lively) if row["theme"] == "Costs"}
    row = months["2025-05"]
    overview = (await page(lively)).text
    assert '<a href="/themes?first=2025-05&amp;last=2025-05&amp;theme=Costs">80</a>' in overview
    html = (await page(lively, "?theme=Costs&first=2025-05&last=2025-05", path="/themes")).text
    assert f"{row['videos']} of {row['of_videos']} talks; 95 % interval" in plain(html)
    listed = prevalence.theme_videos(lively, "Costs", Selection("2025-05", "2025-05"))
    assert len(listed) == row["videos"] == html.count('<a href="/talks/') - html.count("<cite")
    assert {talk["published_on"].strftime("%Y-%m") for talk in listed} == {"2025-05"}
    assert html.count("<blockquote") == 2, "one of each topic"
    await page(lively, "?theme=Cost", 404, "/themes")


async def test_rejected_videos_do_not_widen_the_period(lively: Warehouse) -> None:
    assert talk_queries.status(lively)["rejections"] == {"too short": 3}
    assert talk_queries.status(lively)["first_published"].year == 2024


async def test_a_new_topic_is_said_with_month_and_reason(lively: Warehouse) -> None:
    answer = await page(lively)
    raised_at = alerts.alerts(lively)[0]["raised_at"]
    month, day = raised_at.strftime("%Y-%m"), raised_at.strftime("%Y-%m-%d")
    said = f"New topic: mcp, server, protocol {day}, 5 months ago · 5 talks speak alike"
    assert said in plain(answer.text)
    assert f'href="/topics/{studies.BORN}"' in answer.text
    assert f'<span class="badge">since {month}</span>' in (await page(lively, path="/topics")).text


async def test_the_table_shows_every_theme_and_month_with_its_share(lively: Warehouse) -> None:
    html = (await page(lively)).text
    table = html[html.index('<table class="heat"') :]
    table = table[: table.index("</table>")]
    for row in prevalence.themes(lively):
        assert f"<bdi>{escape(row['theme'])}</bdi>" in table
        assert f"{100 * row['share']:.1f}" in table
        assert f"<small>{row['videos']}/{row['of_videos']}</small>" in table
    for row in prevalence.prevalence(lively):
        title = f"{row['month']}: {row['videos']} of {row['of_videos']} talks"
        cell = table[table.index(escape(row["theme"])) :].partition(f'title="{title}">')[2]
        month = f"first={row['month']}&amp;last={row['month']}&amp;theme={quote_plus(row['theme'])}"
        assert cell.startswith(f'<a href="/themes?{month}">{100 * row["share"]:.0f}</a></td>')
    assert table.count('<th scope="row"') == 8 + 1 + 1, "8 themes, one without a theme, the foot"
    assert table.count('class="month') == 24, "also the month in which nobody spoke"
    assert table.count("2024-08: no talks") == 9


async def test_the_current_month_is_marked_as_unfinished(lively: Warehouse) -> None:
    html = (await page(lively)).text
    assert 'title="2025-12, not over yet"' in html
    assert "Dec… 2025 is not over yet" in html
    assert "not over yet" not in (await page(lively, "?last=2025-11")).text


async def test_a_period_shows_months_and_topics_without_talks_by_name(lively: Warehouse) -> None:
    html = (await page(lively, "?first=2024-01&last=2024-02")).text
    assert html.count('<abbr title="2') == 2
    assert 'name="first" value="2024-01"' in html
    html = (await page(lively, "?first=2024-01&last=2024-02", path="/topics")).text
    assert 'name="first" value="2024-01"' in html
    assert f'id="topic-{studies.BORN}"' not in html
    assert "No talks in this selection" in plain(html)


async def test_months_without_any_talk_say_so(lively: Warehouse) -> None:
    for path in ("/", "/trends"):
        html = (await page(lively, "?first=2019-01&last=2019-12", path=path)).text
        assert "No talk in this selection has a topic" in plain(html), path
        assert "<table" not in html
        assert f'href="{path}">Show all talks' in html
    html = (await page(lively, "?first=2019-01&last=2019-12", path="/topics")).text
    assert "No talks in this selection" in plain(html)
    assert 'id="topic-' not in html


async def test_a_bad_month_is_said_on_the_page(lively: Warehouse) -> None:
    answer = await page(lively, "?first=2025-13", 422)
    assert "is not a month" in answer.text
    assert 'http-equiv="refresh"' not in answer.text
    hostile = await page(lively, "?first=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", 422)
    scripts_are_ours(hostile.text)
    assert "alert(1)" not in re.sub(r"&#34;&gt;&lt;script&gt;alert\(1\)", "", hostile.text)


async def test_topics_come_by_prevalence_with_a_sparkline_each(lively: Warehouse) -> None:
    html = (await page(lively, path="/topics")).text
    shown = [int(found) for found in re.findall(r'<li id="topic-(\d+)"', html)]
    assert shown == [row["topic_id"] for row in prevalence.topics(lively) if row["videos"]]
    assert html.count('class="sparkline"') == len(shown)
    rag = next(row for row in prevalence.topics(lively) if row["name"] == "RAG Systems")
    assert f"{100 * rag['share']:.1f} % {rag['videos']} of {rag['of_videos']} talks" in plain(html)


async def test_a_sparkline_has_the_topics_videos_of_every_month(lively: Warehouse) -> None:
    html = (await page(lively, path="/topics")).text
    of_topic = html[html.index(f'id="topic-{studies.BORN}"') :]
    picture = of_topic[of_topic.index('<svg class="sparkline"') : of_topic.index("</li>")]
    rows = prevalence.topic_months(lively)
    most = max(row["videos"] for row in rows)
    months = every(min(row["month"] for row in rows), max(row["month"] for row in rows))
    drawn = {
        months[int(x) // STEP]: round(float(height) / HEIGHT * most)
        for x, height in re.findall(rf"M(\d+) {BASE}v-([\d.]+)h", picture)
    }
    counted = {row["month"]: row["videos"] for row in rows if row["topic_id"] == studies.BORN}
    assert drawn == counted
    best = max(counted, key=lambda month: counted[month])
    assert f'aria-label="Talks per month, maximum {counted[best]} in {best}"' in picture


async def test_a_subject_that_emerged_is_said_with_its_evidence(lively: Warehouse) -> None:
    html = (await page(lively)).text
    text = plain(html)
    assert "New topic: vibe coding 2024-03-01, 21 months ago · 6 of the last 50 talks speak of it." in text
    assert "6 of the 50 latest talks discuss it, from 4 sources; of the 200 before them, 1 did" in text
    assert "the odds of this would be 1 in 1,000,000" in text
    evidence = html[html.index('class="evidence"') :]
    assert "&amp;t=75s" in evidence[: evidence.index("</details>")]


async def test_a_topic_says_its_status_and_what_it_rests_on(lively: Warehouse) -> None:
    html = (await page(lively, path="/topics")).text
    rows = {row["topic_id"]: row for row in registry.topics(lively)}
    assert rows[2]["status"] == "dormant", "it was put to sleep"
    assert {row["status"] for row in rows.values()} <= {"new", "rising", "stable", "declining", "dormant"}
    for row in rows.values():
        trend = row["trend"]
        assert (trend["before_first"], trend["before_last"]) == ("2025-01", "2025-06")
        assert (trend["first"], trend["last"]) == ("2025-07", "2025-12")
        if row["videos"]:
            compared = f"{trend['videos']} of {trend['of_videos']} talks from 2025-07 to 2025-12"
            assert f"{row['status']} ({compared}" in plain(
                html[html.index(f'id="topic-{row["topic_id"]}"') :]
            )


async def test_a_status_compares_the_period_that_is_asked_for(lively: Warehouse) -> None:
    for row in registry.topics(lively, Selection("2025-02", "2025-04")):
        assert (row["trend"]["before_first"], row["trend"]["before_last"]) == ("2024-11", "2025-01")
        assert row["trend"]["videos"] == row["videos"]
    assert {row["trend"] for row in registry.topics(lively, Selection("2024-01", "2024-03"))} == {None}, (
        "nothing before"
    )


async def test_drift_says_which_words_went_and_came(lively: Warehouse) -> None:
    html = (await page(lively, path="/topics")).text
    drifts = re.findall(r'<p class="drift[^>]*>(.*?)</p>', html)
    said = f"since 2025-12-17 talks discuss it with agents, {escape(studies.SCRIPT)} rather than gpt-3"
    assert drifts == [f"{said} (40 talks before, 12 after)"]


async def test_the_page_tells_what_became_of_topics(lively: Warehouse) -> None:
    html = (await page(lively, path="/history")).text
    told = plain(html[html.index('id="genealogy"') : html.index('id="boilerplate"')])
    asleep = next(row["name"] for row in registry.topics(lively) if row["topic_id"] == 2)
    assert f"2025-12-17 merged: tools {escape(studies.SCRIPT)} (22) into mcp, server, protocol (21)" in told
    assert f"2025-12-17 became dormant: {asleep} (2)" in told.replace("&amp;", "&")
    assert "born: mcp, server, protocol (21)" in told
    assert "Model fit: since 2025-12-17 20.0 % of the paragraphs have no topic" in told
    assert f'id="topic-{studies.MERGED}"' not in (await page(lively, path="/topics")).text


async def test_what_is_kept_out_is_counted_and_can_be_read(lively: Warehouse) -> None:
    html = (await page(lively, path="/history")).text
    section = html[html.index('id="boilerplate"') :]
    rows = alerts.boilerplate(lively)
    assert len(rows) == 4  # one for each show
    for row in rows:
        assert f"<bdi>{escape(row['name'])}</bdi></th><td>{row['boilerplate']}</td>" in section
    assert section.count(studies.GREETING) == sum(len(row["examples"]) for row in rows)


@pytest.mark.parametrize("path", PAGES)
async def test_hostile_text_stays_text(lively: Warehouse, path: str) -> None:
    html = (await page(lively, path=path)).text
    assert studies.SCRIPT not in html
    scripts_are_ours(html)
    assert " style=" not in html
    assert not re.search(r"<[^>]*\son\w+=", html)


async def test_every_hostile_title_is_shown_as_it_is(lively: Warehouse) -> None:
    shown = (await page(lively, "?page=2", path="/talks")).text
    for title in (studies.SCRIPT, studies.LONG, studies.RIGHT_TO_LEFT, studies.EMOJI):
        assert escape(title)[:300] in shown


@pytest.mark.long
async def test_quotes_link_to_the_second_and_never_to_a_script(lively: Warehouse) -> None:
    html = ""
    for topic in prevalence.topics(lively):
        html += (await page(lively, path=f"/topics/{topic['topic_id']}")).text
    assert 'href="https://www.youtube.com/watch?v=talk' in html
    assert "&amp;t=3s" in html
    assert 'href="https://youtu.be/abc?t=' in html
    assert 'href="https://example.org/talks/1.mp4#t=' in html
    assert "javascript:" not in html


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.youtube.com/watch?v=a", "https://www.youtube.com/watch?v=a&t=123s"),
        ("https://www.youtube.com/watch?v=a&t=9s&list=b", "https://www.youtube.com/watch?v=a&list=b&t=123s"),
        ("https://www.youtube.com/live/a", "https://www.youtube.com/live/a?t=123s"),
        ("https://youtu.be/a?si=x", "https://youtu.be/a?si=x&t=123"),
        ("https://example.org/talk.mp4", "https://example.org/talk.mp4#t=123"),
        ("https://example.org/talk.mp4?v=2#t=5", "https://example.org/talk.mp4?v=2#t=123"),
        ("https://example.org/#/talks/5", "https://example.org/#/talks/5"),
        ("https://youtube.com.evil.example/watch?v=a", "https://youtube.com.evil.example/watch?v=a#t=123"),
        ("javascript:alert(1)//http://x", None),
        ("data:text/html,x", None),
        ("http:///nowhere", None),
        ("http://[broken", None),
        ("/home/me/talk.mp4", None),
        ("", None),
    ],
)
def test_an_address_at_a_second(url: str, expected: str | None) -> None:
    assert at_second(url, 123.9) == expected


@pytest.mark.parametrize("path", [*PAGES, "/api", "/nowhere"])
@pytest.mark.parametrize("query", ["", "?first=2025-13", "?first=2019-01&last=2019-02"])
async def test_every_page_has_a_strict_content_security_policy(
    lively: Warehouse, path: str, query: str
) -> None:
    async with client_of(lively) as client:
        answer = await client.get(f"{path}{query}")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; script-src 'self'; style-src 'self'; ")
    assert not re.search(
        r"unsafe|\*|data:(?!;)|https:",
        policy.replace("img-src 'self' data:", "").replace(
            "frame-src https://www.youtube-nocookie.com; media-src 'self' https:", ""
        ),
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_finished_study_holds_still(lively: Warehouse) -> None:
    assert 'http-equiv="refresh"' not in (await page(lively)).text
