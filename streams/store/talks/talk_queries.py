"""Queries of talks and of the work on them: quotes, status, dead letters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from streams.store.codebook.effective import EffectiveCodebook, book, shown_model
from streams.store.codebook.speaker_names import named
from streams.store.codebook.sql_fragments import OF_MODEL
from streams.store.operations.damage import damaged_parts
from streams.store.queries import aggregation
from streams.store.queries.aggregation import talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.corpus import Standing, Status
from streams.store.rows.operations import DeadLetter, WholeDeadLetter
from streams.store.rows.prevalence import TopicMonthCount
from streams.store.rows.talks import Quote
from streams.store.video_progress import STATES
from streams.store.warehouse import Warehouse, strings, typed

_TALKS = "SELECT published_at FROM videos FINAL WHERE video_id IN (SELECT video_id FROM transcripts)"
"""Videos with a transcript; those that were only seen or rejected are no talks. SQL."""
HAS_TOPIC = "hasAny(topics.id, {family:Array(UInt32)})"
"""Whether a talk has a topic of a `family`. SQL."""
_SAID_BEST = """arrayReverseSort(arrayFilter(
    (_, id) -> has({family:Array(UInt32)}, id), arrayZip(topics.probability, topics.position), topics.id
))[1]"""
"""Probability and position of a talk's most probable paragraph of a `family`. SQL."""
_Place = tuple[str, str, int]
"""Place of a paragraph: its video, the version of the transcript, and its position."""


class TopicTalks(NamedTuple):
    """Counts and quotes of the talks about one topic."""

    months: list[TopicMonthCount]
    """Every month that has a talk that counts, in order; none where the topic does not count."""
    best: list[Quote]
    """Its most probable paragraphs."""
    newest: list[Quote]
    """Its newest paragraphs."""


def quotes(  # noqa: PLR0917 - the parameters of a query
    warehouse: Warehouse,
    topic_id: int,
    limit: int = 3,
    newest: bool = False,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
) -> list[Quote]:
    """Return paragraphs of a topic, at most one a talk: the most probable, or the newest.

    Paragraphs of topics that were merged into it are its own.
    """
    applied = applied or book(warehouse, selection.codebook)
    best = warehouse.rows(
        f"""
        SELECT video_id, transcript_version, said.1 AS probability, said.2 AS position, published_on
        FROM (
            SELECT video_id, transcript_version, published_on, {_SAID_BEST} AS said
            {talks(selection)} AND {HAS_TOPIC}
        )
        ORDER BY {"published_on DESC, probability DESC" if newest else "probability DESC"}, video_id
        LIMIT {{limit:UInt32}}
        """,
        **selection.parameters,
        model=applied.model_version,
        family=applied.family(topic_id),
        limit=limit,
    )
    return _quotes(_texts(warehouse, best), best)


def topic_talks(
    warehouse: Warehouse,
    topic_id: int,
    limit: int = 3,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
) -> TopicTalks:
    """Return counts and quotes of a topic, and of those that were merged into it, in one scan."""
    applied = applied or book(warehouse, selection.codebook)
    row = "video_id, transcript_version, said.1, said.2, published_on"
    found = warehouse.rows(
        f"""
        SELECT toStartOfMonth(published_on) AS month, count() AS videos, sum(n) AS paragraphs,
               sum(s) / 60 AS minutes, groupArraySorted({limit:d})((-said.1, {row})) AS best,
               groupArraySorted({limit:d})((-toInt32(published_on), -said.1, {row})) AS newest
        FROM (
            SELECT video_id, transcript_version, published_on, {_SAID_BEST} AS said,
                   {_added("paragraphs")} AS n, {_added("seconds")} AS s
            {talks(selection)} AND {HAS_TOPIC}
        )
        GROUP BY month
        """,
        **selection.parameters,
        model=applied.model_version,
        family=applied.family(topic_id),
    )
    names = ("video_id", "transcript_version", "probability", "position", "published_on")
    best, newest = (
        [
            dict(zip(names, each[-len(names) :], strict=True))
            for each in sorted(each for row in found for each in row[order])[:limit]
        ]
        for order in ("best", "newest")
    )
    said = _texts(warehouse, [*best, *newest])
    own = {f"{row['month']:%Y-%m}": row for row in found}
    nothing = {"videos": 0, "paragraphs": 0, "minutes": 0}
    months = [
        _counted(month, videos, own.get(month, nothing))
        for month, videos in aggregation.months(warehouse, selection, applied).items()
    ]
    counts = applied.counts_as(topic_id) in applied.counted
    return TopicTalks(months if counts else [], _quotes(said, best), _quotes(said, newest))


