"""Alerts are delivered once, by real mail and webhooks, and a dead destination does not delay the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from event_factories import MODEL, NOON, assigned, dead_letter, emerged, path_of, seen, topic, video, write

from agents.alerting import delivery, digest, queries
from agents.alerting.alert import Alert
from agents.alerting.service import AlertService
from agents.consumer.consumer import Position
from agents.queries.registry import asking
from streams import events as e
from streams.kafka.topics import TOPICS_CHANGED
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.operations import deliveries
from streams.store.queries import alerts
from streams.store.queries.emerging import emerging
from streams.store.warehouse import Warehouse
from tests.destinations import Hook, Mailbox, hook, mailbox

HOSTILE = "<script>alert(1)</script> @everyone \u202eevil"


class Bureau:
    """An alert service with a manual clock, whose events are written to the database."""

    def __init__(self, warehouse: Warehouse, home: Path, text: str, environment: dict[str, str]) -> None:
        self.now = NOON + timedelta(hours=1)
        self.warehouse = warehouse
        self.environment = environment
        self.home = home
        home.mkdir(exist_ok=True)
        self.file = home / "alerts.yaml"
        self.file.write_text(text)
        self.settings = warehouse.settings.model_copy(
            update={"alerts": str(self.file), "web_url": "https://talks.example.org/"}
        )
        self.open()

    def open(self) -> None:
        self.office = AlertService(
            self.settings,
            Blobs(str(self.home / "blobs")),
            self.warehouse,
            now=lambda: self.now,
            environment=self.environment,
        )

    def round(self, wait_s: float = 20.0, **later: float) -> list[e.Event]:
        """Advance the clock, run a round, wait for the deliveries, and write the events as the store does."""
        self.now += timedelta(**later)
        said: list[e.Event] = []
        for _ in range(2):  # what the first one raises is in the database when the second one looks
            new = [*self.office.round(), *self.office.wait(wait_s)]
            write(self.warehouse, new)
            said += new
        return said

    def states(self, destination: str = "") -> list[tuple[str, str]]:
        rows = deliveries.deliveries(self.warehouse, 1000, destination)
        return sorted((row["destination"], row["state"]) for row in rows)


Make = Callable[..., Bureau]


@pytest.fixture
def bureau(study: Warehouse, tmp_path: Path) -> Make:
    def make(text: str, **environment: str) -> Bureau:
        return Bureau(study, tmp_path / "office", text, environment)

    return make


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as opened:
        yield opened


@pytest.fixture
def web() -> Iterator[Hook]:
    with hook() as opened:
        yield opened


def _raised(*told: e.Event) -> list[e.Event]:
    agent, at = Alert(), Position("log", TOPICS_CHANGED.name, 0, 0)
    return [alert for event in told for alert in asyncio.run(agent.handle(event, at))]


def new_topic(
    warehouse: Warehouse,
    subject: str,
    *,
    topic_id: int | None = 1,
    sequence: int = 1,
    at: datetime = NOON,
    **fields: str,
) -> None:
    """Store a subject that emerged in two talks, with all related events."""
    a, b = (video(name, url=f"https://www.youtube.com/watch?v={name}", show="A show") for name in "ab")
    event = emerged(sequence, subject, topic_id, "a", "b").model_copy(update={"emerged_at": at} | fields)
    write(warehouse, [topic(1, "Architecture"), *path_of(0, a, 1), *path_of(1, b, 1)])
    write(warehouse, [event, *_raised(event)])


def test_what_one_source_said_first_is_told_once_and_shown_once(bureau: Make, study: Warehouse) -> None:
    with hook() as early, hook() as late:
        at = bureau(
            "rules: {one_source: {on: true}}\n"
            "destinations: [{name: early, url_env: A}, {name: late, url_env: B, rules: [emergence]}]",
            A=early.url,
            B=late.url,
        )
        new_topic(study, "Halley", only_on="A show")
        at.round()
        assert [card["rule"] for card in emerging(study)] == ["one source"]
        new_topic(study, "Comet Halley", sequence=2, replaces="Halley")
        at.round(minutes=10)
        at.round(days=3)
        assert [card["title"] for card in emerging(study)] == ["New topic: Comet Halley"]
        assert [taken["title"].rpartition("] ")[2] for taken in early.taken] == [
            "From one source so far: Halley"
        ]
        assert [taken["title"].rpartition("] ")[2] for taken in late.taken] == ["New topic: Comet Halley"]
        assert "2 of the last 50 talks" in early.taken[0]["message"]


def test_who_has_not_been_told_of_one_source_is_told_of_several(
    bureau: Make, study: Warehouse, web: Hook
) -> None:
    at = bureau("rules: {one_source: {on: true}}\ndestinations: [{name: hook, url_env: A}]", A=web.url)
    new_topic(study, "Halley", only_on="A show")
    new_topic(study, "Comet Halley", sequence=2, replaces="Halley")
    at.round()
    assert [taken["title"].rpartition("] ")[2] for taken in web.taken] == ["New topic: Comet Halley"]


def test_a_new_topic_arrives_as_mail_and_at_a_webhook_once(
    bureau: Make, study: Warehouse, box: Mailbox, web: Hook
) -> None:
    at = bureau(
        "destinations: [{name: ann, url_env: MAIL}, {name: hook, url_env: HOOK}]", MAIL=box.url, HOOK=web.url
    )
    new_topic(study, f"MCP {HOSTILE}")
    at.round()
    assert at.states() == [("ann", "delivered"), ("hook", "delivered")]
    for _ in range(3):
        at.round(minutes=10)
    at.open()  # a restart
    at.round(minutes=10)
    assert (len(box.mails), len(web.taken)) == (1, 1)

    (mail,) = box.mails
    assert mail["Subject"].startswith(f"[{study.database}] New topic: MCP <")
    assert mail["To"] == "ann@example.org"
    text, html = box.part(0, "plain"), box.part(0, "html")
    assert "2 of the last 50 talks speak of it" in text
    assert "the odds of this would be 1 in" in text
    assert "https://www.youtube.com/watch?v=a&t=12s" in text
    assert "https://talks.example.org/topics/1" in text
    assert "First talk: Talk a (A show, 2025-03-04)" in text
    assert "https://talks.example.org/talks/a" in text
    assert '<a href="https://www.youtube.com/watch?v=a&amp;t=12s">' in html
    assert "<script>" not in html and "&lt;script&gt;" in html
    for said in (text, html, web.taken[0]["message"], web.taken[0]["title"]):
        assert "@everyone" not in said and "\u202e" not in said
    assert web.taken[0]["type"] == "info"


def test_failing_and_hanging_destinations_keep_no_other_waiting(
    bureau: Make, study: Warehouse, box: Mailbox, web: Hook
) -> None:
    with hook() as hanging:
        hanging.hangs, web.status = True, 500
        at = bureau(
            "destinations: [{name: hanging, url_env: SLOW}, {name: broken, url_env: HOOK}, "
            "{name: ann, url_env: MAIL}]",
            SLOW=f"{hanging.url}?rto=25",
            HOOK=web.url,
            MAIL=box.url,
        )
        new_topic(study, "MCP")
        began = time.monotonic()
        write(study, at.office.round())
        took = time.monotonic() - began
        while not box.mails:
            time.sleep(0.05)
        write(study, at.office.wait(0.2))
        assert hanging.asked == 1 and not hanging.taken
        assert took < 20  # it has not waited for the one that hangs
        while ("broken", "failed") not in at.states():
            time.sleep(0.1)
            write(study, at.office.wait(0.1))
        assert ("ann", "delivered") in at.states()
        (row,) = deliveries.deliveries(study, destination="broken")
        assert "500" in row["error"] and row["attempts"] == 1
        assert row["next_at"] == at.now + timedelta(minutes=1)

        at.round(0.2, seconds=30)
        tried = web.asked
        at.round(0.2, seconds=10)
        assert web.asked == tried  # not before its pause is over
        web.status = 200
        at.round(0.2, minutes=2)
        while ("broken", "delivered") not in at.states():
            time.sleep(0.1)
            write(study, at.office.wait(0.1))
        (row,) = deliveries.deliveries(study, destination="hanging")
        assert (row["state"], row["error"]) == ("failed", "no answer in time, still waiting")

        hanging.let_go.set()
        at.round(30)
        assert ("hanging", "delivered") in at.states()
        at.round(minutes=30)
        assert len(hanging.taken) == len(web.taken) == len(box.mails) == 1


def test_a_delivery_is_not_repeated_after_a_kill(bureau: Make, study: Warehouse, web: Hook) -> None:
    at = bureau("destinations: [{name: hook, url_env: HOOK}]", HOOK=web.url)
    new_topic(study, "MCP")
    web.status = 500
    at.office.round()
    at.office.wait(20)  # its events are lost: killed before they were sent
    assert at.states() == []
    web.status = 200
    at.open()
    at.round(minutes=5)
    assert (web.titles, at.states()) == ([f"[{study.database}] New topic: MCP"], [("hook", "delivered")])

    new_topic(study, "agents", topic_id=None)
    at.office.round()
    at.office.wait(20)
    assert len(web.taken) == 2
    at.open()
    said = at.round(minutes=5)
    assert [each.state for each in said if isinstance(each, e.DeliveryRecorded)] == ["delivered"]
    assert len(web.taken) == 2
    assert at.states() == [("hook", "delivered")] * 2


def test_of_quiet_hours_nothing_is_lost(bureau: Make, study: Warehouse, web: Hook) -> None:
    text = """
    destinations:
      - name: hook
        url_env: HOOK
        zone: Europe/Berlin
        quiet: {from: 22:00, to: 07:00}
    """
    at = bureau(text, HOOK=web.url)
    new_topic(study, "MCP")
    at.now = datetime(2025, 3, 4, 21, 30, tzinfo=UTC)  # half past ten in Berlin
    at.round()
    (row,) = deliveries.deliveries(study)
    assert (row["state"], row["error"], row["attempts"]) == ("held", "quiet hours", 0)
    assert row["next_at"] == datetime(2025, 3, 5, 6, tzinfo=UTC)
    at.open()
    assert not [each for each in at.round(hours=8) if isinstance(each, e.DeliveryRecorded)]
    at.round(minutes=31)
    assert len(web.taken) == 1 and at.states() == [("hook", "delivered")]


def test_the_same_is_not_told_twice_within_the_cool_down(bureau: Make, study: Warehouse, web: Hook) -> None:
    at = bureau(
        "rules: {emergence: {cool_down_hours: 48}}\ndestinations: [{name: hook, url_env: HOOK}]", HOOK=web.url
    )
    new_topic(study, "MCP")
    at.round()
    new_topic(study, "MCP servers", sequence=2, at=NOON + timedelta(hours=2))
    new_topic(study, "agents", topic_id=None, sequence=2, at=NOON + timedelta(hours=2))
    at.round(hours=3)
    assert len(web.taken) == 2  # agents are another subject
    assert at.states() == [("hook", "delivered"), ("hook", "delivered"), ("hook", "skipped")]
    new_topic(study, "MCP again", sequence=3, at=NOON + timedelta(hours=60))
    at.round(hours=60)
    assert web.titles[-1].endswith("MCP again")


def test_old_news_and_a_rebuilt_models_repetitions_are_not_sent(
    bureau: Make, study: Warehouse, web: Hook
) -> None:
    at = bureau("destinations: [{name: hook, url_env: HOOK}]", HOOK=web.url)
    new_topic(study, "history", at=NOON - timedelta(days=31))
    at.round()
    assert web.asked == 0
    new_topic(study, "MCP", sequence=2)
    at.round(minutes=1)
    assert len(web.taken) == 1

    rebuilt = "model-1-e1"
    write(study, [e.EpochBegun(model_version=rebuilt, sequence=0, epoch=1)])
    again = emerged(2, "MCP server", 1, "a", "b").model_copy(update={"model_version": rebuilt})
    learned = [
        event.model_copy(update={"model_version": rebuilt})
        for event in (topic(1), assigned(0, video("a"), 1), assigned(1, video("b"), 1))
    ]
    write(study, [*learned, again, *_raised(again)])
    at.round(minutes=1)
    (row,) = [row for row in deliveries.alerts_raised(study) if row["title"].endswith("MCP server")]
    assert row["repeat"] and not row["deliveries"]
    assert len(web.taken) == 1

    third = assigned(2, video("c"), 1).model_copy(update={"model_version": rebuilt})
    fresh = emerged(3, "skills", None, "b", "c").model_copy(update={"model_version": rebuilt})
    write(study, [seen(video("c")), third, fresh, *_raised(fresh)])
    at.round(minutes=1)
    assert web.titles[-1].endswith("New topic: skills")


def test_an_added_destination_hears_only_of_what_comes_later(
    bureau: Make, study: Warehouse, web: Hook
) -> None:
    at = bureau("destinations: [{name: hook, url_env: HOOK}]", HOOK=web.url)
    new_topic(study, "MCP")
    at.round()
    with hook() as other:
        at.environment["OTHER"] = other.url
        at.file.write_text("destinations: [{name: hook, url_env: HOOK}, {name: other, url_env: OTHER}]")
        at.office._book_read = None  # the test is faster than the clock of the file system
        at.round(minutes=1)
        new_topic(study, "agents", topic_id=None, at=NOON + timedelta(minutes=1))
        at.round(minutes=1)
        assert [title.rsplit(" ", 1)[-1] for title in other.titles] == ["agents"]
    assert len(web.taken) == 2


def test_a_wrong_rulebook_is_reported_and_the_last_one_holds(
    bureau: Make, study: Warehouse, web: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    at = bureau("destinations: [{name: hook, url_env: HOOK}]", HOOK=web.url)
    at.round()
    at.file.write_text("destinations: [{name: hook, url_env: HOOK, quite: 3}]")
    at.office._book_read = None
    new_topic(study, "MCP")
    at.round(minutes=1)
    assert len(web.taken) == 1
    assert "did you mean quiet?" in capsys.readouterr().out


def test_an_address_that_is_missing_is_a_failure_that_heals(
    bureau: Make, study: Warehouse, web: Hook
) -> None:
    at = bureau("destinations: [{name: hook, url_env: HOOK}]")
    new_topic(study, "MCP")
    at.round()
    (row,) = deliveries.deliveries(study)
    assert row["state"] == "failed" and "the variable HOOK of destination 'hook' is not set" in row["error"]
    at.environment["HOOK"] = web.url
    at.round(minutes=2)
    assert len(web.taken) == 1


@pytest.mark.long
def test_the_system_speaks_up_and_reminds_after_its_cool_down(
    bureau: Make, study: Warehouse, web: Hook
) -> None:
    at = bureau(
        "rules: {silence: {hours: 24}, lag: {talks: 1, hours: 2}}\n"
        "destinations: [{name: hook, url_env: HOOK}]",
        HOOK=web.url,
    )
    source = e.Source(source_id="s1", kind="channel", locator="@some", added_at=NOON)
    write(study, [*path_of(0, video("a"), 1), dead_letter(0, "x")])
    at.round()
    assert web.titles == [f"[{study.database}] 1 message could not be processed"]
    assert (
        "it was removed" in web.taken[0]["message"]
        and "https://talks.example.org/system" in web.taken[0]["message"]
    )
    assert web.taken[0]["type"] == "warning"
    at.round(hours=1)
    assert len(web.taken) == 1
    at.round(hours=24)
    assert [title.split("] ")[1] for title in web.titles[1:]] == [
        "1 message could not be processed",
        "No new talk for 26 hours",
    ]
    # A source fails, a talk does not arrive.
    failed = dead_letter(5, None).model_copy(
        update={"agent": "discover", "message_key": "s1", "failed_at": at.now, "payload": _payload(source)}
    )
    write(study, [failed, seen(video("late"))])
    at.round(minutes=10)
    assert web.titles[-1].endswith("@some cannot be read")
    at.round(hours=1)
    assert not any("wait to be processed" in title for title in web.titles)
    at.round(hours=1, minutes=5)
    assert any(title.endswith("1 talks wait to be processed") for title in web.titles)


def _payload(source: e.Source) -> str:
    import base64

    from streams.kafka.codec import encode

    return base64.b64encode(encode(e.SourceDue(source=source, slot=NOON))).decode()


def growing(first: int, counts: Sequence[tuple[str, int, int]]) -> list[e.Event]:
    """Return the events of talks by month: (month, talks with topic 1, talks with topic 2)."""
    said: list[e.Event] = []
    number = first
    for month, ones, twos in counts:
        for topic_id, count in ((1, ones), (2, twos)):
            for _ in range(count):
                day = datetime.fromisoformat(f"{month}-{1 + number % 27:02}T10:00:00+00:00")
                said += path_of(number, video(f"t{number}", day), topic_id)
                number += 1
    return said


HALVES = [
    *[(f"2024-{month:02}", 2, 8) for month in range(4, 10)],
    *[("2024-10", 7, 3), ("2024-11", 8, 2), ("2024-12", 7, 3), ("2025-01", 8, 2), ("2025-02", 8, 2)],
]


@pytest.mark.long
def test_a_declining_topic_is_alerted_once_with_numbers(bureau: Make, study: Warehouse, web: Hook) -> None:
    text = """
    rules:
      declining: {on: true, cool_down_hours: 1}
      threshold: {bounds: [{topic: 1, share: 0.5}, {theme: Nonsense, share: 0.1}]}
    destinations: [{name: hook, url_env: HOOK}]
    """
    at = bureau(text, HOOK=web.url)
    write(study, [topic(1, "Architecture"), topic(2, "Costs"), *growing(0, HALVES[:6])])
    at.round()
    assert web.titles == []  # the first look is what later ones are compared with
    write(study, growing(60, HALVES[6:]))
    at.round(minutes=6)
    titles = sorted(title.split("] ")[1] for title in web.titles)
    assert titles == ["Declining: topic 2", "topic 1 is in 66.7 % of the talks"]
    (declining,) = [each["message"] for each in web.taken if "Declining" in each["title"]]
    flat = " ".join(declining.split())
    assert "20 of 60 talks discussed it from 2024-09 to 2025-02 (33.3 %), against 40 of 50" in flat
    assert "percentage points (95 % interval" in flat
    assert "https://talks.example.org/topics/2" in flat
    assert "First talk" in flat and "Latest talk" in flat
    at.round(hours=2)
    at.open()
    at.round(hours=2)
    assert len(web.taken) == 2
    # Another model's topics have other numbers: its first look is none of news.
    write(study, [e.EpochBegun(model_version="model-1-e1", sequence=0, epoch=1)])
    at.round(hours=2)
    assert len(web.taken) == 2
    assert alerts.alerts(study) == []  # nobody takes them for new topics


@pytest.mark.long
def test_one_weekly_digest_covers_all_missed_weeks(bureau: Make, study: Warehouse, box: Mailbox) -> None:
    text = "destinations: [{name: ann, url_env: MAIL, send: weekly, at: 08:00, zone: Europe/Berlin}]"
    at = bureau(text, MAIL=box.url)
    write(study, [topic(1, "Architecture"), topic(2, "Costs"), *growing(2, HALVES)])
    at.round()  # Tuesday
    new_topic(study, f"MCP {HOSTILE}")
    at.round(days=5, hours=17, minutes=50)
    assert at.now < datetime(2025, 3, 10, 7, tzinfo=UTC) and not box.mails
    at.round(minutes=30)
    assert len(box.mails) == 1
    at.round(hours=5)
    at.open()
    at.round(hours=5)
    assert len(box.mails) == 1
    (row,) = deliveries.deliveries(study)
    assert (row["what"], row["state"], len(row["alert_ids"])) == ("digest", "delivered", 1)
    text, html = box.part(0, "plain"), box.part(0, "html")
    assert "NEW TOPICS" in text and "RISING TOPICS" in text and "DECLINING TOPICS" in text
    assert "topic 1" in text and "percentage points" in " ".join(text.split())
    assert "4 March to 10 March 2025" in text
    assert "<script>" not in html and "New topics" in html
    assert "@everyone" not in text + html

    at.now = datetime(2025, 3, 27, 12, tzinfo=UTC)  # two Mondays were missed
    new_topic(study, "agents", topic_id=None, at=datetime(2025, 3, 12, tzinfo=UTC))
    at.office.kept.notice(_noticed_at(study, "agents", datetime(2025, 3, 13, tzinfo=UTC)))
    at.round()
    assert len(box.mails) == 2
    assert "New topic: agents" in box.part(1, "plain")
    assert "10 March to 24 March 2025" in box.part(1, "plain")


def _noticed_at(warehouse: Warehouse, title: str, at: datetime) -> Any:
    from streams.logs.delivery_log import Noticed

    (alert_id,) = [
        row["alert_id"] for row in deliveries.alerts_raised(warehouse) if row["title"].endswith(title)
    ]
    return Noticed(alert_id=alert_id, at=at, verdict="news")


@pytest.mark.long
def test_a_daily_digest_is_left_out_when_nothing_happened(
    bureau: Make, study: Warehouse, box: Mailbox
) -> None:
    at = bureau("destinations: [{name: ann, url_env: MAIL, send: daily}]", MAIL=box.url)
    at.round()
    at.round(days=1)
    assert not box.mails
    assert [row["error"] for row in deliveries.deliveries(study)] == ["nothing happened that day"]
    new_topic(study, "MCP", at=NOON + timedelta(days=1))
    at.round(minutes=1)
    at.round(days=1)
    assert len(box.mails) == 1


def test_only_one_of_two_processes_delivers(bureau: Make, study: Warehouse, web: Hook) -> None:
    at = bureau("destinations: [{name: hook, url_env: HOOK}]", HOOK=web.url)
    other = at.office
    at.open()
    other._lease.owner, at.office._lease.owner = "one", "two"
    new_topic(study, "MCP")
    other.round()
    other.wait(20)
    assert at.office.round() == []
    other.close()
    at.round(minutes=1)
    assert len(web.taken) == 1
    assert at.states() == [("hook", "delivered")]


def test_the_views_say_the_same_on_a_server(either: Warehouse) -> None:
    write(either, [topic(1, "Architecture"), *path_of(0, video("a"), 1), dead_letter(0, None)])
    raised = e.AlertRaised(
        rule="rising", model_version=MODEL, topic_id=1, title=HOSTILE, reason="r'\\", raised_at=NOON, size=0.2
    )
    record = e.DeliveryRecorded(
        delivery_id="d",
        what="alert",
        destination="ann",
        alert_ids=(raised.event_id,),
        title=HOSTILE,
        state="failed",
        attempts=1,
        error="e",
        next_at=NOON,
        at=NOON,
    )
    later = record.model_copy(
        update={"state": "delivered", "next_at": None, "at": NOON + timedelta(minutes=1)}
    )
    write(either, [raised, record, later, record, raised])
    (row,) = deliveries.alerts_raised(either, rule="rising")
    assert (row["title"], row["reason"], row["size"], row["repeat"]) == (HOSTILE, "r'\\", 0.2, False)
    assert [(each["destination"], each["state"]) for each in row["deliveries"]] == [("ann", "delivered")]
    (stands,) = deliveries.deliveries(either, state="delivered")
    assert (stands["alert_ids"], stands["next_at"], stands["attempts"]) == ([raised.event_id], None, 1)
    assert deliveries.delivery_states(either) == {"d": ("delivered", 1)}
    assert deliveries.raised_by_the_clock(either) == {raised.event_id}
    vital = deliveries.vital_signs(either, NOON)
    assert (vital["model_version"], vital["videos"], vital["waiting"], vital["dead_letters"]) == (
        MODEL,
        1,
        0,
        1,
    )
    grown = deliveries.growth(either, (NOON - timedelta(days=1)).isoformat(), (NOON + timedelta(days=1)))
    assert (grown["talks"], round(grown["hours"] * 3600, 1), len(grown["shown"])) == (1, 61.5, 1)
    letter = digest.gather(
        asking(either),
        deliveries.alerts_raised(either),
        study="s",
        web_url="",
        every="daily",
        first=NOON - timedelta(days=1),
        last=NOON + timedelta(days=1),
    )
    assert letter.growth["talks"] == 1 and [news.reason for news in letter.news] == ["r'\\."]
    assert letter.system == ("One message could not be processed and waits for a decision.",)


def test_the_test_button_reports_on_each_destination(tmp_path: Path, box: Mailbox, web: Hook) -> None:
    web.status = 500
    (tmp_path / "alerts.yaml").write_text(
        "destinations: [{name: ann, url_file: ann.txt}, {name: broken, url_env: HOOK}, "
        "{name: none, url_env: NONE}]"
    )
    (tmp_path / "ann.txt").write_text(box.url + "\n")
    settings = Settings(home=tmp_path, alerts=str(tmp_path / "alerts.yaml"))
    secret = web.url + "/a-long-secret-token"
    results = queries.test(settings, environment={"HOOK": secret})
    assert [(each["destination"], each["delivered"]) for each in results] == [
        ("ann", True),
        ("broken", False),
        ("none", False),
    ]
    assert "500" in results[1]["error"] and "secret" not in str(results)
    assert "is not set" in results[2]["error"]
    assert box.mails[0]["Subject"] == "[main] TEST: alerts reach you"
    assert "Nothing has happened" in box.part(0, "plain")
    rows = queries.destinations(settings, {"HOOK": secret})
    assert [row["address"] for row in rows][1:] == ["json://127.0.0.1", ""]
    assert "secret" not in str(rows) and "ann@example.org" not in str(rows)


def test_a_message_that_is_always_refused_keeps_no_other_back(tmp_path: Path) -> None:
    import queue

    from agents.alerting.apprise_client import NotDeliveredError
    from agents.alerting.messages import Message
    from streams.logs.delivery_log import DeliveryLog

    sent: list[str] = []

    def send(address: str, name: str, message: Message) -> None:
        if message.title == "bad":
            raise NotDeliveredError("too long")
        sent.append(message.title)

    kept = DeliveryLog(Blobs(str(tmp_path)))
    courier = delivery.DeliveryWorker("d", kept, queue.SimpleQueue(), lambda: NOON, send)

    def job(title: str, attempts: int) -> delivery.Job:
        return delivery.Job(title, "alert", "d", (), title, lambda: Message(title, "", ""), NOON, attempts)

    courier.start_delivery([job("bad", 3), job("good", 0), job("fine", 0)], "json://x")
    courier.wait(10)
    assert sent == ["good", "fine"]
    (bad,) = [each for each in kept.deliveries() if each.state == "failed"]
    assert (bad.attempts, bad.error) == (4, "too long")
    old = delivery.Job(
        "bad", "alert", "d", (), "bad", lambda: Message("bad", "", ""), NOON - timedelta(days=8), 9
    )
    courier.start_delivery([old], "json://x")
    courier.wait(10)
    (bad,) = [each for each in kept.deliveries() if each.state == "failed"]
    assert (bad.next_at, bad.error) == (None, "given up: too long")
