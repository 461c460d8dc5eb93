"""Every number of the topic model, in one place.

All cosines are *centred*: taken after the mean of all paragraphs has been subtracted, so that 0 is what
any two paragraphs of the corpus have in common. The defaults were chosen on MiniLM embeddings (384
dimensions) of paragraphs of up to 300 tokens.
"""

from dataclasses import dataclass

from models.errors import BadInput


@dataclass(frozen=True)
class TopicSettings:
    """How paragraphs are given to topics, how topics move, are born and drift."""

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

    temperature: float = 0.05
    """Softmax temperature of the probabilities; makes the mean probability match the share that is right."""

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
    """No births beyond this many topics: the cost of a batch grows with their number."""

    vocabulary: int = 20_000
    """Words kept for c-TF-IDF when the vocabulary has outgrown this by a quarter."""

    protected_words: int = 30
    """Each topic's strongest words, which survive that pruning."""

    top_words: int = 10
    """Words that describe a topic."""

    word_decay: float = 0.01
    """How much of a topic's word counts fades with every video that speaks of it."""

    drift_delta: float = 0.05
    """ADWIN's delta (Bifet and Gavaldà 2007). On bits it is far more cautious than that number says: in
    144,000 simulated videos this gave no false alarm, and it saw 10 % become 50 % after some 30 videos
    and, two times in three, 10 % become 30 % after some 110. river's default of .002 hardly ever saw that."""

    drift_clock: int = 1
    """ADWIN looks for a change every this many videos."""

    drift_history: int = 4096
    """Videos a drift detector remembers at most; when full it starts again from the later half."""

    def __post_init__(self) -> None:
        if self.birth_videos < 2:
            raise BadInput(f"birth_videos is {self.birth_videos}", "a topic needs at least 2 videos")
        if self.top_words > self.protected_words:
            raise BadInput(
                f"{self.top_words} top_words are more than {self.protected_words} protected_words",
                "raise protected_words, or pruning would take a topic's words",
            )
