"""Talks about made-up subjects: each has its words and its direction among the embeddings."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.codebook.codebook import Codebook, CodebookTopic
from models.topics import Batch, TopicModel, TopicSettings

DIMENSION = 32
EMBEDDING_MODEL = "made-up"

WORDS = {
    "bread": "dough flour yeast oven crust baker loaf sourdough",
    "ships": "harbour anchor captain sails cargo lighthouse rudder crew",
    "bees": "hive honey queen pollen nectar beekeeper swarm wax",
    "clocks": "pendulum gears spring watchmaker hour escapement dial repair",
    "trains": "locomotive railway signal platform carriage timetable junction whistle",
    "glass": "furnace blower vase crystal lens molten annealing pane",
}
SUBJECTS = tuple(WORDS)


def direction(subject: str) -> NDArray[np.float64]:
    """A subject's own axis, and something that all talks have in common."""
    vector = np.zeros(DIMENSION)
    vector[SUBJECTS.index(subject)] = 1.0
    vector[-1] = 0.6
    return vector


def codebook(*subjects: str) -> Codebook:
    topics = [
        CodebookTopic(key=each, name=each.title(), theme="Crafts", description=f"They talk of {WORDS[each]}.")
        for each in subjects
    ]
    return Codebook(name="made-up" if topics else "blank", topics=tuple(topics))


def seeds(*subjects: str) -> NDArray[np.float32]:
    vectors = [direction(subject) for subject in subjects]
    return np.array(vectors, np.float32).reshape(len(subjects), DIMENSION)


def model(*subjects: str, settings: TopicSettings | None = None) -> TopicModel:
    """A model that looks for these subjects and has heard no talk."""
    return TopicModel.seeded(
        codebook(*subjects), seeds(*subjects), settings or TopicSettings(), EMBEDDING_MODEL
    )


def talk(number: int, subjects: Sequence[str], version: int = 1) -> Batch:
    """Talk `number`: a paragraph of twelve words on each of the subjects; "" is a paragraph about nothing."""
    rng = np.random.default_rng([number, version])
    vectors, texts = [], []
    for subject in subjects:
        noise = rng.normal(0.0, 0.05, DIMENSION)
        if subject:
            vectors.append(direction(subject) + noise)
            texts.append(" ".join(rng.choice(WORDS[subject].split(), 12)))
        else:
            vectors.append(rng.normal(0.0, 1.0, DIMENSION))
            texts.append("well you know")
    return Batch(
        batch_id=f"talk-{number}:{version}",
        video_id=f"talk-{number}",
        published_on=date(2025, 3, 1),
        paragraph_ids=tuple(f"talk-{number}:{version}:{position}" for position in range(len(subjects))),
        texts=tuple(texts),
        embeddings=np.array(vectors, np.float32),
    )
