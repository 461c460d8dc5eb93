"""Rollup table `video_topics`: one row per talk and model, the basis of all counts.

A paragraph counts for its cluster and for each of its concepts. A row is recomputed when its facts change.
It depends only on the talk's current assignments, memberships, paragraphs, metadata and corrections, so it is
the same once all have arrived, in whatever order and however often. Of several transcripts, the one learned
last counts. A caption draft counts only while its talk is not rejected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from streams.store.codebook.speaker_names import namings
from streams.store.codebook.sql_fragments import SOURCE, corrected
from streams.store.warehouse import Warehouse, array
from streams.talks.caption_drafts import DRAFT

_WANTED = f"({{every:Bool}} OR video_id IN {array('videos')})"
"""Condition on rows of the wanted talks; a constant, because a subquery is planned for each of the tables."""
_LACKING = "notEmpty(topics.id) AND of_paragraphs = 0"
"""Condition on rows from before migration 12: a talk with a topic has a paragraph."""
_MADE = f"""
INSERT INTO video_topics
    (model_version, video_id, published_on, source, channel, show, language, speakers, withdrawn,
     transcript_version, paragraphs, of_paragraphs, of_seconds, length_s, overlaps.ids, overlaps.paragraphs,
     overlaps.seconds, topics.id, topics.paragraphs, topics.seconds, topics.probability,
     topics.position)
WITH
    said AS (
        SELECT a.model_version AS model_version, a.video_id AS video_id, a.topic_id AS topic_id,
               a.paragraph_id AS paragraph_id, a.probability AS probability,
               p.position AS position, p.transcript_version AS transcript_version, p.speakers AS speakers,
               p.end_s - p.start_s AS seconds, p.end_s AS end_s
        FROM (
            SELECT model_version, video_id, paragraph_id, topic_id, max(probability) AS probability
            FROM (
                SELECT model_version, video_id, paragraph_id, topic_id, probability FROM assignments FINAL
                WHERE {_WANTED}
                UNION ALL
                SELECT model_version, video_id, paragraph_id, about.1, about.2 FROM memberships FINAL
                ARRAY JOIN arrayZip(topic_ids, probabilities) AS about
                WHERE {_WANTED}
            )
            GROUP BY model_version, video_id, paragraph_id, topic_id
        ) AS a
        LEFT JOIN (
            SELECT paragraph_id, transcript_version, position, speakers, start_s, end_s FROM paragraphs FINAL
            WHERE {_WANTED}
        ) AS p ON p.paragraph_id = a.paragraph_id
    ),
    newest AS (
        SELECT model_version, video_id, month, transcript_version FROM learned FINAL WHERE {_WANTED}
    ),
    counted AS (
        SELECT model_version, video_id, topic_id, count() AS paragraphs, round(sum(seconds), 3) AS seconds,
               max((said.probability, -toInt64(said.position))) AS best,
               groupUniqArrayArray(speakers) AS speakers
        FROM said INNER JOIN newest USING (model_version, video_id)
        WHERE said.transcript_version IN ('', newest.transcript_version)
        GROUP BY model_version, video_id, topic_id
    ),
    apart AS (
        SELECT model_version, video_id, countIf(notEmpty(ids)) AS paragraphs, count() AS of_paragraphs,
               round(sum(length), 3) AS of_seconds, max(ends) AS length_s,
               groupArrayIf((ids, length), length(ids) > 1) AS several,
               arraySort(arrayDistinct(several.1)) AS sets
        FROM (
            SELECT model_version, video_id, said.paragraph_id AS paragraph_id,
                   arraySort(groupArrayIf(topic_id, topic_id > 0)) AS ids, any(seconds) AS length,
                   any(end_s) AS ends
            FROM said INNER JOIN newest USING (model_version, video_id)
            WHERE said.transcript_version IN ('', newest.transcript_version)
            GROUP BY model_version, video_id, paragraph_id
        )
        GROUP BY model_version, video_id
    ),
    gathered AS (
        SELECT model_version, video_id, groupUniqArrayArray(speakers) AS voices,
               arraySort(groupArrayIf(
                   (topic_id, paragraphs, seconds, best.1, -best.2), topic_id > 0)) AS topics
        FROM counted GROUP BY model_version, video_id
    )
SELECT n.model_version, n.video_id,
       toDate(coalesce(c.published_at, v.published_at, toDateTime64(n.month, 3, 'UTC'))) AS published_on,
       if(v.video_id = '', n.video_id, v.source), v.channel, v.show, coalesce(v.language, ''),
       arraySort(arrayDistinct(arrayConcat(v.speakers, arrayMap(
           voice -> if(has(w.voices, voice), w.names[indexOf(w.voices, voice)], voice), g.voices)))),
       if(startsWith(n.transcript_version, '{DRAFT}') AND s.verdict = 'rejected' AND s.rule != 'duplicate', 1,
          c.withdrawn),  -- a duplicate that was learned is kept by a person
       n.transcript_version, o.paragraphs, o.of_paragraphs, o.of_seconds, o.length_s, o.sets,
       arrayMap(ids -> countEqual(o.several.1, ids), o.sets),
       arrayMap(ids -> round(arraySum(arrayMap(each -> if(each.1 = ids, each.2, 0), o.several)), 3), o.sets),
       g.topics.1, g.topics.2, g.topics.3, g.topics.4, g.topics.5
FROM newest AS n
LEFT JOIN gathered AS g ON g.model_version = n.model_version AND g.video_id = n.video_id
LEFT JOIN apart AS o ON o.model_version = n.model_version AND o.video_id = n.video_id
LEFT JOIN (
    SELECT *, {SOURCE} AS source FROM videos FINAL
    WHERE {_WANTED}
) AS v ON v.video_id = n.video_id
LEFT JOIN (
    SELECT video_id, verdict, rule FROM screenings FINAL
    WHERE {_WANTED}
) AS s ON s.video_id = n.video_id
LEFT JOIN (
    SELECT video_id, transcript_version, groupArray(speaker) AS voices, groupArray(name) AS names
    FROM {namings(_WANTED)} GROUP BY video_id, transcript_version
) AS w ON w.video_id = n.video_id AND w.transcript_version = n.transcript_version
LEFT JOIN {corrected(_WANTED)} AS c ON c.video_id = n.video_id
"""


def measure(warehouse: Warehouse, video_ids: Iterable[str]) -> None:
    """Recompute the rows of these talks, for every model that has learned them."""
    wanted = sorted(set(video_ids))
    if wanted:
        warehouse.command(_MADE, every=False, videos=json.dumps(wanted))


def migrate(warehouse: Warehouse) -> list[int]:
    """Apply the missing migrations, make rows anew that lack a column, and return the migrations' numbers.

    Rows are looked at each time, so a process that is killed in between leaves no row behind.

    Raises:
        Misconfigured: the tables belong to another version of groundswell.
    """
    applied = warehouse.migrate()
    if warehouse.rows(f"SELECT 1 FROM video_topics FINAL WHERE {_LACKING} LIMIT 1"):
        measure_all(warehouse)
    return applied


def measure_all(warehouse: Warehouse) -> None:
    """Recompute the rows of all talks, after a migration or an import."""
    warehouse.command(_MADE, every=True, videos="[]")
