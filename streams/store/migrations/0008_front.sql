-- The front of the path: how a video was found, what it waits for, what reviewers and the relevance model say of it, and
-- what changed about it afterwards.

ALTER TABLE sightings ADD COLUMN IF NOT EXISTS lane LowCardinality(String)
    COMMENT 'push, rss, listing, search, api, feed, folder; empty: handed in, or before lanes were told apart',
    MODIFY ORDER BY (video_id, source_id, query, kind, lane);

-- What a video waits for, or waited for last. It holds while its progress says seen or accepted.
CREATE TABLE IF NOT EXISTS parkings
(
    video_id String,
    state LowCardinality(String) COMMENT 'upcoming, live, just ended, sign-in, recheck, paused or in review',
    reason String,
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'when it is looked at again; null: when somebody asks or has reviewed it',
    attempt UInt32 COMMENT 'how often it was looked at in vain for a reason of its own',
    parked_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(parked_at) ORDER BY video_id;

CREATE TABLE IF NOT EXISTS relevances
(
    video_id String,
    score Float64 COMMENT 'estimated probability that reviewers keep it',
    talk_kind LowCardinality(String) COMMENT 'the likeliest kind of talk',
    reasons Array(String) COMMENT 'what speaks for the score, strongest first',
    model String COMMENT 'what the relevance model learned from',
    stands UInt8 COMMENT '2 with a verdict, 1 while it waits for review'
)
ENGINE = ReplacingMergeTree(stands) ORDER BY video_id;

-- Of a reviewer's judgements of a video the latest holds.
CREATE TABLE IF NOT EXISTS reviews
(
    video_id String,
    reviewer String,
    verdict LowCardinality(String) COMMENT 'keep or exclude',
    talk_kind LowCardinality(String) COMMENT 'what the talk is: the reason where it is excluded',
    note String,
    final Bool COMMENT 'an adjudication: it holds, whatever the others said',
    reviewed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(reviewed_at) ORDER BY (video_id, reviewer, final);

CREATE TABLE IF NOT EXISTS followed
(
    video_id String,
    change LowCardinality(String) COMMENT 'retitled, deleted, private or returned',
    was String COMMENT 'the former title, where that changed',
    title String,
    seen_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree ORDER BY (video_id, seen_at, change);
