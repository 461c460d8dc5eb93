"""Extraction of terms: words and pairs of words that could name a subject, and how a talk uses them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.languages.common_words import foreign_words
from models.topics.online.words import FILLERS

MARK = re.compile(
    r"\[[^\]\n]{0,60}\]|https?://\S+|www\.\S+|\b[\w.+-]{1,40}@[\w.-]{3,60}|\b\d\d?:\d\d(?::\d\d)?\b"
)
"""Non-speech in a transcript: [laughter], addresses and times of day."""

TOKEN = re.compile(r"[^\W_](?:[\w'’]|[.+#-](?=\w))*[+#]*|[^\w\s'’]+|\n")
"""A word with its inner apostrophes, dots and hyphens (`don't`, `node.js`, `gpt-4`), or a separator."""

JOINS = {",", ";", "/", "&", "%", "$", "€", "#", "+", "*", "_"}
"""Separators that begin no sentence; after others (full stop, quote, dash) capitals are no evidence."""

LONGEST = 40
"""Maximum number of characters of a word in a term."""

PART = re.compile(r"[^-]+")
NUMBER = re.compile(r"\d[\d.,]*(?:st|nd|rd|th|s|k|m|x)?", re.IGNORECASE)
NAME = re.compile(r"[a-z]+[A-Z]|[A-Z]+[a-z]*[A-Z]|[A-Z]{2,}|[A-Z][A-Za-z]*\d|[a-z]+\d")
"""Spellings that no plain word has: iOS, ChatGPT, LLMs, ES6, log4j."""

_NOUN_BEFORE = """
a an the this that these those my your our their his her its some any no each every another of in on for
with about by from into via using and or between against without called named
"""
_VERB_BEFORE = """
to i you we they he she it who can could will would should must may might do does did not never also just
be is are was were been being gonna wanna am let lets really i'm you're we're they're i've you've we've i'll
you'll we'll i'd you'd we'd don't didn't doesn't can't won't very so too more most quite pretty
"""
_NO_SUBJECT = """
came able across actual agree ahead allow allowed allows amazing answers ask asked asking available away
awesome bad beautiful became become becomes began begin beginning better best bigger biggest bring brings
brought build builds built buy call calling care careful cases cause changed changes changing check choose
clear close completely complicated cool correct couple create created creating curious current dear decide
decided depend depends describe despite difficult early easier easily easy ended ending enjoy enjoyed entire
episode especially exact examples excited exciting explain extra extremely face fact fairly fall faster
favorite figure finally follow forget forward fun funny generally gentlemen given glad happy harder hate
highly hold honestly hope hour hours huge imagine important impossible incredible incredibly insane inside
instance instead intro joining joke keep keeps kept kinds lady larger later latest learn learned learning
leave left less lets listen listener listening literally lived longer lose love loved loves lower main major
matter meant meet mention mentioned middle minute minutes miss moment month monthly months move moved moving
near nearly nicely night normal normally occur offer older open opinion opposed opposite original outside
overall pay pick picked plus podcast possible potentially prefer previous previously probable problem
problems provide provided quick quickly quit rather ready realize recent recently recommend remember running
runs sense shared shortly show showed shows simply smaller soon sounds specific spend spent stay steps stick
stopped stuck subscribe suddenly supposed surprise surprised switch takeaway terms terrible tested
thankfully though thousand tiny today together tomorrow tonight tough true truly typical typically
understand understanding unique unless useful usual usually various video wait watch watched week weekend
weird whatsoever whole wide win wish wonder wonderful wondering worse worst worth write writes writing wrong
wrote yesterday young blah hundred hundreds million millions billion dozen thousands two three four five six
seven eight nine ten eleven twelve fifteen twenty thirty forty fifty first third fourth fifth monday tuesday
wednesday thursday friday saturday sunday january february march april june july august september october
november december spring summer autumn winter morning afternoon evening mr mrs ms dr sir et al vs etc ie eg
unintelligible inaudible crosstalk laughter applause music host guest cohost break clip transcript says
saying does doing done goes gets makes takes wants needs looks feels thinks knows means seems seem seemed
happens believe believed expect expected wonderfully add added adding turned turns turning letting giving
taking coming leaving bringing keeping staying starting stopping working helping helped allowing including
included includes involved related based according depending followed following interested interest nicer
newer cheaper smarter thoughts opinions folks friends friend everyone's somebody dude bro buddy hell damn
shit crap heck gosh god sake bunch bits piece pieces ton tons plenty handful half quarter rest side sides
top bottom end ends front back lines hands mind minds eyes ear ears room wife husband kid kids mom dad son
daughter family man woman men women boy girl name names topic topics note notes thing having did seeing
going showing providing getting making wanting needing putting trying looking being joined familiar blown
didn sort gonna okay
"""
_WEAK = """
system fire detail
large small big local general deep fast hard high low short long strong smart simple single type types
version test world life hand line head eye level story power zero future change case example result results
reach view style sound share walk stand stop answer home car house word step live
"""


@lru_cache(maxsize=1)
def _stopped() -> frozenset[str]:
    """Return stop words, which no term contains; scikit-learn's list is imported when first needed."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    stopped: frozenset[str] = FILLERS | ENGLISH_STOP_WORDS | frozenset(_NO_SUBJECT.split())
    return stopped


