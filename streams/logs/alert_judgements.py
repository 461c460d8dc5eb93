"""Log of people's judgements of alerts; the latest judgement of an alert counts."""

from __future__ import annotations

from streams.events import AlertJudged
from streams.logs.event_log import EventLog


class AlertJudgements(EventLog[AlertJudged]):
    """Every `AlertJudged` of a study."""

    kind = AlertJudged
    folder = "alert-judgements"
    timestamp = "judged_at"
