"""What learning a batch brought: assignments, births, drifts and changed topics."""

from dataclasses import dataclass
from typing import Literal

Origin = Literal["seeded", "born"]


@dataclass(frozen=True)
class Assignment:
    """A paragraph's topic, or None, and how probable that is (see `AnchoredCentroids`)."""

    paragraph_id: str
    topic_id: int | None
    probability: float


@dataclass(frozen=True)
class EarlierAssignment:
    """A new topic for a paragraph of a video that was learned before; it replaces the earlier one.

    Attributes:
        video_index, month: that video's, as they were when it was learned.
    """

    video_id: str
    video_index: int
    month: str
    paragraph_id: str
    topic_id: int | None
    probability: float


@dataclass(frozen=True)
class TopicState:
    """A topic as it is now.

    Attributes:
        topic_id: from 1 on; never given to another topic, never changed.
        label: the codebook's name of a seeded topic; a born one's three strongest words, or `topic 7` if its
            paragraphs have no words.
        words: the strongest words with their c-TF-IDF weights, strongest first.
        origin: whether the codebook or the talks brought it.
        theme, key: the codebook's; None for a born topic.
    """

    topic_id: int
    label: str
    words: tuple[tuple[str, float], ...]
    origin: Origin
    theme: str | None
    key: str | None


@dataclass(frozen=True)
class Birth:
    """A topic that was not there before, with its evidence.

    Attributes:
        paragraph_ids: the founding paragraphs, oldest first, those of this batch last.
        video_ids: the videos they come from, oldest first.
        assignments: the founding paragraphs of earlier batches, which leave what they had been given.
    """

    topic: TopicState
    paragraph_ids: tuple[str, ...]
    video_ids: tuple[str, ...]
    batch_id: str
    assignments: tuple[EarlierAssignment, ...]


@dataclass(frozen=True)
class Drift:
    """A topic's share of videos has changed.

    Attributes:
        share_before, share_after: share of videos with the topic before and after the change, since the
            topic's last drift or birth (at most `drift_history` videos).
        videos_seen: videos the model had learned by then.
    """

    topic_id: int
    share_before: float
    share_after: float
    videos_seen: int
    batch_id: str


@dataclass(frozen=True)
class Outcome:
    """Everything one batch brought.

    Attributes:
        video_index: dense number of the video, from 0 in order of first learning.
        assignments: one for each paragraph of the batch, in its order.
        births: at most one.
        topics_changed: topics that are new or have other words among their strongest than before.
    """

    video_index: int
    assignments: tuple[Assignment, ...]
    births: tuple[Birth, ...]
    drifts: tuple[Drift, ...]
    topics_changed: tuple[TopicState, ...]
