"""Readable names for topics, from their words and paragraphs, without a language model."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache

from models.languages.common_words import foreign_words
from models.topics.online.person_names import FIRST_NAMES, people_of
from models.topics.online.words import TOKEN, content_words, stem_of

LENGTH = 40
"""Maximum number of characters of a name."""

_PHRASE = 4
"""Maximum number of words of a phrase."""

_BY_SIZE = (1.0, 2.0, 2.3, 2.3)
"""Factor of the mean strength by number of words: two say more than one, four hardly more than three."""

_PLAIN = 0.75
"""Factor for a single word in lower case, as most are too general (`data`, but not `Kubernetes`)."""

_UNTYPICAL = 0.8
"""Factor for a phrase with a word that is not among the topic's."""

_PERSON = 0.1
"""Factor for a person's name."""

_CALLED = 0.25
"""Share of mentions between commas from which a word is the name of a person addressed: `yeah, Chris, …`."""

_WHOLE = 0.6
"""Share of mentions within a longer phrase from which a phrase is only part of that."""

_SECOND = 0.45
"""Lowest share of the first phrase's score for a second phrase to be added …"""

_SECOND_AFTER_PHRASE = 0.2
"""… and the lowest if the first has several words and its name is taken."""

_KEPT = 0.6
"""A name is kept while its words have at least this share of the strength of the best name's."""

_SENTENCE_END = (".", "!", "?", "…", ":", '"', "“", ">")

_UNFIT = """
able absolutely add added adds amazing appreciate ask asked asking awesome bad best better big bigger
brought build building built bring bringing call called calling care change changed changing cool create
created creating deal did different difficult does doing done easier easy end enjoy excellent excited
exciting fantastic far fast faster feeling felt find finding follow forward found fun future good happy
hard harder having high higher hope important interested involved joined joining keep keeping large larger
learn learned left listening live lived love low lower main major minute moment month months move moved
moving nicely perfect play possible quick quickly ready recent recently remember run running seeing seem
seems send sent share shared similar simple small smaller solve stay stop terms true truly turns type types
understand understanding useful wonderful world worry write writing written wrong wrote
"""

_NO_NAMES = frozenset(_UNFIT.split())
"""Words that are too general to begin or end a name, in addition to those that are no content words."""


@dataclass
class _Phrase:
    """Adjacent words, independent of inflection, hyphens and capitals.

    Attributes:
        stems: the words without plural and hyphens, in lower case.
        inside, leading: its spellings, inside sentences and at their beginning.
        videos: the videos that contain it.
        called: occurrences alone between commas or stops.
    """

    stems: tuple[str, ...]
    inside: Counter[str] = field(default_factory=Counter)
    leading: Counter[str] = field(default_factory=Counter)
    videos: set[str] = field(default_factory=set)
    called: int = 0

    @property
    def occurrences(self) -> int:
        """Number of occurrences."""
        return self.inside.total() + self.leading.total()

    @property
    def content(self) -> list[str]:
        """The stems without "of"."""
        return [stem for stem in self.stems if stem != "of"]

    def form(self) -> str:
        """Return the most frequent spelling; sentence capitals are lowered, except acronyms."""
        forms = self.inside or self.leading
        form = min(forms, key=lambda written: (-forms[written], written))
        form = form.removesuffix("'s").removesuffix("’s")
        first, _, rest = form.partition(" ")
        if not self.inside and first[1:].islower():
            return f"{first.lower()} {rest}".rstrip()
        return form


def name(
    words: Sequence[tuple[str, float]],
    paragraphs: Sequence[tuple[str, str]],
    taken: Collection[str] = (),
    previous: str | None = None,
) -> str:
    """Return the topic's name: a phrase of one to four words as speakers write it, or two joined by "&".

    Candidates are runs of content words in the paragraphs. A good one has words that are strong in the topic,
    occurs in several videos, and has words that mostly occur together. Names are not always pretty: there is
    no grammar here, and a topic without a subject gets a meaningless name.

    Args:
        words: the topic's words with their c-TF-IDF weights, strongest first.
        paragraphs: its representative paragraphs, as (video_id, text); their order does not matter.
        taken: names of other topics, which this one must not have; names that differ only in capitals,
            plurals or order are equal.
        previous: its name so far, kept while its words are not much weaker than those of the new one.

    Returns:
        At most `LENGTH` characters; the strongest words if no phrase is good enough; "" without any.
    """
    used = {_key(label) for label in taken}
    weights: dict[str, float] = {}
    for word, weight in words:
        weights[stem_of(word)] = max(weight, weights.get(stem_of(word), 0.0))
    labels = (label for label in _labels(words, paragraphs, weights) if _fits(label, used))
    label = next(labels, "")
    if previous and _fits(previous, used) and _is_of(previous, weights):
        return previous if _strength(previous, weights) >= _KEPT * _strength(label, weights) else label
    return label


def _fits(label: str, used: set[str]) -> bool:
    return 0 < len(label) <= LENGTH and _key(label) not in used


