"""Validity of the codebook's topics: topics of paragraphs against what people read in them.

python benchmarks/topics/codebook.py [--gold FILE ...] [--talks FILE ...] [--codebook NAME] [--quick]
                                     [--shipped] [--out FILE.json]

Talks are learned in the order of their dates, as a study does by default. People have read some of the
paragraphs (the gold) for the codebook's topics that each is substantially about, 0 to 3. Measured:

- concepts: the topics that a paragraph is judged to be about; they never change, so those at ingest are
  those at the end. No judge has seen the talk that it judges (folds by talk), unless `--shipped` takes the
  one that comes with Groundswell: right for gold that it was not fitted to;
- clusters: the topic that the cluster model has nearest, as all topics of the codebook were assigned before;
- nearest description: the topic whose name and description have the highest cosine with the paragraph, from
  .25 and from .30 on;
- words: every topic of which a paragraph has at least two words, of its name and description.

Precision is over labels that any reader gave, recall over those that all gave. The 95 % intervals of F1
resample talks. `own words`: how many of a topic's ten words at the end are among its terms, its name, its
definition or its description.
`--quick` learns the 150 talks with most gold paragraphs only.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.machine import describe
from benchmarks.outcome import told
from benchmarks.topics import concept_judge, streams
from benchmarks.topics.gold import ONCE, TWICE, GoldParagraph, located, read_gold, readings_of, talk_files
from benchmarks.topics.multilabel import Labels, Readings, Score, score, united
from models.codebook.codebook import Codebook, load
from models.concepts.evidence import Talk
from models.concepts.judge import ConceptJudge, Membership
from models.concepts.observer import ConceptObserver
from models.topics import TopicModel, TopicSettings
from models.topics.online.words import content_words
from streams.errors import DataError

QUICK = 150
FLOORS = (0.25, 0.30)
"""Cosines from which the nearest description counts."""
WORDS = 2
"""Words of a topic that a paragraph has at least."""
TEN = 10
"""Words of a topic at the end that are looked at."""
COMMON = 3
"""A word in the descriptions of this many topics belongs to none of them."""


@dataclass(frozen=True)
class Learned:
    """Topics that were given to the gold paragraphs, and the words of each topic at the end.

    Attributes:
        concepts, clusters: bool [n, k].
        words: ten words of each topic of the codebook.
        born: number of topics that were born.
    """

    concepts: Labels
    clusters: Labels
    words: list[tuple[str, ...]]
    born: int


class Judges:
    """Judges of talks: for a talk with gold, one that has not seen it.

    Args:
        shipped: judge all by what comes with Groundswell.
    """

    def __init__(
        self, gold: Sequence[GoldParagraph], videos: Sequence[streams.Video], book: Codebook, shipped: bool
    ) -> None:
        self._of_talk: dict[str, ConceptJudge] = {}
        self._any = ConceptJudge(book, concept_judge.prototypes(book), streams.embedder().model)
        if not shipped:
            read, _, evidence = concept_judge.evidence_of(gold, videos, book)
            for part, judge in concept_judge.without_each(read, book, evidence):
                self._any = judge
                self._of_talk |= dict.fromkeys((read.talks[row] for row in part), judge)

    def judge(self, video: streams.Video, vectors: NDArray[np.float32]) -> list[tuple[Membership, ...]]:
        """Return the concepts of a talk's paragraphs."""
        judge = self._of_talk.get(video.video_id, self._any)
        return judge.judge(Talk(video.title, video.texts), vectors)


