"""A page of the names and words of born topics, before and after a change, to be read by a human eye.

    python benchmarks/topics/names.py --out names.json [--before earlier.json] [--page names.md]
                                      [--stream FILE …] [--every N] [--lsa] [--representations]

Learns every third talk of some shows in order of publication, with the `blank` codebook, so that every topic
is born, and writes each topic's name and words. Names and words move no topic: a file that an earlier version
wrote (`--out` in a checkout of it) has the same topics, and `--before` puts its names beside the new ones.

Figures, all counted in the talks themselves and not by the model:

- of the words: those in three talks or more of their topic, and in two sources or more where the topic has as
  many; those that are a name of a speaker of these talks, written with a capital more often than not;
- of the names: those with such a word, and those with a word of fewer than three of the topic's talks;
- NPMI and C_v of the words in talks of the same shows that were not learned, and their diversity;
- of each topic: its talks, their share of the talks of its sources since the first, the number of these, and
  its share of paragraphs in the first and last 5 % of talks. A word with a ring is in two talks of its topic,
  with two in one.

`--lsa` learns latent semantic vectors of the talks instead of the packaged model's: other topics, with the
same kinds of words, in a minute. `--representations` also chooses each topic's words of its thirty strongest
as BERTopic does, with the packaged embedding model: MaximalMarginalRelevance and KeyBERTInspired.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.machine import describe
from benchmarks.topics import scores, streams
from benchmarks.topics.unseeded import unseeded
from models.errors import BadInput
from models.topics import TopicModel, TopicSettings
from models.topics.online.words import TOKEN, content_words
from streams.errors import DataError

SHOWS = ("changelog_jsparty", "changelog_friends")
"""Nothing about words and names was chosen by these; see docs/explanation/topics.md."""
EVERY = 3
TALKS = 3
"""Talks of its topic that a word should occur in."""
EDGE = 0.05
STRONGEST = 30


class Said:
    """What the learned talks say about each topic: counted in their paragraphs, by no part of the model."""

    def __init__(self, videos: Sequence[streams.Video], topics: Sequence[Sequence[int | None]]) -> None:
        self.talks: dict[int, set[str]] = defaultdict(set)
        self.sources: dict[int, set[str]] = defaultdict(set)
        self.paragraphs: Counter[int] = Counter()
        self.at_edges: Counter[int] = Counter()
        self.words: dict[int, dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
        self.of_source = Counter(video.source for video in videos)
        self.first: dict[int, int] = {}
        self.order = [video.source for video in videos]
        self.texts: dict[int, list[str]] = defaultdict(list)
        for at, (video, given) in enumerate(zip(videos, topics, strict=True)):
            for row, (text, topic) in enumerate(zip(video.texts, given, strict=True)):
                if topic is None:
                    continue
                self.first.setdefault(topic, at)
                self.talks[topic].add(video.video_id)
                self.sources[topic].add(video.source)
                self.paragraphs[topic] += 1
                self.at_edges[topic] += min(row, len(video.texts) - 1 - row) < EDGE * len(video.texts)
                self.texts[topic].append(text)
                for word in set(content_words(text)):
                    self.words[topic][word].add((video.video_id, video.source))

    def usage(self, topic: int, word: str) -> tuple[int, int]:
        """Return the talks and the sources of a topic in which a word occurs."""
        used = self.words[topic].get(word, set())
        return len(used), len({source for _, source in used})

    def spread(self, topic: int) -> float:
        """Return the share of the talks of a topic's sources that have it, since the first that had."""
        since = self.order[self.first[topic] :]
        return len(self.talks[topic]) / sum(source in self.sources[topic] for source in since)


def learn(videos: Sequence[streams.Video], vectors: Sequence[NDArray[np.float32]]) -> tuple[TopicModel, Said]:
    """Return the model that learned the talks, and what they say about its topics."""
    model = unseeded(vectors[0].shape[1], TopicSettings())
    given: dict[str, int | None] = {}
    for video, rows in zip(videos, vectors, strict=True):
        outcome = model.learn(streams.batch(video, rows))
        given |= {each.paragraph_id: each.topic_id for each in outcome.assignments}
        for birth in outcome.births:
            given |= {each.paragraph_id: each.topic_id for each in birth.assignments}
    aliases, topics, found = model.aliases(), iter(given.values()), []
    for video in videos:
        own = [next(topics) for _ in video.texts]
        found.append([None if each is None else aliases.get(each, each) for each in own])
    return model, Said(videos, found)


