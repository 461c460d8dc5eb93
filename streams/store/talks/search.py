"""Query of topics, talks and quotes by their words.

A word matches in each of its forms and in either case; quoted words match as written and adjacent. Quotes are
found by the text index of `paragraphs` (migration 0007), which answers in milliseconds where a scan takes a
second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.speaker_names import named
from streams.store.codebook.sql_fragments import TOPICS_OF_PARAGRAPHS
from streams.store.queries import prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.search import Correction, Found, FoundQuote, FoundTalk, FoundTopic
from streams.store.talks.paragraphs import topics_counted
from streams.store.talks.search_text import TOKENS, WORDS, Asked, asked_for
from streams.store.talks.talk_queries import HAS_TOPIC
from streams.store.warehouse import Warehouse, array, strings, typed

Sort = Literal["newest", "relevance"]
_TEXT = WORDS.format(of="text")
_SPACED = f"concat(' ', replaceRegexpAll({_TEXT}, ' +', ' '), ' ')"
_KEYS = ("transcript_version", "position", "about")
PER_TALK = 2
"""The most quotes of one talk."""
_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b, with the values of Robertson and Zaragoza (2009)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks, and how much it returns.

    Attributes:
        selection: the talks.
        applied: the codebook.
        family: the topic that talks and quotes are about, and those merged into it; empty: any or none.
        limit: the most results of each kind.
    """

    selection: Selection
    applied: EffectiveCodebook
    family: list[int]
    limit: int

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of queries of the scope."""
        family = {"family": self.family} if self.family else {}
        return self.selection.parameters | family | {"model": self.applied.model_version, "limit": self.limit}


def search(
    warehouse: Warehouse,
    text: str,
    selection: Selection = EVERYTHING,
    limit: int = 20,
    *,
    sort: Sort = "newest",
    topic_id: int | None = None,
) -> Found:
    """Return the topics, talks and quotes with every word of a text, in any of its forms.

    Where no paragraph has a form of a word, the nearest spelling is looked for as well, and said.

    Args:
        warehouse: the study.
        text: words, some hundred characters at most; a text without words finds nothing. Words in double
            quotes match only as written, and next to each other.
        selection: the talks to search; topics are counted in them.
        limit: the most results of each kind.
        sort: quotes by date, the newest first, or by relevance (BM25).
        topic_id: the topic that quotes are about, and that the talks have; None: any or none.
    """
    asked = asked_for(warehouse, text)
    if not asked.names:
        return {
            "tokens": [],
            "forms": [],
            "corrected": [],
            "quotes_talks": 0,
            "topics": [],
            "talks": [],
            "quotes": [],
            "topics_found": 0,
            "talks_found": 0,
            "quotes_found": 0,
        }
    applied = book(warehouse, selection.codebook)
    scope = Scope(selection, applied, [] if topic_id is None else applied.family(topic_id), limit)
    topics = _topics(warehouse, asked, scope)
    talks, talks_found = _talks(warehouse, asked, scope)
    places = _places(warehouse, asked, scope, sort) if asked.terms else []
    corrections: list[Correction] = [
        {"word": term.word, "instead": term.forms[0]} for term in asked.terms if term.corrected
    ]
    return {
        "tokens": list(dict.fromkeys(term.word for term in asked.terms)),
        "forms": list(dict.fromkeys(form for term in asked.terms for form in term.forms)),
        "corrected": corrections,
        "topics": topics[:limit],
        "topics_found": len(topics),
        "talks": talks,
        "talks_found": talks_found,
        "quotes": _quotes(warehouse, places, applied),
        "quotes_found": places[0]["found"] if places else 0,
        "quotes_talks": places[0]["talks"] if places else 0,
    }


def _topics(warehouse: Warehouse, asked: Asked, scope: Scope) -> list[FoundTopic]:
    """Return topics whose name, theme or words have every word; those with a match in the name come first."""

    def has(text: str) -> bool:
        folded = text.casefold()
        return all(any(form in folded for form in forms) for forms in asked.names)

    through: dict[int, str] = {}
    for topic_id, entry in scope.applied.entries.items():
        if entry.counts_as != topic_id and has(entry.name):
            through.setdefault(entry.counts_as, entry.name)
    found: list[FoundTopic] = []
    for row in prevalence.topics(warehouse, scope.selection, scope.applied):
        if has("\n".join([row["name"], row["theme"], *row["words"]])) or row["topic_id"] in through:
            merged = "" if has(row["name"]) else through.get(row["topic_id"], "")
            found.append({**row, "through": merged})
    return sorted(found, key=lambda row: (not has(row["name"]), -row["videos"], row["topic_id"]))


def _talks(warehouse: Warehouse, asked: Asked, scope: Scope) -> tuple[list[FoundTalk], int]:
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
            WHERE model_version = {{model:String}} AND {scope.selection.where}
                  {f"AND {HAS_TOPIC}" if scope.family else ""}
        ) AS c
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = c.video_id
        WHERE arrayAll(forms -> arrayExists(form -> positionCaseInsensitiveUTF8(about, form) > 0, forms),
                       JSONExtract({{names:String}}, 'Array(Array(String))'))
        ORDER BY published_on DESC, video_id LIMIT {{limit:UInt32}}
        """,
        **scope.parameters,
        names=json.dumps(asked.names),
    )
    found: int = rows[0]["found"] if rows else 0
    return typed(FoundTalk, [{name: row[name] for name in row if name != "found"} for row in rows]), found


