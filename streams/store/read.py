"""One function per view. Each returns rows of plain values, ready for a table, JSON or a page.

Prevalence follows one definition everywhere: videos with at least one paragraph of the topic, over
videos with at least one paragraph of any retained topic, by month of publication. Themes are
applied here, through the codebook, so curation never processes a talk again; merged topics count for the
topic they ended up in (`streams.store.shown`, and the view `topic_months`).
"""

from __future__ import annotations

from streams.store.shown import ALIASES, ASLEEP, FAMILY, MODEL, NAMED
from streams.store.warehouse import Row, Warehouse

EVER = {"first": "1970-01-01", "last": "2149-06-06"}

_CODEBOOK = f"""
    SELECT topic_id, name, theme FROM {NAMED} WHERE retained
"""
_VIDEOS = f"""
    SELECT month, topic_id, videos FROM topic_months
    WHERE model_version = {MODEL} AND month BETWEEN {{first:Date}} AND {{last:Date}}
"""
_TALKS = "SELECT published_at FROM videos FINAL WHERE video_id IN (SELECT video_id FROM transcripts)"
"""Videos that were heard; sightings and rejected videos are no talks."""


def _period(first: str | None, last: str | None) -> dict[str, str]:
    return {
        "first": f"{first}-01" if first else EVER["first"],
        "last": f"{last}-01" if last else EVER["last"],
    }


def prevalence(warehouse: Warehouse, first: str | None = None, last: str | None = None) -> list[Row]:
    """Share of videos per theme and month of publication.

    Args:
        warehouse: the study.
        first: first month, 'YYYY-MM'; None is from the beginning.
        last: last month, 'YYYY-MM', inclusive.

    Returns:
        Rows {month: 'YYYY-MM', theme, videos, of_videos, share}; share = videos / of_videos in [0, 1].
    """
    return warehouse.rows(
        f"""
        SELECT formatDateTime(month, '%Y-%m') AS month, theme, videos, of_videos, videos / of_videos AS share
        FROM (
            SELECT month, theme, groupBitmapMerge(videos) AS videos
            FROM ({_VIDEOS}) AS v INNER JOIN ({_CODEBOOK}) AS c USING (topic_id) GROUP BY month, theme
        ) AS themes
        INNER JOIN (
            SELECT month, groupBitmapMerge(videos) AS of_videos
            FROM ({_VIDEOS}) AS v INNER JOIN ({_CODEBOOK}) AS c USING (topic_id) GROUP BY month
        ) AS months USING (month)
        ORDER BY month, videos DESC, theme
        """,
        **_period(first, last),
    )


def themes(warehouse: Warehouse, first: str | None = None, last: str | None = None) -> list[Row]:
    """Prevalence of each theme in a period: over the union of its topics' videos, not their sum.

    Returns:
        Rows {theme, videos, of_videos, share, topics}.
    """
    return _shares(warehouse, "theme", "uniqExact(topic_id) AS topics", first, last)


def topics(warehouse: Warehouse, first: str | None = None, last: str | None = None) -> list[Row]:
    """Each topic with its words, theme and prevalence in a period, most prevalent first.

    Returns:
        Rows {topic_id, name, theme, origin, emerged_at, parent_id, asleep, words, videos, of_videos, share};
        topics without a video in the period have videos = 0. Merged ones are not among them.
    """
    counted = {row["topic_id"]: row for row in _shares(warehouse, "topic_id", "1 AS one", first, last)}
    known = warehouse.rows(
        f"""
        SELECT t.topic_id AS topic_id, c.name AS name, c.theme AS theme, t.origin AS origin,
               t.emerged_at AS emerged_at, t.parent AS parent_id, s.asleep = 1 AS asleep, w.words AS words
        FROM (SELECT * FROM topics FINAL WHERE model_version = {MODEL}
              AND topic_id NOT IN (SELECT topic_id FROM {ALIASES})) AS t
        INNER JOIN ({_CODEBOOK}) AS c ON c.topic_id = t.topic_id
        LEFT JOIN (SELECT topic_id, words FROM topic_words FINAL WHERE model_version = {MODEL}) AS w
            ON w.topic_id = t.topic_id
        LEFT JOIN {ASLEEP} AS s ON s.topic_id = t.topic_id
        """
    )
    of_videos = next(iter(counted.values()))["of_videos"] if counted else 0
    rows = [
        row
        | {
            "asleep": bool(row["asleep"]),
            "videos": counted[row["topic_id"]]["videos"] if row["topic_id"] in counted else 0,
            "of_videos": of_videos,
            "share": counted[row["topic_id"]]["share"] if row["topic_id"] in counted else 0.0,
        }
        for row in known
    ]
    return sorted(rows, key=lambda row: (-row["videos"], row["topic_id"]))


