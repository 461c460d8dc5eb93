-- A paragraph has at most one cluster (assignments), and up to three concepts: topics of the codebook.

CREATE TABLE IF NOT EXISTS memberships
(
    model_version LowCardinality(String),
    video_id String,
    paragraph_id String,
    month Date COMMENT 'first day of the month of publication (UTC)',
    topic_ids Array(UInt32) COMMENT 'topics of the codebook that it is about, the most probable first',
    probabilities Array(Float32) COMMENT 'how probable each is',
    judge String COMMENT 'version of what judged it',
    sequence UInt64 COMMENT 'steps of the model: the later judgement of a paragraph holds'
)
ENGINE = ReplacingMergeTree(sequence) PARTITION BY toYear(month) ORDER BY (model_version, video_id, paragraph_id);

CREATE TABLE IF NOT EXISTS concept_judgements
(
    video_id String,
    paragraph_id String,
    concept LowCardinality(String) COMMENT 'the key of the topic in the codebook',
    verdict LowCardinality(String) COMMENT 'about, not about or withdrawn',
    reviewer String,
    note String,
    judged_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(judged_at) ORDER BY (paragraph_id, concept, reviewer);

ALTER TABLE video_topics ADD COLUMN IF NOT EXISTS paragraphs UInt32 COMMENT 'paragraphs with a topic; 0 in rows from before a paragraph could have several' AFTER transcript_version;

ALTER TABLE drifts COMMENT COLUMN what 'share, words, centre or meaning';
ALTER TABLE drifts COMMENT COLUMN share_before 'of videos; meaning: the share that it needs; 0 where something else drifted';
ALTER TABLE drifts COMMENT COLUMN share_after 'of videos; meaning: of its latest paragraphs, those with a word of it';

ALTER TABLE assignments COMMENT COLUMN topic_id 'the cluster; 0 is none. Models that know no concepts assign topics of the codebook here';
