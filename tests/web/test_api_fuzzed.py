"""Fuzz tests of the API by schemathesis: requests that its documentation allows, and others.

Its command line asks every endpoint, with a token; requests without one are generated here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import examples
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from page_process import web_of
from serving import served
from signed_in import token_of

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.warehouse import Warehouse

if TYPE_CHECKING:  # importing it takes 2 s of processor, even if these tests are deselected
    from schemathesis import Case

pytestmark = pytest.mark.long
BOUNDED = settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
CHANGES = (
    "/api/codebook/preview",
    "/api/codebook/decide",
    "/api/codebook/judge",
    "/api/concepts/judge",
    "/api/concepts/refit",
    "/api/validation/draw",
    "/api/validation/code",
    "/api/talks/correct",
    "/api/talks/name",
    "/api/review",
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, chdb_home: Path) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("fuzzed")
    with Warehouse(Settings(home=home, study="fuzzed", web_hosts=["testserver"])) as warehouse:
        warehouse.migrate()
        examples.study(warehouse)
        yield warehouse


@pytest.fixture(scope="module")
def described(fuzzed: Warehouse) -> Any:
    from schemathesis import openapi
    from schemathesis.config import SchemathesisConfig

    configuration = SchemathesisConfig.from_path(CONFIGURATION)
    return openapi.from_asgi("/openapi.json", web_of(fuzzed), config=configuration)


def as_documented(case: Case, **call: Any) -> Any:
    """Return the answer, which must pass the checks of schemathesis.

    The check that sends wrong tokens is left out: it expects 401, but after many wrong tokens the API answers
    429, as `test_nobody_changes_anything` and `test_access.py` test.
    """
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    answer = case.call(**call)
    checks = [check for check in CHECKS.get_all() if check.__name__ != "ignored_auth"]
    case.validate_response(answer, checks=checks, **call)
    return answer


def test_every_endpoint_is_asked(described: Any) -> None:
    asked = {f"/api/{name}" for name in VIEWS} | set(CHANGES)
    assert set(described.raw_schema["paths"]) == asked


@pytest.mark.parametrize("path", CHANGES)
def test_nobody_changes_anything(described: Any, path: str) -> None:
    from schemathesis import GenerationMode

    @given(case=described[path]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @BOUNDED
    def asked(case: Case) -> None:
        assert as_documented(case).status_code in (401, 422, 429), "429: wrong tokens, too many of late"

    asked()


def test_all_that_schemathesis_knows_finds_nothing(fuzzed: Warehouse, tmp_path: Path) -> None:
    """Tested in every phase, over HTTP, with a token: every endpoint, whatever is asked.

    With every check but that of wrong tokens: see `as_documented`.
    """
    bearer = ["--header", f"Authorization: Bearer {token_of(fuzzed)}"]
    with served(web_of(fuzzed)) as url:
        answer = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIGURATION)),
                *(
                    "run",
                    f"{url}/openapi.json",
                    *bearer,
                    "--checks",
                    "all",
                    "--exclude-checks",
                    "ignored_auth",
                    "--max-examples",
                    "6",
                ),
                *("--phases", "examples,coverage,fuzzing,stateful", "--no-color", "--continue-on-failure"),
                *("--seed", "1"),  # as the tests above, so that a failure can be reproduced
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert answer.returncode == 0, answer.stdout[-6000:]
    every = len(VIEWS) + len(CHANGES)
    assert f"{every} selected / {every} total" in answer.stdout, answer.stdout[-6000:]
