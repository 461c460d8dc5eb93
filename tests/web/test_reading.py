"""Tests of the pages of talks, topics, news and search results; their numbers are the store's."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import studies
from page_process import client_of
from reading_study import (
    AWAY,
    EXCLUDED,
    LONG,
    ODD,
    PERSON,
    REDATED,
    REJECTED,
    RISING,
    TOLD,
    WITHDRAWN,
    reading,
)
from signed_in import csrf_in, signed_in

from agents.queries import registry
from agents.web.pages.talks.search import LONGEST
from streams.logs.alert_judgements import AlertJudgements
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import missing
from streams.store.queries import corpus, prevalence
from streams.store.queries.emerging import alert_judgements as judged
from streams.store.queries.emerging import emerging
from streams.store.queries.neighbours import neighbours
from streams.store.queries.selection import Selection
from streams.store.queries.topic_speakers import speaking
from streams.store.talks import talk_queries
from streams.store.talks.listing import listing
from streams.store.talks.paragraphs import paragraphs
from streams.store.talks.search import search
from streams.store.warehouse import Warehouse


@pytest.fixture(scope="module")
def study(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="reading")) as warehouse:
        if warehouse.migrate():
            reading(warehouse)
        yield warehouse


async def page(warehouse: Warehouse, path: str, status: int = 200) -> httpx.Response:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return answer


def plain(html: str) -> str:
    """Return the visible text of a page, without scripts' data."""
    html = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)))


def talk_at(video_id: str) -> str:
    return f"/talks/{quote(video_id, safe='')}"


# ---- A talk ----


async def test_a_talk_is_read_by_paragraph_with_the_topics_of_each(study: Warehouse) -> None:
    rows = paragraphs(study, "b0000000001")
    assert [(row["topic_id"], row["name"], row["retained"]) for row in rows] == [
        (1, "RAG", True),
        (2, "Agents", True),
    ]
    html = (await page(study, "/talks/b0000000001")).text
    for row in rows:
        assert f'id="p-{row["paragraph_id"]}"' in html
        assert f'href="#p-{row["paragraph_id"]}"' in html, "its box in the lane leads to it"
        assert row["text"] in plain(html)
    assert 'href="https://www.youtube.com/watch?v=b0000000001&amp;t=63s" data-play="63"' in html
    assert '<a href="/topics/2"><bdi>Agents</bdi></a>' in html


async def test_merged_topics_count_for_their_target_excluded_say_so(study: Warehouse) -> None:
    assert [row["topic_id"] for row in paragraphs(study, "a0000000001")] == [1, 1], (
        "4 was merged by the model"
    )
    assert [row["topic_id"] for row in paragraphs(study, ODD)] == [1, 2], "5 was merged by a person"
    assert [row["topic_id"] for row in paragraphs(study, ODD, 0)] == [1, PERSON], "and not before"
    (hello,) = paragraphs(study, "c0000000001")
    assert (hello["topic_id"], hello["retained"]) == (EXCLUDED, False)
    assert "Greetings 0.90 (not counted)" in plain((await page(study, "/talks/c0000000001")).text)


async def test_numbers_of_talks_lead_to_just_these_talks(study: Warehouse) -> None:
    kept = listing(study, state="kept")
    assert kept["videos"] == corpus.corpus(study)["kept"] == 6
    assert WITHDRAWN not in {row["video_id"] for row in kept["rows"]}
    counted = listing(study, state="counted")
    assert counted["videos"] == registry.themes(study)[0]["of_videos"] == 5
    (left,) = {row["video_id"] for row in kept["rows"]} - {row["video_id"] for row in counted["rows"]}
    assert left == "c0000000001", "its only topic is excluded"
    html = (await page(study, "/")).text
    march = "/talks?first=2025-03&amp;last=2025-03&amp;state=counted"
    of = re.search(rf'<a href="{re.escape(march)}">(\d+)</a>', html)
    assert of, "the foot of the table"
    listed = plain((await page(study, march.replace("&amp;", "&"))).text)
    assert f"1 to {of[1]} of {of[1]} talks." in listed


