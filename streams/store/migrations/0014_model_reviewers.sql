-- A language model can be a reviewer of paragraphs, and may be unsure.

ALTER TABLE concept_judgements COMMENT COLUMN verdict 'about, not about, unsure (a language model only) or withdrawn';
ALTER TABLE concept_judgements COMMENT COLUMN reviewer 'the name of a person, or model: and that of a language model';