def topic_months(warehouse: Warehouse, first: str | None = None, last: str | None = None) -> list[Row]:
    """Videos per topic and month of publication.

    Returns:
        Rows {topic_id, month: 'YYYY-MM', videos} with videos > 0, by topic and month.
    """
    return warehouse.rows(
        f"""
        SELECT topic_id, formatDateTime(month, '%Y-%m') AS month, groupBitmapMerge(videos) AS videos
        FROM ({_VIDEOS}) AS v INNER JOIN ({_CODEBOOK}) AS c USING (topic_id)
        GROUP BY topic_id, month ORDER BY topic_id, month
        """,
        **_period(first, last),
    )


def months(warehouse: Warehouse, first: str | None = None, last: str | None = None) -> list[Row]:
    """Videos with at least one paragraph of any retained topic, per month of publication.

    Returns:
        Rows {month: 'YYYY-MM', of_videos}, by month.
    """
    return warehouse.rows(
        f"""
        SELECT formatDateTime(month, '%Y-%m') AS month, groupBitmapMerge(videos) AS of_videos
        FROM ({_VIDEOS}) AS v INNER JOIN ({_CODEBOOK}) AS c USING (topic_id) GROUP BY month ORDER BY month
        """,
        **_period(first, last),
    )


def _shares(warehouse: Warehouse, by: str, extra: str, first: str | None, last: str | None) -> list[Row]:
    return warehouse.rows(
        f"""
        SELECT {by}, groupBitmapMerge(videos) AS videos, {extra},
               (SELECT groupBitmapMerge(videos) FROM ({_VIDEOS}) AS v
                INNER JOIN ({_CODEBOOK}) AS c USING (topic_id)) AS of_videos,
               videos / of_videos AS share
        FROM ({_VIDEOS}) AS v INNER JOIN ({_CODEBOOK}) AS c USING (topic_id)
        GROUP BY {by} ORDER BY videos DESC, {by}
        """,
        **_period(first, last),
    )


def cooccurrence(warehouse: Warehouse, first: str | None = None, last: str | None = None) -> list[Row]:
    """Pairs of topics within videos: how many videos have at least one paragraph of each.

    Returns:
        Rows {topic_id, name, other_id, other, videos} with topic_id < other_id and videos > 0, most first.
    """
    return warehouse.rows(
        f"""
        WITH sets AS (
            SELECT topic_id, any(name) AS name, groupBitmapMergeState(videos) AS videos
            FROM ({_VIDEOS}) AS v INNER JOIN ({_CODEBOOK}) AS c USING (topic_id) GROUP BY topic_id
        )
        SELECT a.topic_id AS topic_id, a.name AS name, b.topic_id AS other_id, b.name AS other,
               bitmapAndCardinality(a.videos, b.videos) AS videos
        FROM sets AS a CROSS JOIN sets AS b
        WHERE a.topic_id < b.topic_id AND bitmapAndCardinality(a.videos, b.videos) > 0
        ORDER BY videos DESC, topic_id, other_id
        """,
        **_period(first, last),
    )


def quotes(warehouse: Warehouse, topic_id: int, limit: int = 3) -> list[Row]:
    """The most probable paragraphs of a topic, at most one a video, with where to hear them.

    Those of topics that were merged into it are its own.

    Returns:
        Rows {video_id, title, show, url, published_at, start_s, end_s, speakers, text, probability}.
    """
    return warehouse.rows(
        f"""
        SELECT a.video_id AS video_id, v.title AS title, v.show AS show, v.url AS url,
               v.published_at AS published_at, p.start_s AS start_s, p.end_s AS end_s,
               p.speakers AS speakers, p.text AS text, a.probability AS probability
        FROM (SELECT * FROM assignments FINAL
              WHERE model_version = {MODEL} AND topic_id IN {FAMILY}) AS a
        INNER JOIN (SELECT * FROM paragraphs FINAL) AS p ON p.paragraph_id = a.paragraph_id
        INNER JOIN (SELECT * FROM videos FINAL) AS v ON v.video_id = a.video_id
        ORDER BY a.probability DESC, a.paragraph_id
        LIMIT 1 BY a.video_id
        LIMIT {{limit:UInt32}}
        """,
        topic=topic_id,
        limit=limit,
    )