async def test_what_repeats_is_marked_and_has_no_topic(study: Warehouse) -> None:
    last = paragraphs(study, REDATED)[-1]
    assert (last["boilerplate"], last["topic_id"], last["probability"]) == (True, None, None)
    assert "repeated in many talks of its source: excluded" in plain(
        (await page(study, talk_at(REDATED))).text
    )


@pytest.mark.parametrize("path", [talk_at(ODD), f"/talks/{quote(ODD, safe='/')}".replace("..", "%2E%2E")])
async def test_an_id_may_hold_anything(study: Warehouse, path: str) -> None:
    html = (await page(study, path)).text
    assert "Odd, but retrieval." in html
    assert studies.SCRIPT not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    listed = (await page(study, "/topics/1")).text
    assert f'href="{talk_at(ODD)}"' in listed, "lists lead to it"


async def test_corrected_and_withdrawn_talks_say_so(study: Warehouse) -> None:
    gone = plain((await page(study, talk_at(WITHDRAWN))).text)
    assert "This talk is withdrawn and not counted. By Ottilie on 2025-12-17: only greetings <script>" in gone
    late = plain((await page(study, talk_at(REDATED))).text)
    assert "corrected from 2025-03-04 to 2025-04-01, by Ottilie: only greetings" in late
    rejected = plain((await page(study, talk_at(REJECTED))).text)
    assert "Screening rejected this talk (too short): it lasts 40 s" in rejected


async def test_a_talk_that_was_taken_down_says_so_and_counts(study: Warehouse) -> None:
    html = (await page(study, talk_at(ODD))).text
    assert "The talk has been deleted at its source since" in plain(html)
    assert "Its transcript is kept, and still counts." in plain(html)
    (followed,) = registry.VIEWS["talk"](study, ODD)["followed"]
    assert (followed["change"], followed["title"]) == ("deleted", studies.SCRIPT)
    others = plain((await page(study, talk_at(LONG))).text)
    assert "at its source since" not in others


async def test_there_is_no_such_talk(study: Warehouse) -> None:
    for path in ("/talks/nobody", "/talks/%3Cscript%3E", f"/talks/{'x' * 5000}"):
        said = plain((await page(study, path, 404)).text)
        assert "there is no talk" in said and "What to do: find it on the Talks page" in said


async def test_a_long_talk_is_whole_and_divides_its_time_by_voices(study: Warehouse) -> None:
    html = (await page(study, f"/talks/{LONG}")).text
    assert html.count('<li id="p-') == 500
    assert html.count('<rect class="series-') == 500
    assert [html.count(f'class="series-{lane}"') for lane in (1, 2, 3)] == [167, 167, 166]
    assert re.search(r"Ann\s*151\.7\s*33 %", plain(html)), "500 paragraphs of 54.6 s among three voices"


async def test_media_is_played_here_and_nothing_else_is_asked_for(study: Warehouse) -> None:
    html = (await page(study, "/talks/a0000000001")).text
    assert '<audio controls preload="none" src="https://example.org/media/a.mp3"' in html
    assert "<iframe" not in (await page(study, "/talks/b0000000001")).text, (
        "YouTube's frame waits for a click"
    )


# ---- A topic ----


async def test_a_topics_page_has_the_numbers_of_the_views(study: Warehouse) -> None:
    for query in ("", "?first=2025-02&last=2025-03", "?speaker=Ann"):
        selected = (
            Selection("2025-02", "2025-03") if "first" in query else Selection(speaker="Ann" if query else "")
        )
        counted = next(row for row in registry.topics(study, selected) if row["topic_id"] == 1)
        said = plain((await page(study, f"/topics/1{query}")).text)
        assert f"{counted['videos']} of {counted['of_videos']} talks; 95 % interval" in said
        for row in prevalence.videos(study, 1, None, selected):
            assert row["title"] in said
        for row in talk_queries.quotes(study, 1, 3, False, selected):
            assert row["text"] in said


