"""Numbers follow merges, dormancy, splits and drift of topics at once; emergences have their evidence."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from event_factories import (
    MODEL,
    NEWBORN,
    NOON,
    TRANSCRIPT,
    assigned,
    consolidated,
    dead_letter,
    dormant,
    drifted_in_words,
    emerged,
    empty,
    labelled,
    merged,
    newborn,
    path_of,
    seen,
    settled,
    shares,
    topic,
    video,
    write,
)

from agents.discovery.discover import Discover
from agents.topics import rebuild
from streams import events as e
from streams.kafka.topics import VIDEOS_SEEN
from streams.state.blobs import Blobs
from streams.state.epochs import Epochs
from streams.store import writer
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import alerts, genealogy, prevalence
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse
from streams.youtube.client import YouTube


def test_a_merge_moves_every_number_at_once_and_only_once(either: Warehouse) -> None:
    write(either, [topic(1, "Architecture"), topic(2, "Evaluation"), topic(3, "Costs")])
    write(
        either,
        [
            assigned(0, video("both"), 1, 2),
            assigned(1, video("second"), 2),
            assigned(2, video("third"), 3, 2),
            assigned(3, video("april", datetime(2025, 4, 2, tzinfo=UTC)), 2),
        ],
    )
    assert shares(prevalence.topics(either), "topic_id") == {1: (1, 4), 2: (4, 4), 3: (1, 4)}
    for _ in range(2):
        write(either, [merged(2, 1, sequence=5)])
        assert shares(prevalence.topics(either), "topic_id") == {1: (4, 4), 3: (1, 4)}
        assert shares(prevalence.themes(either), "theme") == {"Architecture": (4, 4), "Costs": (1, 4)}
        assert shares(prevalence.prevalence(either), "month", "theme") == {
            ("2025-03", "Architecture"): (3, 3),
            ("2025-03", "Costs"): (1, 3),
            ("2025-04", "Architecture"): (1, 1),
        }
        assert {
            (row["topic_id"], row["other_id"]): row["videos"] for row in prevalence.cooccurrence(either)
        } == {
            (1, 3): 1  # not with itself
        }
        assert talk_queries.status(either)["topics"] == 2
    # A talk that comes later is still given the old id only by an old assignment; it counts there too.
    write(either, [assigned(4, video("late"), 2)])
    assert shares(prevalence.topics(either), "topic_id") == {1: (5, 5), 3: (1, 5)}


def test_chains_of_merges_are_followed_in_any_order_of_writing(study: Warehouse) -> None:
    talks = [assigned(index, video(f"v{index}"), index + 1) for index in range(5)]
    topics = [topic(number) for number in range(1, 6)]
    merges = [merged(5, 4, 6), merged(4, 3, 7), merged(3, 1, 8)]
    for order in itertools.permutations(merges):
        empty(study)
        for event in order:
            write(study, [event])
        write(study, talks)
        write(study, topics)
        assert shares(prevalence.topics(study), "topic_id") == {1: (4, 5), 2: (1, 5)}
        assert {row["topic_id"]: row["target"] for row in study.rows("SELECT * FROM aliases")} == {
            3: 1,
            4: 1,
            5: 1,
        }


def test_a_merge_of_one_model_is_none_of_another(study: Warehouse) -> None:
    old = [topic(1), topic(2), assigned(0, video("a"), 1), merged(1, 2, 2)]
    new = [event.model_copy(update={"model_version": "model-2"}) for event in old[:3]]
    write(study, [*old, *new, _epoch("model-2", 1)])
    assert shares(prevalence.topics(study), "topic_id") == {1: (1, 1), 2: (0, 1)}


def test_a_merged_topic_is_found_under_the_one_it_ended_in(study: Warehouse) -> None:
    write(study, [topic(1), topic(2), topic(3), merged(3, 2, 4), merged(2, 1, 5)])
    write(study, [assigned(0, video("a"), 3), seen(video("a"))])
    writer.write(study, [("paragraphs", row) for row in (_paragraph("a", 0, "we chunk"),)])
    for asked in (1, 2, 3):
        found = genealogy.topic(study, asked)
        assert found is not None
        assert (found["topic_id"], found["asked_id"], found["theme"]) == (1, asked, UNSORTED)
        assert [each["topic_id"] for each in found["merged"]] == [2, 3]
        assert [quote["text"] for quote in talk_queries.quotes(study, asked)] == ["we chunk"]
    assert genealogy.topic(study, 9) is None


def test_a_topic_remembers_the_words_it_was_born_with(study: Warehouse) -> None:
    now = e.TopicChanged(model_version=MODEL, topic_id=1, sequence=9, label="rag", words=(("agents", 0.9),))
    write(study, [topic(1), now])
    found = genealogy.topic(study, 1)
    assert found is not None
    assert (found["words_at_birth"], found["words"]) == (["word"], ["agents"])


def test_a_name_is_a_persons_else_a_labellers_else_of_its_words(
    study: Warehouse,
) -> None:
    def name() -> str:
        (row,) = prevalence.topics(study)
        found = genealogy.topic(study, row["topic_id"])
        assert found is not None
        assert found["name"] == row["name"]
        return str(row["name"])

    words = e.TopicChanged(model_version=MODEL, topic_id=NEWBORN, sequence=5, label="servers, tools")
    write(study, [newborn(3, (0, "a", 0, NEWBORN))])
    assert name() == "servers"
    write(study, [words])
    assert name() == "servers, tools"
    write(study, [labelled(NEWBORN, 6, "Model Context Protocol"), labelled(NEWBORN, 3, "Tool servers")])
    assert name() == "Model Context Protocol"
    decided = {"model_version": MODEL, "topic_id": NEWBORN, "name": "MCP", "theme": "", "retained": 1}
    study.insert("codebook_entries", [decided | {"revision": 1}])
    assert name() == "MCP"


def test_the_genealogy_tells_what_happened_in_its_order(either: Warehouse) -> None:
    split = newborn(6, (0, "a", 0, NEWBORN)).model_copy(update={"topic_id": 22, "parent": 1})
    events = [
        topic(1),
        topic(2),
        newborn(2, (0, "a", 0, NEWBORN)),
        dormant(2, sequence=3, asleep=True),
        dormant(2, sequence=5, asleep=False),
        consolidated(6, accepted=True),
        split,
        merged(NEWBORN, 2, sequence=6),
        consolidated(7, accepted=False),
    ]
    random.Random(5).shuffle(events)
    write(either, events)
    write(either, events)
    told = genealogy.genealogy(either)
    assert [(row["sequence"], row["what"], row["topic_id"], row["other_id"]) for row in told] == [
        (2, "born", NEWBORN, 0),
        (3, "asleep", 2, 0),
        (5, "awake", 2, 0),
        (6, "consolidated", 0, 0),
        (6, "split", 22, 1),
        (6, "merged", NEWBORN, 2),
        (7, "rejected", 0, 0),
    ]
    assert told[4]["other"] == "topic 1"
    assert (told[5]["topic"], told[5]["other"], told[5]["day"]) == ("servers", "topic 2", NOON.date())
    assert (told[6]["reason"], told[6]["survival"]) == ("too many paragraphs would move", 0.7)
    assert (told[6]["topics_before"], told[6]["topics_after"]) == (5, 4)
    assert [row["what"] for row in genealogy.genealogy(either, 2)] == ["born", "asleep", "awake", "merged"]
    assert [row["what"] for row in genealogy.genealogy(either, 1)] == ["split"]


def test_a_topic_sleeps_until_it_wakes(study: Warehouse) -> None:
    write(study, [topic(1), topic(2)])
    slept, woke = dormant(1, sequence=3, asleep=True), dormant(1, sequence=8, asleep=False)
    write(study, [slept])
    assert {row["topic_id"]: row["asleep"] for row in prevalence.topics(study)} == {1: True, 2: False}
    write(study, [woke])
    write(study, [slept])  # again, after it woke
    assert {row["topic_id"]: row["asleep"] for row in prevalence.topics(study)} == {1: False, 2: False}


def test_drift_says_which_words_went_and_came(study: Warehouse) -> None:
    share = e.TopicDrifted(
        model_version=MODEL, topic_id=1, sequence=9, label="", share_before=0.1, share_after=0.4
    )
    write(study, [topic(1), topic(2), drifted_in_words(1, 9), share, drifted_in_words(2, 4), share])
    rows = genealogy.drifts(study, 1)
    assert [(row["what"], row["share_after"], row["moved"]) for row in rows] == [
        ("share", 0.4, 0.0),
        ("words", 0.0, 0.31),
    ]
    assert (rows[1]["words_before"], rows[1]["words_after"]) == (["gpt-3"], ["chatgpt", "agents"])
    assert (str(rows[1]["since"]), rows[1]["videos_before"], rows[1]["videos_after"]) == (
        "2025-02-07",
        40,
        12,
    )
    assert [row["topic"] for row in genealogy.drifts(study)] == ["topic 1", "topic 1", "topic 2"]


def test_an_emergence_keeps_its_evidence_and_where_to_hear_it(either: Warehouse) -> None:
    write(either, [topic(1)])
    for video_id in ("a", "b", "c"):
        write(either, [seen(video(video_id, url=f"https://example.org/{video_id}", show="Night Deploys"))])
    news_of_it = emerged(7, "MCP", None, "a", "b", "c")
    alert = e.AlertRaised(
        rule="emergence",
        model_version=MODEL,
        topic_id=news_of_it.topic_id,
        title="New topic: MCP",
        reason=news_of_it.reason,
        raised_at=NOON,
        video_ids=news_of_it.video_ids,
        evidence=news_of_it.evidence,
    )
    write(either, [news_of_it, alert])
    write(either, [news_of_it, alert])
    (emergence,), (raised,) = alerts.emergences(either), alerts.alerts(either)
    for row in (emergence, raised):
        assert (row["topic_id"], row["terms"], row["sources"]) == (0, ["mcp", "server"], 2)
        assert (row["recent"], row["recent_of"], row["earlier"], row["earlier_of"]) == (3, 50, 1, 200)
        assert (row["log10_p"], str(row["first_on"])) == (-8.25, "2025-03-01")
        assert [quote["video_id"] for quote in row["quotes"]] == ["a", "b", "c"]
        assert row["quotes"][2] == {
            "paragraph_id": e.paragraph_id("c", TRANSCRIPT, 0),
            "video_id": "c",
            "source": "channel-1",
            "published_on": NOON.date(),
            "start_s": 12.5,
            "text": "'; we put MCP in front of it",
            "title": "Talk c",
            "show": "Night Deploys",
            "url": "https://example.org/c",
            "published_at": NOON,
        }
        assert [talk["video_id"] for talk in row["talks"]] == ["a", "c"]
    assert (emergence["subject"], raised["rule"]) == ("MCP", "emergence")


def test_an_alert_without_evidence_has_its_reason_and_its_talks(study: Warehouse) -> None:
    write(study, [topic(1), seen(video("a"))])
    alert = e.AlertRaised(
        rule="new topic", model_version=MODEL, topic_id=1, title="t", reason="r", video_ids=("a",)
    )
    write(study, [alert])
    (row,) = alerts.alerts(study)
    assert (row["terms"], row["channel"], row["quotes"], row["first_on"]) == ([], "", [], None)
    assert row["topic_id"] == 1
    write(study, [topic(2), merged(1, 2, sequence=5)])
    assert [row["topic_id"] for row in alerts.alerts(study)] == [2], "where it is to be found now"
    assert [talk["title"] for talk in row["talks"]] == ["Talk a"]


def test_boilerplate_is_counted_by_source_and_can_be_read(either: Warehouse) -> None:
    write(either, [topic(1)])
    talks = {
        ("a", 1): {"channel_id": "UC1", "channel": "Night Deploys"},
        ("b", 9): {"channel_id": "UC1", "channel": "Night Deploys"},
        ("c", 3): {"show": "The Late Standup"},
    }
    for index, ((video_id, day), about) in enumerate(talks.items()):
        of = video(video_id, datetime(2025, 3, day, tzinfo=UTC), **about)
        event = assigned(index, of, 1, None, None)
        marked = [
            each.model_copy(update={"boilerplate": position > 0 and video_id != "c"})
            for position, each in enumerate(event.assignments)
        ]
        write(either, [seen(of), event.model_copy(update={"assignments": tuple(marked)})])
        said = [_paragraph(video_id, number, f"{video_id}{number}") for number in range(3)]
        writer.write(either, [("paragraphs", row) for row in said])
    (row,) = alerts.boilerplate(either)
    assert (row["source"], row["name"], row["videos"], row["paragraphs"]) == ("UC1", "Night Deploys", 2, 6)
    assert (row["boilerplate"], row["share"]) == (4, 4 / 6)
    assert [example["text"] for example in row["examples"]] == ["b1", "b2", "a1"]  # the newest first
    assert talk_queries.status(either)["boilerplate"] == 4
    assert shares(prevalence.topics(either), "topic_id") == {1: (3, 3)}


def test_the_newest_epochs_model_is_shown_from_its_beginning_on(either: Warehouse) -> None:
    old = [topic(1), assigned(0, video("a"), 1), assigned(1, video("b"), 1)]
    write(either, [_epoch(MODEL, 0), *old, seen(video("a")), seen(video("b"))])
    assert shares(prevalence.topics(either), "topic_id") == {1: (2, 2)}
    assert (talk_queries.status(either)["epoch"], talk_queries.status(either)["relearning"]) == (0, 0)
    write(either, [_epoch("model-2", 1)])
    assert prevalence.topics(either) == []
    assert (talk_queries.status(either)["epoch"], talk_queries.status(either)["relearning"]) == (1, 2)
    new = [event.model_copy(update={"model_version": "model-2"}) for event in (topic(1, "Costs"), old[1])]
    write(either, new)
    assert shares(prevalence.themes(either), "theme") == {"Costs": (1, 1)}
    assert talk_queries.unlearned_videos(either) == {"b"}
    write(either, [_epoch(MODEL, 0)])  # a worker of old times starts again
    assert shares(prevalence.themes(either), "theme") == {"Costs": (1, 1)}


def test_an_epoch_learns_every_heard_talk_in_the_last_order(study: Warehouse, tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    kept = blobs.put("transcripts/a", b"{}")
    learned = ["third", "first", "second"]  # in this order, whatever their names or dates say
    for index, video_id in enumerate(learned):
        write(study, path_of(index, video(video_id), 1))
    waiting = [video(name) for name in ("broken", "mended", "refused", "old letter", "not heard yet")]
    for number, of in enumerate(waiting):
        write(study, path_of(9, of, 1)[: 1 if of.video_id == "not heard yet" else 5])
        letter = dead_letter(number, of.video_id)  # the fourth was written before the epoch began
        if of.video_id not in ("refused", "not heard yet"):
            write(study, [letter.model_copy(update={"failed_at": _MOMENTS[number]})])
        if of.video_id == "mended":
            write(study, [settled(letter, "replayed")])
    write(study, [e.VideoRejected(video=waiting[2], rule="language", reason="r"), _epoch(MODEL, 0)])
    study.command(
        f"ALTER TABLE transcripts UPDATE blob_key = '{kept.key}' WHERE 1 SETTINGS mutations_sync = 1"
    )

    epoch = Epochs(blobs).begin(NOON)
    wanted = list(rebuild.to_learn(blobs, study, epoch))
    assert [talk.key for talk in wanted] == [*learned, "mended", "old letter"]
    assert wanted[0] == path_of(0, video("third"), 1)[3].model_copy(update={"transcript": kept})

    # What the new model has learned is left out; the others still come in their order.
    write(study, [_epoch("model-2", 1)])
    done = assigned(0, video("third"), 1).model_copy(update={"model_version": "model-2"})
    write(study, [done])
    again = [talk.key for talk in rebuild.to_learn(blobs, study, epoch)]
    assert again == ["first", "second", "mended", "old letter"]
    blobs.delete(kept.key)
    assert list(rebuild.to_learn(blobs, study, epoch)) == []  # gone: nothing can be learned from


def test_a_rebuild_is_sent_whole_or_sent_again(study: Warehouse, tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    write(study, [_epoch(MODEL, 0), *path_of(0, video("a"), 1)])
    transcript = blobs.put("transcripts/a", b"{}")
    study.command(
        f"ALTER TABLE transcripts UPDATE blob_key = '{transcript.key}' WHERE 1 SETTINGS mutations_sync = 1"
    )
    sent: list[e.Event] = []
    epoch, talks = rebuild.rebuild(blobs, study, NOON, sent.append)
    assert (epoch.number, talks, [event.key for event in sent]) == (1, 1, ["a"])
    assert Epochs(blobs).sent() == 1

    epoch, talks = rebuild.rebuild(blobs, study, NOON, None)  # nothing runs: discover sends it later
    assert (epoch.number, talks, Epochs(blobs).sent()) == (2, 1, 1)

    def cut(_: e.Event) -> None:
        raise ConnectionError("the cable")

    with pytest.raises(ConnectionError):
        rebuild.rebuild(blobs, study, NOON, cut)
    assert (Epochs(blobs).current().number, Epochs(blobs).sent()) == (3, 1)


async def test_discover_sends_what_a_rebuild_left_unsent_once_per_log(
    study: Warehouse, tmp_path: Path
) -> None:
    blobs = Blobs(str(tmp_path))
    write(study, [_epoch(MODEL, 0), *path_of(0, video("a"), 1)])
    transcript = blobs.put("transcripts/a", b"{}")
    study.command(
        f"ALTER TABLE transcripts UPDATE blob_key = '{transcript.key}' WHERE 1 SETTINGS mutations_sync = 1"
    )

    async def start(log_id: str) -> list[str]:
        ids = {VIDEOS_SEEN.name: log_id}
        youtube = YouTube("", False, tmp_path / "yt-dlp")
        discover = Discover(study.settings, blobs, study, ids, youtube, now=lambda: NOON)
        sent = await discover.start()
        assert await discover.tick() == []  # no sources; but what `start` returned has been sent by now
        assert all(isinstance(event, e.TranscriptReady) for event in sent)
        return [event.key for event in sent]

    assert await start("log") == []
    rebuild.rebuild(blobs, study, NOON, None)
    assert await start("log") == ["a"]
    assert await start("log") == []
    assert await start("another log") == ["a"]
    learned = assigned(0, video("a"), 1).model_copy(update={"model_version": "model-2"})
    write(study, [_epoch("model-2", 1), learned])
    assert await start("a third log") == []


_MOMENTS = (NOON, NOON, NOON, NOON - timedelta(days=1), NOON)


def _epoch(model_version: str, number: int) -> e.EpochBegun:
    return e.EpochBegun(model_version=model_version, sequence=0, epoch=number)


def _paragraph(video_id: str, position: int, text: str) -> dict[str, object]:
    return writer.paragraph_row(
        video_id,
        TRANSCRIPT,
        position,
        paragraph_id=e.paragraph_id(video_id, TRANSCRIPT, position),
        start_s=60.0 * position,
        end_s=60.0 * position + 59,
        text=text,
        speakers=[],
        tokens=2,
    )[1]
