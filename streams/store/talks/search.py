"""Query of topics, talks and quotes by their words.

Words are found whole and in either case. Quotes are found by the text index of `paragraphs` (migration 0007),
which answers in milliseconds where a scan takes a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.speaker_names import named
from streams.store.codebook.sql_fragments import TOPICS_OF_PARAGRAPHS
from streams.store.queries import prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.search import Found, FoundQuote, FoundTalk, FoundTopic
from streams.store.talks.paragraphs import topics_counted
from streams.store.warehouse import Warehouse, strings, typed

_WORDS = (
    "replaceRegexpAll(replaceRegexpAll(lowerUTF8({of}), '[^\\\\pL\\\\pN\\\\pM]+', ' '), "
    "'([\\\\p{{Han}}\\\\p{{Hiragana}}\\\\p{{Katakana}}])', ' \\\\1 ')"
)
"""The words of a text, separated by blanks: the expression that the index is built on. SQL."""
_ASKED = f"tokens({_WORDS.format(of='{words:String}')}, 'splitByNonAlpha')"
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f]")
"""Characters that the index holds one by one, so that the text itself shows which of them are adjacent."""
_KEYS = ("transcript_version", "position", "about")
PER_TALK = 2
"""The most quotes of one talk."""


def search(warehouse: Warehouse, text: str, selection: Selection = EVERYTHING, limit: int = 20) -> Found:
    """Return the topics, talks and quotes with every word of a text.

    Args:
        warehouse: the study.
        text: words, some hundred characters at most; a text without words finds nothing.
        selection: the talks to search; topics are counted in them.
        limit: the most results of each kind.
    """
    tokens = _tokens(warehouse, text)
    words = text.split()
    if not words:
        return {
            "tokens": [],
            "quotes_talks": 0,
            "topics": [],
            "talks": [],
            "quotes": [],
            "topics_found": 0,
            "talks_found": 0,
            "quotes_found": 0,
        }
    applied = book(warehouse, selection.codebook)
    topics = _topics(warehouse, words, selection, applied)
    talks, talks_found = _talks(warehouse, words, selection, applied, limit)
    places = _places(warehouse, text, selection, applied, limit) if tokens else []
    return {
        "tokens": tokens,
        "topics": topics[:limit],
        "topics_found": len(topics),
        "talks": talks,
        "talks_found": talks_found,
        "quotes": _quotes(warehouse, places, applied),
        "quotes_found": places[0]["found"] if places else 0,
        "quotes_talks": places[0]["talks"] if places else 0,
    }


def _tokens(warehouse: Warehouse, text: str) -> list[str]:
    found: list[str] = warehouse.rows(f"SELECT arrayDistinct({_ASKED}) AS tokens", words=text)[0]["tokens"]
    return found


def _topics(
    warehouse: Warehouse, words: Sequence[str], selection: Selection, applied: EffectiveCodebook
) -> list[FoundTopic]:
    """Return topics whose name, theme or words have every word; those with a match in the name come first."""
    wanted = [word.casefold() for word in words]

    def has(text: str) -> bool:
        folded = text.casefold()
        return all(word in folded for word in wanted)

    through: dict[int, str] = {}
    for topic_id, entry in applied.entries.items():
        if entry.counts_as != topic_id and has(entry.name):
            through.setdefault(entry.counts_as, entry.name)
    found: list[FoundTopic] = []
    for row in prevalence.topics(warehouse, selection, applied):
        if has("\n".join([row["name"], row["theme"], *row["words"]])) or row["topic_id"] in through:
            merged = "" if has(row["name"]) else through.get(row["topic_id"], "")
            found.append({**row, "through": merged})
    return sorted(found, key=lambda row: (not has(row["name"]), -row["videos"], row["topic_id"]))


def _talks(
    warehouse: Warehouse, words: Sequence[str], selection: Selection, applied: EffectiveCodebook, limit: int
) -> tuple[list[FoundTalk], int]:
    """Return talks whose title, show, channel, speakers or id have every word, and how many there are.

    The newest come first.
    """
    rows = warehouse.rows(
        f"""
        WITH concat(v.title, '\\n', c.show, '\\n', c.channel, '\\n', c.video_id, '\\n',
                    arrayStringConcat(c.speakers, '\\n')) AS about
        SELECT c.video_id AS video_id, v.title AS title, c.show AS show, c.channel AS channel,
               c.speakers AS speakers, c.published_on AS published_on, count() OVER () AS found
        FROM (
            SELECT video_id, show, channel, speakers, published_on FROM video_topics FINAL
            WHERE model_version = {{model:String}} AND {selection.where}
        ) AS c
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = c.video_id
        WHERE arrayAll(word -> positionCaseInsensitiveUTF8(about, word) > 0,
                       {_array("words")})
        ORDER BY published_on DESC, video_id LIMIT {{limit:UInt32}}
        """,
        **selection.parameters,
        model=applied.model_version,
        words=json.dumps(list(words)),
        limit=limit,
    )
    found: int = rows[0]["found"] if rows else 0
    return typed(FoundTalk, [{name: row[name] for name in row if name != "found"} for row in rows]), found


def _places(
    warehouse: Warehouse, text: str, selection: Selection, applied: EffectiveCodebook, limit: int
) -> list[dict[str, Any]]:
    """Return the places of paragraphs with the words, in transcripts that count.

    Returns:
        Rows {video_id, transcript_version, position, published_on, found, talks}, the newest first.
    """
    together = [word for word in text.split() if _UNSPACED.search(word)]
    near = f"AND arrayAll(word -> positionCaseInsensitiveUTF8(text, word) > 0, {_array('together')})"
    return warehouse.rows(
        f"""
        SELECT video_id, transcript_version, position, published_on, count() OVER () AS found,
               uniqExact(video_id) OVER () AS talks
        FROM (
            SELECT DISTINCT video_id, transcript_version, position FROM paragraphs
            WHERE hasAllTokens({_WORDS.format(of="text")}, {_ASKED}) {near if together else ""}
        ) AS p
        INNER JOIN (
            SELECT video_id, transcript_version, published_on FROM video_topics FINAL
            WHERE model_version = {{model:String}} AND {selection.where}
        ) AS c USING (video_id, transcript_version)
        ORDER BY published_on DESC, video_id, position
        LIMIT {PER_TALK} BY video_id LIMIT {{limit:UInt32}}
        """,
        **selection.parameters,
        model=applied.model_version,
        words=text,
        together=json.dumps(together),
        limit=limit,
    )


def _quotes(
    warehouse: Warehouse, places: Sequence[Mapping[str, Any]], applied: EffectiveCodebook
) -> list[FoundQuote]:
    """Return the paragraphs at some places, in their order."""
    if not places:
        return []
    ids = json.dumps(sorted({row["video_id"] for row in places}))
    rows = warehouse.rows(
        f"""
        SELECT p.video_id AS video_id, p.transcript_version AS transcript_version, p.position AS position,
               p.paragraph_id AS paragraph_id, p.start_s AS start_s, p.end_s AS end_s, p.speakers AS speakers,
               p.text AS text, v.title AS title, v.show AS show, v.url AS url,
               v.published_at AS published_at, a.about AS about
        FROM (
            SELECT * FROM paragraphs FINAL
            PREWHERE video_id IN {strings("ids")} AND has({{positions:Array(UInt32)}}, position)
        ) AS p
        LEFT JOIN (SELECT * FROM videos FINAL WHERE video_id IN {strings("ids")}) AS v
            ON v.video_id = p.video_id
        LEFT JOIN ({TOPICS_OF_PARAGRAPHS.format(wanted="video_id IN " + strings("ids"))}) AS a
            ON a.paragraph_id = p.paragraph_id
        """,
        ids=ids,
        positions=sorted({row["position"] for row in places}),
        model=applied.model_version,
    )
    said = {
        (row["video_id"], row["transcript_version"], row["position"]): row for row in named(warehouse, rows)
    }
    keys = [(row["video_id"], row["transcript_version"], row["position"]) for row in places]
    return typed(FoundQuote, [_quote(said[key], applied) for key in keys if key in said])


def _quote(row: dict[str, Any], applied: EffectiveCodebook) -> dict[str, Any]:
    topics = [topic for topic in topics_counted(row["about"], applied) if topic["retained"]]
    kept = {name: value for name, value in row.items() if name not in _KEYS}
    first = topics[0] if topics else {"topic_id": None, "name": None}
    return kept | {"topic_id": first["topic_id"], "name": first["name"]}


def _array(name: str) -> str:
    """Return the array of strings that a parameter holds as JSON, as SQL."""
    return f"JSONExtract({{{name}:String}}, 'Array(String)')"
