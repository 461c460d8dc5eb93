"""Tests of /alerts: alerts and their deliveries, a test message that is really sent, a harmless digest."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape, unescape
from pathlib import Path
from typing import Any, get_args

import pytest
import studies
from chromium import SCREENS, Visit, barriers, needs_chromium
from page_process import client_of, web_of
from serving import served
from signed_in import OURS, csrf_in, signed_in, token_of

from agents.alerting import config, config_file, queries
from agents.web.pages.operation.alerts import EXAMPLE, STATES, Rule, State
from agents.web.pages.operation.rule_words import in_words
from streams.settings import Settings
from streams.store import writer
from streams.store.operations import deliveries
from streams.store.operations.delivery_status import delivery_status
from streams.store.warehouse import Warehouse
from tests.destinations import Hook
from tests.destinations import hook as running_hook

e = studies.e
TODAY = studies.TODAY
FILE = """\
rules:
  rising: {on: true, at_least_points: 5}
  threshold: {bounds: [{topic: Evaluation, share: 0.2}, {theme: Costs, share: 0.07}]}
destinations:
  - name: team
    url_env: TEAM_CHAT
    rules: [emergence, rising]
    zone: Europe/Berlin
    quiet: {from: 22:00, to: 07:00}
  - {name: ann, url_file: ann.url, send: weekly, day: monday, at: 08:00}
  - {name: pager, url_env: NO_SUCH_VARIABLE}
"""


def rows_of_alerts() -> studies.Rows:
    """Yield alerts of rules that need more than one event, the newest first, one with a hostile title."""
    told_of = (
        ("dead letters", None, "3 messages could not be processed", f"The latest: private {studies.SCRIPT}"),
        ("rising", 3, f"Rising: {studies.LONG}", "30 of 100 talks discussed it"),
        ("threshold", None, studies.RIGHT_TO_LEFT, f"93 of the 178 talks {studies.SCRIPT}"),
    )
    for hours, (rule, topic_id, title, reason) in enumerate(told_of):
        yield from writer.rows_of(
            e.AlertRaised(
                rule=rule,  # type: ignore[arg-type]
                model_version=studies.MODEL if rule != "dead letters" else "",
                topic_id=topic_id,
                title=title,
                reason=reason,
                raised_at=TODAY - timedelta(hours=hours),
                video_ids=(),
            )
        )


def rows_of_deliveries(alert_ids: list[str]) -> studies.Rows:
    stand: tuple[tuple[str, Any, str, timedelta | None], ...] = (
        ("team", "delivered", "", None),
        ("ann", "failed", f"Connection refused {studies.SCRIPT}", timedelta(minutes=20)),
        ("ann", "held", "quiet hours", timedelta(hours=5)),
        ("pager", "skipped", "the same was told yesterday", None),
        ("team", "failed", "given up after a week", None),
        ("team", "delivered", "", None),
    )
    for number, (destination, state, error, later) in enumerate(stand):
        at = TODAY - timedelta(hours=number)
        yield from writer.rows_of(
            e.DeliveryRecorded(
                delivery_id=f"delivery-{number}",
                what="alert",
                destination=destination,
                alert_ids=(alert_ids[number % 3],),
                title=f"[alerted] number {number} {studies.SCRIPT}",
                state=state,
                attempts=1,
                error=error,
                next_at=at + later if later else None,
                at=at,
            )
        )


@pytest.fixture(scope="module")
def alerted(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="alerted")) as warehouse:
        if warehouse.migrate():
            studies.lively(warehouse)
            writer.write(warehouse, list(rows_of_alerts()))
            ids = [row["alert_id"] for row in deliveries.alerts_raised(warehouse)]
            writer.write(warehouse, list(rows_of_deliveries(ids)))
        yield warehouse


SECRET = "s3cr3t-of-the-hook"


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with running_hook(SECRET) as running:
        yield running


@pytest.fixture
def file(alerted: Warehouse, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the study's alerts.yaml, with webhooks in the environment and a file; delete it afterwards."""
    hook.status = 200
    hook.taken.clear()
    path = alerted.settings.alerts_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILE)
    (path.parent / "ann.url").write_text(hook.url)
    monkeypatch.setenv("TEAM_CHAT", hook.url)
    yield path
    path.unlink()


def say(file: Path, text: str) -> None:
    file.write_text(text)


async def page(warehouse: Warehouse, path: str = "/alerts", status: int = 200) -> str:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


