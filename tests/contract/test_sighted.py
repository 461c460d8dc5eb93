"""Discovery's queries to the store, in the embedded engine and on a server."""

from __future__ import annotations

from datetime import date, timedelta

from event_factories import NOON, video, write

from streams import events as e
from streams.store.operations import sightings
from streams.store.warehouse import Warehouse


def seen(video: e.Video, source_id: str = "channel-1", **sighting: object) -> e.VideoSeen:
    about = {"source_id": source_id, "kind": "channel", "seen_at": NOON} | sighting
    return e.VideoSeen(video=video, sighting=e.Sighting.model_validate(about))


def test_each_lane_of_a_source_has_its_first_moment(either: Warehouse) -> None:
    later = NOON + timedelta(hours=1)
    write(
        either,
        [
            seen(video("a"), lane="rss", seen_at=later),
            seen(video("a"), lane="rss"),
            seen(video("a"), lane="listing", seen_at=later),
            seen(video("b"), "channel-2", lane="listing"),
        ],
    )
    assert sightings.shown_by(either, "channel-1") == {"a": {"rss": NOON, "listing": later}}
    assert sightings.shown_by(either, "nothing") == {}


def test_what_is_known_of_videos(either: Warehouse) -> None:
    first, second, third = video("a"), video("b"), video("c")
    retitled = first.model_copy(update={"title": "New"})
    link = e.Sighting(source_id="ingest", kind="link", seen_at=NOON)
    write(
        either,
        [
            seen(first),
            e.VideoAccepted(video=first),
            seen(second),
            e.VideoSeen(video=third, sighting=link),
            e.VideoFollowed(video=retitled, change="retitled", was=first.title, seen_at=NOON),
        ],
    )
    known = sightings.known(either, ["a", "b", "c", "nobody's"])
    assert set(known) == {"a", "b", "c"}
    assert (known["a"]["title"], known["a"]["published_at"]) == ("New", first.published_at)
    assert [bool(known[each]["accepted"]) for each in "abc"] == [True, False, False]
    assert [bool(known[each]["handed_in"]) for each in "abc"] == [False, False, True]
    assert set(known["a"]["titles"]) == {first.title, "New"}
    assert known["b"]["titles"] == []
    assert sightings.known(either, []) == {}


def test_too_old_is_forgiven_from_a_day_on(either: Warehouse) -> None:
    for name, days in (("old", 400), ("newer", 100)):
        about = video(name).model_copy(update={"published_at": NOON - timedelta(days=days)})
        write(either, [e.VideoRejected(video=about, rule="too old", reason="before the day")])
    short = video("short").model_copy(update={"published_at": NOON})
    write(either, [e.VideoRejected(video=short, rule="too short", reason="it lasts 3 s")])
    assert sightings.too_old(either, None) == {"old", "newer"}
    assert sightings.too_old(either, (NOON - timedelta(days=100)).date()) == {"newer"}
    assert sightings.too_old(either, date(2999, 1, 1)) == set()
