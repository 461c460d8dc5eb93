"""Every part of a topic model step's outcome becomes events."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from agents.topics import event_mapper
from agents.topics.concepts import JudgedTalk
from models.concepts.judge import Membership
from models.topics import (
    Assignment,
    Birth,
    Consolidation,
    Dormancy,
    Drift,
    EarlierAssignment,
    Emergence,
    HealthChange,
    Merge,
    Outcome,
    RiseEvidence,
    SourceQuote,
    TopicState,
)
from streams import events as e
from streams.kafka import codec

MARCH = datetime(2025, 3, 4, 16, tzinfo=UTC)
DAY = MARCH.date()
STEP = event_mapper.Step(
    "m-e1", 12, DAY, {1: "RAG", 2: "retrieval", 3: "lstm"}, video=e.Video(video_id="abc", published_at=MARCH)
)
LEARNED = e.ParagraphsEmbedded(
    video=e.Video(video_id="abc", published_at=MARCH),
    paragraphs=e.Blob(key="k", sha256="0", size=1),
    transcript_version="t",
    embedding_model="m",
    count=2,
)
MCP = TopicState(21, "mcp, server", (("mcp", 0.5), ("server", 0.25)), "born", None, None)
BIRTH = Birth(
    topic=MCP,
    paragraph_ids=("p0", "p1"),
    video_ids=("old", "abc"),
    batch_id="b",
    assignments=(EarlierAssignment("old", 4, "2025-01", "p0", 21, 0.123456789),),
    parent=3,
)
QUOTE = SourceQuote("p0", "old", "UC1", date(2025, 1, 2), 61.5, "behind an MCP server")
EMERGENCE = Emergence(
    subject="MCP",
    terms=("mcp", "server"),
    channel="both",
    topic_id=21,
    video_ids=("old", "abc"),
    sources=2,
    recent=4,
    recent_of=50,
    earlier=0,
    earlier_of=200,
    log10_p=-8.25,
    first_on=date(2025, 1, 2),
    latest_on=DAY,
    quotes=(QUOTE,),
    reason="4 of the last 50 talks speak of it, none of the 200 before",
    batch_id="b",
)
EVERYTHING = Outcome(
    video_index=9,
    assignments=(Assignment("p1", 21, 0.9), Assignment("p2", None, 0.0, boilerplate=True)),
    births=(BIRTH,),
    merges=(Merge(2, 1, "b"),),
    dormancies=(Dormancy(3, True, "b"),),
    consolidation=Consolidation(True, "as good as before", 0.97, 40, 38, "b"),
    emergences=(EMERGENCE,),
    drifts=(
        Drift(1, "share", 0.1, 0.4, (), (), date(2025, 2, 1), 30, 12, "b"),
        Drift(1, "words", 0.0, 0.31, ("gpt-3",), ("chatgpt",), date(2025, 2, 1), 30, 12, "b", (QUOTE,)),
    ),
    health=(HealthChange("outliers", 0.12, 0.2, date(2025, 2, 1), "b"),),
    topics_changed=(MCP,),
)


JUDGED = JudgedTalk("j1", ((Membership(1, 0.75), Membership(3, 0.5)), ()), (), ())


def one(kind: type[e.Event], outcome: Outcome = EVERYTHING, step: event_mapper.Step = STEP) -> Any:
    (event,) = [event for event in event_mapper.topic_events(outcome, step) if type(event) is kind]
    return event


def test_every_part_of_an_outcome_is_told() -> None:
    """A part that the model fills and no event carries would be lost without a trace."""
    told = {
        "births": [e.TopicBorn],
        "merges": [e.TopicMerged],
        "dormancies": [e.TopicDormant],
        "consolidation": [e.TopicsConsolidated],
        "emergences": [e.SubjectEmerged],
        "drifts": [e.TopicDrifted, e.TopicDrifted],
        "health": [e.HealthChanged],
        "topics_changed": [e.TopicChanged],
    }
    assert {field.name for field in fields(Outcome)} == {"video_index", "assignments", *told}
    for part, kinds in told.items():
        only = Outcome(9, (), **{part: getattr(EVERYTHING, part)})
        assert [type(event) for event in event_mapper.topic_events(only, STEP)] == kinds


def test_everything_told_travels_and_has_an_identity_of_its_own() -> None:
    events = [
        event_mapper.assigned(LEARNED, EVERYTHING, STEP, JUDGED),
        *event_mapper.topic_events(EVERYTHING, STEP),
    ]
    assert [codec.decode(codec.encode(event)) for event in events] == events
    assert len({event.event_id for event in events}) == len(events)
    again = [
        event_mapper.assigned(LEARNED, EVERYTHING, STEP, JUDGED),
        *event_mapper.topic_events(EVERYTHING, STEP),
    ]
    assert [event.event_id for event in again] == [event.event_id for event in events]


def test_paragraphs_say_their_topic_or_that_they_are_boilerplate() -> None:
    assigned = event_mapper.assigned(LEARNED, EVERYTHING, STEP, JUDGED)
    assert (assigned.key, assigned.video_index, assigned.sequence) == ("abc", 9, 12)
    assert [(each.topic_id, each.boilerplate) for each in assigned.assignments] == [(21, False), (None, True)]
    assert assigned.judge == "j1"
    assert [[tuple(c.model_dump().values()) for c in each.concepts] for each in assigned.assignments] == [
        [(1, 0.75), (3, 0.5)],
        [],
    ]


def test_a_model_without_concepts_says_so() -> None:
    assigned = event_mapper.assigned(LEARNED, EVERYTHING, STEP, None)
    assert assigned.judge == ""
    assert [each.concepts for each in assigned.assignments] == [(), ()]


def test_a_birth_says_its_parent_its_founders_and_when() -> None:
    born = one(e.TopicBorn)
    assert (born.parent, born.video_ids, born.emerged_at, born.sequence) == (3, ("old", "abc"), MARCH, 12)
    (founder,) = born.founders
    assert (founder.month, founder.video_index, founder.probability) == (date(2025, 1, 1), 4, 0.123457)


def test_a_merge_names_the_topic_as_it_was_called() -> None:
    merged = one(e.TopicMerged)
    assert (merged.topic_id, merged.label, merged.into, merged.day) == (2, "retrieval", 1, DAY)
    nameless = Outcome(9, (), merges=(Merge(99, 1, "b"),))
    assert one(e.TopicMerged, nameless).label == "topic 99"


def test_word_drifts_have_no_shares_and_share_drifts_no_distance() -> None:
    share, words = [
        event for event in event_mapper.topic_events(EVERYTHING, STEP) if isinstance(event, e.TopicDrifted)
    ]
    assert (share.what, share.share_before, share.share_after, share.moved) == ("share", 0.1, 0.4, 0.0)
    assert (words.what, words.share_before, words.share_after, words.moved) == ("words", 0.0, 0.0, 0.31)
    assert (words.words_before, words.words_after, words.videos_after) == (("gpt-3",), ("chatgpt",), 12)
    assert [vars(quote) for quote in words.quotes] == [vars(QUOTE)] and not share.quotes


def test_a_rise_carries_its_shares_and_its_evidence() -> None:
    risen = RiseEvidence(18, 60, 10, 200, 3, -6.5, date(2025, 2, 1), DAY, ("old", "abc"))
    drift = Drift(1, "rise", 0.05, 0.3, (), (), date(2025, 2, 1), 200, 60, "b", (QUOTE,), risen)
    told = one(e.TopicDrifted, Outcome(9, (), drifts=(drift,)))
    assert (told.what, told.share_before, told.share_after, told.moved) == ("rise", 0.05, 0.3, 0.0)
    assert (told.video_ids, told.quotes, told.evidence.channel) == (("old", "abc"), (), "share")
    for name in (
        "recent",
        "recent_of",
        "earlier",
        "earlier_of",
        "sources",
        "log10_p",
        "first_on",
        "latest_on",
    ):
        assert getattr(told.evidence, name) == getattr(risen, name)
    assert [vars(quote) for quote in told.evidence.quotes] == [vars(QUOTE)]


def test_an_emergence_carries_all_its_evidence() -> None:
    emerged = one(e.SubjectEmerged)
    assert (emerged.subject, emerged.topic_id, emerged.emerged_at) == ("MCP", 21, MARCH)
    assert emerged.reason == EMERGENCE.reason
    for name in e.Evidence.model_fields:
        if name != "quotes":
            assert getattr(emerged.evidence, name) == getattr(EMERGENCE, name)
    assert [vars(quote) for quote in emerged.evidence.quotes] == [vars(quote) for quote in EMERGENCE.quotes]


@pytest.mark.parametrize("log10_p", [float("-inf"), -1e300])
def test_what_is_infinitely_improbable_still_travels(log10_p: float) -> None:
    never = Emergence(**{**vars(EMERGENCE), "log10_p": log10_p})
    emerged = one(e.SubjectEmerged, Outcome(9, (), emergences=(never,)))
    assert codec.decode(codec.encode(emerged)) == emerged
    assert emerged.evidence.log10_p == event_mapper.LOG10_P


def test_a_consolidation_is_sent_first_and_counts_as_its_day() -> None:
    step = event_mapper.Step("m", 13, DAY, {})
    events = list(event_mapper.topic_events(EVERYTHING, step))
    assert isinstance(events[0], e.TopicsConsolidated)
    assert (events[0].accepted, events[0].topics_before, events[0].topics_after) == (True, 40, 38)
    assert one(e.TopicBorn, EVERYTHING, step).emerged_at == datetime(2025, 3, 4, tzinfo=UTC)


def test_one_source_is_told_by_its_name() -> None:
    reason = "8 of the last 21 talks of UC123 mention “GPT-3”, and hardly any of others."
    alone = replace(EVERYTHING.emergences[0], only_on="UC123", reason=reason)
    video = e.Video(video_id="abc", channel="Practical AI", channel_id="UC123", published_at=MARCH)
    step = event_mapper.Step("m-e1", 12, DAY, {}, video=video)
    told = one(e.SubjectEmerged, Outcome(9, (), emergences=(alone,)), step)
    assert told.only_on == "Practical AI"
    assert told.reason == "8 of the last 21 talks of Practical AI mention “GPT-3”, and hardly any of others."
    assert one(e.SubjectEmerged).only_on == ""