def _counted(month: str, of_videos: int, own: Mapping[str, Any]) -> TopicMonthCount:
    return {
        "month": month,
        "of_videos": of_videos,
        "videos": own["videos"],
        "paragraphs": own["paragraphs"],
        "minutes": own["minutes"],
    }


def _added(figure: str) -> str:
    """Return the sum of a figure over a talk's topics of a `family`, as SQL."""
    return f"arraySum((n, id) -> n * has({{family:Array(UInt32)}}, id), topics.{figure}, topics.id)"


def _quotes(said: Mapping[_Place, dict[str, Any]], best: Sequence[Mapping[str, Any]]) -> list[Quote]:
    return typed(Quote, [_quote(said[_place(row)], row) for row in best if _place(row) in said])


def _texts(warehouse: Warehouse, best: Sequence[Mapping[str, Any]]) -> dict[_Place, dict[str, Any]]:
    """Return paragraphs with their talks, by place."""
    ids = json.dumps(sorted({row["video_id"] for row in best}))
    wanted = f"video_id IN {strings('ids')}"
    videos = warehouse.rows(
        f"SELECT video_id, title, show, url, published_at FROM videos FINAL WHERE {wanted}", ids=ids
    )
    about = {row["video_id"]: row for row in videos}
    paragraphs = warehouse.rows(
        f"""
        SELECT video_id, transcript_version, position, paragraph_id, start_s, end_s, speakers, text
        FROM paragraphs FINAL
        PREWHERE {wanted} AND has({{positions:Array(UInt32)}}, position)
        """,
        ids=ids,
        positions=sorted({row["position"] for row in best}),
    )
    said = [row | about[row["video_id"]] for row in paragraphs if row["video_id"] in about]
    return {_place(row): row for row in named(warehouse, said)}


def _place(row: Mapping[str, Any]) -> _Place:
    return row["video_id"], row["transcript_version"], row["position"]


def _quote(said: dict[str, Any], best: Mapping[str, Any]) -> dict[str, Any]:
    """Return a paragraph as a quote; where the talk's day was corrected, its date is that day."""
    published_at, day = said["published_at"], best["published_on"]
    if published_at is None or published_at.astimezone(UTC).date() != day:
        published_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    kept = {name: value for name, value in said.items() if name not in ("transcript_version", "position")}
    return kept | {"published_at": published_at, "probability": best["probability"]}


def standing(warehouse: Warehouse) -> Standing:
    """Return how many talks are in each state, and what is wrong with the study."""
    counted = {
        row["state"]: row["videos"]
        for row in warehouse.rows("SELECT state, count() AS videos FROM progress FINAL GROUP BY state")
    }
    states = {state: counted[state] for state in STATES if state in counted}
    rejections = {
        row["rule"]: row["videos"]
        for row in warehouse.rows(
            """
            SELECT rule, count() AS videos FROM screenings FINAL
            WHERE verdict = 'rejected'
              AND video_id IN (SELECT video_id FROM progress FINAL WHERE state = 'rejected')
            GROUP BY rule ORDER BY rule
            """
        )
    }
    found = warehouse.rows(
        f"""
        SELECT (SELECT count() FROM topics FINAL WHERE {OF_MODEL} AND codebook_key != '') > 0
               AND (SELECT count() FROM assignments
                    WHERE {OF_MODEL} AND topic_id IN (
                        SELECT topic_id FROM topics WHERE {OF_MODEL} AND codebook_key != '')
               ) > 0 AS codebook_as_clusters,
               (SELECT max(epoch) FROM epochs) AS epoch,
               (SELECT count() FROM dead_letters FINAL
                WHERE letter_id NOT IN (SELECT letter_id FROM settlements)) AS dead_letters
        """,
        model=shown_model(warehouse),
    )[0]
    return {
        "states": states,
        "videos": sum(states.values()),
        "rejections": rejections,
        "dead_letters": found["dead_letters"],
        "epoch": found["epoch"],
        "relearning": len(unlearned_videos(warehouse)) if found["epoch"] else 0,
        "damaged_parts": damaged_parts(warehouse),
        "codebook_as_clusters": bool(found["codebook_as_clusters"]),
    }


def status(warehouse: Warehouse) -> Status:
    """Return how many talks are in each state, what is wrong with the study, and the size of the corpus."""
    size = warehouse.rows(
        f"""
        SELECT (SELECT count() FROM paragraphs FINAL) AS paragraphs,
               (SELECT sum(duration_s) / 3600 FROM transcripts FINAL) AS hours,
               (SELECT uniqExact(topic_id) FROM topics FINAL WHERE {OF_MODEL}
                AND topic_id NOT IN (SELECT topic_id FROM merges WHERE {OF_MODEL})) AS topics,
               (SELECT count() FROM assignments FINAL
                WHERE {OF_MODEL} AND boilerplate = 1 AND video_id IN (
                    SELECT video_id FROM assignments WHERE {OF_MODEL} AND boilerplate = 1)) AS boilerplate,
               (SELECT min(published_at) FROM ({_TALKS})) AS first_published,
               (SELECT max(published_at) FROM ({_TALKS})) AS last_published
        """,
        model=shown_model(warehouse),
    )[0]
    return typed(Status, [{**standing(warehouse), **size}])[0]


