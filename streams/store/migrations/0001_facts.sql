-- Facts. Every table is keyed by a deterministic id and replaced by rank or sequence, so that the same
-- event written twice, or in another order, leaves the same rows under FINAL.

CREATE TABLE IF NOT EXISTS videos
(
    video_id String,
    title String,
    description String,
    channel String,
    channel_id String,
    show String,
    url String,
    published_at Nullable(DateTime64(3, 'UTC')),
    duration_s Nullable(Float64),
    language Nullable(String),
    speakers Array(String),
    completeness UInt8 COMMENT '1 as first seen, 2 after screening completed its metadata, 3 for a rejection'
)
ENGINE = ReplacingMergeTree(completeness) ORDER BY video_id;

CREATE TABLE IF NOT EXISTS sightings
(
    video_id String,
    source_id String,
    query String,
    kind LowCardinality(String),
    rank SimpleAggregateFunction(min, Nullable(UInt32)),
    first_seen_at SimpleAggregateFunction(min, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree ORDER BY (video_id, source_id, query, kind);

CREATE TABLE IF NOT EXISTS screenings
(
    video_id String,
    verdict LowCardinality(String) COMMENT 'accepted or rejected',
    rule LowCardinality(String) COMMENT 'the rule that rejected it, empty when accepted',
    reason String,
    stands UInt8 COMMENT '2 for a rejection: transcribe may reject what screen accepted, never the other way'
)
ENGINE = ReplacingMergeTree(stands) ORDER BY video_id;

CREATE TABLE IF NOT EXISTS transcripts
(
    video_id String,
    transcript_version String,
    blob_key String,
    language LowCardinality(String),
    duration_s Float64,
    words UInt32,
    speakers UInt16
)
ENGINE = ReplacingMergeTree ORDER BY (video_id, transcript_version);

CREATE TABLE IF NOT EXISTS paragraphs
(
    video_id String,
    transcript_version String,
    position UInt32,
    paragraph_id String,
    start_s Float64,
    end_s Float64,
    text String,
    speakers Array(String),
    tokens UInt16
)
ENGINE = ReplacingMergeTree ORDER BY (video_id, transcript_version, position);

CREATE TABLE IF NOT EXISTS assignments
(
    model_version LowCardinality(String),
    video_id String,
    paragraph_id String,
    video_index UInt32 COMMENT 'dense, from 0: in what order the model learned the videos',
    month Date COMMENT 'first day of the month of publication (UTC)',
    topic_id UInt32 COMMENT '0 is no topic',
    probability Float32,
    boilerplate UInt8 COMMENT '1: it repeats what its source says in many videos, so it has no topic',
    sequence UInt64 COMMENT 'steps of the model: the later assignment of a paragraph holds'
)
ENGINE = ReplacingMergeTree(sequence) PARTITION BY toYear(month) ORDER BY (model_version, video_id, paragraph_id);

CREATE TABLE IF NOT EXISTS topics
(
    model_version LowCardinality(String),
    topic_id UInt32,
    origin LowCardinality(String) COMMENT 'seeded or born',
    codebook_key String,
    born_sequence UInt64,
    emerged_at Nullable(DateTime64(3, 'UTC')),
    video_ids Array(String),
    parent UInt32 COMMENT 'the topic it was split from; 0: none',
    words Array(String) COMMENT 'its words at birth'
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, topic_id);

CREATE TABLE IF NOT EXISTS topic_words
(
    model_version LowCardinality(String),
    topic_id UInt32,
    label String,
    words Array(String),
    weights Array(Float64),
    sequence UInt64
)
ENGINE = ReplacingMergeTree(sequence) ORDER BY (model_version, topic_id);

-- The codebook: what each decision made of a topic. Every revision stays, so that any number can be asked as of any.
CREATE TABLE IF NOT EXISTS codebook_entries
(
    model_version LowCardinality(String),
    topic_id UInt32,
    revision UInt64 COMMENT '0: as it was seeded or born',
    name String COMMENT 'empty: what a labeller or the model calls it',
    theme String COMMENT 'empty: not yet in a theme',
    retained UInt8,
    target UInt32 COMMENT 'the topic it counts for; 0: itself',
    reason String COMMENT 'why it is not retained'
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, topic_id, revision);

CREATE TABLE IF NOT EXISTS drifts
(
    model_version LowCardinality(String),
    topic_id UInt32,
    sequence UInt64,
    what LowCardinality(String) COMMENT 'share, words or centre',
    share_before Float64 COMMENT 'of videos; 0 where something else drifted',
    share_after Float64,
    moved Float64 COMMENT 'words: Jensen-Shannon divergence (bits); centre: cosine distance; share: 0',
    words_before Array(String) COMMENT 'lost most, strongest first',
    words_after Array(String) COMMENT 'gained most, strongest first',
    since Nullable(Date32) COMMENT 'publication day of the first video after the change',
    videos_before UInt32,
    videos_after UInt32,
    drifted_at Nullable(DateTime64(3, 'UTC'))
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, topic_id, what, sequence);

CREATE TABLE IF NOT EXISTS alerts
(
    alert_id String,
    rule LowCardinality(String),
    model_version LowCardinality(String),
    topic_id UInt32 COMMENT '0: of no topic',
    title String,
    reason String,
    raised_at Nullable(DateTime64(3, 'UTC')),
    video_ids Array(String),
    terms Array(String) COMMENT 'the words that carry it, strongest first',
    channel LowCardinality(String) COMMENT 'what saw it: term, birth or both; empty: no evidence beyond the reason',
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
ENGINE = ReplacingMergeTree ORDER BY alert_id;

CREATE TABLE IF NOT EXISTS dead_letters
(
    letter_id String,
    agent LowCardinality(String),
    cause String,
    cure String,
    log_id String,
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    video_id Nullable(String),
    message_key Nullable(String),
    payload Nullable(String) COMMENT 'base64',
    payload_key Nullable(String) COMMENT 'blob key of a long payload',
    failed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree ORDER BY letter_id;

CREATE TABLE IF NOT EXISTS settlements
(
    letter_id String,
    action LowCardinality(String) COMMENT 'replayed or dropped',
    settled_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(settled_at) ORDER BY letter_id;

-- How far each video got. The writer inserts it last in a block: what it says is stored, is stored.
CREATE TABLE IF NOT EXISTS progress
(
    video_id String,
    state LowCardinality(String),
    rank UInt8
)
ENGINE = ReplacingMergeTree(rank) ORDER BY video_id;
