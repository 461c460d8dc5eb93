"""Labels of born topics: given at birth, reviewed as a topic grows, and changed only for a better one."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from models.topics.naming.naming import name
from models.topics.online.partial_fit import Words

GROWTH = 2.0
"""Growth of a topic, as a factor, after which its label is reviewed."""


class TopicLabel(BaseModel):
    """A topic's label, and its number of paragraphs at the last review."""

    model_config = ConfigDict(frozen=True)

    text: str
    size: float


class Labels:
    """Unique, readable labels for topics that nobody has named.

    Args:
        labels: the labels by topic id.
        reserved: names from the codebook, which no label may equal.
    """

    def __init__(self, labels: dict[int, TopicLabel], reserved: Iterable[str] = ()) -> None:
        self._labels = dict(labels)
        self._reserved = tuple(reserved)

    def of(self, topic_id: int) -> str:
        """Return the topic's label; `topic 7` for one whose paragraphs give no name."""
        label = self._labels.get(topic_id)
        return label.text if label and label.text else f"topic {topic_id}"

    def due(self, topic_id: int, size: float) -> bool:
        """Return whether a topic with this many paragraphs needs labelling: it is new, or has grown."""
        label = self._labels.get(topic_id)
        return label is None or size >= GROWTH * label.size

    def give(self, topic_id: int, size: float, words: Words, paragraphs: Sequence[tuple[str, str]]) -> None:
        """Label a topic by its words and its paragraphs (video_id, text); keep a label that is as good."""
        known = self._labels.get(topic_id)
        others = [self._labels[each].text for each in sorted(self._labels) if each != topic_id]
        text = name(words, paragraphs, (*self._reserved, *others), known.text if known else None)
        self._labels[topic_id] = TopicLabel(text=text, size=size)

    def drop(self, topic_id: int) -> None:
        """Drop the label of a topic that was merged away; it may be used again."""
        self._labels.pop(topic_id, None)

    def to_json(self) -> dict[int, TopicLabel]:
        """Return each topic's label, by id."""
        return {topic_id: self._labels[topic_id] for topic_id in sorted(self._labels)}