async def test_months_without_it_are_shown_as_none_of_their_videos(study: Warehouse) -> None:
    html = (await page(study, "/topics/1")).text
    table = plain(html[html.index("<caption>Talks of the topic") :])
    assert re.search(r"2025-01\s*1 of 1", table)
    assert re.search(r"2025-04\s*0 of 1\s*0\.0 %", table), "the redated talk speaks of something else"


def test_neighbours_have_the_numbers_of_cooccurrence(study: Warehouse) -> None:
    for selection in (Selection(), Selection("2025-03"), Selection(speaker="Bo")):
        pairs = {
            frozenset((row["topic_id"], row["other_id"])): row
            for row in prevalence.cooccurrence(study, selection)
        }
        for topic_id in (1, 2, 3):
            near = neighbours(study, topic_id, selection)
            assert len(near) == sum(topic_id in pair for pair in pairs)
            for row in near:
                pair = pairs[frozenset((topic_id, row["topic_id"]))]
                assert (row["videos"], row["of_videos"]) == (pair["videos"], pair["of_videos"])
                assert row["jaccard"] == pytest.approx(pair["jaccard"])
                assert row["lift"] == pytest.approx(pair["lift"])


def test_speakers_of_a_topic_have_the_numbers_of_the_selection(study: Warehouse) -> None:
    for topic_id in (1, 2, 3):
        rows = speaking(study, topic_id)
        assert rows and not any(row["name"].startswith("SPEAKER_") for row in rows)
        for row in rows:
            narrowed = Selection(**{row["what"]: row["name"]})
            counted = next(each for each in registry.topics(study, narrowed) if each["topic_id"] == topic_id)
            assert (row["videos"], row["of_videos"]) == (counted["videos"], counted["of_videos"])


async def test_a_merged_topic_leads_with_a_note_to_its_target(study: Warehouse) -> None:
    for asked, target, name in ((AWAY, 1, "Indexes"), (PERSON, 2, "Assistants")):
        answer = await page(study, f"/topics/{asked}?first=2025-01", 302)
        assert answer.headers["Location"] == f"/topics/{target}?first=2025-01&merged={asked}"
        said = plain((await page(study, answer.headers["Location"])).text)
        assert f"Topic {asked} ({name}) was merged into this one" in said
    assert "was merged into this one" not in (await page(study, f"/topics/3?merged={AWAY}")).text


async def test_excluded_topics_say_why_and_unknown_ones_what_to_do(study: Warehouse) -> None:
    said = plain((await page(study, f"/topics/{EXCLUDED}")).text)
    assert "This topic is excluded from all counts. Reason: only greetings <script>alert(1)</script>" in said
    assert "Hello and welcome." in said
    missing = plain((await page(study, "/topics/99", 404)).text)
    assert "there is no topic 99" in missing and "choose one on the Topics page" in missing
    for wrong in ("0", "abc", "99999999999"):
        await page(study, f"/topics/{wrong}", 422)


# ---- Search ----


def test_words_are_found_whole_in_either_case_and_every_script(study: Warehouse) -> None:
    def said(text: str, **about: str) -> int:
        found: int = search(study, text, Selection(**about))["quotes_found"]
        return found

    assert said("RETRIEVAL") == 502, (
        "500 of the long talk, a's and the odd one's; a withdrawn talk is not found"
    )
    assert said('"retriev"') == said("retriv") == 0
    assert said("retrieval agents") == 500
    assert said("索拡") == 1, "a script without blanks: what stands together"
    assert said("拡索") == 0, "the same signs in another order"
    assert said("script") == said("<script>") == 1
    assert said("retrieval", first="2025-01", last="2025-01") == 1
    assert said("retrieval", speaker=studies.RIGHT_TO_LEFT) == 1
    for nothing in ("", "!!!", "🚀", "%", "'", "\\", '"; DROP TABLE x --'):
        assert said(nothing) == 0


def test_a_search_states_the_total_and_two_newest_of_a_talk(study: Warehouse) -> None:
    found = search(study, "retrieval", limit=3)
    assert (found["quotes_found"], found["quotes_talks"]) == (502, 3)
    assert [row["video_id"] for row in found["quotes"]] == [LONG, LONG, ODD]
    assert [row["name"] for row in found["quotes"]] == ["RAG", "Agents", "RAG"]


