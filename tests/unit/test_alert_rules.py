"""Alert rules: quiet hours, digest times, cool-downs and repeated trouble; what a rulebook may contain."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.alerting import apprise_client, config, config_file, queries
from agents.alerting.delivery import concerns
from agents.alerting.messages import Message, of_alert, of_test, one_line
from models.alerts.alert_state import AlertSign, AlertState, look
from models.alerts.quiet_hours import QuietHours, SendSchedule
from streams.errors import Misconfigured
from streams.settings import Settings

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
NIGHT = QuietHours(time(22), time(7), BERLIN)


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2025-01-10T20:59:00", None),
        ("2025-01-10T21:00:00", "2025-01-11T06:00:00"),
        ("2025-01-11T05:59:59", "2025-01-11T06:00:00"),
        ("2025-01-11T06:00:00", None),
        ("2025-03-29T21:30:00", "2025-03-30T05:00:00"),  # the night is an hour shorter
        ("2025-10-25T20:30:00", "2025-10-26T06:00:00"),  # and this one an hour longer
    ],
)
def test_a_night_spans_midnight_and_changes_of_the_clock(at: str, ends: str | None) -> None:
    found = NIGHT.ends_after(datetime.fromisoformat(f"{at}+00:00"))
    assert found == (datetime.fromisoformat(f"{ends}+00:00") if ends else None)


def test_quiet_hours_within_a_day_and_for_the_whole_day() -> None:
    lunch = QuietHours(time(12), time(13), ZoneInfo("UTC"))
    assert lunch.ends_after(NOON) == NOON + timedelta(hours=1)
    assert lunch.ends_after(NOON + timedelta(hours=1)) is None
    always = QuietHours(time(9), time(9), ZoneInfo("UTC"))
    assert always.ends_after(NOON) == datetime(2025, 3, 5, 9, tzinfo=UTC)


def test_a_quiet_end_skipped_or_repeated_by_the_clock_is_one_end() -> None:
    short = QuietHours(time(1), time(2, 30), BERLIN)
    jumped = short.ends_after(datetime(2025, 3, 30, 0, 30, tzinfo=UTC))
    assert jumped == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)
    assert short.ends_after(jumped) is None
    first = short.ends_after(datetime(2025, 10, 26, 0, 10, tzinfo=UTC))
    assert first == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    again = short.ends_after(datetime(2025, 10, 26, 1, 10, tzinfo=UTC))
    assert again == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu"])


@given(MOMENTS, TIMES, TIMES, ZONES)
def test_quiet_ends_later_than_it_is_and_within_a_day(
    at: datetime, start: time, end: time, zone: str
) -> None:
    found = QuietHours(start, end, ZoneInfo(zone)).ends_after(at)
    assert found is None or timedelta(0) < found - at <= timedelta(hours=26)


@given(MOMENTS, TIMES, ZONES, st.none() | st.integers(0, 6))
def test_what_is_due_is_due_until_the_next_one_is(
    at: datetime, clock: time, zone: str, weekday: int | None
) -> None:
    schedule = SendSchedule(clock, ZoneInfo(zone), weekday)
    due = schedule.latest(at)
    assert due <= at
    assert schedule.latest(due) == due
    assert at - due <= schedule.length + timedelta(hours=2)
    assert schedule.latest(due - timedelta(seconds=1)) < due


DAY = timedelta(days=1)


def told(
    memory: AlertState, now: datetime, *signs: AlertSign, kinds: str = "rising lag"
) -> tuple[AlertState, list[str]]:
    return look(memory, signs, kinds.split(), now)


def test_only_what_begins_after_the_first_look_is_told_once() -> None:
    rising, other = AlertSign("rising:1"), AlertSign("rising:2")
    memory, said = told(AlertState(), NOON, rising)
    assert said == []
    memory, said = told(memory, NOON + DAY, rising, other)
    assert said == ["rising:2"]
    memory, said = told(memory, NOON + 2 * DAY, rising, other)
    assert said == []
    memory, said = told(memory, NOON + 3 * DAY)
    memory, said = told(memory, NOON + 4 * DAY, rising)
    assert said == ["rising:1"]  # it ended and began anew
    assert AlertState.model_validate_json(memory.model_dump_json()) == memory


def test_what_flickers_is_not_told_within_its_cool_down() -> None:
    sign = AlertSign("rising:1", cool_down=7 * DAY)
    memory, _ = told(AlertState(looked=["rising"]), NOON, sign)
    memory, _ = told(memory, NOON + DAY)
    memory, said = told(memory, NOON + 2 * DAY, sign)
    assert said == []
    memory, said = told(memory, NOON + 7 * DAY, sign)
    assert said == ["rising:1"]


def test_trouble_is_told_once_it_lasted_and_then_repeated() -> None:
    lag = AlertSign("lag:", patience=DAY / 4, cool_down=DAY, reminds=True, from_the_start=True)
    memory, said = told(AlertState(), NOON, lag)
    assert said == []
    memory, said = told(memory, NOON + DAY / 4, lag)
    assert said == ["lag:"]
    memory, said = told(memory, NOON + DAY, lag)
    assert said == []
    memory, said = told(memory, NOON + 1.25 * DAY, lag)
    assert said == ["lag:"]


def test_a_kind_that_is_not_looked_at_stays_as_it_was() -> None:
    memory, _ = told(AlertState(looked=["rising"]), NOON, AlertSign("rising:1"))
    unseen, said = told(memory, NOON + DAY, kinds="lag")
    assert said == [] and unseen.signs == memory.signs
    assert told(unseen, NOON + 2 * DAY, AlertSign("rising:1"))[1] == []


RIGHT = """
fresh_days: 14
rules:
  rising: {on: yes, at_least_points: 5}
  drift: {on: off}
  threshold: {bounds: [{topic: RAG, share: 0.2}, {theme: Costs, share: 0.1}]}
