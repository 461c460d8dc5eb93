"""Queries of the corpus for reports: its videos by what became of them, and the origin of its numbers."""

from __future__ import annotations

from streams.store.codebook.effective import EffectiveEntry, book, merged_topics, shown_model
from streams.store.codebook.sql_fragments import OF_MODEL, SOURCE
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.corpus import Corpus, ModelOrigin, Provenance
from streams.store.warehouse import Warehouse


def corpus(warehouse: Warehouse, selection: Selection = EVERYTHING) -> Corpus:
    """Return how many talks were found, and their outcome.

    A video without a date of publication is in no period. The found videos are the kept, the rejected, the
    withdrawn and the waiting ones; work on the latter continues, or stopped with a dead letter.
    """
    rows = warehouse.rows(
        f"""
        SELECT multiIf(state = 'rejected', 'rejected', learned = 0, 'waiting', taken_out = 1, 'withdrawn',
                       'kept') AS fate,
               if(fate = 'rejected', rule, '') AS why, count() AS videos, sum(count) AS paragraphs,
               sum(seconds) AS seconds, min(published_on) AS first, max(published_on) AS last
        FROM (
            SELECT p.state AS state, s.rule AS rule, (t.video_id != '') AS learned, t.withdrawn AS taken_out,
                   r.duration_s AS seconds, t.of_paragraphs AS count,
                   (v.published_at IS NOT NULL OR learned) AS dated,
                   if(learned, t.published_on, toDate(coalesce(v.published_at, toDateTime64(0, 3))))
                       AS published_on,
                   if(learned, t.source, v.source) AS source, if(learned, t.channel, v.channel) AS channel,
                   if(learned, t.show, v.show) AS show,
                   if(learned, t.language, coalesce(v.language, '')) AS language,
                   if(learned, t.speakers, v.speakers) AS speakers, toUInt8(0) AS withdrawn
            FROM (SELECT video_id, state FROM progress FINAL) AS p
            LEFT JOIN (SELECT *, {SOURCE} AS source FROM videos FINAL) AS v ON v.video_id = p.video_id
            LEFT JOIN (SELECT video_id, rule FROM screenings FINAL) AS s ON s.video_id = p.video_id
            LEFT JOIN (SELECT * FROM video_topics FINAL WHERE {OF_MODEL}) AS t
                ON t.video_id = p.video_id
            LEFT JOIN (SELECT video_id, transcript_version, duration_s FROM transcripts FINAL) AS r
                ON r.video_id = t.video_id AND r.transcript_version = t.transcript_version
        )
        WHERE (dated OR {{open:Bool}}) AND {selection.where}
        GROUP BY fate, why ORDER BY fate, why
        """,
        **selection.parameters,
        model=shown_model(warehouse),
        open=selection.first is None and selection.last is None,
    )
    fates = {row["fate"]: row for row in rows if row["fate"] != "rejected"}
    kept = fates.get("kept")
    return {
        "found": sum(row["videos"] for row in rows),
        "kept": kept["videos"] if kept else 0,
        "withdrawn": fates["withdrawn"]["videos"] if "withdrawn" in fates else 0,
        "waiting": fates["waiting"]["videos"] if "waiting" in fates else 0,
        "rejections": {row["why"]: row["videos"] for row in rows if row["fate"] == "rejected"},
        "paragraphs": kept["paragraphs"] if kept else 0,
        "hours": kept["seconds"] / 3600 if kept else 0.0,
        "mean_minutes": kept["seconds"] / 60 / kept["videos"] if kept else None,
        "first": kept["first"] if kept else None,
        "last": kept["last"] if kept else None,
    }


def provenance(warehouse: Warehouse, selection: Selection = EVERYTHING) -> Provenance:
    """Return the origin of the numbers: the models that made them, and people's decisions about topics."""
    applied = book(warehouse, selection.codebook)
    model = warehouse.rows_as(
        ModelOrigin,
        f"""
        SELECT model_version, epoch, embedding_model, codebook FROM epochs FINAL WHERE {OF_MODEL}
        """,
        model=applied.model_version,
    )
    versions = warehouse.rows(
        f"""
        SELECT transcript_version AS version, count() AS videos FROM video_topics FINAL
        WHERE {OF_MODEL} AND {selection.where} GROUP BY version ORDER BY videos DESC, version
        """,
        **selection.parameters,
        model=applied.model_version,
    )
    decided = warehouse.rows(
        """
        SELECT max(d.revision) AS revision, max(d.decided_at) AS decided_at
        FROM (SELECT * FROM decisions FINAL) AS d
        WHERE {any:Bool} OR d.revision <= {revision:UInt64}
        """,
        any=selection.codebook is None,
        revision=selection.codebook or 0,
    )[0]
    by_model = merged_topics(warehouse, applied.model_version).keys()
    unknown: ModelOrigin = {
        "model_version": applied.model_version,
        "epoch": None,
        "embedding_model": "",
        "codebook": "",
    }
    return {
        **(model[0] if model else unknown),
        "transcripts": {row["version"]: row["videos"] for row in versions},
        "revision": decided["revision"],
        "decided_at": decided["decided_at"] if decided["revision"] else None,
        "excluded": [
            {"topic_id": topic_id, "name": entry.name, "reason": entry.reason}
            for topic_id, entry in sorted(applied.entries.items())
            if not entry.retained and entry.counts_as == topic_id
        ],
        "merged": [
            {
                "topic_id": topic_id,
                "name": entry.name,
                "into_id": entry.counts_as,
                "into": _name(applied.entries.get(entry.counts_as)),
                "by": "model" if topic_id in by_model else "person",
            }
            for topic_id, entry in sorted(applied.entries.items())
            if entry.counts_as != topic_id
        ],
    }


def _name(entry: EffectiveEntry | None) -> str:
    return entry.name if entry else ""
