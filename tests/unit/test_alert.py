"""Alerts: a subject that talks begin to speak of is news; a topic's birth alone is not."""

from __future__ import annotations

import pytest

from agents.alerting import alert
from agents.consumer.consumer import Position
from streams import events as e
from streams.errors import DataError
from streams.kafka import codec
from streams.kafka.topics import TOPICS_CHANGED
from tests.unit.test_events import EXAMPLES, LATER, QUOTED_DRIFT, RISE

AT = Position("log", TOPICS_CHANGED.name, 0, 0)
BORN = next(event for event in EXAMPLES if isinstance(event, e.TopicBorn))
SHOWN = QUOTED_DRIFT.quotes[1].model_copy(update={"text": "There are registries of servers now."})
EMERGED = next(event for event in EXAMPLES if isinstance(event, e.SubjectEmerged))


async def test_a_subject_that_emerged_is_told_with_its_evidence() -> None:
    (raised,) = await alert.Alert().handle(EMERGED, AT)
    assert isinstance(raised, e.AlertRaised)
    assert (raised.rule, raised.topic_id, raised.title) == ("emergence", 21, "New topic: MCP")
    assert (raised.reason, raised.video_ids, raised.raised_at) == (
        EMERGED.reason,
        EMERGED.video_ids,
        EMERGED.emerged_at,
    )
    assert raised.evidence == EMERGED.evidence
    assert raised.sequence == EMERGED.sequence
    assert codec.decode(codec.encode(raised)) == raised


async def test_a_subject_without_a_topic_is_told_too() -> None:
    (raised,) = await alert.Alert().handle(EMERGED.model_copy(update={"topic_id": None}), AT)
    assert isinstance(raised, e.AlertRaised)
    assert (raised.topic_id, raised.key) == (None, "New topic: MCP")


async def test_one_source_is_told_as_such_until_others_follow() -> None:
    alone = EMERGED.model_copy(update={"subject": "Halley", "only_on": "Practical AI"})
    (first,) = await alert.Alert().handle(alone, AT)
    assert isinstance(first, e.AlertRaised)
    assert (first.rule, first.title) == ("one source", "From one source so far: Halley")
    assert (first.about, first.replaces) == ("Practical AI", "")
    assert first.reason == EMERGED.reason
    assert codec.decode(codec.encode(first)) == first

    (second,) = await alert.Alert().handle(EMERGED.model_copy(update={"replaces": "Halley"}), AT)
    assert isinstance(second, e.AlertRaised)
    assert (second.rule, second.title, second.replaces) == ("emergence", "New topic: MCP", first.event_id)


async def test_a_topic_that_drifted_is_told_in_words_and_as_a_figure() -> None:
    words = next(event for event in LATER if isinstance(event, e.TopicDrifted)).model_copy(
        update={"words_after": ("mcp", "registries"), "quotes": (SHOWN,)}
    )
    (raised,) = await alert.Alert().handle(words, AT)
    assert isinstance(raised, e.AlertRaised)
    assert (raised.rule, raised.topic_id, raised.about, raised.size) == ("drift", 21, "words", 0.3)
    assert raised.title == "“mcp” is now discussed with registries rather than plugin"
    assert raised.reason == (
        "Since 2025-02-01 talks discuss it with registries rather than plugin (30 talks before, 12 after)."
    )
    assert raised.evidence is not None and raised.evidence.terms == ("registries",)


async def test_a_drift_is_shown_by_quotes_from_before_and_after() -> None:
    (raised,) = await alert.Alert().handle(QUOTED_DRIFT, AT)
    assert isinstance(raised, e.AlertRaised) and raised.evidence is not None
    assert raised.title == "“Memory” is now discussed with agent, context rather than voice"
    assert raised.evidence.quotes == QUOTED_DRIFT.quotes
    assert raised.video_ids == ("old", "new")
    assert (raised.evidence.channel, raised.evidence.recent_of) == ("", 0)
    assert codec.decode(codec.encode(raised)) == raised


async def test_a_topic_that_rose_is_told_with_its_evidence() -> None:
    (raised,) = await alert.Alert().handle(RISE, AT)
    assert isinstance(raised, e.AlertRaised)
    assert (raised.rule, raised.title, raised.topic_id) == ("rising", "Rising: Memory", 3)
    assert raised.reason == (
        "Since 2025-02-01 its share rose from 5.0 % to 30.0 % (200 talks before, 60 after)."
    )
    assert (raised.size, raised.video_ids, raised.evidence) == (0.25, ("old", "new"), RISE.evidence)
    assert codec.decode(codec.encode(raised)) == raised


@pytest.mark.parametrize(
    ("label", "gained", "text"),
    [
        ("Memory", (), "They remember it."),  # only lost words
        ("context & agents", ("agent", "context"), "An agent has context."),  # only the topic's own
        ("Agents", ("agentic",), "It is all agentic now."),
        ("Memory", ("agent", "context"), "They remember it."),  # no quote shows them
    ],
)
async def test_a_drift_that_says_nothing_is_no_news(label: str, gained: tuple[str, ...], text: str) -> None:
    quotes = (QUOTED_DRIFT.quotes[0], QUOTED_DRIFT.quotes[1].model_copy(update={"text": text}))
    drift = QUOTED_DRIFT.model_copy(update={"label": label, "words_after": gained, "quotes": quotes})
    assert await alert.Alert().handle(drift, AT) == ()


@pytest.mark.parametrize("what", ["share", "words", "centre"])
async def test_a_drift_that_no_words_show_is_no_news(what: str) -> None:
    nameless = {"what": what, "words_before": (), "words_after": (), "share_after": 0.4}
    assert await alert.Alert().handle(QUOTED_DRIFT.model_copy(update=nameless), AT) == ()


async def test_a_topic_in_doubt_is_told_under_a_rule_of_its_own() -> None:
    drift = next(event for event in LATER if isinstance(event, e.TopicDrifted)).model_copy(
        update={"what": "meaning", "share_before": 0.5, "share_after": 0.1, "videos_after": 60}
    )
    (raised,) = await alert.Alert().handle(drift, AT)
    assert isinstance(raised, e.AlertRaised)
    assert (raised.rule, raised.title) == ("meaning", "“mcp” may no longer be what its name says")
    assert "only 10.0 % of its 60 latest paragraphs have a word of it" in raised.reason
    (raised,) = await alert.Alert().handle(drift.model_copy(update={"share_after": 0.6}), AT)
    assert isinstance(raised, e.AlertRaised)
    assert raised.title == "“mcp” is what its name says again"


async def test_the_birth_of_a_topic_alone_is_no_news() -> None:
    for change in ({}, {"origin": "seeded"}, {"parent": 3}):
        assert await alert.Alert().handle(BORN.model_copy(update=change), AT) == ()


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
async def test_alert_takes_every_event_of_its_topic_and_no_other(event: e.Event) -> None:
    if type(event) in TOPICS_CHANGED.carries:
        await alert.Alert().handle(event, AT)
    else:
        with pytest.raises(DataError, match="is not for alert"):
            await alert.Alert().handle(event, AT)
