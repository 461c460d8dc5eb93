"""The API's examples: the real answers of a small study that contains a little of everything.

python tests/web/examples.py writes agents/web/api/examples.json anew;
tests/web/test_api_examples.py compares.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import studies

from agents.queries.registry import VIEWS
from agents.web.responses import as_json
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from streams.store.writer import rows_of, write

e = studies.e
FILE = Path(__file__).parents[2] / "agents" / "web" / "api" / "examples.json"
ROWS = 2
"""Rows that an example shows of a list."""
TODAY = datetime(2025, 4, 2, 9, tzinfo=UTC)
OPEN_LETTER = e.stable_id("DeadLettered", "fetch", "log-1", "videos.accepted", 0, 1)
QUERIES: dict[str, dict[str, Any]] = {
    "prevalence": {"first": "2025-01", "last": "2025-03"},
    "themes": {"first": "2025-02", "last": "2025-03"},
    "topics": {"first": "2025-02", "last": "2025-03"},
    "topic": {"topic_id": 1},
    "topic_months": {"first": "2025-01", "last": "2025-03"},
    "videos": {"topic_id": 1, "other_id": 2},
    "quotes": {"topic_id": 1, "limit": 2},
    "genealogy": {"topic_id": 1},
    "drifts": {"topic_id": 1},
    "talk": {"video_id": "a"},
    "talks": {"search": "talk", "limit": 2},
    "dead_letters": {"settled": True},
    "dead_letter": {"letter_id": OPEN_LETTER[:12]},
    "screening_queue": {"verdict": "rejected", "limit": 2},
    "neighbours": {"topic_id": 1},
    "speaking": {"topic_id": 1},
    "paragraphs": {"video_id": "a"},
    "search": {"text": "a"},
    "word_months": {"text": "a"},
    "differences": {"first": "2025-02", "last": "2025-03", "other_first": "2025-01", "other_last": "2025-01"},
    "listing": {"state": "assigned", "limit": 2},
    "placed_themes": {"placements": "5=theme:Evaluation"},
    "throughput": {"by": "day"},
    "validation_draw": {"of_topic": 1, "near": 1, "random": 1},
    "unfinished": {"last": "2026-01-01T00:00:00Z"},
    "growth": {"first": "2025-04-01T00:00:00Z", "last": "2026-01-01T00:00:00Z"},
}
"""What is asked of each view; of those that are not here, nothing in particular."""


def greetings(warehouse: Warehouse) -> None:
    """Write five talks of an earlier year that begin and end with small talk."""
    rows = [*studies.topic(5, "Welcome", None, ("welcome", "friends"))]
    for index in range(6, 11):
        said = [(5 if row in (0, 11) else None, f"{row} minutes") for row in range(12)]
        rows += studies.talk(index, studies.video(f"greeting-{index}", f"2023-05-{index:02}"), said)
    write(warehouse, rows)


def study(warehouse: Warehouse) -> None:
    """Write the small study, and one example of every other kind of event."""
    studies.small(warehouse)
    greetings(warehouse)
    said = e.Quote(
        paragraph_id=e.paragraph_id("d", studies.TRANSCRIPT, 0),
        video_id="d",
        source="Night Deploys",
        published_on=datetime(2025, 2, 10, tzinfo=UTC).date(),
        start=3.4,
        text="d says it",
    )
    evidence = e.Evidence(
        terms=("tool calls", "agents"),
        channel="term",
        sources=2,
        recent=2,
        recent_of=4,
        earlier=0,
        earlier_of=2,
        log10_p=-2.5,
        first_on=said.published_on,
        latest_on=said.published_on,
        quotes=(said,),
    )
    of_model = {"model_version": studies.MODEL}
    step = of_model | {"sequence": 7, "day": TODAY.date(), "label": ""}
    found = e.Sighting(source_id="s", kind="file", seen_at=TODAY)
    events: list[e.Event] = [
        e.VideoSeen(video=e.Video(video_id="u", title="Under way"), sighting=found),
        e.EpochBegun(**of_model, sequence=0, epoch=0, embedding_model="all-MiniLM-L6-v2", codebook="small"),
        e.TopicDrifted(
            **of_model,
            topic_id=1,
            sequence=6,
            label="RAG",
            share_before=0.0,
            share_after=0.0,
            what="words",
            moved=0.31,
            words_before=("chunks",),
            words_after=("reranking",),
            since=TODAY.date(),
            videos_before=4,
            videos_after=2,
        ),
        e.TopicDormant(**step, topic_id=1, asleep=False),
        e.HealthChanged(**of_model, sequence=7, what="outliers", before=0.12, after=0.2, since=TODAY.date()),
        e.SubjectEmerged(
            **of_model,
            sequence=7,
            subject="tool calls",
            topic_id=2,
            video_ids=("d",),
            reason="2 of the last 4 talks speak of it",
            evidence=evidence,
            emerged_at=TODAY,
        ),
        e.AlertRaised(
            **of_model,
            rule="emergence",
            topic_id=2,
            title="New: tool calls",
            reason="2 of the last 4 talks speak of it",
            raised_at=TODAY,
            video_ids=("d",),
            evidence=evidence,
        ),
        e.CodebookDecided(
            **of_model,
            revision=2,
            action="rename",
            said='topic 1 "RAG" is called "Retrieval"',
            entries=(e.CodebookEntry(topic_id=1, name="Retrieval", theme="Architecture"),),
            themes=(e.ThemeEntry(theme="Architecture", description="How it is built."),),
            author="Mai",
            note="as most speakers say it",
            decided_at=TODAY,
        ),
        e.TopicJudged(**of_model, topic_id=3, reviewer="Ann", verdict="include", judged_at=TODAY),
        e.TopicBorn(
            **of_model,
            topic_id=5,
            sequence=7,
            label="chunk sizes",
            words=(("chunks", 0.8), ("sizes", 0.5)),
            origin="born",
            video_ids=("h",),
            emerged_at=TODAY,
        ),
        e.ConceptsRejudged(
            video=studies.video("h", "2025-03-29"),
            model_version=studies.MODEL,
            sequence=9,
            judge="4f2b",
            paragraphs=(
                e.RejudgedParagraph(
                    paragraph_id=e.paragraph_id("h", studies.TRANSCRIPT, 0),
                    concepts=(e.ConceptMembership(topic_id=1, probability=0.62),),
                ),
            ),
        ),
        e.ConceptsRejudged(
            video=studies.video("a", "2025-01-10"),
            model_version=studies.MODEL,
            sequence=7,
            judge="4f2b",
            paragraphs=(
                e.RejudgedParagraph(
                    paragraph_id=e.paragraph_id("a", studies.TRANSCRIPT, 0),
                    concepts=(e.ConceptMembership(topic_id=1, probability=0.55),),
                ),
            ),
        ),
        e.ConceptJudged(
            video_id="b",
            paragraph_id=e.paragraph_id("b", studies.TRANSCRIPT, 0),
            concept="rag",
            verdict="not about",
            reviewer="Ann",
            note="a cloth",
            judged_at=TODAY,
        ),
        e.ValidationSampleDrawn(
            sample="2025-04-02T09:00:00.000",
            model_version=studies.MODEL,
            topics=("rag",),
            population=12,
            paragraphs=tuple(
                e.SampledParagraph(
                    video_id=video_id,
                    paragraph_id=e.paragraph_id(video_id, studies.TRANSCRIPT, 0),
                    weight=weight,
                    stratum=stratum,
                )
                for video_id, weight, stratum in (("b", 1.5, "counted"), ("d", 6.0, "random"))
            ),
            drawn_by="Mai",
            drawn_at=TODAY,
        ),
        *(
            e.ParagraphCoded(
                video_id="b",
                paragraph_id=e.paragraph_id("b", studies.TRANSCRIPT, 0),
                offered=("rag",),
                topics=("rag",),
                reviewer=reviewer,
                coded_at=TODAY,
            )
            for reviewer in ("Ann", "Ben")
        ),
        e.VideoCorrected(
            video_id="b",
            what="redated",
            published_at=datetime(2025, 1, 12, tzinfo=UTC),
            reason="the upload was a day early",
            author="Ann",
            corrected_at=TODAY,
        ),
    ]
    rows = [row for event in events for row in rows_of(event)]
    rows += studies.talk(6, studies.video("g", "2025-03-30"), [(1, "g says it"), (None, studies.GREETING)])
    rows += studies.talk(
        7, studies.video("h", "2025-03-29"), [(5, "h says how large"), (5, "h says it again")]
    )
    short = studies.video("short", "2025-03-01", channel="Night Deploys")
    rows += [
        *studies.seen(short),
        *rows_of(e.VideoRejected(video=short, rule="too short", reason="it lasts 40 s")),
    ]
    rows += rows_of(
        e.DeadLettered(
            agent="discover",
            cause="the channel does not answer (HTTP 403)",
            cure="open it in a browser; replay when it is there",
            log_id="log-1",
            topic="sources.due",
            partition=0,
            offset=3,
            message_key="channel-1",
            payload="e30=",
            failed_at=TODAY,
        )
    )
    waits = studies.video("waits", "2025-04-01", channel="Night Deploys", description="What failed and why.")
    relevance = e.Relevance(
        score=0.71,
        talk_kind="experience report",
        reasons=("for: the description promises lessons or a case",),
        model="all-MiniLM-L6-v2-1b2c3d4e, no labels",
    )
    parked = e.VideoParked(
        video=waits,
        state="in review",
        reason="nothing passes unreviewed",
        parked_at=TODAY,
        relevance=relevance,
    )
    review = e.VideoReviewed(
        video_id="a",
        reviewer="Ann",
        verdict="keep",
        talk_kind="experience report",
        final=True,
        reviewed_at=TODAY,
    )
    rows += [*studies.seen(waits), *rows_of(parked), *rows_of(review)]
    alert = next(row for table, row in rows if table == "alerts")
    rows += rows_of(
        e.DeliveryRecorded(
            delivery_id="delivery-1",
            what="alert",
            destination="team",
            alert_ids=(alert["alert_id"],),
            title="New: tool calls",
            state="delivered",
            attempts=1,
            at=TODAY,
        )
    )
    write(warehouse, rows)


def asked(warehouse: Warehouse, name: str) -> Any:
    """Return a view's answer to its example query."""
    given = QUERIES.get(name, {})
    return VIEWS[name](warehouse, **given)


def query_of(name: str) -> dict[str, Any]:
    """Return the example query of a view with the API's parameter names."""
    return {"q" if key == "text" else key: value for key, value in QUERIES.get(name, {}).items()}


def examples(warehouse: Warehouse) -> dict[str, Any]:
    """Return each view's query and answer; lists are cut to their first rows."""
    return {
        name: {"query": query_of(name), "answer": cut(json.loads(as_json(asked(warehouse, name))))}
        for name in VIEWS
    }


def cut(answer: Any) -> Any:
    """Cut every list in an answer to its first rows."""
    if isinstance(answer, list):
        return [cut(each) for each in answer[:ROWS]]
    if isinstance(answer, dict):
        return {name: cut(value) for name, value in answer.items()}
    return answer


if __name__ == "__main__":
    home = Path(tempfile.mkdtemp())
    with Warehouse(Settings(home=home, study="example")) as example:
        example.migrate()
        study(example)
        FILE.write_text(json.dumps(examples(example), indent=1, ensure_ascii=False) + "\n")
