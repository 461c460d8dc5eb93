"""A study with two topics of a codebook, a born topic, and a talk whose paragraphs are perhaps about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from event_factories import MODEL, TRANSCRIPT

from streams import events as e
from streams.store import writer
from streams.store.warehouse import Warehouse

PUBLISHED = datetime(2025, 4, 2, 12, tzinfo=UTC)
RAG, AGENTS, BEES = 1, 2, 21
SAID = (
    "The agent makes a plan, calls its tools one after the other, and hands over to another agent.",
    "Our agents of change plan every workflow; each agent hands over to other agents, all of them people.",
    "Bees gather nectar, and the queen of the hive lays eggs all summer long.",
)
Memberships = Sequence[tuple[int, float]]
"""The concepts of a paragraph, each with its probability."""


def a_taught_study(about: Sequence[Memberships]) -> list[e.Event]:
    """Return the events of the study; a paragraph without concepts is about bees."""
    born = {"model_version": MODEL, "sequence": 0}
    return [
        e.EpochBegun(**born, epoch=0, embedding_model="m", codebook="c"),  # type: ignore[arg-type]
        *(
            e.TopicBorn(
                **born,  # type: ignore[arg-type]
                topic_id=topic_id,
                label=name,
                origin="seeded" if key else "born",
                theme=None,
                codebook_key=key,
            )
            for topic_id, name, key in (
                (RAG, "RAG", "rag"),
                (AGENTS, "Agents", "agents"),
                (BEES, "bees", None),
            )
        ),
        e.ParagraphsAssigned(
            video=e.Video(video_id="a", title="On agents", published_at=PUBLISHED),
            video_index=0,
            model_version=MODEL,
            transcript_version=TRANSCRIPT,
            sequence=1,
            judge="j",
            assignments=tuple(
                e.AssignedParagraph(
                    paragraph_id=e.paragraph_id("a", TRANSCRIPT, position),
                    topic_id=None if concepts else BEES,
                    probability=0.9,
                    concepts=tuple(e.ConceptMembership(topic_id=t, probability=p) for t, p in concepts),
                )
                for position, concepts in enumerate(about)
            ),
        ),
    ]


def write_texts(study: Warehouse, texts: Sequence[str]) -> None:
    """Write the texts of the talk's paragraphs."""
    rows = (
        writer.paragraph_row(
            "a",
            TRANSCRIPT,
            at,
            paragraph_id=e.paragraph_id("a", TRANSCRIPT, at),
            start_s=60.0 * at,
            end_s=60.0 * at + 50,
            text=text,
            speakers=[],
            tokens=20,
        )
        for at, text in enumerate(texts)
    )
    writer.write(study, rows)
