"""Queries of transcripts that the newest epoch's topic model has not learned yet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from streams.state.epochs import Epoch
from streams.store.rows.operations import UnlearnedTranscript
from streams.store.warehouse import Warehouse, strings
from streams.talks.caption_drafts import DRAFT

_HEARD = """
    SELECT v.video_id AS video_id, v.title AS title, v.description AS description, v.channel AS channel,
           v.channel_id AS channel_id, v.show AS show, v.url AS url, v.published_at AS published_at,
           v.duration_s AS duration_s, v.language AS language, v.speakers AS speakers,
           t.transcript_version AS transcript_version, t.blob_key AS blob_key,
           t.language AS transcript_language, t.duration_s AS transcript_duration_s, t.words AS words,
           t.speakers AS transcript_speakers
    FROM (SELECT * FROM transcripts FINAL) AS t
    INNER JOIN (SELECT * FROM videos FINAL) AS v ON v.video_id = t.video_id
"""
_FAILED = """
    SELECT assumeNotNull(video_id) FROM dead_letters FINAL
    WHERE video_id IS NOT NULL AND failed_at >= {begun_at:DateTime64(3, 'UTC')}
      AND letter_id NOT IN (SELECT letter_id FROM settlements FINAL WHERE action = 'replayed')
"""


def unlearned(warehouse: Warehouse, epoch: Epoch) -> list[UnlearnedTranscript]:
    """Return the transcripts that an epoch's model has to learn, in the order of the epoch before it.

    Left out are drafts of talks that were transcribed since, rejected videos, and those that became a dead
    letter in this epoch and were not replayed. Talks that no model has learned come last, in the order of
    publication.
    """
    return warehouse.rows_as(
        UnlearnedTranscript,
        f"""
        WITH
            (SELECT argMax(model_version, epoch) FROM epochs FINAL WHERE epoch < {{epoch:UInt32}}) AS before
        {_HEARD}
        LEFT JOIN (
            SELECT video_id, min(video_index) + 1 AS place FROM assignments
            WHERE model_version = before GROUP BY video_id
        ) AS a ON a.video_id = t.video_id
        WHERE t.video_id NOT IN (
            SELECT video_id FROM assignments
            WHERE model_version IN (SELECT model_version FROM epochs WHERE epoch = {{epoch:UInt32}})
            UNION DISTINCT SELECT video_id FROM progress FINAL WHERE state = 'rejected'
            UNION DISTINCT {_FAILED}
        )
          AND NOT (startsWith(t.transcript_version, '{DRAFT}') AND t.video_id IN (
              SELECT video_id FROM transcripts WHERE NOT startsWith(transcript_version, '{DRAFT}')
          ))
        ORDER BY a.place = 0, a.place, v.published_at, t.video_id, t.transcript_version
        """,
        epoch=epoch.number,
        begun_at=_beginning(epoch),
    )


def duplicates(warehouse: Warehouse, epoch: Epoch, video_ids: Iterable[str]) -> list[UnlearnedTranscript]:
    """Return the transcripts of these videos that are rejected as duplicates, in the order of publication.

    Left out are those that became a dead letter in this epoch and were not replayed.
    """
    return warehouse.rows_as(
        UnlearnedTranscript,
        f"""
        {_HEARD}
        WHERE t.video_id IN {strings("ids")}
          AND t.video_id IN (SELECT video_id FROM progress FINAL WHERE state = 'rejected')
          AND t.video_id IN (SELECT video_id FROM screenings FINAL WHERE rule = 'duplicate')
          AND t.video_id NOT IN ({_FAILED})
        ORDER BY v.published_at, t.video_id, t.transcript_version
        """,
        ids=json.dumps(sorted(video_ids)),
        begun_at=_beginning(epoch),
    )


def _beginning(epoch: Epoch) -> datetime:
    return epoch.begun_at or datetime(1970, 1, 1, tzinfo=UTC)
