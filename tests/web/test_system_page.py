"""Tests of /system, /talks and /screening: the progress of the work, and the state of every video."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest
import studies
from page_process import Parts, Process, client_of
from signed_in import OURS, csrf_in, signed_in, token_of

from agents.web.app import build_web
from agents.web.pages.operation.system import shown, work
from streams.kafka.admin import Cluster
from streams.kafka.codec import decode
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.progress import Board, Progress
from streams.store.operations import throughput
from streams.store.queries import corpus
from streams.store.queries.selection import Selection
from streams.store.talks import talk_queries
from streams.store.talks.listing import listing
from streams.store.warehouse import Warehouse

e = studies.e


def plain(html: str) -> str:
    """Return the visible text of a page, with spaces between block elements."""
    inline = re.sub(r"</?(a|bdi|span|strong|time|code)\b[^>]*>", "", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", inline))


async def page(warehouse: Warehouse, path: str, status: int = 200) -> str:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


async def test_the_system_page_says_what_the_views_say(lively: Warehouse) -> None:
    html = await page(lively, "/system")
    text = plain(html)
    for row in throughput.stages(lively):
        assert f"{row['state']} {row['waits_for'] or 'nothing (finished)'} {row['videos']}" in text
    (letter,) = talk_queries.dead_letters(lively)
    assert f"fetch: {letter['cause'].replace('<script>', '&lt;script&gt;')[:20]}" in text
    assert f"What to do: {letter['cure']}" in text
    assert "Sign in to replay or drop one" in text
    assert '<form method="post" action="/system' not in html, "who has not signed in changes nothing"
    (source,) = throughput.sources(lively)
    assert f"{source['query']} {source['kind']} works {source['found']}" in text


async def test_talks_that_are_being_transcribed_say_how_far_they_are(lively: Warehouse) -> None:
    board = Board(Blobs(lively.settings.blobs_url))
    begun = studies.TODAY - timedelta(minutes=10)
    talk = {"step": "transcribing", "total_s": 3600.0, "began_at": begun}
    said = {"a": studies.TODAY, "b<b>": studies.TODAY - timedelta(minutes=5)}
    assert "Being transcribed" not in await page(lively, "/system")
    for video_id, said_at in said.items():
        facts = {"video_id": video_id, "title": f"Talk {video_id}", "done_s": 1800.0, "said_at": said_at}
        board.say(Progress.model_validate(talk | facts))
    try:
        html = await page(lively, "/system")
        text = plain(html)
        assert "Talk a transcribing, 50% of 1:00:00, 3.0 × real time, 10:00 left" in text
        assert "Talk b&lt;b&gt; stopped 5:00 ago; it resumes when a worker runs" in text
        assert html.count("<progress") == 1, "nobody knows how far one is that has stopped"
    finally:
        for video_id in said:
            board.wipe(video_id)


async def test_settings_are_shown_without_secrets(chdb_home: Path) -> None:
    settings = Settings(
        home=chdb_home,
        clickhouse="clickhouse://me:hunter2@db:8123",
        clickhouse_password="hunter3",
        proxy="http://user:hunter4@proxy:1?token=hunter5",
        hf_token="hunter6",
    )
    rows = {row["name"]: row for row in shown(settings)}
    assert "hunter" not in str(rows)
    assert rows["GROUNDSWELL_CLICKHOUSE"]["value"] == "clickhouse://me:…@db:8123"
    assert rows["GROUNDSWELL_CLICKHOUSE"]["changed"]
    assert rows["GROUNDSWELL_HF_TOKEN"]["value"] == "set"
    assert rows["GROUNDSWELL_LABELLER_KEY"]["value"] == "not set"
    assert not rows["GROUNDSWELL_MAX_TOKENS"]["changed"]
    assert rows["GROUNDSWELL_HOME"]["path"] and not rows["GROUNDSWELL_CLICKHOUSE"]["path"]


async def test_paths_of_the_server_are_for_curators(lively: Warehouse) -> None:
    async with signed_in(lively) as client:
        assert str(lively.settings.home) in (await client.get("/system")).text
    assert str(lively.settings.home) not in await page(lively, "/system")


def test_work_counts_what_agents_of_this_process_did() -> None:
    from streams.telemetry import EVENTS, HANDLING_SECONDS

    before = {row["agent"]: row for row in work(["split", "track"], {"split": 3})}
    assert (before["split"]["lag"], before["track"]["lag"]) == (3, None)
    EVENTS.labels("split", "handled").inc(2)
    EVENTS.labels("split", "dead_letter").inc()
    HANDLING_SECONDS.labels("split").observe(4)
    after, _ = work(["split", "track"], {"split": 0})
    assert after["handled"] == before["split"]["handled"] + 2
    assert after["dead_letters"] == before["split"]["dead_letters"] + 1
    assert after["seconds"] > 0


@pytest.fixture
def broker() -> Iterator[str]:
    with EmbeddedBroker() as running:
        yield running.bootstrap


def messages(settings: Settings, bootstrap: str, topic: str) -> list[bytes]:
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        f"{settings.study}.{topic}",
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=3000,
    )
    try:
        return [record.value for record in consumer]
    finally:
        consumer.close()


@pytest.mark.long
async def test_a_dead_letter_is_sent_again_or_dropped_by_who_may(lively: Warehouse, broker: str) -> None:
    (letter,) = talk_queries.dead_letters(lively)
    process: Any = Process(lively.settings, Parts(lively), bootstrap=broker)
    with Cluster(lively.settings, broker) as cluster:
        cluster.wait()
        cluster.ensure_topics()
    web = build_web(process)
    where = f"/system/dead-letters/{letter['letter_id']}"
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        refused = await client.post(f"{where}/replay", headers=OURS)
        assert refused.status_code == 401
        await client.post("/login", data={"token": token_of(lively)}, headers=OURS)
        form = (await client.get("/system")).text
        assert f'action="{where}/replay"' in form
        forged = await client.post(f"{where}/replay", headers=OURS, data={"csrf": "guessed"})
        assert forged.status_code == 403
        csrf = {"csrf": csrf_in(form)}
        nothing = await client.post("/system/dead-letters/zzz/drop", headers=OURS, data=csrf)
        assert nothing.status_code == 404
        for action, done in (("drop", "was dropped"), ("replay", "was replayed")):
            answer = await client.post(f"{where}/{action}", headers=OURS, data=csrf)
            assert answer.status_code == 303
            assert done in plain((await client.get(answer.headers["Location"])).text)
    assert messages(lively.settings, broker, letter["topic"]) == [b"{}"], "the message as it was, once"
    settled = [decode(each) for each in messages(lively.settings, broker, "dead.letters")]
    assert [(each.letter_id, each.action) for each in settled] == [
        (letter["letter_id"], "dropped"),
        (letter["letter_id"], "replayed"),
    ]


async def test_without_an_agent_nothing_is_replayed_and_it_says_so(lively: Warehouse) -> None:
    (letter,) = talk_queries.dead_letters(lively)
    async with signed_in(lively) as client:
        csrf = csrf_in((await client.get("/system")).text)
        answer = await client.post(f"/system/dead-letters/{letter['letter_id']}/replay", data={"csrf": csrf})
    assert answer.status_code == 503
    assert "groundswell run" in answer.text


async def test_the_corpus_is_counted_as_everywhere(lively: Warehouse) -> None:
    text = plain(await page(lively, "/talks"))
    counted = corpus.corpus(lively)
    assert f"{counted['found']} talks found" in text
    assert f"Kept {counted['kept']} {100 * counted['kept'] / counted['found']:.1f} %" in text
    assert "Rejected: too short 3" in text
    assert f"1 to 50 of {counted['found']} talks" in text
    narrowed = plain(await page(lively, "/talks?first=2025-01&last=2025-06"))
    half = corpus.corpus(lively, Selection("2025-01", "2025-06"))
    assert f"{half['found']} talks found in this selection" in narrowed
    assert f"of {listing(lively, Selection('2025-01', '2025-06'))['videos']} talks" in narrowed
    assert listing(lively, Selection("2025-01", "2025-06"))["videos"] == half["found"]


async def test_the_list_is_found_sorted_and_paged(lively: Warehouse) -> None:
    whole = listing(lively, limit=1000)["rows"]
    days = [row["published_on"] for row in whole]
    assert days == sorted(days, reverse=True)
    by_title = [
        row["title"].lower() for row in listing(lively, order="title", ascending=True, limit=1000)["rows"]
    ]
    assert by_title == sorted(by_title)
    second = listing(lively, limit=10, offset=10)
    assert second == {"videos": len(whole), "rows": whole[10:20]}
    assert listing(lively, offset=10_000) == {"videos": len(whole), "rows": []}
    assert {row["rule"] for row in listing(lively, state="rejected")["rows"]} == {"too short"}
    assert listing(lively, rule="too short")["videos"] == 3
    assert listing(lively, state="withdrawn")["videos"] == 0
    found = listing(lively, search="BREWERY", limit=1000)["rows"]
    assert found == [row for row in whole if "brewery" in row["title"].lower()]
    html = await page(lively, "/talks?search=brewery&order=title&up=true")
    assert f"of {len(found)} talks" in plain(html)
    assert 'aria-sort="ascending"' in html
    assert f'href="/talks/{found[0]["video_id"]}"' in html
    assert "search=brewery" in re.search(r'href="(/api/listing[^"]*)"', html)[1]  # type: ignore[index]
    first = await page(lively, "/talks?state=assigned")
    assert 'href="/talks?state=assigned&amp;page=2" rel="next"' in first
    assert "Page 2 of 2" in plain(await page(lively, "/talks?state=assigned&page=2"))
    assert "No talk matches these filters" in plain(await page(lively, "/talks?search=nothing+like+it"))


async def test_screening_says_the_rule_and_the_reason(lively: Warehouse) -> None:
    text = plain(await page(lively, "/screening"))
    assert "with the rule and the reason: 3 of" in text
    assert "too short 3 100.0 % 40 s" in text
    assert text.count("rejected: too short (40 s)") == 3
    everything = await page(lively, "/screening?verdict=")
    assert escape(studies.RIGHT_TO_LEFT) in await page(lively, "/screening?verdict=&page=2") + everything
    assert "No talk matches these filters" in plain(await page(lively, "/screening?rule=none+of+them"))


@pytest.mark.parametrize(
    "path",
    ["/talks?order=size", "/talks?page=0", "/talks?state=lost", "/screening?verdict=maybe", "/talks?up=x"],
)
async def test_broken_filters_are_said_with_a_cure(lively: Warehouse, path: str) -> None:
    text = plain(await page(lively, path, 422))
    assert "What to do: correct" in text
