-- What people decide, and what reviewers think.

-- What a person said about a talk after it was counted; the latest of a kind holds.
CREATE TABLE IF NOT EXISTS corrections
(
    correction_id String,
    video_id String,
    what LowCardinality(String) COMMENT 'withdrawn, restored or redated',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'redated: the right moment of publication',
    reason String,
    author String,
    corrected_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree ORDER BY correction_id;

CREATE TABLE IF NOT EXISTS themes
(
    model_version LowCardinality(String),
    theme String,
    revision UInt64,
    description String,
    removed UInt8
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, theme, revision);

CREATE TABLE IF NOT EXISTS decisions
(
    revision UInt64,
    model_version LowCardinality(String),
    action LowCardinality(String),
    said String COMMENT 'what was decided, in words',
    topic_ids Array(UInt32) COMMENT 'topics that it changed',
    theme_names Array(String) COMMENT 'themes that it made, described or removed',
    undoes UInt64 COMMENT 'the revision that it takes back; 0: none',
    author String,
    note String,
    decided_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree ORDER BY revision;

-- What each reviewer thinks, independently of the others. It changes no number.
CREATE TABLE IF NOT EXISTS judgements
(
    model_version LowCardinality(String),
    topic_id UInt32,
    reviewer String,
    verdict LowCardinality(String) COMMENT 'include or exclude',
    theme String COMMENT 'where it belongs; empty: not said',
    note String,
    judged_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(judged_at) ORDER BY (model_version, topic_id, reviewer);
