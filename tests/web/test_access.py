"""Tests of access: sign-in and sessions of curators, and requests that are refused before the sign-in."""

import logging
import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import studies
from page_process import Parts, Process, client_of, web_of
from pydantic import ValidationError
from serving import served
from signed_in import OURS, csrf_in, signed_in, token_of
from typer.testing import CliRunner

from agents.cli import app
from agents.web.app import build_web
from agents.web.security.access import within
from agents.web.security.rate_limit import FREE
from agents.web.security.sessions import LASTS
from streams.errors import DataError, Misconfigured
from streams.settings import Settings
from streams.state.curators import Curators, hash_of
from streams.store.warehouse import Warehouse
from tests.processes import GIVE_UP_S

RENAME = {"action": "rename", "topic_id": 1, "name": "Retrieval", "expected": 0}


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = studies.TODAY

    def __call__(self) -> Any:
        return self.at


def client_at(settings: Settings, warehouse: Warehouse, clock: Clock, base: str) -> httpx.AsyncClient:
    process: Any = Process(settings, Parts(warehouse, clock))
    return httpx.AsyncClient(transport=httpx.ASGITransport(build_web(process)), base_url=base)


@pytest.fixture(autouse=True)
def nobody_yet(small: Warehouse) -> Iterator[None]:
    small.settings.curators_file.unlink(missing_ok=True)
    yield
    small.settings.curators_file.unlink(missing_ok=True)


def revisions(warehouse: Warehouse) -> int:
    found: int = warehouse.rows("SELECT count() AS n FROM decisions")[0]["n"]
    return found


async def test_without_curators_everything_is_read_and_nothing_changed(small: Warehouse) -> None:
    async with client_of(small) as client:
        for path in ("/curation", "/login", "/"):
            page = await client.get(path)
            assert page.status_code == 200
        page = await client.get("/curation")
        assert "groundswell --study small curators add NAME" in page.text
        assert 'method="post"' not in page.text.split("<main")[1], "it has a form to find topics only"
        for path, sent in (
            ("/curation/decide", {"data": RENAME}),
            ("/curation/review", {"data": {"topic": 1, "verdict": "include"}}),
            ("/curation/talks", {"data": {"video_id": "a", "what": "withdraw", "reason": "x"}}),
            ("/api/codebook/decide", {"json": RENAME}),
            ("/logout", {}),
        ):
            answer = await client.post(path, **sent)  # type: ignore[arg-type]
            assert answer.status_code == 401, path
            assert "curators add NAME" in answer.text
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert revisions(small) == 0


async def test_the_first_curator_signs_in_by_a_link_that_works_once(small: Warehouse) -> None:
    web = web_of(small)
    link = web.state.access.first.link("http://localhost")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web), base_url="http://localhost", headers=OURS
    ) as client:
        page = await client.get(link)
        assert "Your name" in page.text and 'name="token"' not in page.text
        assert (await client.get(link)).text == page.text, "to open it changes nothing"
        secret = re.search(r'name="first" value="([^"]+)"', page.text)
        assert secret and link.endswith(secret[1])
        wrong = await client.post("/login/first", data={"first": "guessed", "name": "Mallory"})
        assert wrong.status_code == 401 and "this link is not valid" in wrong.text
        nameless = await client.post("/login/first", data={"first": secret[1], "name": " "})
        assert nameless.status_code == 422 and 'name="first"' in nameless.text, "it can be corrected"
        assert Curators(small.settings.curators_file).all() == ()

        page = await client.post("/login/first", data={"first": secret[1], "name": "Ottilie"})
        assert page.status_code == 200 and "You are signed in as <bdi>Ottilie</bdi>" in page.text
        assert page.headers["Cache-Control"] == "no-store"
        token = re.search(r'class="token"><code>([^<]+)<', page.text)
        assert token and Curators(small.settings.curators_file).by_token(token[1])
        assert "<bdi>Ottilie</bdi>" in (await client.get("/account")).text
        assert (await client.get("/login/first")).headers["Location"] == "/login"

        assert web.state.access.first.link("http://localhost") is None
        client.cookies.clear()
        again = await client.post("/login/first", data={"first": secret[1], "name": "Mallory"})
        assert again.status_code == 401 and "or no longer" in again.text
        assert 'name="token"' in (await client.get(link)).text, "afterwards it is the usual sign-in"