def _labels(
    words: Sequence[tuple[str, float]], paragraphs: Sequence[tuple[str, str]], weights: Mapping[str, float]
) -> Iterator[str]:
    """Yield names, best first: each phrase, one-word phrases joined with a second one; then single words."""
    phrases, said = _phrases(paragraphs, weights)
    videos = len({video for video, _ in paragraphs})
    times = {phrase.stems: phrase.occurrences for phrase in phrases}
    people = {stem_of(word) for word in FIRST_NAMES | people_of([text for _, text in paragraphs])}
    scores = {phrase.stems: _score(phrase, weights, said, videos, people) for phrase in phrases}
    for whole in phrases:
        for part in _parts(whole.stems) if all(stem in weights for stem in whole.content) else ():
            if scores[whole.stems] and part in scores and whole.occurrences >= _WHOLE * times[part]:
                scores[part] = 0.0
    ranked = sorted((p for p in phrases if scores[p.stems] > 0), key=lambda p: (-scores[p.stems], p.stems))[
        :40
    ]
    later: list[str] = []
    for first in ranked[:12]:
        least = scores[first.stems] * (_SECOND if len(first.stems) == 1 else _SECOND_AFTER_PHRASE)
        joined = [
            f"{first.form()} & {second.form()}"
            for second in ranked
            if not _kin(first, second) and scores[second.stems] >= least
        ]
        joined = [label for label in joined if len(label) <= LENGTH][:4]
        if len(first.stems) > 1 or not joined:
            yield first.form()
        yield from joined[:1]
        later += [*joined[1:], first.form()]
    yield from later
    strongest = [word for word, _ in words]
    yield from (", ".join(strongest[:count]) for count in (2, 3, 1))
    for place, word in enumerate(strongest):
        yield from (f"{word}, {other}" for other in strongest[place + 1 :])


def _score(
    phrase: _Phrase,
    weights: Mapping[str, float],
    said: Mapping[str, int],
    videos: int,
    people: AbstractSet[str],
) -> float:
    own = [weights.get(stem, 0.0) for stem in phrase.content]
    untypical = min(own) == 0
    needed = 3 if untypical else min(2, videos)
    if len(phrase.videos) < needed or (untypical and "of" in phrase.stems):
        return 0.0
    strength = sum(own) / len(own) * _BY_SIZE[len(own) - 1]
    company: float = (phrase.occurrences / min(said[stem] for stem in phrase.content)) ** 0.5
    spread = len(phrase.videos) / (len(phrase.videos) + 1.0)
    person = phrase.called > _CALLED * phrase.occurrences or not people.isdisjoint(phrase.stems)
    plain = len(own) == 1 and phrase.form().islower()
    discount = (_PERSON if person else 1.0) * (_PLAIN if plain else 1.0) * (_UNTYPICAL if untypical else 1.0)
    return strength * company * spread * discount


def _is_of(label: str, weights: Mapping[str, float]) -> bool:
    """Return whether each part of a name has a word of the topic."""
    return all(any(stem_of(word) in weights for word in TOKEN.findall(part)) for part in label.split(" & "))


def _strength(label: str, weights: Mapping[str, float]) -> float:
    stems = [stem_of(word) for word in TOKEN.findall(label) if _is_content(word)]
    return sum(weights.get(stem, 0.0) for stem in stems) / max(len(stems), 1)


def _phrases(
    paragraphs: Sequence[tuple[str, str]], weights: Mapping[str, float]
) -> tuple[list[_Phrase], Counter[str]]:
    """Return the phrases with at least one of the topic's words, and the occurrences of each stem."""
    phrases: dict[tuple[str, ...], _Phrase] = {}
    said: Counter[str] = Counter()
    for video_id, text in paragraphs:
        tokens = [(token[0], token.start(), token.end()) for token in TOKEN.finditer(text)]
        stems = [stem_of(word) for word, _, _ in tokens]
        foreign = foreign_words(text)
        content = [_is_content(word) and word.lower() not in foreign for word, _, _ in tokens]
        said.update(stems)
        for first, (word, start, _) in enumerate(tokens):
            if not content[first]:
                continue
            before = text[tokens[first - 1][2] if first else 0 : start].strip()
            leading = before.endswith(_SENTENCE_END) or not (first or before)
            of_topic = False
            for last in range(first, min(first + _PHRASE, len(tokens))):
                if last > first and text[tokens[last - 1][2] : tokens[last][1]] != " ":
                    break
                of_topic = of_topic or stems[last] in weights
                if not content[last]:
                    if stems[last] != "of" or last > first + 1:
                        break
                elif of_topic:
                    key = tuple(stems[first : last + 1])
                    end = tokens[last][2]
                    phrase = phrases.get(key) or phrases.setdefault(key, _Phrase(key))
                    (phrase.leading if leading else phrase.inside)[text[start:end]] += 1
                    phrase.videos.add(video_id)
                    phrase.called += (
                        word[0].isupper() and before.endswith(",") and text[end : end + 1] in ".,?!;"
                    )
    return list(phrases.values()), said


def _parts(stems: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the shorter phrases of two words or more in a phrase."""
    for size in range(2, len(stems)):
        yield from (stems[begin : begin + size] for begin in range(len(stems) - size + 1))


def _kin(first: _Phrase, second: _Phrase) -> bool:
    """Return whether a word of one resembles a word of the other: `label` and `labeling`."""
    return any(one[:4] == other[:4] for one in first.content for other in second.content)


def _key(label: str) -> str:
    """Return a key that is equal for names that differ only in capitals, hyphens, plurals and order."""
    return " ".join(sorted(stem_of(word) for word in label.split() if word != "&"))


@lru_cache(maxsize=50_000)
def _is_content(word: str) -> bool:
    return word.lower() not in _NO_NAMES and bool(content_words(word))
