"""Shared pieces of SQL: the model that is shown, and the topic that a merged one counts for."""

UNSORTED = "Not yet in a theme"
"""Shown for topics that emerged and were not put into a theme."""

MODEL = """(
    SELECT argMax(model_version, (epoch, sequence))
    FROM (
        SELECT model_version, max(epoch) AS epoch, max(sequence) AS sequence
        FROM (
            SELECT model_version, 0 AS epoch, sequence FROM topic_words
            UNION ALL SELECT model_version, epoch, 0 AS sequence FROM epochs
        )
        GROUP BY model_version
    )
)"""
"""The model of the newest epoch; of two in one epoch, the one that learned more."""

ALIASES = f"(SELECT topic_id, target FROM aliases WHERE model_version = {MODEL})"
"""Merged topics and the ones they ended up in; chains are followed."""

SOURCE = "multiIf(channel_id != '', channel_id, channel != '', channel, show != '', show, video_id)"
"""What a video comes from, as the topic model is told it."""


def corrected(wanted: str = "1") -> str:
    """Return what corrections say of talks, as a subquery: {video_id, withdrawn, published_at}.

    published_at is NULL where the date was not corrected. `wanted` limits the talks, as SQL.
    """
    return f"""(
    SELECT video_id,
           argMaxIf(what = 'withdrawn', (corrected_at, correction_id),
                    what IN ('withdrawn', 'restored')) AS withdrawn,
           argMaxIf(published_at, (corrected_at, correction_id), what = 'redated') AS published_at
    FROM corrections FINAL WHERE {wanted} GROUP BY video_id
)"""