_HALF = frozenset(_WEAK.split())
_NOUNY, _VERBY = frozenset(_NOUN_BEFORE.split()), frozenset(_VERB_BEFORE.split())


@dataclass(slots=True)
class Usage:
    """The use of one term in one text.

    Attributes:
        count: number of mentions.
        named, plain: mentions inside a sentence in a name's spelling (capital, inner capital, digit), and in
            lower case; both 0 if the text's capitals carry no information.
        noun, verb: mentions right after a word that precedes nouns (the, of, with) or verbs (to, you, can).
        rows: the paragraphs, ascending; `times` the mentions in each, `offsets` the first one, in characters.
        surface: the first spelling.
    """

    count: int
    named: int
    plain: int
    noun: int
    verb: int
    rows: list[int]
    times: list[int]
    offsets: list[int]
    surface: str

    @property
    def is_name(self) -> bool:
        """Whether this text writes it as a name."""
        return self.named > self.plain

    @property
    def best(self) -> int:
        """The paragraph with most mentions; the first of a tie."""
        return self.rows[self.times.index(max(self.times))]

    @property
    def offset(self) -> int:
        """Offset of the first mention in `best`, in characters."""
        return self.offsets[self.rows.index(self.best)]


@dataclass(frozen=True)
class _Word:
    key: str
    kind: str  # "word", "weak", "number", "stop" or "break"
    named: bool
    shaped: bool
    before: int  # 1: precedes nouns, -1: precedes verbs


@lru_cache(maxsize=1 << 16)
def _word(raw: str, foreign: frozenset[str]) -> _Word:
    if not raw[0].isalnum():
        return _Word(raw, "break", named=False, shaped=raw not in JOINS, before=0)
    plain = raw.replace("’", "'")
    lower = plain.lower()
    before = 1 if lower in _NOUNY else -1 if lower in _VERBY else 0
    if NUMBER.fullmatch(lower):
        return _Word(lower, "number", named=False, shaped=False, before=before)
    if lower.endswith("'s"):
        plain, lower = plain[:-2], lower[:-2]
    key = singular(plain)
    shaped = bool(NAME.match(plain))
    stopped = _stopped()
    stop = lower in stopped or (key in stopped and not shaped) or "'" in lower or not 2 <= len(key) <= LONGEST
    if lower in foreign and not shaped:
        stop = True
    if lower.endswith("ly") and len(lower) > 4 and plain[0].islower():
        stop = True
    kind = "weak" if key in _HALF or lower in _HALF else "stop" if stop else "word"
    return _Word(key, kind, plain[0].isupper() or shaped, shaped, before)


def singular(word: str) -> str:
    """Return a word's key: lower case, without a plural's s.

    >>> [singular(word) for word in ("LLMs", "AWS", "companies", "boxes", "caches", "class", "redis", "GPUs")]
    ['llm', 'aws', 'company', 'box', 'cache', 'class', 'redis', 'gpu']
    """
    lower = word.lower()
    if len(word) > 2 and word.endswith("s") and word[:-1].isupper():
        return lower[:-1]
    if len(word) <= 3 or not word.endswith("s") or lower.endswith(("ss", "us", "is", "js")):
        return lower
    if lower.endswith("ies") and len(lower) > 4:
        return lower[:-3] + "y"
    return lower[:-2] if lower.endswith(("xes", "sses", "shes")) else lower[:-1]


