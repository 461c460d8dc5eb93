"""Export of the topic model as a plain BERTopic, for its plots, its `transform` and its other tools.

BERTopic stores the topics' vectors and words as safetensors, and no code; a loaded model assigns a document
to the topic of the highest cosine between the two embeddings. Our model compares after subtracting the mean
of all paragraphs, and has a floor below which a paragraph has no topic. Vectors fitted for the purpose make a
plain cosine come close to that (see `plain_vectors`).

BERTopic numbers topics from 0 without gaps, and -1 is "no topic": so active topics are numbered in the order
of our ids, and the aspect `Groundswell` of each has our id. Labels become custom labels. Representative
paragraphs are in `representative_docs_`, which BERTopic does not save, and in the aspect `Quotes`, which it
does.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from models.errors import BadInput
from models.topics.model import TopicModel
from models.topics.online.centring import Vectors, unit
from models.topics.online.words import TOKEN
from models.topics.results import TopicState

Assigned = tuple[str, int | None, float]
"""A paragraph's text, its topic's id (ours) or None, and the topic's probability."""

_NONE = -1
"""BERTopic's number for "no topic"."""
_PULL = 0.25
"""Ridge penalty: the starting vectors weigh as much as a quarter of a paragraph in each direction. On the
sample talks, .97 of the learned paragraphs with a topic have the same one (.86 with a penalty of 1), and .91
(.88) of those of talks that were not learned."""
_LEAN = 0.02
"""Bias towards having a topic: on transcripts of a show it gave the best agreement with the model."""
_NO_WORD = ("", 1e-5)
"""BERTopic's own padding for a topic with too few words; its plots need the same number for each."""


@dataclass(frozen=True)
class _Seen:
    """The data of a model's active topics, in the order of ids.

    Attributes:
        sizes: number of paragraphs without a topic, then of each topic.
        counts: csr float64 [1 + k, words], "no topic" first.
        quotes: representative paragraphs.
    """

    topics: tuple[TopicState, ...]
    vectors: Vectors
    floors: Vectors
    mean: Vectors
    paragraphs: Vectors
    sizes: list[int]
    counts: Any
    vocabulary: list[str]
    quotes: tuple[tuple[str, ...], ...]


def plain_vectors(topics: Vectors, floors: Vectors, mean: Vectors, paragraphs: Vectors) -> Vectors:
    """Return vectors whose plain cosine with an embedding approximates the model's assignment.

    The model assigns a paragraph x to the topic k of the highest centred cosine, if that is above k's floor;
    that is, if the highest of `s_k(x) = cos(x - mean, topic_k) - floor_of_the_highest` is above 0. The result
    is [k + 1, d]: a zero row, whose cosine with anything is 0, for "no topic"; and for each topic the vector
    v_k that minimises the squares of `<x, v_k> - s_k(x)` over the paragraphs, regularised towards its value
    if all paragraphs had the same component of the mean, `topic_k - (<mean, topic_k> + floor * r) * u` (r:
    their distance to the mean; u: with `<x, u>` nearest to 1).

    Args:
        topics: float64 [k, d], unit length, centred.
        floors: float64 [k].
        mean: float64 [d], mean of all paragraphs' unit vectors.
        paragraphs: float64 [n, d], unit length: a sample of paragraphs that the model has seen.
    """
    sample = np.vstack([paragraphs, unit(mean + topics)])
    gram = np.einsum("ni,nj->ij", sample, sample) + _PULL * np.eye(sample.shape[1])
    ones = np.linalg.solve(gram, sample.sum(axis=0))
    ones = ones / (sample @ ones).mean()
    away = np.linalg.norm(sample - mean, axis=1).mean()
    start = topics - np.outer(topics @ mean + floors.mean() * away, ones)
    cosines = unit(sample - mean) @ topics.T
    wanted = cosines - floors[cosines.argmax(axis=1)][:, np.newaxis] + _LEAN
    fitted = np.linalg.solve(gram, sample.T @ wanted + _PULL * start.T).T
    # in C order: safetensors writes the memory as it is, ignoring strides
    return np.ascontiguousarray(np.vstack([np.zeros(len(mean)), unit(fitted)]))


