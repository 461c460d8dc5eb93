-- What shares of paragraphs and minutes need of a talk, and how long it is. Rows from before have zeros until they are
-- made anew, which groundswell does when it starts.

ALTER TABLE video_topics ADD COLUMN IF NOT EXISTS of_paragraphs UInt32 COMMENT 'paragraphs of the talk, with a topic or without' AFTER paragraphs;
ALTER TABLE video_topics ADD COLUMN IF NOT EXISTS of_seconds Float64 COMMENT 'length of all its paragraphs' AFTER of_paragraphs;
ALTER TABLE video_topics ADD COLUMN IF NOT EXISTS length_s Float64 COMMENT 'where its last paragraph ends' AFTER of_seconds;
ALTER TABLE video_topics ADD COLUMN IF NOT EXISTS `overlaps.ids` Array(Array(UInt32)) COMMENT 'each set of two or more topics that a paragraph of it is about';
ALTER TABLE video_topics ADD COLUMN IF NOT EXISTS `overlaps.paragraphs` Array(UInt32) COMMENT 'how many paragraphs are about it: each is among those of all of its topics';
ALTER TABLE video_topics ADD COLUMN IF NOT EXISTS `overlaps.seconds` Array(Float64) COMMENT 'their length';
