"""Which model the views show, and which topic a merged one counts for: pieces of SQL that they share."""

UNSORTED = "Not yet in a theme"
"""Shown for topics that emerged and were not put into a theme."""

MODEL = """(
    SELECT argMax(learned.model_version, (epochs.epoch, learned.sequence))
    FROM (
        SELECT model_version, max(sequence) AS sequence FROM topic_words GROUP BY model_version
        UNION ALL SELECT model_version, 0 FROM epochs
    ) AS learned
    LEFT JOIN (SELECT model_version, epoch FROM epochs FINAL) AS epochs USING (model_version)
)"""
"""The model of the newest epoch; of two in one epoch, the one that learned more."""

ALIASES = f"(SELECT topic_id, target FROM aliases WHERE model_version = {MODEL})"
"""Merged topics and the ones they ended up in; chains are followed."""


def entries(until: str, model: str) -> str:
    """Return what the codebook says of topics as a subquery, merged ones and those not retained among them.

    {topic_id, decided, own, theme, retained, target, reason, revision}. decided: the name that a person gave,
    or empty; own: what a labeller said, else what the model says now (of a seeded one, the codebook's name).
    As SQL: `until` limits the revisions of the codebook, `model` is the model's version.
    """
    return f"""(
    SELECT c.topic_id AS topic_id, if(c.revision = 0, '', c.name) AS decided,
           multiIf(l.label != '', l.label, w.label != '', w.label, c.revision = 0, c.name, '') AS own,
           c.theme AS theme, c.retained AS retained, c.target AS target, c.reason AS reason,
           c.revision AS revision
    FROM (
        SELECT * FROM codebook_entries WHERE model_version = {model} {until}
        ORDER BY topic_id, revision DESC LIMIT 1 BY topic_id
    ) AS c
    LEFT JOIN (SELECT topic_id, label FROM labels FINAL WHERE model_version = {model}) AS l
        ON l.topic_id = c.topic_id
    LEFT JOIN (SELECT topic_id, label FROM topic_words FINAL WHERE model_version = {model}) AS w
        ON w.topic_id = c.topic_id
)"""


def named(until: str = "", model: str = MODEL) -> str:
    """Return what topics are called, in which themes, and whether they are retained, as a subquery.

    {topic_id, name, theme, retained, target, reason, revision}: as `entries`, called what a person decided,
    else their own name.
    """
    return f"""(
    SELECT e.topic_id AS topic_id, e.retained AS retained,
           if(e.theme = '', '{UNSORTED}', e.theme) AS theme, if(e.decided != '', e.decided, e.own) AS name,
           e.target AS target, e.revision AS revision, e.reason AS reason
    FROM {entries(until, model)} AS e
)"""


SOURCE = "multiIf(channel_id != '', channel_id, channel != '', channel, show != '', show, video_id)"
"""What a video comes from, as the topic model is told it."""

ASLEEP = f"""(
    SELECT topic_id, argMax(asleep, (sequence, asleep)) AS asleep FROM dormancies FINAL
    WHERE model_version = {MODEL} GROUP BY topic_id
)"""
"""Topics that ever slept, and whether they do now."""


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
