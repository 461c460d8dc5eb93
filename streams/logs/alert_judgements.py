"""What people made of alerts, kept for good: this log is the truth, the database follows it.

The embedded broker forgets when it ends, so a judgement is kept here before it is sent. Judgements are only
ever added; of an alert the latest holds.
"""

from __future__ import annotations

from streams.events import AlertJudged
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.timestamps import whole_ms

FOLDER = "alert-judgements"


class AlertJudgements:
    """Every `AlertJudged` of a study, in the blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def keep(self, event: AlertJudged) -> None:
        """Keep a judgement durably. Keeping it twice is keeping it once."""
        self._blobs.put(f"{FOLDER}/{event.event_id}.json", encode(event))

    def events(self) -> list[AlertJudged]:
        """Return every judgement, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        kept = (decode(self._blobs.get(key)) for key in self._blobs.keys(FOLDER))
        return sorted((event for event in kept if isinstance(event, AlertJudged)), key=_moment)


def missing(judgements: AlertJudgements, warehouse: Warehouse) -> list[AlertJudged]:
    """Return the judgements that hold and that the database lacks, oldest first."""
    holding = {event.alert_id: event for event in judgements.events()}
    if not holding:
        return []
    held = {
        row["alert_id"]: row["judged_at"]
        for row in warehouse.rows("SELECT alert_id, judged_at FROM alert_judgements FINAL")
    }
    return [
        event
        for alert_id, event in holding.items()
        if alert_id not in held or held[alert_id] < whole_ms(event.judged_at)
    ]


def _moment(event: AlertJudged) -> tuple[object, ...]:
    return event.judged_at, event.event_id