async def test_a_cookie_is_only_for_this_page_and_not_for_scripts(small: Warehouse) -> None:
    async with client_of(small) as client:
        answer = await client.post(
            "/login", data={"token": token_of(small), "next": "/curation"}, headers=OURS
        )
        assert (answer.status_code, answer.headers["Location"]) == (303, "/curation")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("groundswell_small=")
        assert {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={int(LASTS.total_seconds())}"} <= set(
            cookie.split("; ")
        )
        assert "Secure" not in cookie
        page = await client.get("/account")
        assert "<bdi>Ottilie</bdi>" in page.text
        assert page.headers["Cache-Control"] == "private, no-cache"
        assert "Cookie" in page.headers["Vary"]
        assert 'href="/account">Ottilie</a>' in (await client.get("/")).text


async def test_over_tls_the_cookie_never_leaves_it(small: Warehouse) -> None:
    token = token_of(small)
    secured = small.settings.model_copy(update={"web_url": "https://talks.example.org"})
    for settings, base in (
        (small.settings, "https://localhost"),
        (secured, "http://talks.example.org"),  # behind a proxy that speaks TLS
    ):
        async with client_at(settings, small, Clock(), base) as client:
            origin = {"Origin": "https://talks.example.org" if settings is secured else base}
            answer = await client.post("/login", data={"token": token}, headers=origin)
            assert answer.status_code == 303
            assert answer.headers["Set-Cookie"].startswith("__Host-groundswell_small=")
            assert "; Secure" in answer.headers["Set-Cookie"]


async def test_a_session_ends_with_its_time_its_curator_and_its_key(small: Warehouse) -> None:
    clock = Clock()
    token = token_of(small)
    async with client_at(small.settings, small, clock, "http://localhost") as client:
        await client.post("/login", data={"token": token}, headers=OURS)
        assert (await client.get("/account")).status_code == 200
        clock.at += LASTS - timedelta(seconds=1)
        assert (await client.get("/account")).status_code == 200
        clock.at += timedelta(seconds=2)
        assert (await client.get("/account")).status_code == 303, "it is over"

        await client.post("/login", data={"token": token}, headers=OURS)
        word = csrf_in((await client.get("/account")).text)
        Curators(small.settings.curators_file).remove("Ottilie")
        assert (await client.get("/account")).status_code == 303, "who is removed is out at once"
        answer = await client.post("/curation/decide", data=RENAME | {"csrf": word}, headers=OURS)
        assert answer.status_code == 401
        Curators(small.settings.curators_file).add("Ottilie", studies.TODAY)
        assert (await client.get("/account")).status_code == 303, "the same name is not the same entry"
        changed = dict(client.cookies)
        client.cookies.clear()
        for name, value in changed.items():
            client.cookies.set(name, value[:-2] + "xx")
        assert (await client.get("/account")).status_code == 303, "what was signed cannot be changed"
    assert revisions(small) == 0


async def test_signing_out_takes_the_cookie_away(small: Warehouse) -> None:
    async with signed_in(small) as client:
        assert (await client.get("/logout")).status_code in (404, 405), "a link or picture signs nobody out"
        word = csrf_in((await client.get("/account")).text)
        assert (await client.post("/logout", data={"csrf": word})).status_code == 303
        assert not client.cookies
        assert (await client.get("/account")).status_code == 303


async def test_a_wrong_token_is_said_and_many_are_slowed_down(small: Warehouse) -> None:
    token, clock = token_of(small), Clock()
    async with client_at(small.settings, small, clock, "http://localhost") as client:
        for _ in range(FREE):
            answer = await client.post("/login", data={"token": "wrong"}, headers=OURS)
            assert answer.status_code == 401
            assert "this token is not valid" in answer.text
            assert "Set-Cookie" not in answer.headers
        wrong = {"Authorization": "Bearer wrong"}
        for answer in (
            await client.post("/login", data={"token": "wrong"}, headers=OURS),
            await client.post("/api/codebook/decide", json=RENAME, headers=wrong),
            await client.get("/api/status", headers=wrong),
        ):
            assert answer.status_code == 429
            assert "wait 60 seconds" in answer.text
        assert (await client.get("/curation")).status_code == 200, "who reads is not slowed down"
        answer = await client.post("/login", data={"token": f"  {token}\n"}, headers=OURS)
        assert answer.status_code == 303, "a right token is never locked out by what others guess"
        client.cookies.clear()
        right = {"Authorization": f"Bearer {token}"}
        assert (await client.post("/api/codebook/preview", json=RENAME, headers=right)).status_code != 429
        clock.at += timedelta(minutes=1)
        answer = await client.post("/login", data={"token": "wrong"}, headers=OURS)
        assert answer.status_code == 401, "after a minute it is said again"