def lsa(videos: Sequence[streams.Video]) -> list[NDArray[np.float32]]:
    """Return latent semantic vectors (Deerwester et al. 1990) of paragraphs, float32 [n, 101]."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    texts = [text for video in videos for text in video.texts]
    counted = TfidfVectorizer(sublinear_tf=True, min_df=5, max_df=0.2, stop_words="english")
    rows = normalize(TruncatedSVD(100, n_iter=3, random_state=0).fit_transform(counted.fit_transform(texts)))
    common = np.full((len(rows), 1), 0.6)  # no paragraph has a zero vector
    ends = np.cumsum([len(video.texts) for video in videos])
    return np.split(normalize(np.hstack([rows, common])).astype(np.float32), ends[:-1])


def names_of_people(paths: Iterable[Path], videos: Sequence[streams.Video]) -> set[str]:
    """Return the words of the speakers' names that are written with a capital more often than not."""
    called: set[str] = set()
    for path in paths:
        with streams.lines(path) as file:
            records = [json.loads(line) for line in file if line.strip()]
        speakers = {name for each in records for name in each.get("speakers") or ()}
        called |= {word.lower() for name in speakers for word in TOKEN.findall(name)}
    capital: Counter[str] = Counter()
    for video in videos:
        for text in video.texts:
            for word in TOKEN.findall(text):
                if word.lower() in called:
                    capital[word.lower()] += 1 if word[0].isupper() else -1
    return {word for word in called if capital[word] > 0}


def report(model: TopicModel, said: Said, people: set[str]) -> list[dict[str, Any]]:
    """Return every born topic with its name, words and their usage, those of most talks first."""
    topics = []
    for topic in model.topics():
        own = topic.topic_id
        if not said.talks[own]:
            continue
        words = [word for word, _ in topic.words]
        in_name = content_words(topic.label)
        topics.append(
            {
                "topic_id": own,
                "name": topic.label,
                "words": words,
                "usage": [said.usage(own, word) for word in words],
                "talks": len(said.talks[own]),
                "sources": len(said.sources[own]),
                "paragraphs": said.paragraphs[own],
                "at_edges": said.at_edges[own] / said.paragraphs[own],
                "spread": said.spread(own),
                "people": [word for word in words if word in people],
                "person_in_name": any(word in people for word in in_name),
                "rare_in_name": any(said.usage(own, word)[0] < TALKS for word in in_name),
                "representatives": [each.text for each in model.representatives(own)],
            }
        )
    return sorted(topics, key=lambda topic: (-int(topic["talks"]), int(topic["topic_id"])))


def figures(topics: Sequence[dict[str, Any]], elsewhere: scores.Corpus, known: set[str]) -> dict[str, float]:
    """Return the figures of all topics together; `known` are the words of the talks elsewhere."""
    words = [(topic, *used) for topic in topics for used in topic["usage"] if topic["talks"] >= TALKS]
    mixed = [(topic, *used) for topic in topics for used in topic["usage"] if topic["sources"] > 1]
    coherence = elsewhere.coherence([[word for word in topic["words"] if word in known] for topic in topics])
    return {
        "topics": len(topics),
        "words a topic": sum(len(topic["words"]) for topic in topics) / len(topics),
        "words in three talks": sum(talks >= TALKS for _, talks, _ in words) / len(words),
        "words in two sources": sum(of > 1 for _, _, of in mixed) / max(1, len(mixed)),
        "words that are a speaker's name": sum(len(topic["people"]) for topic in topics),
        "names with a speaker's name": sum(topic["person_in_name"] for topic in topics),
        "names with a word of fewer than three talks": sum(topic["rare_in_name"] for topic in topics),
        "npmi": coherence.npmi,
        "c_v": coherence.c_v,
        "diversity": coherence.diversity,
        "same word in another form": sum(_inflected(topic["words"]) for topic in topics) / len(topics),
    }


def _inflected(words: Sequence[str]) -> int:
    return sum(f"{word}s" in words or f"{word}es" in words for word in words)


