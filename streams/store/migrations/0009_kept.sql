-- A talk that says again what another one said is rejected after it was transcribed, and a person may keep it.

ALTER TABLE corrections COMMENT COLUMN what 'withdrawn, restored, redated or kept (a duplicate that counts all the same)';

ALTER TABLE progress COMMENT COLUMN rank 'the highest holds: number of the state, and two for each epoch of the model';