def plain(html: str) -> str:
    """Return the visible text of a page, with spaces between block elements."""
    inline = re.sub(r"</?(a|bdi|span|strong|time|code)\b[^>]*>", "", html)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", inline)))


def section(html: str, name: str) -> str:
    """Return the section of a page with a heading."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}".*?</section>', html, re.DOTALL)
    assert found, name
    return found[0]


@pytest.mark.long
async def test_it_says_what_was_raised_why_and_who_was_told(alerted: Warehouse, file: Path) -> None:
    html = await page(alerted)
    raised = section(html, "raised")
    rows = deliveries.alerts_raised(alerted)
    assert len(rows) == raised.count("<li class=")
    where = [plain(raised).index(row["reason"][:25]) for row in rows]
    assert where == sorted(where), "the newest first"
    assert 'href="/system#dead-letters"' in raised
    assert 'href="/topics/3"' in raised
    assert "team: delivered, 2025-12-17 09:00" in plain(raised)
    assert "ann: not delivered, 2025-12-17 08:00" in plain(raised)
    assert "nobody was notified" in plain(raised), "of what emerged in 2024"
    only = section(await page(alerted, "/alerts?rule=rising"), "raised")
    assert only.count("<li class=") == 1 and "30 of 100 talks" in only
    assert "The rule “lag” has not raised any alerts yet" in plain(await page(alerted, "/alerts?rule=lag"))


async def test_what_talks_say_is_text_and_stays_short(alerted: Warehouse, file: Path) -> None:
    for path in ("/alerts", "/alerts/digest"):
        html = await page(alerted, path)
        assert studies.SCRIPT not in html
        assert escape(studies.SCRIPT) in html
    html = await page(alerted)
    assert studies.LONG not in html and studies.LONG[:200] in html
    assert escape(studies.RIGHT_TO_LEFT) in html


async def test_deliveries_stand_as_the_views_say(alerted: Warehouse, file: Path) -> None:
    html = section(await page(alerted), "deliveries")
    text = plain(html)
    rows = deliveries.deliveries(alerted)
    assert html.count('scope="row"') == len(rows) == 6
    for state, words in STATES.items():
        many = sum(row["state"] == state for row in rows)
        assert f"{words.capitalize()} {many}" in text
        narrowed = section(await page(alerted, f"/alerts?state={state}"), "deliveries")
        assert narrowed.count('scope="row"') == many
    assert "failed, will be retried: Connection refused" in text
    assert "given up: given up after a week" in text
    assert "2025-12-17 08:20" in text, "when it is tried next"
    stands = {row["destination"]: row for row in delivery_status(alerted)}
    assert stands["team"]["delivered_at"] == TODAY
    assert (stands["team"]["delivered"], stands["team"]["failed"], stands["team"]["waiting"]) == (2, 1, 0)
    assert (stands["ann"]["delivered_at"], stands["ann"]["waiting"]) == (None, 2)
    assert (stands["ann"]["latest_state"], stands["pager"]["skipped"]) == ("failed", 1)


async def test_destinations_are_said_in_words_and_without_secrets(alerted: Warehouse, file: Path) -> None:
    async with signed_in(alerted) as client:
        html = (await client.get("/alerts")).text
    text = plain(section(html, "told"))
    assert "immediately, but not from 22:00 to 07:00 (Europe/Berlin)" in text
    assert "a digest every Monday at 08:00 (UTC)" in text
    assert "Rules emergence, rising" in text and "Rules all rules that are on" in text
    assert "Last delivery 2025-12-17 09:00 UTC" in text
    assert "none yet; 2 wait" in text
    assert "fails: Connection refused" in text
    assert "json://127.0.0.1" in text and SECRET not in html
    assert "invalid: the variable NO_SUCH_VARIABLE of destination 'pager' is not set" in text
    tests = re.findall(r'name="destination" value="([^"]*)"', html)
    assert tests == ["team", "ann"], "what has no address cannot be tried"


async def test_rules_are_said_with_their_thresholds(alerted: Warehouse, file: Path) -> None:
    text = plain(section(await page(alerted), "rules"))
    assert "rising on The share of talks that discuss a topic rose, by 5 percentage points or more," in text
    assert "declining off" in text and "drift on" in text
    assert "20\u00a0% for topic Evaluation; 7\u00a0% for theme Costs" in text.replace(" %", "\u00a0%")
    assert "20 or more talks have been waiting for 6 hours" in text
    assert "shown a new talk for 14 days" in text
    assert "after 14 days" in text


def test_every_rule_has_words_and_every_name_in_the_url_is_known(alerted: Warehouse) -> None:
    said = {rule["rule"]: in_words(rule, "normal") for rule in queries.rules(alerted.settings)}
    assert set(said) == set(config.RULES)
    assert len(set(said.values())) == len(said)
    named = {name for part in get_args(get_args(Rule)[0]) for name in get_args(part)}
    assert named == {"", *config.RULES}
    assert set(get_args(get_args(State)[0])) == {"", *STATES}


async def test_a_test_is_really_sent_and_says_what_came_of_it(
    alerted: Warehouse, file: Path, hook: Hook
) -> None:
    async with signed_in(alerted) as client:
        csrf = csrf_in((await client.get("/alerts")).text)
        form = {"csrf": csrf, "destination": "team"}
        answer = await client.post("/alerts/test", data=form)
        assert answer.status_code == 200
        assert "team: delivered" in plain(answer.text)
        (message,) = hook.taken
        assert "test" in message["title"].lower()
        assert "http://localhost" in message["message"]

        everybody = plain((await client.post("/alerts/test", data={"csrf": csrf})).text)
        assert "team: delivered" in everybody and "ann: delivered" in everybody
        assert "pager: not delivered, because the variable NO_SUCH_VARIABLE" in everybody
        assert len(hook.taken) == 3

        hook.status = 500
        refused = (await client.post("/alerts/test", data=form)).text
        assert "team: not delivered, because" in plain(refused) and "500" in section(refused, "tested-head")
        assert SECRET not in refused
        nobody = await client.post("/alerts/test", data=form | {"destination": "nobody"})
        assert nobody.status_code == 422
        assert "choose from team, ann, pager" in nobody.text
        again = await client.get("/alerts/test")
        assert (again.status_code, again.headers["Location"]) == (303, "/alerts")


async def test_nobody_else_can_have_a_test_sent(alerted: Warehouse, file: Path, hook: Hook) -> None:
    async with client_of(alerted) as client:
        form = {"destination": "team", "csrf": "guessed"}
        assert (await client.post("/alerts/test", data=form, headers=OURS)).status_code == 401
        assert "/alerts/test" not in (await client.get("/alerts")).text
    async with signed_in(alerted) as client:
        csrf = csrf_in((await client.get("/alerts")).text)
        assert (await client.post("/alerts/test", data=form)).status_code == 403
        assert (await client.post("/alerts/test", data={"destination": "team"})).status_code == 403
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        form = {"destination": "team", "csrf": csrf}
        assert (await client.post("/alerts/test", data=form, headers=foreign)).status_code == 403
    assert hook.taken == []


async def test_without_a_file_it_shows_defaults_and_a_file_to_begin(
    alerted: Warehouse, chdb_home: Path
) -> None:
    assert not alerted.settings.alerts_file.exists()
    async with signed_in(alerted) as client:
        assert f"create {alerted.settings.alerts_file}" in plain((await client.get("/alerts")).text)
    html = await page(alerted)
    assert "create alerts.yaml" in plain(html) and str(chdb_home) not in html, "readers learn no paths"
    assert escape(EXAMPLE).replace("&#x27;", "&#39;") in html
    assert "emergence on" in plain(section(html, "rules")) and "The defaults" in html
    assert "Alerts raised" in html and "6 of the last 50 talks" in html, "what was raised is there anyway"


def test_the_example_is_a_right_file() -> None:
    book = config_file.parse(EXAMPLE, "example")
    assert [each.name for each in book.destinations] == ["team", "ann", "operations"]
    assert book.rules.rising.on
    with pytest.raises(Exception, match="there is no such field"):
        config_file.parse(EXAMPLE.replace("quiet:", "silent:"), "example")


async def test_a_wrong_file_is_named_with_its_line_and_the_rest_shown(alerted: Warehouse, file: Path) -> None:
    say(file, FILE.replace("rising:", "risng:"))
    async with signed_in(alerted) as client:
        assert f"{file}, line 2: rules.risng is wrong" in plain((await client.get("/alerts")).text)
    html = await page(alerted)
    assert "alerts.yaml, line 2: rules.risng is wrong" in plain(html) and str(file) not in html
    assert "What to do: did you mean rising?" in plain(html)
    assert section(html, "deliveries").count('scope="row"') == 6
    assert "30 of 100 talks" in html
    say(file, f"destinations: [{{name: a, url: 'json://me:{SECRET}@host/'}}]")
    html = await page(alerted)
    assert "this url holds a secret" in plain(html) and SECRET not in html
    async with signed_in(alerted) as client:
        csrf = csrf_in((await client.get("/account")).text)
        answer = await client.post("/alerts/test", data={"csrf": csrf})
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/alerts?rule=new", "/alerts?state=lost", "/alerts/digest?days=0"])
async def test_broken_filters_are_said_with_a_cure(alerted: Warehouse, path: str) -> None:
    assert "What to do: correct" in plain(await page(alerted, path, 422))


async def test_the_letter_may_have_its_style_and_nothing_else(alerted: Warehouse) -> None:
    async with client_of(alerted) as client:
        mail, text = [await client.get(f"/alerts/digest{kind}") for kind in ("", ".txt")]
        month, days = [await client.get(f"/alerts/digest.txt?days={days}") for days in (31, 9)]
    policy = dict(each.split(" ", 1) for each in mail.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'unsafe-inline'"
    assert "script-src" not in policy and "allow-scripts" not in policy["sandbox"]
    assert "New topics" in mail.text and "http://localhost/topics/" in mail.text
    assert text.headers["Content-Type"].startswith("text/plain")
    assert text.headers["X-Content-Type-Options"] == "nosniff"
    assert text.text.startswith("[alerted] ")
    for length, said in ((month.text, "In the last month,"), (days.text, "In the last 9 days,")):
        assert said in " ".join(length.split()) and "his week" not in length


async def test_other_pages_lead_here(alerted: Warehouse) -> None:
    for path in ("/emerging", "/system"):
        assert 'href="/alerts' in await page(alerted, path), path


# In a real browser.


@pytest.fixture(params=SCREENS, ids=str)
def visit(browser: Any, request: pytest.FixtureRequest) -> Iterator[Visit]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield Visit(context.new_page())
    context.close()


@pytest.mark.long
@needs_chromium
def test_anyone_can_read_it_and_a_test_is_sent_by_keyboard(
    visit: Visit, alerted: Warehouse, file: Path, hook: Hook
) -> None:
    with served(web_of(alerted)) as url:
        page, token = visit.page, token_of(alerted)
        page.goto(f"{url}/login?next=/alerts")
        page.get_by_label("Your token").fill(token)
        page.keyboard.press("Enter")
        page.wait_for_url("**/alerts")
        assert barriers(page) == []
        page.get_by_role("button", name="Send a test to team").focus()
        page.keyboard.press("Enter")
        page.get_by_role("status").filter(has_text="team: delivered").wait_for()
        assert len(hook.taken) == 1
        assert barriers(page) == []
        page.get_by_role("link", name="Not delivered 2").click()
        page.wait_for_url("**/alerts?state=failed#deliveries")
        assert page.locator("table.told tbody tr").count() == 2
        page.goto("about:blank")
    # Leaving a page aborts its pending requests and its stream of /live.
    assert [each for each in visit.wrong if not each.startswith(url)] == []


@needs_chromium
def test_a_study_without_a_file_can_be_read_too(visit: Visit, alerted: Warehouse) -> None:
    with served(web_of(alerted)) as url:
        visit.page.goto(f"{url}/alerts")
        assert "groundswell alerts list" in visit.page.locator("main").inner_text()
        assert barriers(visit.page) == []
        visit.page.goto("about:blank")


@pytest.mark.long
@needs_chromium
def test_a_link_in_a_letter_leads_to_the_page_and_scripts_fail(browser: Any, alerted: Warehouse) -> None:
    with served(web_of(alerted)) as url:
        page = browser.new_page()

        def with_a_script(route: Any) -> None:
            answer = route.fetch()
            body = answer.text().replace("</body>", "<script>document.title = 'ran'</script></body>")
            route.fulfill(response=answer, body=body)

        page.route("**/alerts/digest*", with_a_script)
        page.goto(f"{url}/alerts")
        page.get_by_role("link", name="as mail of the last week").click()
        page.wait_for_url("**/alerts/digest?days=7")
        assert page.title() != "ran", "its policy holds even where something was not escaped"
        assert page.locator("h1").evaluate("each => getComputedStyle(each).fontSize") in {"27px", "23px"}
        page.get_by_role("link", name="Open the dashboard").click()
        page.wait_for_url(re.compile(r"/$"))
        page.close()