def learn(
    videos: Sequence[streams.Video],
    vectors: Sequence[NDArray[np.float32]],
    book: Codebook,
    judges: Judges,
    gold: Mapping[tuple[str, int], int],
) -> Learned:
    """Learn the videos in order; `gold`: the row of each gold paragraph by talk and position."""
    seeds = streams.embed_texts([topic.seed for topic in book.topics])
    model = TopicModel.seeded(book, seeds, TopicSettings(), streams.embedder().space)
    observer = ConceptObserver(book, TopicSettings(), seeds.shape[1])
    k = len(book.topics)
    concepts, clusters = np.zeros((len(gold), k), np.bool_), np.zeros((len(gold), k), np.bool_)
    for video, rows in zip(videos, vectors, strict=True):
        batch = streams.batch(video, rows)
        assignments, memberships = model.learn(batch).assignments, judges.judge(video, rows)
        observer.observe(batch, memberships)
        for position, (cluster, about) in enumerate(zip(assignments, memberships, strict=True)):
            row = gold.get((video.video_id, position))
            if row is not None:
                concepts[row, [each.topic_id - 1 for each in about]] = True
                if cluster.topic_id is not None and cluster.topic_id <= k:
                    clusters[row, cluster.topic_id - 1] = True
    words = observer.words()
    return Learned(
        concepts,
        clusters,
        [tuple(word for word, _ in words[topic][:TEN]) for topic in range(1, k + 1)],
        sum(topic.origin != "seeded" for topic in model.topics()),
    )


def of_gold(
    videos: Sequence[streams.Video],
    vectors: Sequence[NDArray[np.float32]],
    gold: Mapping[tuple[str, int], int],
) -> NDArray[np.float32]:
    """Return the vectors of the gold paragraphs, float32 [n, d], in the order of their rows."""
    by_talk = {video.video_id: rows for video, rows in zip(videos, vectors, strict=True)}
    return np.stack([by_talk[talk][position] for talk, position in gold])


def nearest(vectors: NDArray[np.float32], book: Codebook, floor: float) -> Labels:
    """Return the nearest description of each paragraph, from a cosine of `floor` on, as bool [n, k]."""
    cosines = vectors @ streams.embed_texts([topic.seed for topic in book.topics]).T
    return np.asarray((cosines == cosines.max(axis=1, keepdims=True)) & (cosines >= floor))


def own_words(texts: Sequence[str]) -> list[frozenset[str]]:
    """Return the words of each topic's text, but for what several topics have."""
    words = [frozenset(content_words(text)) for text in texts]
    common = {word for word, topics in Counter(w for each in words for w in each).items() if topics >= COMMON}
    return [each - common for each in words]