def test_topics_are_found_by_name_words_and_merged_topics(study: Warehouse) -> None:
    assert [row["topic_id"] for row in search(study, "rag")["topics"]] == [1]
    assert [(row["topic_id"], row["through"]) for row in search(study, "assist")["topics"]] == [
        (2, "Assistants")
    ]
    assert search(study, "greetings")["topics"] == [], "excluded"


def test_talks_are_found_by_title_people_and_id(study: Warehouse) -> None:
    def ids(text: str) -> list[str]:
        return [row["video_id"] for row in search(study, text)["talks"]]

    assert ids("alert(1)") == [ODD]
    assert ids("talk B0000000001") == ["b0000000001"]
    assert ids("סוכן") == [REDATED, ODD], "in a title, and a speaker's name"
    assert ids("ann bo night") == [LONG, "b0000000001"]
    assert ids("RetrievalRetrieval") == [LONG]


async def test_what_was_found_is_marked_and_stays_text(study: Warehouse) -> None:
    html = (await page(study, "/search?q=script")).text
    assert "&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt;" in html
    assert studies.SCRIPT not in html
    html = (
        await page(
            study,
            "/search",
        )
    ).text
    assert "Finds topics by name" in plain(html)
    assert "No results for “zebra”" in plain((await page(study, "/search?q=zebra")).text)
    hostile = (await page(study, f"/search?q={quote(studies.SCRIPT)}&first=2025-02")).text
    assert studies.SCRIPT not in hostile and 'name="first" value="2025-02"' in hostile


async def test_a_search_that_is_too_long_is_refused(study: Warehouse) -> None:
    said = plain((await page(study, f"/search?q={'x' * 10_000}", 422)).text)
    assert "the search has 10,000 characters" in said and f"at most {LONGEST} characters" in said
    await page(study, f"/search?q={'ab ' * 66}")


# ---- News ----


async def test_cards_say_why_they_are_told_with_the_statistics(study: Warehouse) -> None:
    assert [row["alert_id"] for row in emerging(study)] == [TOLD.event_id, RISING.event_id], "lag is no news"
    html = (await page(study, "/emerging")).text
    said = plain(html)
    assert "Talks have begun to discuss it: 3 of the last 20 talks speak of it." in said
    assert "12 of the 40 latest talks discuss it, from 3 sources; of the 80 before them, 2 did" in said
    assert "from 2.5 to 30.0 % of talks: +27.5 points, 95 % interval" in said
    assert f"Topic {AWAY} (Indexes) was merged into RAG" in said
    assert "First seen2025-02-01" in said.replace("First seen ", "First seen")
    assert html.count('<svg class="sparkline"') == 2
    best = [row["text"] for row in talk_queries.quotes(study, 1)]
    card = next(row for row in emerging(study) if row["alert_id"] == TOLD.event_id)
    assert [row["text"] for row in card["quotes"]] == best and all(text in said for text in best)


async def test_cards_are_narrowed_by_rule_and_period(study: Warehouse) -> None:
    assert "Agents rises" not in (await page(study, "/emerging?rule=emergence")).text
    assert "Agents rises" in (await page(study, "/emerging?rule=rising")).text
    assert "New: indexes" not in (await page(study, "/emerging?last=2025-03")).text
    assert "No alerts of the rule “drift”" in plain((await page(study, "/emerging?rule=drift")).text)
    await page(study, "/emerging?rule=lag", 422)


async def test_nobody_judges_without_signing_in(study: Warehouse) -> None:
    assert '<form class="judge"' not in (await page(study, "/emerging")).text
    async with client_of(study) as client:
        answer = await client.post(f"/emerging/{TOLD.event_id}/dismiss")
    assert answer.status_code in (401, 403)
    assert judged(study) == []


