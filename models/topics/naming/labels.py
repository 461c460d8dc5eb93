"""The names of born topics: given at birth, looked at again as a topic grows, and changed only for better."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from models.topics.naming.naming import name
from models.topics.online.partial_fit import Words

GROWTH = 2.0
"""A name is looked at again when its topic has grown so many times."""


class TopicLabel(BaseModel):
    """A topic's name, and how many paragraphs the topic had when it was last looked at."""

    model_config = ConfigDict(frozen=True)

    text: str
    size: float


class Labels:
    """Readable names for topics that nobody has named, no two alike.

    Args:
        labels: each topic's, by id.
        reserved: names that the codebook gave.
    """

    def __init__(self, labels: dict[int, TopicLabel], reserved: Iterable[str] = ()) -> None:
        self._labels = dict(labels)
        self._reserved = tuple(reserved)

    def of(self, topic_id: int) -> str:
        """The topic's name; `topic 7` for one whose paragraphs say nothing."""
        label = self._labels.get(topic_id)
        return label.text if label and label.text else f"topic {topic_id}"

    def due(self, topic_id: int, size: float) -> bool:
        """Whether a topic of so many paragraphs is to be named: it is new, or has grown."""
        label = self._labels.get(topic_id)
        return label is None or size >= GROWTH * label.size

    def give(self, topic_id: int, size: float, words: Words, paragraphs: Sequence[tuple[str, str]]) -> None:
        """Name a topic by its words and its paragraphs (video_id, text); keep its name if that is as good."""
        known = self._labels.get(topic_id)
        others = [self._labels[each].text for each in sorted(self._labels) if each != topic_id]
        text = name(words, paragraphs, (*self._reserved, *others), known.text if known else None)
        self._labels[topic_id] = TopicLabel(text=text, size=size)

    def drop(self, topic_id: int) -> None:
        """A topic was merged away; its name is free."""
        self._labels.pop(topic_id, None)

    def to_json(self) -> dict[int, TopicLabel]:
        """Each topic's label, by id."""
        return {topic_id: self._labels[topic_id] for topic_id in sorted(self._labels)}