destinations:
  - name: team
    url_env: TEAM_URL
    rules: [emergence, dead_letters]
    send: weekly
    day: friday
    at: 17:30
    zone: Europe/Berlin
    quiet: {from: 22:00, to: 07:00}
  - {name: ann, url_file: ann.txt}
  - {name: local, url: "json://127.0.0.1:8080/hook"}
"""


def test_a_rulebook_says_what_it_says() -> None:
    book = config_file.parse(RIGHT, "alerts.yaml")
    assert book.rules.rising.on and not book.rules.drift.on and not book.rules.declining.on
    team, ann, _ = book.destinations
    assert team.rules == ("emergence", "dead letters") and ann.rules is None
    assert team.quiet_hours == NIGHT
    assert team.schedule == SendSchedule(time(17, 30), BERLIN, 4) and ann.schedule is None
    assert [bound.name for bound in book.rules.threshold.bounds] == ["topic RAG", "theme Costs"]


def test_without_a_file_rules_are_defaults_and_nobody_is_told(tmp_path: Path) -> None:
    for book in (config_file.read(tmp_path / "alerts.yaml"), config_file.parse("", "empty")):
        on = [rule for rule in config.RULES if book.rules.of(rule).on]
        assert on == [
            "emergence",
            "drift",
            "meaning",
            "rising",
            "threshold",
            "lag",
            "stuck",
            "dead letters",
            "silence",
            "source",
        ]
        assert book.destinations == ()
    with pytest.raises(Misconfigured, match="GROUNDSWELL_ALERTS names"):
        config_file.read(tmp_path / "alerts.yaml", must_exist=True)


@pytest.mark.parametrize(
    ("text", "cause", "cure"),
    [
        (
            "rules:\n  risng: {on: true}",
            "line 2: rules.risng is wrong (there is no such field)",
            "mean rising?",
        ),
        ("rules:\n  rising:\n    on: maybe", "line 3: rules.rising.on is wrong", "correct this line"),
        ("rules: {rising: {points: 3}}", "line 1: rules.rising.points", "at_least_points"),
        (
            "destinations:\n  - name: a\n    url_env: A\n    send: hourly",
            "line 4: destinations.0.send",
            "alerts.md",
        ),
        (
            "destinations:\n  - name: a\n",
            "needs exactly one of url_env, url_file and url, but it has none",
            "alerts.md",
        ),
        ("destinations: [{name: a, url_env: A, url_file: b}]", "it has url_env and url_file", "alerts.md"),
        ("destinations: [{name: a, url: 'json://u:p@host'}]", "this url holds a secret, or may", "alerts.md"),
        ("destinations: [{name: a, url: 'json://host/?token=xyz'}]", "this url holds a secret", "alerts.md"),
        ("destinations: [{name: a, url: 'slack://A/B/C'}]", "this url holds a secret, or may", "alerts.md"),
        (
            "destinations: [{name: a, url_env: A, zone: Europe/Berlim}]",
            "no time zone 'Europe/Berlim'",
            "alerts.md",
        ),
        ("destinations: [{name: a, url_env: A, at: '25:00'}]", "'25:00' is not a time of day", "alerts.md"),
        ("destinations: [{name: a, url_env: A, quiet: {from: 9}}]", "quiet.to is wrong", "add to"),
        ("destinations: [{name: a, url_env: A, rules: [new]}]", "destinations.0.rules.0 is wrong", "correct"),
        (
            "destinations: [{name: a, url_env: A}, {name: a, url_env: B}]",
            "two destinations are called",
            "alerts.md",
        ),
        ("destinations: [{url_env: A}]", "line 1: destinations.0.name is wrong", "add name"),
        ("rules: {threshold: {bounds: [{share: 0.1}]}}", "name either a topic or a theme", "alerts.md"),
        ("rules: {threshold: {bounds: [{topic: 1, share: 12}]}}", "bounds.0.share is wrong", "correct"),
        ("rules: [", "line 1 is not YAML", "fix"),
        ("- a list", "the file is wrong", "correct"),
        ("just text", "the file is wrong", "correct"),
        ("fresh_days: .inf", "fresh_days is wrong", "correct"),
    ],
)
def test_a_wrong_rulebook_names_line_cause_and_cure(text: str, cause: str, cure: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        config_file.parse(text, "alerts.yaml")
    assert "alerts.yaml" in wrong.value.cause
    assert cause in wrong.value.cause, wrong.value.cause
    assert cure in wrong.value.cure, wrong.value.cure


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_whatever_the_file_holds_is_a_rulebook_or_refused(text: str) -> None:
    try:
        config_file.parse(text, "alerts.yaml")
    except Misconfigured as error:
        assert error.cure


def test_an_address_is_in_the_environment_a_file_or_an_error(
    tmp_path: Path,
) -> None:
    team, ann, local = config_file.parse(RIGHT, "alerts.yaml").destinations
    assert team.address({"TEAM_URL": " json://host/x\n"}, tmp_path) == "json://host/x"
    assert local.address({}, tmp_path) == "json://127.0.0.1:8080/hook"
    with pytest.raises(Misconfigured, match="TEAM_URL of destination 'team' is not set"):
        team.address({}, tmp_path)
    with pytest.raises(Misconfigured, match="cannot be read"):
        ann.address({}, tmp_path)
    (tmp_path / "ann.txt").write_text("one\ntwo\n")
    with pytest.raises(Misconfigured, match="has 2 lines"):
        ann.address({}, tmp_path)


def test_an_address_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(Misconfigured) as wrong:
        apprise_client.check("nonsense://a-secret-token", "team")
    assert "nonsense://" in str(wrong.value) and "a-secret-token" not in str(wrong.value)
    assert apprise_client.masked("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "x") == "discord://…"


def test_rules_are_explained_for_people(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("rules: {rising: {on: true}}")
    rows = queries.rules(Settings(home=tmp_path, alerts=str(tmp_path / "alerts.yaml")))
    assert [row["rule"] for row in rows] == list(config.RULES)
    assert all(row["about"] for row in rows)
    assert next(row for row in rows if row["rule"] == "rising")["on"]


def alert(**about: object) -> dict[str, object]:
    row: dict[str, object] = {
        "rule": "emergence",
        "title": "New topic: MCP",
        "reason": "4 of the last 50 talks speak of it.",
        "topic_id": 0,
        "raised_at": NOON,
        "channel": "",
        "terms": [],
        "talks": [],
        "quotes": [],
    }
    return row | about


def test_quotes_are_one_bounded_line_without_turns_or_pings() -> None:
    quote = {
        "text": "x" * 10_000 + "\u202e",
        "url": "javascript:alert(1)",
        "start_s": 3,
        "title": "<img src=x onerror=alert(1)>\r\nBcc: eve@example.org",
        "video_id": "../..",
        "published_at": NOON,
    }
    sent = of_alert(alert(title="مرحبا \u202e <!channel> @here\nx" * 900, quotes=[quote] * 5), "main", "")
    assert isinstance(sent, Message)
    assert "\n" not in sent.title and "\r" not in sent.title and len(sent.title) < 200
    for text in (sent.title, sent.text, sent.html):
        assert "\u202e" not in text and "<!channel" not in text and "@here" not in text
        assert "javascript:" not in text
    assert "<img" not in sent.html and len(sent.html) < 12_000
    assert sent.text.count("xxx “") == 0 and sent.text.count("at 0:03") == 3
    assert (
        one_line("see @someone at https://youtube.com/@handle")
        == "see @someone at https://youtube.com/@handle"
    )


@pytest.mark.parametrize(
    ("about", "page"),
    [
        ({"topic_id": 21}, "https://talks.example.org/topics/21"),
        ({}, "https://talks.example.org/emerging"),
        ({"rule": "lag"}, "https://talks.example.org/system"),
        ({"rule": "meaning", "topic_id": 21}, "https://talks.example.org/topics/21"),
        ({"rule": "threshold"}, "https://talks.example.org/"),
    ],
)
def test_a_message_links_to_the_page_that_shows_more(about: dict[str, object], page: str) -> None:
    assert f": {page}\n" in of_alert(alert(**about), "main", "https://talks.example.org/").text
    assert "https://" not in of_alert(alert(**about), "main", "").text


def test_quotes_of_a_drift_say_which_side_of_it_they_are_from() -> None:
    said = [
        {"text": text, "title": "", "video_id": text, "start_s": 3, "url": "", "published_at": NOON}
        for text in ("voices", "agents")
    ]
    told = of_alert(alert(rule="drift", quotes=said, topic_id=21), "main", "").text
    assert "before, voices" in told and "after, agents" in told
    assert "before," not in of_alert(alert(quotes=said), "main", "").text


def test_a_rise_is_sent_if_it_is_as_large_as_the_rule_asks_for() -> None:
    book = config_file.parse(
        "rules: {rising: {at_least_videos: 10, at_least_points: 20}}\ndestinations: [{name: a, url: 'json://a'}]",
        "alerts.yaml",
    )
    risen = alert(rule="rising", topic_id=21)
    for recent, size, sent in ((10, 0.2, True), (9, 0.5, False), (30, 0.19, False)):
        assert concerns({**risen, "recent": recent, "size": size}, book.destinations[0], book) is sent


def test_a_topic_in_doubt_is_a_problem_of_the_system() -> None:
    assert "meaning" in config.SYSTEM
    assert of_alert(alert(rule="meaning", topic_id=21), "main", "").tone == "warning"


def test_a_test_says_that_it_is_one() -> None:
    sent = of_test("team", "main", "")
    assert "TEST" in sent.title and "This is a test" in sent.text and "“team”" in sent.html


def test_a_mail_keeps_our_text_beside_its_html() -> None:
    from email import message_from_string
    from email.mime.multipart import MIMEMultipart
    from email.mime.text import MIMEText

    mail = MIMEMultipart("alternative")
    mail["Subject"] = "ü"
    mail.attach(MIMEText("apprise's", "plain", "utf-8"))
    mail.attach(MIMEText("<p>ü</p>", "html", "utf-8"))
    parsed = message_from_string(apprise_client.with_text(mail.as_string(), "ours: ü\nhttps://x.example"))
    texts = [part.get_payload(decode=True) for part in parsed.walk() if not part.is_multipart()]
    assert texts == ["ours: ü\r\nhttps://x.example\r\n".encode(), "<p>ü</p>".encode()]


def test_the_example_in_the_docs_is_a_rulebook() -> None:
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "alerts.md").read_text()
    (example,) = [part.split("```")[0] for part in text.split("```yaml\n")[1:] if "fresh_days" in part]
    book = config_file.parse(example, "alerts.md")
    assert [each.name for each in book.destinations] == ["team", "ann", "operations"]
    assert set(book.destinations[2].rules or ()) == set(config.SYSTEM)
