"""The newest talks are those of the list of kept talks."""

from event_factories import STORY, write

from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.talks.listing import listing, newest_talks
from streams.store.warehouse import Warehouse


def test_the_newest_talks_are_those_of_the_list(either: Warehouse) -> None:
    write(either, STORY)
    for selection in (EVERYTHING, Selection(first="2025-02"), Selection(last="2024-12")):
        kept = listing(either, selection, "", "kept", limit=3)["rows"]
        newest = newest_talks(either, selection, 3)
        assert [(row["video_id"], row["published_on"]) for row in newest] == [
            (row["video_id"], row["published_on"]) for row in kept
        ]
        assert [(row["title"], row["show"]) for row in newest] == [
            (row["title"], row["show"]) for row in kept
        ]
    assert newest_talks(either)
