"""Alerts: a subject that talks begin to speak of is news; a topic's birth alone is not."""

from __future__ import annotations

import pytest

from agents.alerting import alert
from agents.consumer.consumer import Position
from streams import events as e
from streams.errors import DataError
from streams.kafka import codec
from streams.kafka.topics import TOPICS_CHANGED
from tests.unit.test_events import EXAMPLES, LATER

AT = Position("log", TOPICS_CHANGED.name, 0, 0)
BORN = next(event for event in EXAMPLES if isinstance(event, e.TopicBorn))
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


async def test_a_topic_that_drifted_is_told_in_words_and_as_a_figure() -> None:
    words = next(event for event in LATER if isinstance(event, e.TopicDrifted))
    (raised,) = await alert.Alert().handle(words, AT)
    assert isinstance(raised, e.AlertRaised)
    assert (raised.rule, raised.topic_id, raised.about, raised.size) == ("drift", 21, "words", 0.3)
    assert raised.title == "“mcp” has other words"
    assert raised.reason.startswith("Since 2025-02-01 its words changed from plugin to mcp")
    share = words.model_copy(update={"what": "share", "share_before": 0.4, "share_after": 0.1})
    (raised,) = await alert.Alert().handle(share, AT)
    assert isinstance(raised, e.AlertRaised)
    assert raised.size == pytest.approx(0.3)
    assert "changed from 40.0 % to 10.0 %" in raised.reason


async def test_a_topic_in_doubt_is_told_under_a_rule_of_its_own() -> None:
    drift = next(event for event in LATER if isinstance(event, e.TopicDrifted)).model_copy(
        update={"what": "meaning", "share_before": 0.5, "share_after": 0.1, "videos_after": 60}
    )
    (raised,) = await alert.Alert().handle(drift, AT)
    assert isinstance(raised, e.AlertRaised)
    assert (raised.rule, raised.title) == ("meaning", "“mcp” is perhaps not what its name says")
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
