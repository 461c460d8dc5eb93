"""Results of learning a batch: assignments, births, merges, drift and emergence."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Origin = Literal["seeded", "born"]


@dataclass(frozen=True)
class Assignment:
    """A paragraph's topic, or None, and its probability (see `AnchoredCentroids`).

    Attributes:
        boilerplate: the paragraph repeats words of many of this source's videos (greetings, sponsor reads),
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
        video_index, month: those of that video, from when it was learned.
    """

    video_id: str
    video_index: int
    month: str
    paragraph_id: str
    topic_id: int | None
    probability: float


@dataclass(frozen=True)
class TopicState:
    """The current state of a topic.

    Attributes:
        topic_id: from 1; never reused, never changed.
        label: the codebook's name of a seeded topic; for a born one, a name made of its words (`naming`).
        words: the strongest words with their c-TF-IDF weights, strongest first.
        origin: whether the topic comes from the codebook or from the talks.
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
    """A new topic, with its evidence.

    Attributes:
        paragraph_ids: the founding paragraphs, oldest first, those of this batch last.
        video_ids: their videos, oldest first.
        assignments: new assignments of the founding paragraphs of earlier batches.
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
    """A merge of two topics: `topic_id` is an alias of `into` from now on, and is never reused."""

    topic_id: int
    into: int
    batch_id: str


@dataclass(frozen=True)
class Dormancy:
    """A topic that became dormant because no talk mentioned it (`asleep`), or was revived with its own id."""

    topic_id: int
    asleep: bool
    batch_id: str


@dataclass(frozen=True)
class Consolidation:
    """A consolidation of all topics; its effects are in births, merges and dormancies.

    Attributes:
        accepted: False if it would have changed too much; then nothing has changed.
        reason: why, in plain words.
        survival: share of the sampled paragraphs that keep their topic, aliases followed.
        topics_before, topics_after: active topics (after: as proposed, if it was rejected).
    """

    accepted: bool
    reason: str
    survival: float
    topics_before: int
    topics_after: int
    batch_id: str


@dataclass(frozen=True)
class Drift:
    """A change of a topic.

    Attributes:
        what: `share` of videos, `words` of its paragraphs, or `centre` of its paragraphs; `meaning` of a
            topic of the codebook, which is in doubt or no longer (`models.concepts.meaning`); `rise` of a
            share that has become much larger, in several sources.
        before, after: share, rise: shares of videos with the topic. words: 0, and the Jensen-Shannon
            divergence (bits) of the words after from those before. centre: 0, and the cosine distance it
            has moved. Both only beyond chance. meaning: the share that it needs, and the share of its latest
            paragraphs that have a word of it; in doubt while it is less.
        words_before, words_after: words that it lost and gained most; strongest first, may be empty.
        since: publication date of the first video after the change.
        videos_before, videos_after: number of videos on each side; meaning: 0, and number of paragraphs.
        quotes: words and centre: one from before the change and one from after it, as far as there are any.
            rise: of the first and the latest of the talks after it that are remembered.
        rise: the evidence of a rise.
    """

    topic_id: int
    what: Literal["share", "words", "centre", "meaning", "rise"]
    before: float
    after: float
    words_before: tuple[str, ...]
    words_after: tuple[str, ...]
    since: date
    videos_before: int
    videos_after: int
    batch_id: str
    quotes: tuple["SourceQuote", ...] = ()
    rise: "RiseEvidence | None" = None


@dataclass(frozen=True)
class RiseEvidence:
    """The talks with a topic before its rise and since.

    Attributes:
        recent, recent_of: videos with the topic among the latest ones; `earlier` among those before them.
        sources: number of different sources of the recent ones.
        log10_p: probability of `recent` or more if nothing had changed, as a power of ten; of those videos
            that count as evidence, which may be fewer.
        video_ids: the recent videos with the topic that are remembered, oldest first.
    """

    recent: int
    recent_of: int
    earlier: int
    earlier_of: int
    sources: int
    log10_p: float
    first_on: date
    latest_on: date
    video_ids: tuple[str, ...]


@dataclass(frozen=True)
class HealthChange:
    """A change of the model's fit to the talks, for better or worse.

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
    """A paragraph as evidence: its words, source and time.

    Attributes:
        start: seconds into the talk.
        text: the sentences around the relevant words, at most some 300 characters.
    """

    paragraph_id: str
    video_id: str
    source: str
    published_on: date
    start: float
    text: str


@dataclass(frozen=True)
class Emergence:
    """A subject that talks have begun to mention: one alert, whichever channel detected it first.

    Attributes:
        subject: its name for display.
        terms: its terms or words, strongest first.
        channel: `term` (new names), `birth` (a new topic's paragraphs) or `both`.
        topic_id: the newborn topic, else the topic of its centroid; None if there is none.
        video_ids: the recent videos that mention it, oldest first.
        sources: number of different sources of these videos.
        recent, recent_of: videos with the subject among the recent videos.
        earlier, earlier_of: the same before them.
        log10_p: probability of `recent` or more if nothing had changed (Poisson), as a power of ten.
        quotes: the first and the latest, oldest first.
        reason: all this in plain words.
        only_on: the source that nearly alone mentions it, whose videos the numbers are of; empty: several do,
            or there is one in effect.
        replaces: the subject of the alert of one source that this alert replaces; empty: none.
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
    only_on: str = ""
    replaces: str = ""


@dataclass(frozen=True)
class Outcome:
    """All results of one batch.

    Attributes:
        video_index: dense number of the video, from 0 in order of first learning.
        assignments: one for each paragraph of the batch, in its order.
        births: at most one, except those of a consolidation.
        topics_changed: topics that are new, or whose strongest words or label have changed.
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