def by_words(texts: Sequence[str], book: Codebook) -> Labels:
    """Return every topic of which a paragraph has `WORDS` words, as bool [n, k]."""
    of_topics = own_words([topic.seed for topic in book.topics])
    said = [frozenset(content_words(text)) for text in texts]
    return np.array([[len(words & own) >= WORDS for own in of_topics] for words in said])


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return every score, by system, topic, theme, stratum and year."""
    gold = [each for path in arguments.gold or [streams.data_file(TWICE)] for each in read_gold(path)]
    book = load(arguments.codebook)
    more = [] if arguments.gold else read_gold(streams.data_file(ONCE))
    every = [*gold, *more]
    files = arguments.talks or talk_files(every)
    wanted = _most_read(gold) if arguments.quick else None
    videos = streams.read_all(files, only=wanted)
    asked = [each for each in gold if wanted is None or each.talk in wanted]
    kept, rows = located(asked, videos)
    if not kept:
        raise DataError("none of the gold paragraphs is in these talks", "name their talks with --talks")
    readings = readings_of(kept, len(book.topics))
    vectors = streams.embed(videos)
    judges = Judges(every, streams.read_all(files, only=talks_of(every)), book, arguments.shipped)
    learned = learn(videos, vectors, book, judges, rows)
    embedded = of_gold(videos, vectors, rows)
    systems = {
        "concepts": learned.concepts,
        "clusters": learned.clusters,
        **{f"nearest description, {floor}": nearest(embedded, book, floor) for floor in FLOORS},
        "words": by_words([each.text for each in kept], book),
    }
    themes = sorted({topic.theme for topic in book.topics})
    groups = [[at for at, topic in enumerate(book.topics) if topic.theme == theme] for theme in themes]
    words = own_words(
        [" ".join([topic.seed, topic.definition, *topic.terms]).replace("*", "") for topic in book.topics]
    )
    return {
        "machine": describe(),
        "codebook": book.name,
        "talks": len(videos),
        "gold": {"paragraphs": len(kept), "not_found": len(asked) - len(kept)},
        "topics_born": learned.born,
        "systems": {
            name: {
                "all": asdict(score(given, readings)),
                "themes": asdict(score(united(given, groups), readings.of_labels(groups))),
                "by_topic": {
                    topic.name: asdict(score(given[:, [at]], readings.of_labels([[at]])))
                    for at, topic in enumerate(book.topics)
                },
                "by_stratum": _by(given, readings, [each.stratum for each in kept]),
                "by_year": _by(given, readings, [each.year for each in kept]),
            }
            for name, given in systems.items()
        },
        "words_at_the_end": {
            topic.name: {
                "words": (ten := learned.words[at]),
                "own": sum(bool(set(content_words(word)) & words[at]) for word in ten),
            }
            for at, topic in enumerate(book.topics)
        },
    }


def talks_of(gold: Sequence[GoldParagraph]) -> frozenset[str]:
    """Return the talks that have gold paragraphs."""
    return frozenset(each.talk for each in gold)


def _most_read(gold: Sequence[GoldParagraph]) -> frozenset[str]:
    """Return the `QUICK` talks with most gold paragraphs."""
    counted = Counter(each.talk for each in gold)
    return frozenset(sorted(counted, key=lambda talk: (-counted[talk], talk))[:QUICK])


def _by(given: Labels, readings: Readings, values: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for value in sorted(set(values)):
        rows = np.array([each == value for each in values])
        found[value] = asdict(score(given[rows], readings.of(rows)))
    return found


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    gold = result["gold"]
    print(
        f"{result['codebook']}: {result['talks']} talks, {gold['paragraphs']} gold paragraphs "
        f"({gold['not_found']} not found), {result['topics_born']} topics born"
    )
    print(f"\n{'':28} {'given':>6} {'P':>6} {'R':>6} {'F1':>6}  95 % of F1      themes: P, R, F1")
    for name, system in result["systems"].items():
        whole, themes = Score(**system["all"]), Score(**system["themes"])
        low, high = whole.f1_interval
        print(
            f"{name:28} {whole.given:6} {whole.precision:6.2f} {whole.recall:6.2f} {whole.f1:6.2f}  "
            f"{low:.2f} to {high:.2f}    {themes.precision:6.2f} {themes.recall:6.2f} {themes.f1:6.2f}"
        )
    ours = result["systems"]["concepts"]
    for part in ("by_stratum", "by_year"):
        print(f"\nconcepts, {part.replace('_', ' ')}")
        for name, of_part in ours[part].items():
            each = Score(**of_part)
            print(f"{name:28} {each.given:6} {each.precision:6.2f} {each.recall:6.2f} {each.f1:6.2f}")
    columns = " ".join(f"{name:>6}" for name in ("given", "right", "wanted", "found"))
    print(f"\n{'concepts, by topic':28} {columns}  own words of ten")
    for name, of_topic in ours["by_topic"].items():
        each, words = Score(**of_topic), result["words_at_the_end"][name]
        numbers = " ".join(f"{count:6}" for count in (each.given, each.right, each.wanted, each.found))
        print(f"{name:28} {numbers}  {words['own']:2}  {', '.join(words['words'])}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gold", type=Path, nargs="+", help="paragraphs that people have read")
    parser.add_argument("--talks", type=Path, nargs="+", help="files of the talks that are learned")
    parser.add_argument("--codebook", default="llm-in-production", help="name or file of the codebook")
    parser.add_argument("--quick", action="store_true", help=f"learn {QUICK} talks only")
    parser.add_argument("--shipped", action="store_true", help="judge by what comes with Groundswell")
    parser.add_argument("--out", type=Path, help="write every figure here, as JSON")
    arguments = parser.parse_args()
    return told(lambda: measure(arguments), show, arguments.out)


if __name__ == "__main__":
    raise SystemExit(main())
