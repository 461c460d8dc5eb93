"""Results of learning a batch: assignments, births, kinship, drift and news."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Origin = Literal["seeded", "born"]


@dataclass(frozen=True)
class Assignment:
    """A paragraph's topic, or None, and how probable that is (see `AnchoredCentroids`).

    Attributes:
        boilerplate: the paragraph repeats what this source says in many videos (greetings, sponsor reads),
            so it has no topic and the model has not learned it.
    """

    paragraph_id: str
    topic_id: int | None
    probability: float
    boilerplate: bool = False


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
        label: the codebook's name of a seeded topic; a born one's is made of its words (`naming`).
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
        parent: the topic it was split from; None if it grew from paragraphs without a fitting topic.
    """

    topic: TopicState
    paragraph_ids: tuple[str, ...]
    video_ids: tuple[str, ...]
    batch_id: str
    assignments: tuple[EarlierAssignment, ...]
    parent: int | None = None


@dataclass(frozen=True)
class Merge:
    """Two topics were one: `topic_id` is an alias of `into` from now on, and is never given out again."""

    topic_id: int
    into: int
    batch_id: str


@dataclass(frozen=True)
class Dormancy:
    """A topic left the active ones because nobody spoke of it (`asleep`), or came back under its own id."""

    topic_id: int
    asleep: bool
    batch_id: str


@dataclass(frozen=True)
class Consolidation:
    """The topics were looked at as a whole; what came of it is in births, merges and dormancies.

    Attributes:
        accepted: False if it would have broken stability; then nothing has changed.
        reason: why, in plain words.
        survival: share of the sampled paragraphs that keep their topic, aliases followed.
        topics_before, topics_after: active topics (after: what it proposed, where it was rejected).
    """

    accepted: bool
    reason: str
    survival: float
    topics_before: int
    topics_after: int
    batch_id: str


@dataclass(frozen=True)
class Drift:
    """Something about a topic has changed.

    Attributes:
        what: `share` of videos, `words` it is spoken of in, or `centre` of its paragraphs.
        before, after: share: of videos with the topic. words: 0, and the Jensen-Shannon divergence (bits) of
            the words after from those before. centre: 0, and the cosine distance it has moved. Of both, only
            what is beyond chance.
        words_before, words_after: words that it lost and gained most; strongest first, may be empty.
        since: publication day of the first video after the change.
        videos_before, videos_after: how many videos each side rests on.
    """

    topic_id: int
    what: Literal["share", "words", "centre"]
    before: float
    after: float
    words_before: tuple[str, ...]
    words_after: tuple[str, ...]
    since: date
    videos_before: int
    videos_after: int
    batch_id: str


@dataclass(frozen=True)
class HealthChange:
    """The model fits the talks better or worse than before.

    Attributes:
        what: `outliers`: share of paragraphs without a topic. `novelty`: mean of 1 - highest cosine.
    """

    what: Literal["outliers", "novelty"]
    before: float
    after: float
    since: date
    batch_id: str


@dataclass(frozen=True)
class SourceQuote:
    """A paragraph as evidence: what was said, where and when.

    Attributes:
        start: seconds into the talk.
        text: the sentences around what matters, at most some 300 characters.
    """

    paragraph_id: str
    video_id: str
    source: str
    published_on: date
    start: float
    text: str


@dataclass(frozen=True)
class Emergence:
    """A subject that talks have begun to speak of: one alert, whichever channel saw it first.

    Attributes:
        subject: its name, readable.
        terms: the words that carry it, strongest first.
        channel: `term` (new names), `birth` (a new topic's paragraphs) or `both`.
        topic_id: the topic that most of its paragraphs belong to; None if most have none.
        video_ids: the recent videos that speak of it, oldest first.
        sources: how many different sources these come from.
        recent, recent_of: videos with the subject among the recent videos.
        earlier, earlier_of: the same before them.
        log10_p: of seeing `recent` or more if nothing had changed (Poisson), as a power of ten.
        quotes: the first and the latest, oldest first.
        reason: all this in plain words.
    """

    subject: str
    terms: tuple[str, ...]
    channel: Literal["term", "birth", "both"]
    topic_id: int | None
    video_ids: tuple[str, ...]
    sources: int
    recent: int
    recent_of: int
    earlier: int
    earlier_of: int
    log10_p: float
    first_on: date
    latest_on: date
    quotes: tuple[SourceQuote, ...]
    reason: str
    batch_id: str


@dataclass(frozen=True)
class Outcome:
    """Everything one batch brought.

    Attributes:
        video_index: dense number of the video, from 0 in order of first learning.
        assignments: one for each paragraph of the batch, in its order.
        births: at most one, but for a consolidation's.
        topics_changed: topics that are new or have other words among their strongest than before.
    """

    video_index: int
    assignments: tuple[Assignment, ...]
    births: tuple[Birth, ...] = ()
    merges: tuple[Merge, ...] = ()
    dormancies: tuple[Dormancy, ...] = ()
    consolidation: Consolidation | None = None
    emergences: tuple[Emergence, ...] = ()
    drifts: tuple[Drift, ...] = ()
    health: tuple[HealthChange, ...] = ()
    topics_changed: tuple[TopicState, ...] = ()