def test_a_forwarded_address_is_believed_of_a_named_proxy_only(small: Warehouse) -> None:
    token_of(small)
    for proxies, answered in ((), 429), (("127.0.0.1/32",), 401), (("10.0.0.0/8",), 429):
        with served(web_of(small), proxies) as url:
            for number in range(FREE + 1):
                headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": f"192.0.2.{number}"}
                last = httpx.get(f"{url}/api/status", headers=headers, timeout=GIVE_UP_S)
        assert last.status_code == answered, proxies


def test_a_proxy_is_an_address_or_a_network() -> None:
    assert Settings(web_proxies=["127.0.0.1", "10.0.0.0/8", "::1"]).web_proxies == [
        "127.0.0.1/32", "10.0.0.0/8", "::1/128",
    ]  # fmt: skip
    for wrong in ("proxy.example.org", "*", "10.0.0.1/8", ""):
        with pytest.raises(ValidationError, match="web_proxies"):
            Settings(web_proxies=[wrong])


@pytest.mark.parametrize(
    "wrong", ["*", "intranet", "https://a.example/path", "https://a.example; script-src *"]
)
def test_a_site_that_may_frame_pages_is_a_site(wrong: str) -> None:
    assert Settings(web_frames=["https://intranet.example.org:8443"]).web_frames
    with pytest.raises(ValidationError, match="is not a site such as"):
        Settings(web_frames=[wrong])


def test_a_licence_is_a_short_line() -> None:
    assert Settings(web_licence="  CC BY 4.0, Institut für Beispiele\n").web_licence.endswith("Beispiele")
    assert Settings(web_licence="x" * 120).web_licence
    for wrong in ("x" * 121, "CC BY 4.0\nExample Institute", "CC\u202eBY"):
        with pytest.raises(ValidationError, match="not one line of at most 120 printable characters"):
            Settings(web_licence=wrong)


async def test_a_form_of_another_site_or_session_changes_nothing(small: Warehouse) -> None:
    async with signed_in(small) as client:
        word = csrf_in((await client.get("/account")).text)
        for headers, given in (
            ({"Origin": "https://evil.example"}, word),
            ({"Origin": "null"}, word),
            ({"Sec-Fetch-Site": "cross-site"}, word),
            ({"Sec-Fetch-Site": "same-site"}, word),
            ({"Origin": "http://localhost:8001"}, word),
            ({}, ""),
            ({}, "wrong"),
            ({}, word[:-1]),
            ({}, "ü"),
        ):
            answer = await client.post(
                "/curation/decide", data=RENAME | {"csrf": given}, headers=OURS | headers
            )
            assert answer.status_code == 403, (headers, given)
            assert "What to do:" in answer.text
        answer = await client.post("/api/codebook/decide", json=RENAME)
        assert answer.status_code == 403, "a cookie alone is not enough for the API either"
        assert set(answer.json()) == {"error", "cure"}
    async with signed_in(small, "Joel") as client:
        answer = await client.post("/curation/decide", data=RENAME | {"csrf": word})
        assert answer.status_code == 403, "another session's word"
    assert revisions(small) == 0


async def test_a_foreign_name_is_not_answered(small: Warehouse) -> None:
    async with client_of(small) as client:
        for host, code in (
            ("evil.example", 421),
            ("localhost.evil.example:8000", 421),
            ("a]b", 421),
            ("", 421),
            ("localhost:8000", 200),
            ("LOCALHOST", 200),
            ("study.localhost", 200),
            ("127.0.0.1:8000", 200),
            ("[::1]:8000", 200),
        ):
            assert (await client.get("/login", headers={"Host": host})).status_code == code, host
            assert (await client.get("/api/status", headers={"Host": host})).status_code == code, host
        assert (await client.get("/healthz", headers={"Host": "pod-7.cluster"})).status_code == 200
        refused = await client.get("/api/status", headers={"Host": "evil.example"})
        assert "GROUNDSWELL_WEB_HOSTS" in refused.json()["cure"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "host", "code"),
    [
        ({"web_hosts": ["talks.example.org"]}, "talks.example.org", 200),
        ({"web_url": "https://talks.example.org"}, "talks.example.org", 200),
        ({"web_host": "0.0.0.0"}, "anything.example", 200),
        ({"web_host": "0.0.0.0", "web_hosts": ["talks.example.org"]}, "anything.example", 421),
        ({"web_host": "0.0.0.0", "web_hosts": ["talks.example.org"]}, "Talks.Example.org:80", 200),
    ],
)
async def test_names_are_a_setting(small: Warehouse, settings: dict[str, Any], host: str, code: int) -> None:
    changed = small.settings.model_copy(update=settings)
    async with client_at(changed, small, Clock(), "http://localhost") as client:
        assert (await client.get("/login", headers={"Host": host})).status_code == code


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "/x\r\nSet-Cookie: a=b", "", "curation", "http:evil.example",
        "/\t/evil.example", "//[", "http://[", "//a]b", "[",
    ],
)  # fmt: skip
async def test_signing_in_leads_nowhere_else(small: Warehouse, path: str) -> None:
    assert within(path) == "/"
    async with client_of(small) as client:
        answer = await client.post("/login", data={"token": token_of(small), "next": path}, headers=OURS)
        assert (answer.status_code, answer.headers["Location"]) in ((303, "/"), (303, "/curation"))
        signed = await client.get("/login", params={"next": path})
        assert signed.headers["Location"] == "/"


