"""weigh: what a person makes of an alert → the log of such judgements → ClickHouse.

An alert is confirmed, dismissed, or opened again. The judgement is kept for good before it is sent, so that
it holds whatever the broker forgets. It changes no number.
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
    """Keep what somebody makes of an alert, and deliver it with what never arrived.

    Args:
        log: where judgements are kept.
        deliver: brings events to the store.
        late: judgements that were kept and that the store lacks.
        now: the clock.
        author: who says so.
        alert_id: the alert; that there is one has to be known.
        verdict: what they make of it; `reopened` takes back what was said before.
        note: why, if they say so.

    Raises:
        BadInput: the note is too long, or has control characters.
        Unavailable: it is kept, but could not be sent.
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
