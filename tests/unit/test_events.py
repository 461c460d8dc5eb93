"""Events: frozen, deterministic, and readable for as long as the log lives."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from streams import events as e
from streams.errors import DataError
from streams.kafka import codec
from streams.kafka.topics import TOPIC_OF, TOPICS

GOLDEN = Path(__file__).parents[1] / "golden" / "events"
MARCH = datetime(2025, 3, 4, 16, tzinfo=UTC)
BLOB = e.Blob(key="audio/a.ogg", sha256="0" * 64, size=7)
VIDEO = e.Video(
    video_id="abc", title="Ein Titel – «ü»", published_at=MARCH, duration_s=61.5, speakers=("A", "B")
)
EVIDENCE = e.Evidence(
    terms=("mcp", "server"),
    channel="both",
    sources=3,
    recent=4,
    recent_of=50,
    earlier=0,
    earlier_of=200,
    log10_p=-8.5,
    first_on=date(2025, 2, 1),
    latest_on=MARCH.date(),
    quotes=(
        e.Quote(
            paragraph_id="p",
            video_id="abc",
            source="UC1",
            published_on=MARCH.date(),
            start=12.5,
            text="We put it behind an MCP server.",
        ),
    ),
)
RELEVANCE = e.Relevance(
    score=0.25, talk_kind="tutorial", reasons=("it says how to build something, step by step",), model="r-12"
)
EXAMPLES: tuple[e.Event, ...] = (
    e.SourceDue(source=e.Source(source_id="s", kind="channel", locator="@x", added_at=MARCH), slot=MARCH),
    e.VideoSeen(
        video=VIDEO,
        sighting=e.Sighting(source_id="s", kind="search", query="q", rank=3, seen_at=MARCH),
        media=BLOB,
    ),
    e.VideoAccepted(video=VIDEO, captions=BLOB),
    e.VideoRejected(video=VIDEO, rule="too short", reason="it lasts 61 s"),
    e.AudioStored(video=VIDEO, audio=BLOB),
    e.TranscriptReady(
        video=VIDEO,
        transcript=BLOB,
        transcript_version="w-1",
        language="en",
        duration_s=61.5,
        words=99,
        speakers=2,
    ),
    e.ParagraphsEmbedded(
        video=VIDEO, paragraphs=BLOB, transcript_version="w-1", embedding_model="m", count=1
    ),
    e.ParagraphsAssigned(
        video=VIDEO,
        video_index=0,
        model_version="m1",
        transcript_version="w-1",
        sequence=1,
        assignments=(e.AssignedParagraph(paragraph_id="p", topic_id=None, probability=0.25),),
    ),
    e.TopicBorn(
        model_version="m1",
        topic_id=21,
        sequence=1,
        label="mcp, servers",
        words=(("mcp", 0.5),),
        origin="born",
        video_ids=("abc",),
        founders=(
            e.Founder(
                paragraph_id="p",
                video_id="z",
                video_index=0,
                month=MARCH.date(),
                topic_id=21,
                probability=0.4,
            ),
        ),
        emerged_at=MARCH,
    ),
    e.TopicChanged(model_version="m1", topic_id=21, sequence=2, label="mcp", words=(("mcp", 0.5),)),
    e.TopicDrifted(
        model_version="m1",
        topic_id=21,
        sequence=9,
        label="mcp",
        share_before=0.1,
        share_after=0.4,
        drifted_at=MARCH,
    ),
    e.AlertRaised(
        rule="new topic",
        model_version="m1",
        topic_id=21,
        title="t",
        reason="r",
        raised_at=MARCH,
        video_ids=("abc",),
    ),
    e.DeadLettered(
        agent="screen",
        cause="c",
        cure="d",
        log_id="l",
        topic="videos.seen",
        partition=0,
        offset=4,
        payload="e30=",
        failed_at=MARCH,
    ),
    e.DeadLetterSettled(letter_id="x", action="replayed", settled_at=MARCH),
    e.ConsolidationRequested(on=MARCH.date(), requested_at=MARCH),
    e.EpochBegun(model_version="m1", sequence=0, epoch=1, embedding_model="minilm", codebook="blank"),
    e.TopicMerged(model_version="m1", topic_id=22, sequence=9, label="server", into=21, day=MARCH.date()),
    e.TopicDormant(model_version="m1", topic_id=3, sequence=9, label="lstm", asleep=True, day=MARCH.date()),
    e.TopicsConsolidated(
        model_version="m1",
        sequence=10,
        day=MARCH.date(),
        accepted=False,
        reason="only 85 % of the paragraphs would keep their topic",
        survival=0.85,
        topics_before=40,
        topics_after=31,
    ),
    e.HealthChanged(
        model_version="m1",
        sequence=11,
        day=MARCH.date(),
        what="outliers",
        before=0.12,
        after=0.2,
        since=date(2025, 2, 1),
    ),
    e.SubjectEmerged(
        model_version="m1",
        sequence=12,
        day=MARCH.date(),
        subject="MCP",
        topic_id=21,
        video_ids=("abc",),
        reason="4 of the last 50 talks speak of it, none of the 200 before",
        evidence=EVIDENCE,
        emerged_at=MARCH,
    ),
    e.TopicLabelled(
        model_version="m1",
        topic_id=21,
        sequence=12,
        label="Model Context Protocol",
        words=(("mcp", 0.5),),
        by="a-model",
    ),
    e.CodebookDecided(
        revision=2,
        model_version="m1",
        action="merge",
        said="vector stores (12) counts for RAG Systems (1)",
        entries=(e.CodebookEntry(topic_id=12, name="vector stores", theme="Architecture", target=1),),
        themes=(e.ThemeEntry(theme="Architecture", description="How it is built."),),
        author="ann",
        note="the same talks",
        decided_at=MARCH,
    ),
    e.AlertJudged(
        alert_id="ab12", verdict="dismissed", author="ann", note="greetings again", judged_at=MARCH
    ),
    e.TopicJudged(
        model_version="m1", topic_id=12, reviewer="bob", verdict="exclude", note="greetings", judged_at=MARCH
    ),
    e.ConceptJudged(
        video_id="abc",
        paragraph_id="p",
        concept="agents",
        verdict="not about",
        reviewer="bob",
        note="a team",
        judged_at=MARCH,
    ),
    e.ValidationSampleDrawn(
        sample="2025-03-01T12:00:00.000",
        model_version="m1",
        topics=("rag", "agents"),
        population=1200,
        paragraphs=(e.SampledParagraph(video_id="abc", paragraph_id="p", weight=3.5, stratum="near"),),
        drawn_by="ann",
        drawn_at=MARCH,
    ),
    e.ParagraphCoded(
        video_id="abc",
        paragraph_id="p",
        offered=("rag", "agents"),
        topics=("agents",),
        reviewer="bob",
        note="tools are called",
        coded_at=MARCH,
    ),
    e.ConceptsTaught(judgements=BLOB, requested_by="ann", requested_at=MARCH),
    e.ConceptsRejudged(
        video=VIDEO,
        model_version="m1",
        sequence=7,
        judge="j2",
        paragraphs=(
            e.RejudgedParagraph(paragraph_id="p", concepts=()),
            e.RejudgedParagraph(
                paragraph_id="q", concepts=(e.ConceptMembership(topic_id=2, probability=0.75),)
            ),
        ),
    ),
    e.VideoCorrected(
        video_id="abc",
        what="redated",
        published_at=MARCH - timedelta(days=400),
        reason="a re-upload",
        author="ann",
        corrected_at=MARCH,
    ),
    e.VideoParked(
        video=VIDEO,
        state="in review",
        reason="two reviewers judge it",
        parked_at=MARCH,
        relevance=RELEVANCE,
    ),
    e.VideoFollowed(video=VIDEO, change="retitled", was="Title", seen_at=MARCH),
    e.VideoReviewed(
        video_id="abc",
        reviewer="ann",
        verdict="exclude",
        talk_kind="tutorial",
        note="step by step",
        reviewed_at=MARCH,
    ),
    e.DeliveryRecorded(
        delivery_id="d1",
        what="digest",
        destination="team",
        alert_ids=("a1",),
        title="weekly digest of 2025-03-03",
        state="failed",
        attempts=2,
        error="connection refused",
        next_at=MARCH + timedelta(minutes=2),
        at=MARCH,
        until=MARCH - timedelta(days=1),
    ),
)
LATER: tuple[e.Event, ...] = (
    EXAMPLES[7].model_copy(
        update={
            "assignments": (
                e.AssignedParagraph(paragraph_id="p", topic_id=None, probability=0.0, boilerplate=True),
            )
        }
    ),
    EXAMPLES[8].model_copy(update={"parent": 4}),
    e.TopicDrifted(
        model_version="m1",
        topic_id=21,
        sequence=9,
        label="mcp",
        share_before=0,
        share_after=0,
        drifted_at=MARCH,
        what="words",
        moved=0.3,
        words_before=("plugin",),
        words_after=("mcp",),
        since=date(2025, 2, 1),
        videos_before=30,
        videos_after=12,
    ),
    e.AlertRaised(
        rule="emergence",
        model_version="m1",
        topic_id=None,
        title="New topic: MCP",
        reason="r",
        raised_at=MARCH,
        video_ids=("abc",),
        evidence=EVIDENCE,
    ),
    e.SourceDue(
        source=e.Source(
            source_id="s", kind="feed", locator="https://x/feed", added_at=MARCH, since=MARCH.date()
        ),
        slot=MARCH,
    ),
    e.VideoSeen(
        video=VIDEO.model_copy(
            update={"media_url": "https://x/a.mp3", "begins_at": MARCH, "short_form": True}
        ),
        sighting=e.Sighting(source_id="s", kind="feed", lane="feed", seen_at=MARCH),
    ),
    e.VideoAccepted(video=VIDEO, relevance=RELEVANCE),
    e.VideoRejected(video=VIDEO, rule="not relevant", reason="r", relevance=RELEVANCE),
    e.TranscriptReady(
        video=VIDEO,
        transcript=BLOB,
        transcript_version="w-1",
        language="en",
        duration_s=61.5,
        words=99,
        speakers=2,
        kept_by="ann",
    ),
    e.ParagraphsEmbedded(
        video=VIDEO, paragraphs=BLOB, transcript_version="w-1", embedding_model="m", count=1, kept_by="ann"
    ),
    e.VideoCorrected(
        video_id="abc", what="kept", reason="another audience", author="ann", corrected_at=MARCH
    ),
    e.AudioStored(video=VIDEO, captions=BLOB, draft=True),
)
"""The earliest event kinds, with the fields they got later."""
QUOTED_DRIFT = e.TopicDrifted(
    model_version="m1",
    topic_id=3,
    sequence=9,
    label="Memory",
    share_before=0.0,
    share_after=0.0,
    drifted_at=MARCH,
    what="words",
    moved=0.3,
    words_before=("voice",),
    words_after=("agent", "context"),
    since=date(2025, 2, 1),
    videos_before=30,
    videos_after=12,
    quotes=(
        e.Quote(
            paragraph_id="p",
            video_id="old",
            source="UC1",
            published_on=date(2024, 5, 1),
            start=61.5,
            text="Alexa forgets your voice.",
        ),
        e.Quote(
            paragraph_id="q",
            video_id="new",
            source="UC2",
            published_on=date(2025, 3, 1),
            start=2.0,
            text="An agent needs memory beyond its context.",
        ),
    ),
)
RISE = e.TopicDrifted(
    model_version="m1",
    topic_id=3,
    sequence=9,
    label="Memory",
    share_before=0.05,
    share_after=0.3,
    drifted_at=MARCH,
    what="rise",
    since=date(2025, 2, 1),
    videos_before=200,
    videos_after=60,
    evidence=e.Evidence(
        terms=(),
        channel="share",
        sources=3,
        recent=18,
        recent_of=60,
        earlier=10,
        earlier_of=200,
        log10_p=-6.5,
        first_on=date(2025, 2, 1),
        latest_on=MARCH.date(),
        quotes=QUOTED_DRIFT.quotes,
    ),
    video_ids=("old", "new"),
)
CONCEPTS = e.ParagraphsAssigned(
    video=VIDEO,
    video_index=1,
    model_version="m1",
    transcript_version="w-1",
    sequence=1,
    judge="j1",
    assignments=(
        e.AssignedParagraph(paragraph_id="p", topic_id=None, probability=0.0, boilerplate=True),
        e.AssignedParagraph(
            paragraph_id="q",
            topic_id=21,
            probability=0.5,
            concepts=(
                e.ConceptMembership(topic_id=2, probability=0.75),
                e.ConceptMembership(topic_id=1, probability=0.5),
            ),
        ),
    ),
)


@pytest.mark.parametrize("event", (*EXAMPLES, *LATER, CONCEPTS), ids=lambda event: type(event).__name__)
def test_an_event_reads_back_as_it_was_written(event: e.Event) -> None:
    assert codec.decode(codec.encode(event)) == event


@pytest.mark.parametrize(
    ("event", "name"),
    [(event, f"{type(event).__name__}.v1") for event in EXAMPLES]
    + [(event, f"{type(event).__name__}.v1.later") for event in LATER]
    + [
        (CONCEPTS, "ParagraphsAssigned.v1.concepts"),
        (QUOTED_DRIFT, "TopicDrifted.v1.quotes"),
        (RISE, "TopicDrifted.v1.rise"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_events_of_version_1_are_read_and_written_the_same(event: e.Event, name: str) -> None:
    """The golden files are never changed: a new field has a default, a changed meaning a new version."""
    path = GOLDEN / f"{name}.json"
    written = json.loads(path.read_text())
    assert codec.decode(path.read_bytes()) == event
    assert _without_additions(json.loads(codec.encode(event)), written) == written


def _without_additions(now: Any, written: Any) -> Any:
    """Return `now` without the fields that `written` does not have, at every depth."""
    if isinstance(now, dict) and isinstance(written, dict):
        return {name: _without_additions(now[name], written[name]) for name in written}
    if isinstance(now, list) and isinstance(written, list) and len(now) == len(written):
        return [_without_additions(*pair) for pair in zip(now, written, strict=True)]
    return now


def test_every_kind_of_event_has_an_example_and_a_topic() -> None:
    kinds = {type(event) for event in EXAMPLES}
    assert kinds == set(codec.KINDS.values()) == set(TOPIC_OF)


def test_a_topic_of_order_has_one_partition() -> None:
    assert {topic.name for topic in TOPICS if topic.single} >= {"paragraphs.embedded", "topics.changed"}


def test_two_drifts_of_one_topic_at_once_are_two_events() -> None:
    """The id of a share drift is unchanged: the golden file has it."""
    share, words = EXAMPLES[10], LATER[2]
    centre = words.model_copy(update={"what": "centre"})
    assert len({share.event_id, words.event_id, centre.event_id}) == 3


def test_two_subjects_emerging_in_one_talk_are_two_events() -> None:
    emerged, raised = next(event for event in EXAMPLES if isinstance(event, e.SubjectEmerged)), LATER[3]
    assert emerged.model_copy(update={"subject": "vibe coding"}).event_id != emerged.event_id
    assert raised.model_copy(update={"title": "New topic: vibe coding"}).event_id != raised.event_id
    assert raised.key == "New topic: MCP"


def test_a_request_to_consolidate_is_the_same_at_any_time() -> None:
    paris = timezone(timedelta(hours=1))
    request = e.ConsolidationRequested(on=MARCH.date(), requested_at=MARCH.astimezone(paris))
    assert request.event_id == EXAMPLES[14].event_id


def test_captions_as_draft_and_for_good_are_two_events() -> None:
    (draft,) = (event for event in LATER if isinstance(event, e.AudioStored))
    assert draft.event_id != draft.model_copy(update={"draft": False}).event_id


def test_keeping_a_video_is_another_event_than_rejecting_it() -> None:
    for event in LATER:
        if isinstance(event, e.TranscriptReady | e.ParagraphsEmbedded):
            assert event.event_id != event.model_copy(update={"kept_by": None}).event_id
            (first,) = (each for each in EXAMPLES if type(each) is type(event))
            assert event.model_copy(update={"kept_by": None}).event_id == first.event_id


def test_a_talk_that_two_epochs_reject_is_rejected_twice() -> None:
    one = e.VideoRejected(video=VIDEO, rule="duplicate", reason="it repeats what z said")
    assert one.model_copy(update={"epoch": 1}).event_id != one.event_id


def test_the_id_depends_on_the_events_content_alone() -> None:
    again = EXAMPLES[1].model_copy(update={"schema_version": 1})
    assert again.event_id == EXAMPLES[1].event_id
    other = e.VideoRejected(video=VIDEO, rule="language", reason="")
    assert other.event_id != EXAMPLES[3].event_id


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (None, "the message is empty"),
        (b"", "the message is empty"),
        (b"not json", "the message is not JSON"),
        (b'{"half": ', "the message is not JSON"),
        (b"[1, 2]", "the message is not an event"),
        (b'{"kind": "VideoSeen"}', "the message is not an event"),
        (b'{"kind": "VideoSeen", "schema_version": 99}', "schema version 99 of VideoSeen is newer"),
        (b'{"kind": "Nonsense", "schema_version": 1}', "there is no event named 'Nonsense'"),
        (b'{"kind": "VideoSeen", "schema_version": 1, "video": {}}', "the VideoSeen is invalid"),
        (b"\xff\xfe\x00", "the message is not JSON"),
        (b" " * 900_001, "over the limit"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_event_is_refused_with_cause_and_cure(message: bytes | None, cause: str) -> None:
    with pytest.raises(DataError) as refused:
        codec.decode(message)
    assert cause in refused.value.cause
    assert refused.value.cure


def test_a_message_over_the_limit_is_not_written() -> None:
    long = VIDEO.model_copy(update={"description": "x" * codec.MESSAGE_LIMIT})
    with pytest.raises(DataError, match="over the limit"):
        codec.encode(e.VideoAccepted(video=long))


def test_a_naive_moment_is_no_moment() -> None:
    with pytest.raises(ValueError, match="timezone"):
        e.Video(video_id="x", published_at=datetime(2025, 1, 1))  # noqa: DTZ001


def test_fields_of_a_later_minor_version_are_ignored() -> None:
    later = json.loads(codec.encode(EXAMPLES[2])) | {"colour": "blue"}
    assert codec.decode(json.dumps(later).encode()) == EXAMPLES[2]