async def test_a_page_for_curators_leads_to_the_sign_in_and_back(small: Warehouse) -> None:
    token = token_of(small)
    async with client_of(small) as client:
        asked = "/curation/preview?action=rename&topic_id=1&name=Retrieval"
        answer = await client.get(asked)
        assert answer.status_code == 303
        page = await client.get(answer.headers["Location"])
        assert (
            'name="next" value="/curation/preview?action=rename&amp;topic_id=1&amp;name=Retrieval"'
            in page.text
        )
        answer = await client.post("/login", data={"token": token, "next": asked}, headers=OURS)
        assert answer.headers["Location"] == asked


async def test_no_secret_is_kept_shown_or_logged(
    small: Warehouse, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    token = token_of(small)
    settings = small.settings
    async with client_of(small) as client:
        pages = [await client.post("/login", data={"token": f"{token}x"}, headers=OURS)]
        await client.post("/login", data={"token": token}, headers=OURS)
        shown = ("/account", "/curation", "/curation/review", "/openapi.json", "/metrics", "/", "/login")
        pages += [await client.get(path) for path in shown]
        bearer = {"Authorization": f"Bearer {token}"}
        pages.append(await client.post("/api/codebook/preview", json={"action": "merge"}, headers=bearer))
    key = (settings.study_home / "session.key").read_bytes()
    for secret in (token, hash_of(token), key.hex()):
        assert all(secret not in page.text for page in pages)
        assert secret not in caplog.text
        assert secret not in "".join(capsys.readouterr())
    for name in ("session.key", "curators.json"):
        path = settings.study_home / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert token.encode() not in path.read_bytes()
    assert len(key) == 32


def test_the_command_line_adds_lists_and_removes(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))
    runner = CliRunner()
    added = runner.invoke(app, ["curators", "add", "Ann Ó Briain"])
    assert added.exit_code == 0, added.output
    token = added.stdout.strip()
    curators = Curators(Settings(home=tmp_path).curators_file)
    found = curators.by_token(token)
    assert found is not None and found.name == "Ann Ó Briain"
    listed = runner.invoke(app, ["curators", "list"])
    assert (
        "Ann Ó Briain" in listed.stdout and token not in listed.output and found.sha256 not in listed.output
    )
    twice = runner.invoke(app, ["curators", "add", "ann ó briain"])
    assert isinstance(twice.exception, DataError)
    assert runner.invoke(app, ["curators", "remove", "Ann Ó Briain"]).exit_code == 0
    assert curators.by_token(token) is None
    assert isinstance(runner.invoke(app, ["curators", "remove", "Ann"]).exception, DataError)
    monkeypatch.setenv("GROUNDSWELL_CURATORS", str(tmp_path / "elsewhere" / "who.json"))
    assert runner.invoke(app, ["curators", "add", "Joel"]).exit_code == 0
    assert [each.name for each in Curators(tmp_path / "elsewhere" / "who.json").all()] == ["Joel"]


async def test_a_damaged_file_of_curators_lets_nobody_in_and_says_so(small: Warehouse) -> None:
    path = small.settings.curators_file
    path.write_text('{"curators": [{"name": 1}]}')
    with pytest.raises(Misconfigured, match="cannot be read"):
        Curators(path).all()
    async with client_of(small) as client:
        answer = await client.post("/login", data={"token": "x"}, headers=OURS)
        assert answer.status_code == 422
        assert "restore it from a backup" in answer.text
        assert (await client.get("/")).status_code == 200, "reading goes on"