def dead_letters(warehouse: Warehouse, settled: bool = False, limit: int = 200) -> list[DeadLetter]:
    """Return dead letters, newest first: those that wait for a decision; with `settled`, all."""
    return warehouse.rows_as(
        DeadLetter,
        """
        SELECT d.letter_id AS letter_id, agent, cause, cure, topic, partition, offset, video_id, failed_at,
               s.action AS settlement
        FROM (SELECT * FROM dead_letters FINAL) AS d
        LEFT JOIN (SELECT letter_id, action FROM settlements FINAL) AS s ON s.letter_id = d.letter_id
        WHERE {settled:Bool} OR s.action = ''
        ORDER BY failed_at DESC, letter_id LIMIT {limit:UInt32}
        """,
        settled=settled,
        limit=limit,
    )


def dead_letter(warehouse: Warehouse, letter_id: str) -> WholeDeadLetter | None:
    """Return the dead letter whose id has a prefix, or None where no letter or more than one has it."""
    found = warehouse.rows(
        """
        SELECT d.*, s.action AS settlement
        FROM (SELECT * FROM dead_letters FINAL WHERE startsWith(letter_id, {prefix:String})) AS d
        LEFT JOIN (SELECT letter_id, action FROM settlements FINAL) AS s ON s.letter_id = d.letter_id
        LIMIT 2
        """,
        prefix=letter_id,
    )
    if len(found) != 1:
        return None
    return typed(WholeDeadLetter, [{name.removeprefix("d."): value for name, value in found[0].items()}])[0]


def finished_videos(warehouse: Warehouse) -> set[str]:
    """Return videos that need no more work: assigned, rejected, or with a dead letter that was not replayed.

    A rejected video that a reviewer wants to keep is left out: it may have been accepted since.
    """
    rows = warehouse.rows(
        """
        SELECT video_id FROM progress FINAL
        WHERE state = 'assigned' OR (
            state = 'rejected' AND video_id NOT IN (SELECT video_id FROM reviews FINAL WHERE verdict = 'keep')
        )
        UNION DISTINCT
        SELECT assumeNotNull(video_id) FROM dead_letters FINAL
        WHERE video_id IS NOT NULL
          AND letter_id NOT IN (SELECT letter_id FROM settlements FINAL WHERE action = 'replayed')
        """
    )
    return {row["video_id"] for row in rows}


def complete_videos(warehouse: Warehouse) -> set[str]:
    """Return the finished videos all of whose facts are stored, so that losing the log loses none of them.

    The store reads many Kafka topics, and one of them may be ahead: a talk can be assigned in the database
    while its paragraphs are still in the log.
    """
    lacking = warehouse.rows(
        f"""
        WITH newest AS (SELECT video_id, transcript_version FROM learned FINAL WHERE {OF_MODEL})
        SELECT video_id FROM progress FINAL WHERE state IN ('assigned', 'rejected')
          AND video_id NOT IN (SELECT video_id FROM sightings)
        UNION DISTINCT
        SELECT video_id FROM progress FINAL WHERE state = 'assigned' AND (
            video_id NOT IN (SELECT video_id FROM screenings)
            OR video_id IN (
                SELECT video_id FROM newest
                WHERE (video_id, transcript_version) NOT IN (
                        SELECT video_id, transcript_version FROM transcripts)
                    OR (video_id IN (SELECT video_id FROM assignments WHERE {OF_MODEL})
                        AND (video_id, transcript_version) NOT IN (
                            SELECT video_id, transcript_version FROM paragraphs))
            )
        )
        """,
        model=shown_model(warehouse),
    )
    return finished_videos(warehouse) - {row["video_id"] for row in lacking}


def unlearned_videos(warehouse: Warehouse) -> set[str]:
    """Return videos that an earlier epoch's model has learned, and the newest one has not yet."""
    rows = warehouse.rows(
        f"""
        SELECT video_id FROM progress FINAL WHERE state = 'assigned'
          AND video_id NOT IN (SELECT video_id FROM assignments WHERE {OF_MODEL})
        """,
        model=shown_model(warehouse),
    )
    return {row["video_id"] for row in rows}


def known_videos(warehouse: Warehouse) -> set[str]:
    """Return videos of which at least the sighting is stored."""
    return {row["video_id"] for row in warehouse.rows("SELECT video_id FROM progress FINAL")}
