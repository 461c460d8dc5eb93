-- Which transcript of a talk a model learned last: only its paragraphs count. Assignments cannot say it: paragraphs of
-- an earlier transcript may still move when a topic is born, and a transcript without paragraphs assigns nothing.
CREATE TABLE IF NOT EXISTS learned
(
    model_version LowCardinality(String),
    video_id String,
    transcript_version String,
    month Date COMMENT 'first day of the month of publication (UTC)',
    sequence UInt64
)
ENGINE = ReplacingMergeTree(sequence) ORDER BY (model_version, video_id);

-- What is counted: one row a talk, with its topics. Every number of the study is a count of such rows, so a talk
-- counts once by construction. The writer makes a talk's row anew from the facts whenever one of them changes, and the
-- row that was written last holds.

CREATE TABLE IF NOT EXISTS video_topics
(
    model_version LowCardinality(String),
    video_id String,
    published_on Date COMMENT 'day of publication (UTC), as corrected',
    source String COMMENT 'what it comes from, as the topic model is told it',
    channel String,
    show String,
    language LowCardinality(String),
    speakers Array(String),
    withdrawn UInt8 COMMENT '1: it counts nowhere',
    transcript_version String COMMENT 'the one whose paragraphs count',
    topics Nested
    (
        id UInt32,
        paragraphs UInt32,
        seconds Float64,
        probability Float32,
        position UInt32
    ) COMMENT 'each topic once, by id, with its most probable paragraph; as assigned: merges and the codebook are applied when a question is asked'
)
ENGINE = ReplacingMergeTree ORDER BY (model_version, video_id);
