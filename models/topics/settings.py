"""Every number of the topic model, in one place.

All cosines are *centred*: taken after the mean of all paragraphs has been subtracted, so that 0 is what
any two paragraphs of the corpus have in common. The defaults were chosen on MiniLM embeddings (384
dimensions) of paragraphs of up to 300 tokens.
"""

from dataclasses import dataclass

from models.errors import BadInput
from models.topics.bursts.term_bursts import Sensitivity


@dataclass(frozen=True)
class TopicSettings:
    """Settings of how paragraphs are given to topics, and of how topics move, are born and drift."""

    floor: float = 0.20
    """A paragraph needs at least this cosine with a topic's centroid to belong to it."""

    floor_ceiling: float = 0.35
    """A topic's own floor never rises above this."""

    floor_percentile: float = 10.0
    """A topic's own floor is this percentile of its recent paragraphs' cosines …"""

    floor_slack: float = 0.05
    """… less this much, between `floor` and `floor_ceiling`."""

    recent_cosines: int = 64
    """How many of a topic's latest paragraphs its own floor looks at."""

    min_cosines: int = 5
    """With fewer paragraphs than this a topic has no floor of its own and uses `floor`."""

    temperature: float = 0.1
    """Softmax temperature of the probabilities; changes no assignment. On labelled newsletter items it brings
    the probability close to the share of paragraphs whose label is that of most of their topic: expected
    calibration error .15 on the first half by date, .08 on the rest (at .05: .44 and .27). Both halves had
    a say in the choice."""

    anchor: float = 0.3
    """Share of a centroid that stays where the topic began; the rest is the mean of its paragraphs."""

    prior_paragraphs: float = 6.0
    """A seed's description weighs as much as this many paragraphs."""

    paragraph_cap: float = 500.0
    """From this many paragraphs on, a topic's mean moves by 1/cap a paragraph, and so forgets slowly."""

    background_prior: float = 60.0
    """What the seeds have in common weighs as much as this many paragraphs in the mean of all."""

    novel_below: float = 0.50
    """A paragraph less close than this to every topic is kept for births, even if it has been assigned."""

    buffer: int = 1500
    """How many such paragraphs are kept; the oldest go first."""

    birth_paragraphs: int = 5
    """A topic is born of at least this many paragraphs …"""

    birth_videos: int = 3
    """… from at least this many videos; 2 or more, as each is judged by the others."""

    birth_pair: float = 0.30
    """Cosine from which a kept paragraph counts as a neighbour of one of this batch."""

    birth_member: float = 0.46
    """Cosine that a founding paragraph needs with the mean of the *other* founding videos."""

    birth_gain: float = 0.10
    """By how much that cosine must exceed the paragraph's cosine with any topic there is."""

    birth_duplicate: float = 0.70
    """A candidate closer than this to a topic there is, is that topic."""

    max_topics: int = 300
    """Active topics at most: the cost of a batch grows with their number. For one more, the topic that has
    been unheard for longest goes to sleep …"""

    rest_videos: int = 200
    """… if that is at least this many videos; else there is no birth."""

    sleep_videos: int = 2000
    """A consolidation puts a topic to sleep that this many videos have not spoken of …"""

    sleep_months: int = 12
    """… and this many months of publication."""

    representatives: int = 8
    """Paragraphs kept to speak for a topic."""

    reservoir: int = 3000
    """Paragraphs in the sample of all that have been learned, from which consolidation learns."""

    first_look: int = 250
    """Without seeds, topics are first looked for as a whole after this many paragraphs, then after twice …"""

    bootstrap: int = 2000
    """… as many each time, until this many. With seeds, this is the first look."""

    consolidate_paragraphs: int = 1000
    """From then on they are consolidated when a month has begun and so many paragraphs have been learned …"""

    month_videos: int = 3
    """… where a month has begun when this many videos were published in it: one may have a wrong date."""

    neighbours: int = 15
    """Nearest neighbours of a paragraph, in the graph whose communities become topics."""

    resolution: float = 4.0
    """How fine these communities are."""

    group_paragraphs: int = 8
    """A community needs this many sampled paragraphs to become a topic."""

    residual_below: float = 0.30
    """To a consolidation a paragraph less close than this to its topic has none."""

    split_cosine: float = 0.60
    """A community that mostly belongs to a topic is split off if it is less close than this to it …"""

    most_split: float = 0.05
    """… while the parts split off have no more than this share of the sample together."""

    merge_cosine: float = 0.85
    """Topics closer than this are one."""

    lloyd_steps: int = 5
    """A consolidation first moves the topics this many times …"""

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
    """Words kept for c-TF-IDF when the vocabulary has outgrown this by a quarter."""

    protected_words: int = 30
    """Each topic's strongest words, which survive that pruning."""

    top_words: int = 10
    """Words that describe a topic."""

    word_decay: float = 0.01
    """How much of a topic's word counts fades with every video that speaks of it."""

    sensitivity: Sensitivity = "normal"
    """How much evidence it takes to call something news: the one setting of both channels of emergence
    (`BurstSettings`, `EmergenceSettings`). It can be changed at any time: it changes nothing learned."""

    def __post_init__(self) -> None:
        if self.birth_videos < 2:
            raise BadInput(f"birth_videos is {self.birth_videos}", "a topic needs at least 2 videos")
        if self.group_paragraphs < 2 or self.neighbours < 2:
            raise BadInput("a community of fewer than 2 paragraphs, or neighbours", "give 2 or more")
        if not 0 < self.first_look <= self.bootstrap:
            raise BadInput(
                f"the first look at {self.first_look} paragraphs is after the bootstrap at {self.bootstrap}",
                "make first_look at least 1 and at most bootstrap",
            )
        if self.top_words > self.protected_words:
            raise BadInput(
                f"{self.top_words} top_words are more than {self.protected_words} protected_words",
                "raise protected_words, or pruning would take a topic's words",
            )
