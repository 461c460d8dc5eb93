"""Queries of alerting: alerts of every rule, their deliveries, and the figures of system rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from streams.store.codebook.effective import shown_model
from streams.store.queries.alerts import EVIDENCE, as_merged, with_talks
from streams.store.rows.alerts import AlertOfAnyRule, RaisedAlert, Told
from streams.store.rows.deliveries import (
    CorpusGrowth,
    Delivery,
    FailingOfLate,
    Growth,
    LatestLetter,
    NewTalk,
    VitalSigns,
)
from streams.store.warehouse import Warehouse, strings, typed
from streams.timestamps import EARLIEST, storable


def alerts_raised(warehouse: Warehouse, limit: int = 20, rule: str = "") -> list[RaisedAlert]:
    """Return the newest alerts of all rules, or of one, with their evidence and the state of deliveries."""
    rows = _raised(warehouse, EARLIEST, limit, rule)
    told = deliveries_of(warehouse, [row["alert_id"] for row in rows])
    return [{**row, "deliveries": told.get(row["alert_id"], [])} for row in rows]


def raised_since(warehouse: Warehouse, since: datetime, limit: int = 500) -> list[AlertOfAnyRule]:
    """Return alerts of all rules with `raised_at` from a moment on, the newest first."""
    return _raised(warehouse, since, limit, "")


def _raised(warehouse: Warehouse, since: datetime, limit: int, rule: str) -> list[AlertOfAnyRule]:
    model = shown_model(warehouse)
    rows = warehouse.rows(
        f"""
        WITH numbered AS (
            SELECT l.model_version AS model_version, l.sequence AS sequence, l.video_id AS video_id,
                   e.epoch AS epoch
            FROM (SELECT * FROM learned FINAL) AS l
            LEFT JOIN (SELECT model_version, epoch FROM epochs FINAL) AS e USING (model_version)
        )
        SELECT alert_id, rule, told.topic_id AS topic_id, about, title, reason, raised_at, size, replaces,
               video_ids,
               {EVIDENCE},
               told.model_version AS model_version, told.sequence AS sequence,
               told.model_version != '' AND told.sequence > 0 AND (told.model_version, told.sequence) IN (
                   SELECT a.model_version, a.sequence
                   FROM (
                       SELECT said.model_version AS model_version, said.sequence AS sequence,
                              argMax(n.video_id, n.sequence) AS video_id, any(n.epoch) AS epoch
                       FROM (SELECT DISTINCT model_version, sequence FROM alerts) AS said
                       INNER JOIN numbered AS n ON n.model_version = said.model_version
                       WHERE n.sequence <= said.sequence
                       GROUP BY said.model_version, said.sequence
                   ) AS a
                   INNER JOIN numbered AS earlier ON earlier.video_id = a.video_id
                   WHERE earlier.epoch < a.epoch
               ) AS repeat
        FROM (
            SELECT * FROM alerts FINAL
            WHERE (model_version = {{model:String}} OR model_version = '')
              AND ifNull(raised_at, toDateTime64(0, 3, 'UTC')) >= {{since:DateTime64(3, 'UTC')}}
              AND ({{rule:String}} = '' OR rule = {{rule:String}})
        ) AS told
        ORDER BY raised_at DESC, alert_id LIMIT {{limit:UInt32}}
        """,
        model=model,
        since=since,
        rule=rule,
        limit=limit,
    )
    told = with_talks(warehouse, as_merged(warehouse, model, rows))
    return typed(AlertOfAnyRule, [row | {"repeat": bool(row["repeat"])} for row in told])


def deliveries(
    warehouse: Warehouse, limit: int = 50, destination: str = "", state: str = ""
) -> list[Delivery]:
    """Return deliveries with their state, the newest first; only of one destination or state, where given."""
    return warehouse.rows_as(
        Delivery,
        """
        SELECT delivery_id, what, destination, alert_ids, title, state, attempts, error, next_at, at, until
        FROM deliveries FINAL
        WHERE ({destination:String} = '' OR destination = {destination:String})
          AND ({state:String} = '' OR state = {state:String})
        ORDER BY at DESC, delivery_id LIMIT {limit:UInt32}
        """,
        destination=destination,
        state=state,
        limit=limit,
    )


def deliveries_of(warehouse: Warehouse, alert_ids: Sequence[str]) -> dict[str, list[Told]]:
    """Return the state of these alerts' deliveries, by alert."""
    rows = warehouse.rows(
        f"""
        SELECT arrayJoin(alert_ids) AS alert_id, destination, state, at FROM deliveries FINAL
        WHERE alert_id IN {strings("ids")} ORDER BY destination, at
        """,
        ids=json.dumps(list(alert_ids)),
    )
    found: dict[str, list[Told]] = {}
    for row in rows:
        told: Told = {"destination": row["destination"], "state": row["state"], "at": row["at"]}
        found.setdefault(row["alert_id"], []).append(told)
    return found


