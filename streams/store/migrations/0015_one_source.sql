-- A subject that one source nearly alone discusses, and the alert that replaces it when others follow.

ALTER TABLE emergences ADD COLUMN IF NOT EXISTS only_on String COMMENT 'name of the source that nearly alone mentions it; empty: several do';
ALTER TABLE emergences ADD COLUMN IF NOT EXISTS replaces String COMMENT 'the subject as which it was that of one source; empty: it was not';
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS replaces String COMMENT 'the alert of one source that it replaces; empty: none';
