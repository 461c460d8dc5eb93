-- What alerts rest on beyond their words, and what became of telling people.

ALTER TABLE alerts ADD COLUMN IF NOT EXISTS sequence UInt64
    COMMENT 'steps of the model when it was raised; 0: no model said it';
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS about String
    COMMENT 'the theme, source or bound it is about, where that is no topic';
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS size Float64
    COMMENT 'how much happened: a share, a change of share, bits, a cosine distance, a count or hours; 0: not said';

-- How each delivery stands. The log of deliveries in the blob store is what holds; this follows it.
CREATE TABLE IF NOT EXISTS deliveries
(
    delivery_id String,
    what LowCardinality(String) COMMENT 'alert or digest',
    destination String COMMENT 'its name, never its address',
    alert_ids Array(String) COMMENT 'what it tells of',
    title String,
    state LowCardinality(String) COMMENT 'held, failed, delivered or skipped',
    attempts UInt32,
    error String COMMENT 'why it was held, failed or skipped',
    next_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it is tried next; NULL: never again',
    at DateTime64(3, 'UTC') COMMENT 'since when it stands so',
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'up to when a digest tells'
)
ENGINE = ReplacingMergeTree(at) ORDER BY delivery_id;
