"""Changes of the numbers by a rebuild: the newest topic model compared with the one before."""

from __future__ import annotations

from dataclasses import dataclass

from agents.curation.codebook_service import standing_of
from agents.curation.decision_preview import CountChange, NamedCount, book_of, paired
from models.codebook.state import CodebookState
from streams.store.codebook.decisions import codebook_standing
from streams.store.queries import prevalence
from streams.store.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class RebuildChanges:
    """What two models in a row count.

    Attributes:
        before, after: versions of the models.
        of_videos, of_videos_after: videos with any topic.
        themes: themes by name, the largest change of the share first.
        topics: topics of the codebook, by their key; those that were born are others in every model.
        born, born_after: number of topics that were born of the talks and count.
    """

    before: str
    after: str
    of_videos: int
    of_videos_after: int
    themes: tuple[CountChange, ...]
    topics: tuple[CountChange, ...]
    born: int
    born_after: int


def rebuild_changes(warehouse: Warehouse) -> RebuildChanges | None:
    """Return what changed when the newest model replaced the one before; None if there was none before."""
    models = warehouse.rows("SELECT model_version FROM epochs FINAL ORDER BY epoch DESC LIMIT 2")
    if len(models) < 2:
        return None
    after, before = (standing_of(codebook_standing(warehouse, model=row["model_version"])) for row in models)
    old, new = _Counts.of(warehouse, before), _Counts.of(warehouse, after)
    return RebuildChanges(
        before=before.model_version,
        after=after.model_version,
        of_videos=old.of_videos,
        of_videos_after=new.of_videos,
        themes=_largest_first(old.themes, new.themes),
        topics=_largest_first(old.topics, new.topics),
        born=old.born,
        born_after=new.born,
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    of_videos: int
    themes: dict[str, NamedCount]
    topics: dict[str, NamedCount]
    born: int

    @classmethod
    def of(cls, warehouse: Warehouse, standing: CodebookState) -> _Counts:
        applied = book_of(standing)
        themes = prevalence.themes(warehouse, applied=applied)
        topics = prevalence.topics(warehouse, applied=applied)
        keys = {row["topic_id"]: standing.topics[row["topic_id"]].key for row in topics}
        return cls(
            of_videos=topics[0]["of_videos"] if topics else 0,
            themes={row["theme"]: NamedCount(row["theme"], row["videos"], row["share"]) for row in themes},
            topics={
                key: NamedCount(row["name"], row["videos"], row["share"])
                for row in topics
                if (key := keys[row["topic_id"]])
            },
            born=sum(not key for key in keys.values()),
        )


def _largest_first(before: dict[str, NamedCount], after: dict[str, NamedCount]) -> tuple[CountChange, ...]:
    return tuple(
        sorted(paired(before, after), key=lambda each: (-abs(each.share_after - each.share), each.name))
    )
