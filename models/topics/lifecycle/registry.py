"""Registry of topics: keeps all data of each topic consistent through births, merges and dormancy."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from models.topics.lifecycle.dormant import Archive, Sleeping
from models.topics.lifecycle.representatives import Representatives
from models.topics.naming.labels import Labels
from models.topics.online.centring import Background, Vectors
from models.topics.online.centroids import AnchoredCentroids
from models.topics.online.partial_fit import OnlineTopics, Worded, Words, count_words
from models.topics.results import Origin, TopicState
from models.topics.settings import TopicSettings

Told = tuple[Words, str]
"""A topic's words, and its label."""
Known = dict[int, Told]


class Named(BaseModel):
    """The given name of a topic; a born topic has none until people name it."""

    model_config = ConfigDict(frozen=True)

    origin: Origin
    name: str | None = None
    theme: str | None = None
    key: str | None = None


class LastHeard(BaseModel):
    """The last video with a topic: its number, and its month of publication."""

    video: int
    month: str


class TopicRegistry:
    """Topics 1, 2, …, whose ids are never reused.

    Active topics have a slot among the centroids and BERTopic's labels, dormant ones a place in the archive,
    and merged ones are aliases.

    Args:
        named: every topic that ever existed, in the order of ids.
        aliases: the topic each merged topic was merged into, which may be an alias itself by now.
        heard: the last video of each active or dormant topic; seeded topics have none before the first video.
        labels: the labels of topics that nobody has named.
    """

    def __init__(
        self,
        settings: TopicSettings,
        *,
        background: Background,
        centroids: AnchoredCentroids,
        online: OnlineTopics,
        archive: Archive,
        representatives: Representatives,
        named: Iterable[Named],
        aliases: Mapping[int, int],
        heard: Mapping[int, LastHeard],
        labels: Labels,
    ) -> None:
        self._settings = settings
        self._background = background
        self.centroids = centroids
        self.online = online
        self.archive = archive
        self.representatives = representatives
        self.named = list(named)
        self.aliases = dict(aliases)
        self.heard = dict(heard)
        self.labels = labels

    def follow(self, topic_id: int) -> int:
        """Return the topic that this one has become: itself, unless it was merged."""
        while topic_id in self.aliases:
            topic_id = self.aliases[topic_id]
        return topic_id

    def living(self) -> list[int]:
        """Return the ids of active and dormant topics, in order."""
        return [topic_id for topic_id in range(1, len(self.named) + 1) if topic_id not in self.aliases]

    def seeded_slots(self) -> frozenset[int]:
        """Return the slots of the active topics that come from the codebook."""
        ids = enumerate(self.centroids.topic_ids)
        return frozenset(slot for slot, topic_id in ids if self.named[topic_id - 1].origin == "seeded")

    def words(self, topic_id: int) -> Words:
        """Return the strongest words of an active topic; those of a dormant one are unchanged."""
        if topic_id in self.centroids.topic_ids:
            return self.online.words(self.centroids.topic_ids.index(topic_id))
        sleeping = self.archive.get(topic_id)
        return sleeping.words if sleeping else ()

    def state(self, topic_id: int) -> TopicState:
        """Return the current state of an active or dormant topic."""
        named, words = self.named[topic_id - 1], self.words(topic_id)
        label = named.name or self.labels.of(topic_id)
        return TopicState(topic_id, label, words, named.origin, named.theme, named.key)

    def name(self, said: Mapping[int, Sequence[tuple[str, str]]] | None = None) -> None:
        """Label the active topics that nobody has named and that are new or have grown.

        Args:
            said: paragraphs as (video_id, text) of newborns, in addition to their representatives.
        """
        for slot, topic_id in enumerate(self.centroids.topic_ids):
            size = float(self.centroids.counts[slot])
            if self.named[topic_id - 1].name is None and self.labels.due(topic_id, size):
                spoke = [(each.video_id, each.text) for each in self.representatives.of(topic_id)]
                paragraphs = [*spoke, *(said or {}).get(topic_id, ())]
                self.labels.give(topic_id, size, self.online.words(slot), paragraphs)

    def known(self) -> Known:
        """Return each active topic's words and label, for a later comparison by `changed`."""
        ids = enumerate(self.centroids.topic_ids)
        return {topic_id: (self.online.words(slot), self.labels.of(topic_id)) for slot, topic_id in ids}

    def changed(self, known: Known) -> tuple[TopicState, ...]:
        """Return active topics that `known` lacks, or has with other words or another label.

        The same words in another order, or with other weights, are no change.
        """
        now = sorted(self.known().items())
        changed = [topic_id for topic_id, told in now if not _same(known.get(topic_id), told)]
        return tuple(self.state(topic_id) for topic_id in changed)

    def mark_seen(self, topic_ids: Iterable[int], heard: LastHeard) -> None:
        """Record the last video of these topics, and of active topics that have none yet."""
        for topic_id in {*topic_ids, *(set(self.centroids.topic_ids) - set(self.heard))}:
            self.heard[topic_id] = heard

    def create(
        self, centre: Vectors, cosines: Sequence[float], said: Sequence[Worded], heard: LastHeard
    ) -> int:
        """Create a born topic with the words of these paragraphs at `centre`, float64 [d]; return its id."""
        self.named.append(Named(origin="born"))
        topic_id = len(self.named)
        self.centroids.add(topic_id, centre, cosines)
        self.online.append(count_words(each.text for each in said), size=len(cosines) if said else 0)
        self.online.note(len(self.centroids) - 1, said)
        self.heard[topic_id] = heard
        return topic_id

    def merge(self, topic_id: int, into: int) -> None:
        """Make an active topic an alias of another, which takes over its mean, words and paragraphs."""
        slot, place = self.centroids.topic_ids.index(topic_id), self.centroids.topic_ids.index(into)
        self.centroids.pool(slot, place)
        self.online.pool(slot, place)
        self.representatives.pool(topic_id, into)
        self._close(slot)
        self.aliases[topic_id] = into
        self.labels.drop(topic_id)
        both = [self.heard.pop(topic_id, None), self.heard.get(into)]
        known = [each for each in both if each is not None]
        if known:
            self.heard[into] = max(known, key=lambda each: each.video)

    def stale(self, videos: int, month: str) -> list[int]:
        """Return active topics without a recent video, as of video number `videos` in this month."""
        s = self._settings
        return [
            topic_id
            for topic_id in sorted(self.centroids.topic_ids)
            if topic_id in self.heard
            and videos - self.heard[topic_id].video >= s.sleep_videos
            and _months(self.heard[topic_id].month, month) >= s.sleep_months
        ]

    def quietest(self, videos: int) -> int | None:
        """Return the topic that may make room for another; None if all had a video recently."""
        heard = [(self.heard[each].video, each) for each in self.centroids.topic_ids if each in self.heard]
        video, topic_id = min(heard, default=(videos, 0))
        return topic_id if videos - video >= self._settings.rest_videos else None

    def sleep(self, topic_id: int) -> None:
        """Make an active topic dormant."""
        c, slot = self.centroids, self.centroids.topic_ids.index(topic_id)
        anchor, mean, count, recent = c.anchors[slot], c.means[slot], float(c.counts[slot]), c.recent[slot]
        words = self.online.words(slot)
        usage = self.online.usage(slot)
        said, size = self._close(slot)
        sleeping = Sleeping(
            topic_id=topic_id,
            words=words,
            said=said,
            usage={word: usage[word] for word in said},
            count=count,
            size=size,
        )
        self.archive.put(sleeping, anchor, mean, recent)

    def wake(self, centre: Vectors, cosines: Sequence[float], heard: LastHeard) -> int | None:
        """Revive the dormant topic that matches `centre`, float64 [d]; return its id, or None."""
        at = self.archive.nearest(centre, self._background)
        if at is None:
            return None
        sleeping, anchor, mean, recent = self.archive.take(at)
        count = min(sleeping.count + len(cosines), self._settings.paragraph_cap)
        mean = mean + (centre - mean) * min(len(cosines) / count, 1.0)
        self.centroids.put(sleeping.topic_id, anchor, mean, count, recent)
        self.online.append(sleeping.said, sleeping.size, sleeping.usage)
        self.online.refresh()
        self.heard[sleeping.topic_id] = heard
        return sleeping.topic_id

    def _close(self, slot: int) -> tuple[dict[str, float], int]:
        self.centroids.remove(slot)
        return self.online.remove(slot)


def _same(before: Told | None, now: Told) -> bool:
    if before is None or before[1] != now[1]:
        return False
    return before[0] is now[0] or dict(before[0]).keys() == dict(now[0]).keys()


def _months(earlier: str, later: str) -> int:
    (year, month), (to_year, to_month) = (map(int, each.split("-")) for each in (earlier, later))
    return 12 * (to_year - year) + to_month - month
