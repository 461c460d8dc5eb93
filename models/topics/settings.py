"""Settings of the topic model.

All cosines are *centred*: taken after the mean of all paragraphs has been subtracted, so that 0 is the usual
similarity of two paragraphs of the corpus. The defaults were chosen on MiniLM embeddings (384 dimensions) of
paragraphs of up to 300 tokens.
"""

from dataclasses import dataclass
from typing import Literal

from models.errors import BadInput

Sensitivity = Literal["low", "normal", "high"]


@dataclass(frozen=True)
class TopicSettings:
    """Settings of how paragraphs are assigned to topics, and of how topics move, are born and drift."""

    floor: float = 0.20
    """Cosine with a topic's centroid that a paragraph needs to belong to it."""

    floor_ceiling: float = 0.35
    """Upper bound of a topic's own floor."""

    floor_percentile: float = 10.0
    """A topic's own floor is this percentile of its recent paragraphs' cosines …"""

    floor_slack: float = 0.05
    """… less this much, between `floor` and `floor_ceiling`."""

    recent_cosines: int = 64
    """Number of a topic's latest paragraphs that its own floor is based on."""

    min_cosines: int = 5
    """Paragraphs below which a topic has no floor of its own and uses `floor`."""

    temperature: float = 0.1
    """Softmax temperature of the probabilities; changes no assignment. On labelled newsletter items it brings
    the probability close to the share of paragraphs with the majority label of their topic: expected
    calibration error .15 on the first half by date, .08 on the rest (at .05: .44 and .27). Both halves were
    used in the choice."""

    anchor: float = 0.3
    """Share of a centroid that stays at the topic's beginning; the rest is the mean of its paragraphs."""

    prior_paragraphs: float = 6.0
    """Weight of a seed's description, in paragraphs."""

    paragraph_cap: float = 500.0
    """Paragraphs from which on a topic's mean moves by 1/cap per paragraph, and so forgets slowly."""

    background_prior: float = 60.0
    """Weight of the common part of the seeds in the mean of all paragraphs, in paragraphs."""

    novel_below: float = 0.50
    """Cosine with every topic below which a paragraph is buffered for births, even if assigned."""

    buffer: int = 1500
    """Maximum number of buffered paragraphs; the oldest go first."""

    birth_paragraphs: int = 5
    """A topic is born of at least this many paragraphs …"""

    birth_videos: int = 3
    """… from at least this many videos; 2 or more, as each is judged by the others."""

    birth_pair: float = 0.30
    """Cosine from which a buffered paragraph counts as a neighbour of one of this batch."""

    birth_member: float = 0.46
    """Cosine that a founding paragraph needs with the mean of the *other* founding videos."""

    birth_gain: float = 0.10
    """Amount by which that cosine must exceed the paragraph's cosine with any existing topic."""

    birth_duplicate: float = 0.70
    """Cosine with an existing topic from which a candidate is that topic."""

    max_topics: int = 300
    """Maximum number of active topics, since the cost of a batch grows with it. For one more, the topic that
    has been unheard for longest becomes dormant …"""

    rest_videos: int = 200
    """… if that is at least this many videos; otherwise there is no birth."""

    sleep_videos: int = 2000
    """A consolidation makes a topic dormant that this many videos have not mentioned …"""

    sleep_months: int = 12
    """… and this many months of publication."""

    representatives: int = 8
    """Maximum number of representative paragraphs of a topic."""

    reservoir: int = 3000
    """Paragraphs in the sample of all that have been learned, on which consolidation is based."""

    first_look: int = 250
    """Paragraphs before the first consolidation without seeds; it is repeated at each doubling …"""

    bootstrap: int = 2000
    """… up to this many. With seeds, this is the first consolidation."""

    consolidate_paragraphs: int = 1000
    """From then on, one is due when a month has begun and this many paragraphs have been learned …"""

    month_videos: int = 3
    """… where a month has begun when this many videos were published in it: a single one may be misdated."""

    neighbours: int = 15
    """Nearest neighbours of a paragraph, in the graph whose communities become topics."""

    resolution: float = 4.0
    """Resolution of these communities; higher gives more and smaller ones."""

    group_paragraphs: int = 8
    """A community needs this many sampled paragraphs to become a topic."""

    residual_below: float = 0.30
    """Cosine below which a consolidation treats a paragraph as having no topic."""

    split_cosine: float = 0.60
    """A community that mostly belongs to a topic is split off if it is less close than this to it …"""

    most_split: float = 0.05
    """… while the parts split off have no more than this share of the sample together."""

    merge_cosine: float = 0.85
    """Cosine from which two topics are merged."""

    lloyd_steps: int = 5
    """Steps by which a consolidation first moves the topics …"""

    lloyd_rate: float = 0.1
    """… by this share of the way to the mean of their sampled paragraphs."""

    least_survival: float = 0.9
    """A consolidation is rejected if fewer of the sampled paragraphs would keep their topic …"""

    most_change: float = 0.2
    """… or if the number of topics would change by more than this share …"""

    change_allowed: int = 3
    """… and by more than this many …"""

    largest_share: float = 0.35
    """… or if one topic would have more than this share of the paragraphs, and more than before."""

    vocabulary: int = 20_000
    """Words of c-TF-IDF after pruning, which happens when the vocabulary is larger by a quarter."""

    protected_words: int = 30
    """Each topic's strongest words, which survive that pruning."""

    top_words: int = 10
    """Words that describe a topic."""

    word_decay: float = 0.01
    """Share by which a topic's word counts decay with every video that mentions it."""

    sensitivity: Sensitivity = "normal"
    """Evidence that news needs: the common setting of both channels of emergence (`BurstSettings`,
    `EmergenceSettings`). It can be changed at any time, as it does not affect learning."""

    def __post_init__(self) -> None:
        if self.birth_videos < 2:
            raise BadInput(f"birth_videos is {self.birth_videos}", "a topic needs at least 2 videos")
        if self.group_paragraphs < 2 or self.neighbours < 2:
            raise BadInput("group_paragraphs or neighbours is less than 2", "set both to 2 or more")
        if not 0 < self.first_look <= self.bootstrap:
            raise BadInput(
                f"the first look at {self.first_look} paragraphs is after the bootstrap at {self.bootstrap}",
                "set first_look to at least 1 and at most bootstrap",
            )
        if self.top_words > self.protected_words:
            raise BadInput(
                f"{self.top_words} top_words are more than {self.protected_words} protected_words",
                "raise protected_words, or pruning would take a topic's words",
            )
