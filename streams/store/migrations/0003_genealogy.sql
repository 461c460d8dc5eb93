-- What became of topics, and of the model as a whole. A merge is one row: whoever asks follows it, so it moves every
-- number at once, and writing it twice changes nothing.

CREATE TABLE IF NOT EXISTS epochs
(
    model_version LowCardinality(String),
    epoch UInt32 COMMENT 'the model of the newest one is shown',
    embedding_model String,
    codebook String
)
ENGINE = ReplacingMergeTree ORDER BY model_version;

CREATE TABLE IF NOT EXISTS labels
(
    model_version LowCardinality(String),
    topic_id UInt32,
    label String COMMENT 'what a labeller calls it',
    by String,
    sequence UInt64
)
ENGINE = ReplacingMergeTree(sequence) ORDER BY (model_version, topic_id);

CREATE TABLE IF NOT EXISTS merges
(
    model_version LowCardinality(String),
    topic_id UInt32,
    target UInt32 COMMENT 'the topic that it is an alias of; that one may be merged too',
    label String COMMENT 'its name when it was merged',
    sequence UInt64,
    day Nullable(Date32)
)
ENGINE = ReplacingMergeTree(sequence) ORDER BY (model_version, topic_id);

CREATE TABLE IF NOT EXISTS dormancies
(
    model_version LowCardinality(String),
    topic_id UInt32,
    asleep UInt8 COMMENT '0: it woke up under its own id',
    sequence UInt64,
    day Nullable(Date32)
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, topic_id, sequence, asleep);

CREATE TABLE IF NOT EXISTS consolidations
(
    model_version LowCardinality(String),
    sequence UInt64,
    day Nullable(Date32),
    accepted UInt8,
    reason String,
    survival Float64 COMMENT 'share of sampled paragraphs that keep their topic',
    topics_before UInt32,
    topics_after UInt32
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, sequence);

CREATE TABLE IF NOT EXISTS health
(
    model_version LowCardinality(String),
    sequence UInt64,
    day Nullable(Date32),
    what LowCardinality(String) COMMENT 'outliers or novelty',
    before Float64,
    after Float64,
    since Nullable(Date32)
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, sequence, what);

CREATE TABLE IF NOT EXISTS emergences
(
    emergence_id String,
    model_version LowCardinality(String),
    sequence UInt64,
    day Nullable(Date32),
    subject String,
    topic_id UInt32 COMMENT '0: most of its paragraphs have no topic',
    video_ids Array(String),
    reason String,
    emerged_at Nullable(DateTime64(3, 'UTC')),
    terms Array(String) COMMENT 'the words that carry it, strongest first',
    channel LowCardinality(String) COMMENT 'what saw it: term, birth or both',
    sources UInt32 COMMENT 'different sources of its videos',
    recent UInt32 COMMENT 'videos with the subject …',
    recent_of UInt32 COMMENT '… among so many recent videos',
    earlier UInt32,
    earlier_of UInt32,
    log10_p Float64 COMMENT 'of seeing as many if nothing had changed (Poisson), as a power of ten',
    first_on Nullable(Date32),
    latest_on Nullable(Date32),
    quotes Array(Tuple(paragraph_id String, video_id String, source String, published_on Date32, start Float64,
        text String))
)
ENGINE = ReplacingMergeTree ORDER BY emergence_id;

-- Every merged topic with the one that it ends up in: chains are followed.
CREATE OR REPLACE VIEW aliases AS
WITH RECURSIVE chain AS
(
    SELECT model_version, topic_id, target, 1 AS depth FROM merges FINAL
    UNION ALL
    SELECT chain.model_version, chain.topic_id, next.target, chain.depth + 1
    FROM chain
    INNER JOIN (SELECT model_version, topic_id, target FROM merges FINAL) AS next
        ON next.model_version = chain.model_version AND next.topic_id = chain.target
    WHERE chain.depth < 100
)
SELECT model_version, topic_id, argMax(target, depth) AS target FROM chain GROUP BY model_version, topic_id;
