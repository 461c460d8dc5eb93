-- A person says who a speaker of a talk is.

ALTER TABLE corrections ADD COLUMN IF NOT EXISTS transcript_version String COMMENT 'named: the transcript that has the speaker';
ALTER TABLE corrections ADD COLUMN IF NOT EXISTS speaker String COMMENT 'named: as the transcript calls them';
ALTER TABLE corrections ADD COLUMN IF NOT EXISTS name String COMMENT 'named: who it is; empty: nobody says so any more';
ALTER TABLE corrections COMMENT COLUMN what 'withdrawn, restored, redated, kept (a duplicate that counts all the same) or named (a speaker)';
