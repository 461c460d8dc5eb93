"""Log of reviewers' judgements of topics; a reviewer's latest judgement of a topic counts."""

from __future__ import annotations

from streams.events import TopicJudged
from streams.logs.event_log import EventLog


class Judgements(EventLog[TopicJudged]):
    """Every `TopicJudged` of a study."""

    kind = TopicJudged
    folder = "judgements"
    timestamp = "judged_at"