def represented(
    model: TopicModel, said: Said, topics: Sequence[dict[str, Any]]
) -> dict[str, list[list[str]]]:
    """Return the topics' words as BERTopic's representation models choose them of the strongest thirty."""
    from bertopic.representation._mmr import mmr

    online, active = model.memory.roster.online, model.active()
    ids = list(model.memory.roster.centroids.topic_ids)
    weights, names = online.c_tf_idf().tocsr(), online.vocabulary()
    found: dict[str, list[list[str]]] = {"c-TF-IDF": [], "MMR": [], "KeyBERT-inspired": []}
    for topic in topics:
        if topic["topic_id"] not in active:
            continue
        row = weights.getrow(ids.index(topic["topic_id"]) + 1)
        order = np.lexsort((row.indices, -row.data))
        strongest = [names[row.indices[each]] for each in order]
        least = min(TALKS, topic["talks"])
        usual = [word for word in strongest if said.usage(topic["topic_id"], word)[0] >= least]
        strongest = (usual if len(usual) >= scores.WORDS else strongest)[:STRONGEST]
        vectors = streams.embed_texts(strongest)
        typical = streams.embed_texts(topic["representatives"] or strongest[:1]).mean(axis=0, keepdims=True)
        similar = (typical / np.linalg.norm(typical) @ vectors.T)[0]
        words = scores.WORDS
        found["c-TF-IDF"].append(strongest[:words])
        joined = streams.embed_texts([" ".join(strongest)])
        found["MMR"].append(mmr(joined, vectors, strongest, 0.1, words))
        found["KeyBERT-inspired"].append([strongest[each] for each in np.argsort(-similar)[:words]])
    return found


def page(now: dict[str, Any], before: dict[str, Any] | None) -> str:
    """Return the names as Markdown, beside the earlier ones if there are any."""
    earlier = {topic["topic_id"]: topic for topic in before["topics"]} if before else {}
    lines = ["# Names and words of born topics", "", f"{now['talks']} talks: {', '.join(now['shows'])}.", ""]
    lines += ["| | before | after |", "|---|---|---|"]
    for name, figure in now["figures"].items():
        was = before["figures"].get(name) if before else None
        lines.append(f"| {name} | {_shown(was)} | {_shown(figure)} |")
    lines += ["", "| topic | talks | at the ends | before | after |", "|---|---|---|---|---|"]
    for topic in now["topics"]:
        was = earlier.get(topic["topic_id"])
        lines.append(
            f"| {topic['topic_id']} | {topic['talks']} ({topic['spread']:.0%} of {topic['sources']}) "
            f"| {topic['at_edges']:.0%} | {_told(was)} | {_told(topic)} |"
        )
    for name, of in now.get("representations", {}).items():
        lines += ["", f"{name}: " + ", ".join(f"{key} {figure:.3f}" for key, figure in of.items())]
    return "\n".join(lines) + "\n"


def _told(topic: dict[str, Any] | None) -> str:
    if topic is None:
        return "–"
    words = [
        f"{word}{'°' * (TALKS - talks)}"
        for word, (talks, _) in zip(topic["words"], topic["usage"], strict=True)
    ]
    return f"**{topic['name']}** {', '.join(words)}".replace("|", "\\|")


def _shown(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}".rstrip("0").rstrip(".")


def main() -> int:
    """Learn, count, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--stream", type=Path, action="append", help="a file of talks; may come more than once"
    )
    parser.add_argument("--every", type=int, default=EVERY, help=f"learn every N-th talk ({EVERY})")
    parser.add_argument("--lsa", action="store_true", help="latent semantic vectors, which are cheap")
    parser.add_argument("--before", type=Path, help="what an earlier version wrote as --out")
    parser.add_argument("--representations", action="store_true", help="also try BERTopic's")
    parser.add_argument("--out", type=Path, help="where to write everything as JSON")
    parser.add_argument("--page", type=Path, help="where to write the page, as Markdown")
    given = parser.parse_args()
    try:
        paths = given.stream or [streams.data_file(f"talks/{name}.jsonl.gz") for name in SHOWS]
        everything = streams.read_all(paths)
        videos = everything[:: given.every]
        model, said = learn(videos, lsa(videos) if given.lsa else streams.embed(videos))
        others = everything[1 :: given.every] if given.every > 1 else videos
        texts = scores.words_of([text for video in others for text in video.texts])
        elsewhere, known = scores.Corpus(texts), {word for text in texts for word in text}
        topics = report(model, said, names_of_people(paths, videos))
        now: dict[str, Any] = {
            "machine": describe(),
            "shows": sorted(said.of_source),
            "talks": len(videos),
            "figures": figures(topics, elsewhere, known),
            "topics": topics,
        }
        if given.representations:
            now["representations"] = {
                name: vars(elsewhere.coherence([[word for word in words if word in known] for words in of]))
                for name, of in represented(model, said, topics).items()
            }
        before = json.loads(given.before.read_text()) if given.before else None
    except (DataError, BadInput) as error:
        print(error, file=sys.stderr)
        return 1
    if given.out:
        given.out.write_text(json.dumps(now, indent=2, ensure_ascii=False) + "\n")
    shown = page(now, before)
    if given.page:
        given.page.write_text(shown)
    print(shown)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