def to_bertopic(model: TopicModel, assigned: Sequence[Assigned] = ()) -> Any:
    """Build a `bertopic.BERTopic` that assigns paragraphs like the model; `save` writes it.

    Args:
        assigned: the paragraphs of `topics_` and `probabilities_`, in this order; by default the
            representative paragraphs of each topic in turn.

    Raises:
        BadInput: the model has no topic yet, or a paragraph has a topic that the model does not have.
    """
    from models.topics.online.bertopic_adapter import (
        BaseCluster,
        BaseDimensionalityReduction,
        BERTopic,
        TopicMapper,
    )

    seen = _seen(model)
    if not seen.topics:
        raise BadInput("the topic model has no topics yet", "run it on some talks first, then export it")
    number = {None: _NONE} | {topic.topic_id: at for at, topic in enumerate(seen.topics)}
    paragraphs = list(assigned) or _representatives(model)
    for _, topic_id, _ in paragraphs:
        if topic_id not in number:
            raise BadInput(
                f"the topic model has no topic {topic_id} now", "replace the id by its alias, or by None"
            )
    vectorizer, weigher, counts = _counted(seen)
    many = max(1, *(len(topic.words) for topic in seen.topics))
    words = {at: _padded(list(topic.words), many) for at, topic in enumerate(seen.topics)}

    made: Any = BERTopic(
        language="multilingual",  # the words are not limited to A to Z
        top_n_words=many,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),
        vectorizer_model=vectorizer,
        ctfidf_model=weigher,
    )
    made.c_tf_idf_ = weigher.transform(counts.copy())
    made.topic_representations_ = {_NONE: _strongest(made.c_tf_idf_[0], vectorizer.vocabulary_, many)} | words
    made.topic_sizes_ = Counter({_NONE: seen.sizes[0]} | dict(enumerate(seen.sizes[1:])))
    made.topic_embeddings_ = plain_vectors(seen.vectors, seen.floors, seen.mean, seen.paragraphs)
    made.topics_ = [number[topic_id] for _, topic_id, _ in paragraphs]
    made.probabilities_ = np.array([probability for _, _, probability in paragraphs], np.float64)
    made.topic_mapper_ = TopicMapper([_NONE, *words])
    made.custom_labels_ = ["No topic", *(topic.label for topic in seen.topics)]
    made.representative_docs_ = {_NONE: []} | {at: list(seen.quotes[at]) for at in words}
    made.topic_aspects_ = {
        "Groundswell": {_NONE: ["none"]}
        | {at: [str(topic.topic_id)] for at, topic in enumerate(seen.topics)},
        "Quotes": {_NONE: [""]} | {at: list(seen.quotes[at]) or [""] for at in words},
    }
    return made


def save(model: TopicModel, folder: Path, assigned: Sequence[Assigned] = ()) -> None:
    """Write the model so that `BERTopic.load(folder, embedding_model=...)` reads it: safetensors and JSON.

    Args:
        folder: created if missing; an earlier export in it is replaced.
    """
    made = to_bertopic(model, assigned)
    made.verbose = False
    logging.getLogger("BERTopic").setLevel(logging.ERROR)  # it warns that the embedding model is not saved
    made.save(folder, serialization="safetensors", save_ctfidf=True, save_embedding_model=False)


def _seen(model: TopicModel) -> _Seen:
    memory = model.memory
    roster, online = memory.roster, memory.roster.online
    active = model.active()
    slots = [roster.centroids.topic_ids.index(topic_id) for topic_id in active]
    arrays = online.to_arrays()
    shape = (1 + len(slots), len(online.vocabulary()))
    counts = sp.csr_matrix((arrays["word_counts"], arrays["word_columns"], arrays["word_rows"]), shape)
    return _Seen(
        topics=tuple(roster.state(topic_id) for topic_id in active),
        vectors=roster.centroids.centroids()[slots],
        floors=roster.centroids.floors()[slots],
        mean=memory.background.total / memory.background.weight,
        paragraphs=memory.novelty.vectors,
        sizes=arrays["topic_sizes"][[0, *(slot + 1 for slot in slots)]].tolist(),
        counts=counts[[0, *(slot + 1 for slot in slots)]],
        vocabulary=online.vocabulary(),
        quotes=tuple(tuple(each.text for each in model.representatives(topic_id)) for topic_id in active),
    )


def _counted(seen: _Seen) -> tuple[Any, Any, Any]:
    """Return a vectorizer, a c-TF-IDF transformer fitted to our counts, and the counts, without unused words.

    BERTopic does not save a custom analyzer, so the vectorizer tokenises by pattern, with our vocabulary.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    from models.topics.online.bertopic_adapter import ClassTfidfTransformer

    said = np.flatnonzero(np.asarray(seen.counts.sum(axis=0)).ravel() > 0)
    counts = seen.counts[:, said]
    counts.sort_indices()  # BERTopic's plots need cosines that are symmetric to the last digit
    vectorizer = CountVectorizer(token_pattern=rf"(?u){TOKEN.pattern}")
    vectorizer.vocabulary_ = {seen.vocabulary[column]: new for new, column in enumerate(said.tolist())}
    return vectorizer, ClassTfidfTransformer(reduce_frequent_words=True).fit(counts), counts


def _strongest(row: Any, vocabulary: dict[str, int], many: int) -> list[tuple[str, float]]:
    """Return the words of the highest weights in a row of c-TF-IDF, strongest first."""
    words = {column: word for word, column in vocabulary.items()}
    order = np.lexsort((row.indices, -row.data))[:many]
    return _padded([(words[int(row.indices[at])], float(row.data[at])) for at in order], many)


def _padded(words: list[tuple[str, float]], many: int) -> list[tuple[str, float]]:
    return words + [_NO_WORD] * (many - len(words))


def _representatives(model: TopicModel) -> list[Assigned]:
    """Return the current assignments of the representative paragraphs of each active topic in turn."""
    kept, said = model.memory.roster.representatives, []
    for topic_id in model.active():
        if texts := [each.text for each in kept.of(topic_id)]:
            given = model.predict(kept.vectors_of(topic_id))
            said += [(text, *pair) for text, pair in zip(texts, given, strict=True)]
    return said
