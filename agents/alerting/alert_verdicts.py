"""Verdicts on alerts: a person's decision → the log of judgements → ClickHouse.

An alert is confirmed, dismissed, or reopened. The judgement is appended to the log before it is sent, so that
it survives a loss of the broker's data. It changes no number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from agents.instance.event_publisher import Deliver, deliver_kept
from models.codebook import commands
from streams.events import AlertJudged
from streams.logs.alert_judgements import AlertJudgements
from streams.timestamps import whole_ms

Verdict = Literal["confirmed", "dismissed", "reopened"]


def record_verdict(  # noqa: PLR0917
    log: AlertJudgements,
    deliver: Deliver,
    late: Sequence[AlertJudged],
    now: Callable[[], datetime],
    author: str,
    alert_id: str,
    verdict: Verdict,
    note: str = "",
) -> AlertJudged:
    """Log a person's verdict on an alert, and deliver it together with earlier undelivered ones.

    Args:
        log: the log of judgements.
        deliver: sends events to the store.
        late: logged judgements that the store lacks.
        now: the clock.
        author: the person who decides.
        alert_id: the alert; the caller has checked that it exists.
        verdict: the decision; `reopened` takes back the verdict before it.
        note: the reason; may be empty.

    Raises:
        BadInput: the note is too long, or has control characters.
        Unavailable: the judgement is logged, but could not be sent.
    """
    event = AlertJudged(
        alert_id=alert_id,
        verdict=verdict,
        author=commands.clean(author, "the author"),
        note=commands.clean(note, "the note", commands.LONG, needed=False),
        judged_at=whole_ms(now()),
    )
    log.append(event)
    deliver_kept(
        deliver,
        [*late, event],
        "the judgement is kept, but not sent to the store",
        "do not judge it again: it is sent with the next one, or when the store starts",
    )
    return event