def status(warehouse: Warehouse) -> Row:
    """How far the videos got, and what the corpus holds.

    Returns:
        {states: {state: videos}, videos, paragraphs, hours, first_published, last_published, topics,
        dead_letters, rejections: {rule: videos}, boilerplate, epoch, relearning}. boilerplate: paragraphs
        kept out of the model; relearning: talks that the newest epoch's model has not learned yet.
    """
    states = {
        row["state"]: row["videos"]
        for row in warehouse.rows(
            "SELECT state, count() AS videos FROM progress FINAL GROUP BY state ORDER BY any(rank)"
        )
    }
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
    corpus = warehouse.rows(
        f"""
        SELECT (SELECT count() FROM paragraphs FINAL) AS paragraphs,
               (SELECT sum(duration_s) / 3600 FROM transcripts FINAL) AS hours,
               (SELECT uniqExact(topic_id) FROM topics FINAL WHERE model_version = {MODEL}
                AND topic_id NOT IN (SELECT topic_id FROM {ALIASES})) AS topics,
               (SELECT count() FROM assignments FINAL
                WHERE model_version = {MODEL} AND boilerplate = 1) AS boilerplate,
               (SELECT max(epoch) FROM epochs) AS epoch,
               (SELECT min(published_at) FROM ({_TALKS})) AS first_published,
               (SELECT max(published_at) FROM ({_TALKS})) AS last_published,
               (SELECT count() FROM dead_letters FINAL
                WHERE letter_id NOT IN (SELECT letter_id FROM settlements)) AS dead_letters
        """
    )[0]
    corpus["relearning"] = len(unlearned_videos(warehouse)) if corpus["epoch"] else 0
    return {"states": states, "videos": sum(states.values()), "rejections": rejections} | corpus


def dead_letters(warehouse: Warehouse, settled: bool = False, limit: int = 200) -> list[Row]:
    """Dead letters, newest first: those that wait for a decision, or with `settled` also the others.

    Returns:
        Rows {letter_id, agent, cause, cure, topic, partition, offset, video_id, failed_at, settlement}.
    """
    return warehouse.rows(
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


def dead_letter(warehouse: Warehouse, letter_id: str) -> Row | None:
    """One dead letter with everything about it (payload included), found by a prefix of its id.

    Returns:
        The row with `settlement`, or None when no letter or more than one has the prefix.
    """
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
    return {name.removeprefix("d."): value for name, value in found[0].items()}


def finished_videos(warehouse: Warehouse) -> set[str]:
    """Videos that need nothing more: assigned, rejected, or a dead letter that was not replayed."""
    rows = warehouse.rows(
        """
        SELECT video_id FROM progress FINAL WHERE state IN ('assigned', 'rejected')
        UNION DISTINCT
        SELECT assumeNotNull(video_id) FROM dead_letters FINAL
        WHERE video_id IS NOT NULL
          AND letter_id NOT IN (SELECT letter_id FROM settlements FINAL WHERE action = 'replayed')
        """
    )
    return {row["video_id"] for row in rows}


def unlearned_videos(warehouse: Warehouse) -> set[str]:
    """Videos that an earlier epoch's model has learned, and the newest one has not yet."""
    rows = warehouse.rows(
        f"""
        SELECT video_id FROM progress FINAL WHERE state = 'assigned'
          AND video_id NOT IN (SELECT video_id FROM assignments WHERE model_version = {MODEL})
        """
    )
    return {row["video_id"] for row in rows}


def sighted_by(warehouse: Warehouse, source_id: str) -> set[str]:
    """Videos that a source has shown before."""
    rows = warehouse.rows(
        "SELECT DISTINCT video_id FROM sightings WHERE source_id = {id:String}", id=source_id
    )
    return {row["video_id"] for row in rows}


def known_videos(warehouse: Warehouse) -> set[str]:
    """Videos of which at least the sighting is stored."""
    return {row["video_id"] for row in warehouse.rows("SELECT video_id FROM progress FINAL")}
