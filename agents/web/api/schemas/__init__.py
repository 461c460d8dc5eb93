"""Types of each view's rows: they document the API and define the order of its CSV columns.

A test compares them with the answers of every view of a real study. Datetimes are UTC; shares are in [0, 1];
`low` and `high` are the ends of a 95 % interval. Each view's docstring says which fields can be unknown.
"""

from __future__ import annotations

from typing import Any

from agents.web.api.schemas.counted import (
    Change,
    Corpus,
    Drift,
    Pair,
    Problem,
    Provenance,
    Quote,
    Theme,
    ThemeMonth,
    Topic,
    TopicMonth,
    TopicVideo,
    WholeTopic,
)
from agents.web.api.schemas.curated import (
    Codebook,
    Correction,
    Decision,
    Judgement,
    ListedTalk,
    Revision,
    WholeTalk,
)
from agents.web.api.schemas.found import Card, Choice, Found, Neighbour, Paragraph, Speaking
from agents.web.api.schemas.operated import (
    DeadLetter,
    FailingSource,
    Freshness,
    Listing,
    Parked,
    Queue,
    Review,
    ReviewQueue,
    ScreeningSummary,
    Source,
    Stage,
    Throughput,
    WholeDeadLetter,
)
from agents.web.api.schemas.told import (
    Alert,
    Boilerplate,
    Delivery,
    Emergence,
    Growth,
    Health,
    RaisedAlert,
    Status,
)

__all__ = ["SHAPES", "Problem"]

SHAPES: dict[str, Any] = {
    "alerts": list[Alert],
    "alerts_raised": list[RaisedAlert],
    "boilerplate": list[Boilerplate],
    "choices": list[Choice],
    "codebook_decisions": list[Decision],
    "codebook_judgements": list[Judgement],
    "codebook_revision": Revision,
    "codebook_standing": Codebook,
    "cooccurrence": list[Pair],
    "corpus": Corpus,
    "corrections": list[Correction],
    "dead_letter": WholeDeadLetter,
    "dead_letters": list[DeadLetter],
    "deliveries": list[Delivery],
    "drifts": list[Drift],
    "emergences": list[Emergence],
    "emerging": list[Card],
    "failing_sources": list[FailingSource],
    "freshness": Freshness,
    "genealogy": list[Change],
    "growth": Growth,
    "health": list[Health],
    "listing": Listing,
    "neighbours": list[Neighbour],
    "paragraphs": list[Paragraph],
    "parked": list[Parked],
    "prevalence": list[ThemeMonth],
    "provenance": Provenance,
    "quotes": list[Quote],
    "review_queue": ReviewQueue,
    "reviews": list[Review],
    "screening_queue": Queue,
    "screening_summary": ScreeningSummary,
    "search": Found,
    "sources": list[Source],
    "speaking": list[Speaking],
    "stages": list[Stage],
    "status": Status,
    "talk": WholeTalk,
    "talks": list[ListedTalk],
    "themes": list[Theme],
    "throughput": list[Throughput],
    "topic": WholeTopic,
    "topic_months": list[TopicMonth],
    "topics": list[Topic],
    "videos": list[TopicVideo],
}
"""Type of the answer of each view."""
