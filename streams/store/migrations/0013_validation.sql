-- Samples of paragraphs that people code with the codebook, to show how valid its numbers are.

CREATE TABLE IF NOT EXISTS validation_samples
(
    sample String COMMENT 'its name: the time at which it was drawn',
    model_version LowCardinality(String),
    topics Array(LowCardinality(String)) COMMENT 'keys of the topics that each paragraph is coded for',
    population UInt64 COMMENT 'number of paragraphs from which the sample was drawn',
    video_id String,
    paragraph_id String,
    weight Float64 COMMENT 'number of paragraphs that it stands for: the inverse of its probability of being drawn',
    stratum LowCardinality(String) COMMENT 'why it was drawn: counted, near, random or given',
    drawn_by String,
    drawn_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(drawn_at) ORDER BY (sample, paragraph_id);

CREATE TABLE IF NOT EXISTS codings
(
    video_id String,
    paragraph_id String,
    offered Array(LowCardinality(String)) COMMENT 'keys of the topics from which the reviewer chose',
    topics Array(LowCardinality(String)) COMMENT 'keys of the topics that it is about',
    verdict LowCardinality(String) COMMENT 'coded or withdrawn',
    reviewer String,
    note String,
    coded_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(coded_at) ORDER BY (paragraph_id, reviewer);
