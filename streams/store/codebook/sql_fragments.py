"""SQL fragments shared by queries: the source of a video, corrections, and the topics of paragraphs."""

UNSORTED = "Not yet in a theme"
"""Stands for a theme where topics are in none: nobody has put them into one. It is never ranked."""

OF_MODEL = "model_version = {model:String}"
"""Condition on rows of the model `model`, mostly `shown_model`. SQL.

A parameter, because ClickHouse would plan a subquery of it at every place again.
"""

SOURCE = "multiIf(channel_id != '', channel_id, channel != '', channel, show != '', show, video_id)"
"""The source of a video, as the topic model receives it."""


def corrected(wanted: str = "1") -> str:
    """Return the effect of corrections on talks, as a subquery: {video_id, withdrawn, published_at}.

    published_at is NULL where the date was not corrected. `wanted` limits the talks, as SQL.
    """
    return f"""(
    SELECT video_id,
           argMaxIf(what = 'withdrawn', (corrected_at, correction_id),
                    what IN ('withdrawn', 'restored')) AS withdrawn,
           argMaxIf(published_at, (corrected_at, correction_id), what = 'redated') AS published_at
    FROM corrections FINAL WHERE {wanted} GROUP BY video_id
)"""


TOPICS_OF_PARAGRAPHS = """
    SELECT a.paragraph_id AS paragraph_id, a.boilerplate AS boilerplate,
           arrayConcat(
               arrayZip(m.topic_ids, m.probabilities),
               if(a.topic_id > 0, [(a.topic_id, a.probability)], [])) AS about
    FROM (
        SELECT paragraph_id, topic_id, probability, boilerplate FROM assignments FINAL
        WHERE model_version = {{model:String}} AND {wanted}
    ) AS a
    LEFT JOIN (
        SELECT paragraph_id, topic_ids, probabilities FROM memberships FINAL
        WHERE model_version = {{model:String}} AND {wanted}
    ) AS m ON m.paragraph_id = a.paragraph_id
"""
"""Topics of paragraphs, {paragraph_id, boilerplate, about}; `about`: pairs of topic and probability, those
of the codebook first. SQL, to be formatted with `wanted`, a condition on `video_id`. Parameter: `model`."""
