"""BERTrend as a baseline: which of its signals are alerts, and of which talks."""

from datetime import date

import numpy as np

from benchmarks.topics.bertrend_baseline import alerts
from models.topics.bursts.term_bursts import Spoken

DAYS = (date(2024, 1, 10), date(2024, 4, 1), date(2024, 5, 1), date(2024, 8, 1))
STREAM = [
    Spoken(f"v{at}", "show", day, (f"v{at}-0",), (f"text {at}",), (0.0,), np.zeros((1, 2)))
    for at, day in enumerate(DAYS)
]


def signal(topic: int, until: str, texts: list[str], kind: str = "weak") -> dict[str, object]:
    return {"topic": topic, "kind": kind, "until": until, "words": ["agent", "tool"], "texts": texts}


def test_a_topic_of_the_first_slice_is_no_news() -> None:
    signals = [signal(0, "2024-04-01", ["text 0"]), signal(0, "2024-07-01", ["text 1"], "strong")]
    assert alerts(signals, STREAM) == []


def test_a_topic_is_news_once_at_its_first_slice() -> None:
    signals = [
        signal(1, "2024-10-01", ["text 1", "text 3"], "strong"),
        signal(0, "2024-04-01", ["text 0"]),
        signal(1, "2024-07-01", ["text 1", "text 2"]),
    ]
    (alert,) = alerts(signals, STREAM)
    assert (alert.at, alert.video_ids, alert.evidence) == (2, ("v1", "v2"), "weak")
    assert (alert.subject, alert.terms) == ("agent, tool", ("agent", "tool"))


def test_no_signals_give_no_alerts() -> None:
    assert alerts([], STREAM) == []
