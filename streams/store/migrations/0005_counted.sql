-- What is counted, as views: for whoever reads the database without Groundswell's own code (Grafana). They say what
-- streams/store/measure.py says of everything, by the newest codebook; a test holds them to it.

-- The model whose topics are shown: of the newest epoch; of two in one epoch, the one that learned more.
CREATE OR REPLACE VIEW shown_model AS
SELECT argMax(learned.model_version, (epochs.epoch, learned.sequence)) AS model_version
FROM
(
    SELECT model_version, max(sequence) AS sequence FROM topic_words GROUP BY model_version
    UNION ALL
    SELECT model_version, 0 FROM epochs
) AS learned
LEFT JOIN (SELECT model_version, epoch FROM epochs FINAL) AS epochs USING (model_version);

-- What the newest codebook says of each topic of that model, merged and excluded ones included.
CREATE OR REPLACE VIEW codebook_topics AS
SELECT c.topic_id AS topic_id, c.retained AS retained, c.target AS target, c.reason AS reason,
       if(c.theme = '', 'Not yet in a theme', c.theme) AS theme,
       multiIf(c.revision > 0 AND c.name != '', c.name, l.label != '', l.label, w.label != '', w.label, c.name) AS name
FROM
(
    SELECT * FROM codebook_entries WHERE model_version = (SELECT model_version FROM shown_model)
    ORDER BY topic_id, revision DESC LIMIT 1 BY topic_id
) AS c
LEFT JOIN
(
    SELECT topic_id, label FROM labels FINAL WHERE model_version = (SELECT model_version FROM shown_model)
) AS l ON l.topic_id = c.topic_id
LEFT JOIN
(
    SELECT topic_id, label FROM topic_words FINAL WHERE model_version = (SELECT model_version FROM shown_model)
) AS w ON w.topic_id = c.topic_id;

-- Every topic that counts, and the retained one that it counts for: itself, or where merges lead; first the model's,
-- then a person's. The model may merge what a person has merged the other way: a circle ends at its lowest number.
CREATE OR REPLACE VIEW counted_topics AS
WITH RECURSIVE
    steps AS
    (
        SELECT topic_id, target FROM merges FINAL WHERE model_version = (SELECT model_version FROM shown_model)
        UNION ALL
        SELECT topic_id, target FROM codebook_topics
        WHERE target != 0 AND topic_id NOT IN
        (
            SELECT topic_id FROM merges WHERE model_version = (SELECT model_version FROM shown_model)
        )
    ),
    chain AS
    (
        SELECT topic_id, topic_id AS place, [topic_id] AS been FROM codebook_topics
        UNION ALL
        SELECT chain.topic_id, steps.target, arrayPushBack(chain.been, steps.target)
        FROM chain INNER JOIN steps ON steps.topic_id = chain.place
        WHERE NOT has(chain.been, steps.target)
    ),
    ends AS
    (
        SELECT topic_id, argMax(place, length(been)) AS last, argMax(been, length(been)) AS path
        FROM chain GROUP BY topic_id
    )
SELECT followed.topic_id AS topic_id, followed.counts_as AS counts_as, entry.name AS name, entry.theme AS theme
FROM
(
    SELECT ends.topic_id AS topic_id,
           if(steps.target = 0, ends.last, arrayMin(arraySlice(ends.path, indexOf(ends.path, steps.target))))
               AS counts_as
    FROM ends LEFT JOIN steps ON steps.topic_id = ends.last
) AS followed
INNER JOIN codebook_topics AS entry ON entry.topic_id = followed.counts_as
WHERE entry.retained = 1;

-- A row for each talk and each topic it counts for: a number of talks is a number of different `video_id`.
CREATE OR REPLACE VIEW talk_topics AS
SELECT said.video_id AS video_id, counted.counts_as AS topic_id, any(counted.name) AS topic,
       any(counted.theme) AS theme, any(said.published_on) AS published_on,
       toStartOfMonth(any(said.published_on)) AS month, any(said.source) AS source, any(said.channel) AS channel,
       any(said.show) AS show, any(said.language) AS language, sum(said.paragraphs) AS paragraphs,
       sum(said.seconds) / 60 AS minutes
FROM
(
    SELECT video_id, published_on, source, channel, show, language, topics.id AS topic_id,
           topics.paragraphs AS paragraphs, topics.seconds AS seconds
    FROM
    (
        SELECT * FROM video_topics FINAL
        WHERE model_version = (SELECT model_version FROM shown_model) AND withdrawn = 0
    )
    ARRAY JOIN topics
) AS said
INNER JOIN counted_topics AS counted ON counted.topic_id = said.topic_id
GROUP BY said.video_id, counted.counts_as;

-- Prevalence by month of publication (UTC): videos with at least one paragraph of the theme, over videos with at least
-- one paragraph of any retained topic.
CREATE OR REPLACE VIEW theme_months AS
SELECT part.month AS month, part.theme AS theme, part.videos AS videos, whole.of_videos AS of_videos,
       part.videos / whole.of_videos AS share, part.paragraphs AS paragraphs, part.minutes AS minutes
FROM
(
    SELECT month, theme, uniqExact(video_id) AS videos, sum(paragraphs) AS paragraphs, sum(minutes) AS minutes
    FROM talk_topics GROUP BY month, theme
) AS part
INNER JOIN (SELECT month, uniqExact(video_id) AS of_videos FROM talk_topics GROUP BY month) AS whole
    ON whole.month = part.month;

-- The same of each retained topic.
CREATE OR REPLACE VIEW topic_months AS
SELECT part.month AS month, part.topic_id AS topic_id, part.topic AS topic, part.theme AS theme,
       part.videos AS videos, whole.of_videos AS of_videos, part.videos / whole.of_videos AS share,
       part.paragraphs AS paragraphs, part.minutes AS minutes
FROM
(
    SELECT month, topic_id, any(topic) AS topic, any(theme) AS theme, uniqExact(video_id) AS videos,
           sum(paragraphs) AS paragraphs, sum(minutes) AS minutes
    FROM talk_topics GROUP BY month, topic_id
) AS part
INNER JOIN (SELECT month, uniqExact(video_id) AS of_videos FROM talk_topics GROUP BY month) AS whole
    ON whole.month = part.month;
