-- Prevalence counts videos, so it is made of sets of videos: writing a fact twice changes nothing, and a
-- paragraph that moves to another topic leaves the old one's set. A plain view: nothing to keep in step.

CREATE VIEW IF NOT EXISTS topic_months AS
SELECT model_version, month, topic_id, groupBitmapState(video_index) AS videos
FROM assignments FINAL
WHERE topic_id > 0
GROUP BY model_version, month, topic_id;