def delivery_states(warehouse: Warehouse) -> dict[str, tuple[str, int]]:
    """Return (state, attempts) of every delivery, by its id."""
    rows = warehouse.rows("SELECT delivery_id, state, attempts FROM deliveries FINAL")
    return {row["delivery_id"]: (row["state"], row["attempts"]) for row in rows}


def raised_by_the_clock(warehouse: Warehouse) -> set[str]:
    """Return the ids of stored alerts that rules about the figures raised, not the model."""
    rows = warehouse.rows(
        "SELECT alert_id FROM alerts WHERE sequence = 0 AND rule NOT IN ('emergence', 'new topic')"
    )
    return {row["alert_id"] for row in rows}


def vital_signs(warehouse: Warehouse, now: datetime) -> VitalSigns:
    """Return the figures that system rules look at."""
    model = shown_model(warehouse)
    found = warehouse.rows(
        """
        SELECT (SELECT count() FROM progress FINAL) AS videos,
               (SELECT count() FROM progress FINAL WHERE state NOT IN ('assigned', 'rejected')
                AND video_id NOT IN (SELECT assumeNotNull(video_id) FROM dead_letters
                                     WHERE video_id IS NOT NULL)) AS waiting,
               (SELECT count() FROM dead_letters FINAL
                WHERE letter_id NOT IN (SELECT letter_id FROM settlements)) AS dead_letters,
               (SELECT maxOrNull(first_seen_at) FROM sightings
                WHERE kind IN ('channel', 'playlist', 'search')) AS last_sighted,
               (SELECT max(epoch) FROM epochs) AS epoch,
               (SELECT count() FROM progress FINAL WHERE state = 'assigned' AND video_id NOT IN (
                SELECT video_id FROM learned WHERE model_version = {model:String})) AS relearning
        """,
        model=model,
    )[0]
    if not found.pop("epoch"):
        found["relearning"] = 0
    letters = warehouse.rows_as(
        LatestLetter,
        """
        SELECT cause, cure FROM dead_letters FINAL WHERE letter_id NOT IN (SELECT letter_id FROM settlements)
        ORDER BY failed_at DESC LIMIT 1
        """,
    )
    failing = warehouse.rows_as(
        FailingOfLate,
        """
        SELECT ifNull(message_key, '') AS source_id, count() AS failures, argMax(cause, failed_at) AS cause,
               argMax(cure, failed_at) AS cure, max(failed_at) AS latest,
               argMax(ifNull(payload, ''), failed_at) AS payload
        FROM dead_letters FINAL
        WHERE agent = 'discover' AND failed_at >= {since:DateTime64(3, 'UTC')}
          AND letter_id NOT IN (SELECT letter_id FROM settlements)
        GROUP BY source_id ORDER BY source_id
        """,
        since=now - timedelta(hours=24),
    )
    more = {"model_version": model, "latest_letter": letters[0] if letters else None, "failing": failing}
    return typed(VitalSigns, [found | more])[0]


def growth(warehouse: Warehouse, first: datetime | str, last: datetime | str) -> Growth:
    """Return the growth of the corpus between two moments (as text: ISO 8601)."""
    seen = """
        SELECT video_id, min(first_seen_at) AS seen_at FROM sightings
        WHERE video_id IN (SELECT video_id FROM progress FINAL WHERE state = 'assigned')
        GROUP BY video_id
        HAVING seen_at >= {first:DateTime64(3, 'UTC')} AND seen_at < {last:DateTime64(3, 'UTC')}
    """
    counted = warehouse.rows_as(
        CorpusGrowth,
        f"""
        SELECT count() AS talks, sum(ifNull(t.duration_s, 0)) / 3600 AS hours,
               uniqExact(if(v.channel != '', v.channel, v.show)) AS sources
        FROM ({seen}) AS s
        LEFT JOIN (
            SELECT video_id, any(duration_s) AS duration_s FROM transcripts FINAL GROUP BY video_id
        ) AS t ON t.video_id = s.video_id
        LEFT JOIN (SELECT video_id, channel, show FROM videos FINAL) AS v ON v.video_id = s.video_id
        """,
        first=storable(first),
        last=storable(last),
    )[0]
    shown = warehouse.rows_as(
        NewTalk,
        f"""
        SELECT video_id, title, show, url, published_at FROM videos FINAL
        WHERE video_id IN (SELECT video_id FROM ({seen})) ORDER BY published_at DESC, video_id LIMIT 5
        """,
        first=storable(first),
        last=storable(last),
    )
    return {**counted, "shown": shown}
