"""Tests of the API's values for a small study that was counted by hand (see `studies.small`)."""

import inspect
from typing import Any, get_origin

import pytest
from page_process import client_of, web_shared

from agents.queries.registry import VIEWS
from agents.web.api.read import OURS, SHAPES, WHOLE
from streams.store.queries.selection import NAMES
from streams.store.warehouse import Warehouse


async def get(warehouse: Warehouse, path: str, status: int = 200) -> Any:
    async with client_of(warehouse) as client:
        answer = await client.get(f"/api/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_every_view_is_an_endpoint_with_its_name_and_parameters(small: Warehouse) -> None:
    paths = {
        path: ways["get"] for path, ways in web_shared(small).openapi()["paths"].items() if "get" in ways
    }
    assert {path.removeprefix("/api/") for path in paths} == set(VIEWS)
    for name, view in VIEWS.items():
        endpoint = paths[f"/api/{name}"]
        asked = {parameter["name"] for parameter in endpoint.get("parameters", [])} - {"format"}
        taken = {
            "q" if each == "text" else each for each in list(inspect.signature(view).parameters)[1:]
        } - OURS
        if get_origin(SHAPES[name]) is list and name not in WHOLE:
            taken |= {"limit", "offset"}
        assert asked == (taken - {"selection"} | set(NAMES) if "selection" in taken else taken), name
        assert endpoint["description"] == inspect.getdoc(view)


async def test_status_counts_what_the_study_holds(small: Warehouse) -> None:
    assert await get(small, "status") == {
        "states": {"assigned": 6},
        "videos": 6,
        "rejections": {},
        "paragraphs": 9,
        "hours": 3.0,
        "topics": 4,
        "first_published": "2025-01-10T00:00:00Z",
        "last_published": "2025-03-31T00:00:00Z",
        "dead_letters": 1,
        "boilerplate": 0,
        "epoch": 0,
        "relearning": 0,
        "damaged_parts": [],
        "codebook_as_clusters": True,
    }


async def test_prevalence_is_the_themes_share_of_retained_videos(small: Warehouse) -> None:
    shares = {
        (row["month"], row["theme"]): (row["videos"], row["of_videos"], row["share"])
        for row in await get(small, "prevalence")
    }
    assert shares == {
        ("2025-01", "Architecture"): (1, 2, 0.5),
        ("2025-01", "Evaluation"): (1, 2, 0.5),
        ("2025-02", "Architecture"): (1, 1, 1.0),
        ("2025-02", "Evaluation"): (1, 1, 1.0),
        ("2025-03", "Architecture"): (1, 1, 1.0),
    }


async def test_a_theme_counts_the_union_of_its_topics_videos(small: Warehouse) -> None:
    """RAG has videos a and f, Agents has a and d: three videos together, not four."""
    architecture, evaluation = await get(small, "themes")
    counted = {"theme": "Architecture", "videos": 3, "topics": 2, "of_videos": 4, "share": 0.75}
    assert counted.items() <= architecture.items()
    assert (architecture["paragraphs"], architecture["trend"]) == (5, None)
    assert 0 < architecture["low"] < 0.75 < architecture["high"] < 1
    counted = {"theme": "Evaluation", "videos": 2, "topics": 1, "of_videos": 4, "share": 0.5}
    assert counted.items() <= evaluation.items()


async def test_a_period_counts_its_own_months_only_both_ends_included(small: Warehouse) -> None:
    themes = await get(small, "themes?first=2025-01&last=2025-02")
    assert [(row["theme"], row["videos"], row["of_videos"]) for row in themes] == [
        ("Architecture", 2, 3),
        ("Evaluation", 2, 3),
    ]
    assert [row["month"] for row in await get(small, "prevalence?first=2025-03")] == ["2025-03"]


async def test_topics_have_words_theme_and_share_by_prevalence(small: Warehouse) -> None:
    rows = await get(small, "topics?last=2025-01")
    assert [(row["name"], row["videos"], row["of_videos"], row["share"]) for row in rows] == [
        ("RAG", 1, 2, 0.5),
        ("Agents", 1, 2, 0.5),
        ("Evaluation", 1, 2, 0.5),
    ]
    assert rows[0]["words"] == ["rag", "model"]
    assert (rows[0]["theme"], rows[0]["origin"], rows[0]["emerged_at"]) == ("Architecture", "seeded", None)


async def test_a_topic_comes_with_everything_about_it(small: Warehouse) -> None:
    """Agents has a in January and d in February; the six months before have no talks."""
    found = await get(small, "topic?topic_id=2")
    assert (found["name"], found["theme"], found["origin"]) == ("Agents", "Architecture", "seeded")
    assert (found["videos"], found["of_videos"], found["share"]) == (2, 4, 0.5)
    assert (found["words"], found["words_at_birth"]) == (["agents", "model"], ["agents", "model"])
    assert found["months"] == [{"month": "2025-01", "videos": 1}, {"month": "2025-02", "videos": 1}]
    assert [quote["video_id"] for quote in found["quotes"]] == ["d", "a"]
    assert (found["status"], found["trend"]) == (None, None)
    assert (found["merged"], found["drifts"], found["genealogy"]) == ([], [], [])


async def test_an_unknown_topic_is_not_found_and_says_where_to_look(small: Warehouse) -> None:
    answer = await get(small, "topic?topic_id=99", 404)
    assert answer == {"error": "there is no topic 99", "cure": "see /api/topics for the existing topics"}


async def test_the_status_of_a_topic_compares_two_equal_periods(small: Warehouse) -> None:
    rows = {row["topic_id"]: row for row in await get(small, "topics?first=2025-02&last=2025-02")}
    trend = rows[1]["trend"]  # RAG: in one of January's two videos, in none of February's one
    assert (trend["first"], trend["last"], trend["videos"], trend["of_videos"]) == (
        "2025-02",
        "2025-02",
        0,
        1,
    )
    assert (trend["before_first"], trend["before_videos"], trend["before_of_videos"]) == ("2025-01", 1, 2)
    assert trend["change"] == -0.5
    assert trend["change_low"] < -0.5 < trend["change_high"]
    assert rows[1]["status"] == "stable"  # too few videos for a trend


async def test_topic_months_count_videos_not_paragraphs(small: Warehouse) -> None:
    rows = await get(small, "topic_months")
    assert [(row["topic_id"], row["month"], row["videos"]) for row in rows] == [
        (1, "2025-01", 1),
        (1, "2025-03", 1),
        (2, "2025-01", 1),
        (2, "2025-02", 1),
        (3, "2025-01", 1),
        (3, "2025-02", 1),
    ]
    assert len(await get(small, "topic_months?first=2025-03")) == 1


async def test_cooccurrence_counts_videos_with_both(small: Warehouse) -> None:
    rows = await get(small, "cooccurrence")
    assert [(row["name"], row["other"], row["videos"]) for row in rows] == [
        ("RAG", "Agents", 1),
        ("Agents", "Evaluation", 1),
    ]


async def test_quotes_are_the_most_probable_paragraphs_one_a_video(small: Warehouse) -> None:
    rows = await get(small, "quotes?topic_id=2")
    assert [(row["video_id"], row["text"], row["start_s"]) for row in rows] == [
        ("d", "d says it", 3.4),
        ("a", "a says it", 123.4),
    ]
    assert (rows[0]["title"], rows[0]["published_at"]) == ("Talk d", "2025-02-10T00:00:00Z")
    assert len(await get(small, "quotes?topic_id=1&limit=1")) == 1


async def test_alerts_say_since_when_and_why(small: Warehouse) -> None:
    (alert,) = await get(small, "alerts")
    assert (alert["title"], alert["reason"], alert["raised_at"], alert["video_ids"]) == (
        "New topic: Evaluation",
        "because",
        "2025-02-10T00:00:00Z",
        ["b", "d"],
    )


async def test_dead_letters_that_wait_and_those_that_are_settled(small: Warehouse) -> None:
    (waiting,) = await get(small, "dead_letters")
    assert (waiting["offset"], waiting["settlement"]) == (1, "")
    both = await get(small, "dead_letters?settled=true")
    assert {letter["offset"]: letter["settlement"] for letter in both} == {1: "", 2: "dropped"}
    found = await get(small, f"dead_letter?letter_id={waiting['letter_id'][:8]}")
    assert (found["payload"], found["agent"], found["offset"]) == ("e30=", "fetch", 1)
    assert found["failed_at"] == "2025-12-17T09:00:00Z"


async def test_an_unknown_dead_letter_is_not_found_and_says_where(small: Warehouse) -> None:
    answer = await get(small, "dead_letter?letter_id=zzz", 404)
    assert "zzz" in answer["error"]
    assert "/api/dead_letters" in answer["cure"]


BAD_MONTHS = (
    "2025-13",
    "2025-00",
    "2025-1",
    "2025-02-29",
    "2025-04-1",
    "April",
    "1969-12",
    "２０２５-04",
    "2025-04'--",
    "2025-04%0A",
)


@pytest.mark.parametrize("month", BAD_MONTHS)
@pytest.mark.parametrize("view", ["prevalence", "cooccurrence"])
async def test_what_is_not_a_month_is_refused_in_plain_words(small: Warehouse, view: str, month: str) -> None:
    answer = await get(small, f"{view}?first={month}", 422)
    assert "is not a month" in answer["error"]
    assert answer["cure"] == "write it as YYYY-MM, such as 2025-04, or as YYYY-MM-DD"


async def test_a_revision_that_the_codebook_does_not_have_is_refused(small: Warehouse) -> None:
    answer = await get(small, "themes?codebook=99", 422)
    assert answer["error"].startswith("there is no revision 99 of the codebook, the newest is ")
    assert await get(small, "themes?codebook=0") != []


@pytest.mark.parametrize("revision", ["newest", "-1", "1.5", "+1", "٣", "1" * 10, "1%0A"])
async def test_what_is_not_a_revision_is_refused_in_plain_words(small: Warehouse, revision: str) -> None:
    answer = await get(small, f"themes?codebook={revision}", 422)
    assert answer["error"].endswith("of the codebook is not a number")
    assert "/api/codebook_decisions" in answer["cure"]


async def test_an_empty_revision_is_the_newest(small: Warehouse) -> None:
    assert await get(small, "themes?codebook=") == await get(small, "themes")


async def test_a_period_may_begin_and_end_within_a_month(small: Warehouse) -> None:
    themes = await get(small, "themes?first=2025-01-11&last=2025-02-10")
    assert {row["theme"]: (row["videos"], row["of_videos"]) for row in themes} == {
        "Architecture": (1, 2),
        "Evaluation": (2, 2),
    }


async def test_a_period_that_ends_before_it_begins_is_refused(small: Warehouse) -> None:
    answer = await get(small, "themes?first=2025-03&last=2025-02", 422)
    assert answer == {"error": "the first month (2025-03) is after the last (2025-02)", "cure": "swap them"}


async def test_empty_months_are_no_limits(small: Warehouse) -> None:
    assert await get(small, "themes?first=&last=") == await get(small, "themes")


@pytest.mark.parametrize(
    "question",
    [
        "quotes?topic_id=-1",
        "quotes",
        "alerts?limit=0",
        "quotes?topic_id=1&limit=x",
        "topic",
        "genealogy?topic_id=0",
    ],
)
async def test_numbers_out_of_range_are_refused(small: Warehouse, question: str) -> None:
    await get(small, question, 422)
