-- What people read and find: the words of paragraphs, and what they made of alerts.

-- Words of paragraphs, in lower case, whatever script they are in. Scripts that are written without blanks between words
-- are cut into characters. streams/store/search.py asks with the same expression.
ALTER TABLE paragraphs ADD INDEX IF NOT EXISTS words
(
    replaceRegexpAll(replaceRegexpAll(lowerUTF8(text), '[^\\pL\\pN\\pM]+', ' '),
                     '([\\p{Han}\\p{Hiragana}\\p{Katakana}])', ' \\1 ')
) TYPE text(tokenizer = splitByNonAlpha);

ALTER TABLE paragraphs MATERIALIZE INDEX words;

-- What a person made of an alert, the latest holds. It changes no number.
CREATE TABLE IF NOT EXISTS alert_judgements
(
    alert_id String,
    verdict LowCardinality(String) COMMENT 'confirmed, dismissed or reopened',
    author String,
    note String,
    judged_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(judged_at) ORDER BY alert_id;