async def test_a_card_is_dismissed_undone_and_confirmed_without_loss(study: Warehouse) -> None:
    log = AlertJudgements(Blobs(study.settings.blobs_url))
    async with signed_in(study) as client:
        word = csrf_in((await client.get("/emerging")).text)

        async def act(action: str, alert_id: str = TOLD.event_id, **form: str) -> httpx.Response:
            return await client.post(f"/emerging/{alert_id}/{action}", data={"csrf": word} | form)

        answer = await act("dismiss", note=f"greetings {studies.SCRIPT}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/emerging#alert-{TOLD.event_id}")
        back = await client.post(
            f"/emerging/{TOLD.event_id}/dismiss?rule=emergence&first=2025-01",
            data={"csrf": word, "note": f"greetings {studies.SCRIPT}"},
        )
        assert back.headers["Location"] == f"/emerging?rule=emergence&first=2025-01#alert-{TOLD.event_id}"
        html = (await client.get("/emerging?rule=emergence")).text
        assert f'action="/emerging/{TOLD.event_id}/reopen?rule=emergence"' in html
        html = (await client.get("/emerging")).text
        assert "1 dismissed" in html and ">Undo<" in html and studies.SCRIPT not in html
        assert html.index("Agents rises") < html.index("New: indexes"), "it is folded away"
        assert "dismissed by Ottilie on 2025-12-17: greetings <script>" in plain(html)
        assert (await act("dismiss", "nothing")).status_code == 404
        assert (await act("eat")).status_code == 422
        assert (await act("dismiss", note="x" * 20_000)).status_code == 422
    (row,) = judged(study)
    assert (row["verdict"], row["author"], row["title"]) == ("dismissed", "Ottilie", TOLD.title)
    assert [event.verdict for event in log.events()] == ["dismissed"]


def test_a_judgement_that_never_arrived_is_known_to_be_missing(study: Warehouse, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path.as_uri())
    log = AlertJudgements(blobs)
    from streams.events import AlertJudged

    for minute, verdict in enumerate(("confirmed", "reopened")):
        log.append(
            AlertJudged.model_validate(
                {
                    "alert_id": RISING.event_id,
                    "verdict": verdict,
                    "author": "Bo",
                    "judged_at": studies.TODAY.replace(minute=minute),
                }
            )
        )
    (late,) = missing.alert_judgements(log, study)
    assert late.verdict == "reopened", "of an alert the latest holds"
    from agents.instance.event_publisher import writing

    writing(study)([late])
    assert missing.alert_judgements(log, study) == []
    assert next(row for row in emerging(study) if row["alert_id"] == RISING.event_id)["verdict"] == ""


# ---- Lists ----


async def test_topics_are_found_and_ordered(study: Warehouse) -> None:
    def names(html: str) -> list[str]:
        return re.findall(r'<h2><a href="/topics/\d+[^"]*"><bdi>([^<]*)', html)

    assert names((await page(study, "/topics")).text) == ["RAG", "Agents", "Evaluation"]
    assert names((await page(study, "/topics?sort=name")).text) == ["Agents", "Evaluation", "RAG"]
    assert names((await page(study, "/topics?find=ARCHI+rag")).text) == ["RAG"]
    html = (await page(study, "/topics?find=zebra")).text
    assert "No topic has “zebra”" in plain(html)
    archived = plain((await page(study, "/topics")).text)
    assert "Archived: 1 excluded, 2 merged" in archived
    assert "Assistants merged into Agents" in archived
    assert "Greetings excluded: only greetings <script>" in archived


async def test_history_tells_what_was_corrected(study: Warehouse) -> None:
    said = plain((await page(study, "/history")).text)
    assert f"withdrawn: {studies.EMOJI}, by Ottilie" in said
    assert f"redated: {studies.RIGHT_TO_LEFT}, from 2025-03-04 to 2025-04-01" in said


async def test_json_twins_are_named(study: Warehouse) -> None:
    html = (await page(study, talk_at(ODD))).text
    twin = unescape(re.search(r'rel="alternate" type="application/json" href="([^"]+)"', html)[1])  # type: ignore[index]
    assert httpx.URL(twin).params["video_id"] == ODD
    lines = json.loads(
        re.search(r'<script type="application/json">(.*?)</script>', (await page(study, "/topics/1")).text)[1]  # type: ignore[index]
    )
    assert [line["name"] for line in lines["lines"]] == ["RAG"]