def needed(words: int, most: int) -> int:
    """Return the mentions that a plain term needs to count in a text of this many words: 1 to `most`.

    One more for every fourfold length: one up to 500 words (a title, an abstract), two up to 2,000, three
    beyond.
    """
    return min(most, max(1, round(1 + math.log(max(words, 1) / 250) / math.log(4))))


def extract_terms(texts: Sequence[str]) -> tuple[dict[str, Usage], int]:
    """Return the terms of a video's paragraphs with their use, and the total number of words.

    A term is a word or two adjacent words within a sentence, without stop words (of a paragraph in another
    language, its commonest words too), fillers, adverbs in -ly and contractions; some words (large, type,
    world) make a term only with another one. Keys are in lower case and singular; hyphens divide words, and a
    number joins the word before it: `vibe-coding` is "vibe coding", `GPT 4` is "gpt-4".

    >>> texts = ["Then came ChatGPT, and large-language models. We use ChatGPT's models."]
    >>> terms, words = extract_terms(texts)
    >>> sorted(terms), terms["chatgpt"].count, words
    (['chatgpt', 'chatgpt model', 'language', 'language model', 'large language', 'model'], 2, 10)
    """
    terms: dict[str, Usage] = {}
    words = capitals = smalls = 0
    for row, original in enumerate(texts):
        text, foreign = MARK.sub(_blank, original), foreign_words(original)
        fresh, left, last, last_at = True, 0, None, 0
        for match in TOKEN.finditer(text):
            raw, at = match[0], match.start()
            whole = _word(raw, foreign)
            if whole.kind == "break":
                last, left, fresh = None, 0, fresh or whole.shaped
                continue
            words += 1
            divided = "-" in raw and whole.kind != "number"
            parts = PART.finditer(raw) if divided else (None,)
            for part in parts:
                word = whole if part is None else _word(part[0], foreign)
                start = at if part is None else at + part.start()
                end = start + len(raw if part is None else part[0])
                if word.kind in ("word", "weak"):
                    if not fresh and not word.shaped:
                        capitals, smalls = capitals + word.named, smalls + (not word.named)
                    how = 0 if fresh and not word.shaped else 1 if word.named else -1
                    weak = word.kind == "weak"
                    if not weak:
                        _count(terms, word.key, (row, how, left, start), text[start:end])
                    if last is not None and not (weak and last[3]):
                        pair = min(how, last[1]) if how and last[1] else how or last[1]
                        seen = (row, pair, last[2], last_at)
                        _count(terms, f"{last[0]} {word.key}", seen, text[last_at:end])
                    last, last_at, left = (word.key, how, left, weak), start, 0
                elif word.kind == "number" and last is not None and " " not in last[0]:
                    key = f"{last[0]}-{word.key.rstrip('.,')}"
                    _count(terms, key, (row, last[1], last[2], last_at), text[last_at:end])
                    last, left = None, 0
                else:
                    last, left = None, word.before
                fresh = False
    if capitals > smalls or not capitals:  # a headline, or no capitals at all: no evidence of names
        for term in terms.values():
            if not NAME.match(term.surface):
                term.named = term.plain = 0
    return terms, words


def _blank(match: re.Match[str]) -> str:
    """Return a replacement of equal length, so that offsets hold, which begins with a separator."""
    return "," + " " * (len(match[0]) - 1)


def _count(terms: dict[str, Usage], key: str, seen: tuple[int, int, int, int], surface: str) -> None:
    row, how, left, at = seen
    found = terms.get(key)
    if found is None:
        terms[key] = Usage(1, how == 1, how == -1, left == 1, left == -1, [row], [1], [at], surface)
        return
    found.count += 1
    if how == 1:
        found.named += 1
    elif how == -1:
        found.plain += 1
    if left == 1:
        found.noun += 1
    elif left == -1:
        found.verb += 1
    if found.rows[-1] == row:
        found.times[-1] += 1
    else:
        found.rows.append(row)
        found.times.append(1)
        found.offsets.append(at)