def _places(warehouse: Warehouse, asked: Asked, scope: Scope, sort: Sort) -> list[dict[str, Any]]:
    """Return the places of paragraphs with the words, in transcripts that count.

    Returns:
        Rows {video_id, transcript_version, position, published_on, found, talks}, in order.
    """
    conditions, parameters = paragraphs_with(asked)
    if scope.family:
        conditions += f" AND paragraph_id IN ({_about(conditions)})"
    relevance = sort == "relevance"
    return warehouse.rows(
        f"""
        SELECT video_id, transcript_version, position, published_on, count() OVER () AS found,
               uniqExact(video_id) OVER () AS talks, {_score(asked) if relevance else "0"} AS score
        FROM (
            SELECT DISTINCT video_id, transcript_version, position,
                   {f"{_times(asked)} AS times, lengthUTF8(text)" if relevance else "0"} AS length
            FROM paragraphs WHERE {conditions}
        ) AS p
        INNER JOIN (
            SELECT video_id, transcript_version, published_on FROM video_topics FINAL
            WHERE model_version = {{model:String}} AND {scope.selection.where}
        ) AS c USING (video_id, transcript_version)
        ORDER BY {"score DESC, " if relevance else ""}published_on DESC, video_id, position
        LIMIT {PER_TALK} BY video_id LIMIT {{limit:UInt32}}
        """,
        **scope.parameters,
        **parameters,
    )


def paragraphs_with(asked: Asked) -> tuple[str, dict[str, str]]:
    """Return the condition on paragraphs that they have every term and phrase, as SQL, and its parameters."""
    parameters: dict[str, Any] = {
        f"forms_{at}": json.dumps(term.forms) for at, term in enumerate(asked.terms)
    }
    conditions = [f"hasAnyTokens({_TEXT}, {array(name)})" for name in parameters]
    for at, phrase in enumerate(asked.phrases):
        parameters[f"phrase_{at}"] = f" {' '.join(phrase)} "
        conditions.append(f"position({_SPACED}, {{phrase_{at}:String}}) > 0")
    if asked.together:
        parameters["together"] = json.dumps(asked.together)
        conditions.append(
            f"arrayAll(word -> positionCaseInsensitiveUTF8(text, word) > 0, {array('together')})"
        )
    return " AND ".join(conditions), parameters


def _about(conditions: str) -> str:
    """Return the paragraphs of the talks that meet conditions that are about a topic of a `family`. SQL."""
    wanted = f"video_id IN (SELECT video_id FROM paragraphs WHERE {conditions})"
    return (
        f"SELECT paragraph_id FROM ({TOPICS_OF_PARAGRAPHS.format(wanted=wanted)}) "
        "WHERE NOT boilerplate AND arrayExists(topic -> has({family:Array(UInt32)}, topic.1), about)"
    )


def _times(asked: Asked) -> str:
    """Return how often a paragraph has each term, as SQL."""
    counts = [
        f"arrayCount(token -> has({array(f'forms_{at}')}, token), said)" for at in range(len(asked.terms))
    ]
    return f"arrayMap(said -> [{', '.join(counts)}], [{TOKENS.format(of='text')}])[1]"


def _score(asked: Asked) -> str:
    """Return BM25 of a paragraph, as SQL; its length is in characters."""
    long = f"{_SATURATION} * ({1 - _LENGTH} + {_LENGTH} * length / avg(length) OVER ())"
    return " + ".join(
        f"{term.weight:.6f} * times[{at}] * {_SATURATION + 1} / (times[{at}] + {long})"
        for at, term in enumerate(asked.terms, start=1)
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
