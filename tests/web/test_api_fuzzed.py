"""schemathesis asks the API what its documentation allows, and much that it does not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import examples
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from page_process import web_of
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from serving import served
from signed_in import token_of

from agents.views import VIEWS
from streams.settings import Settings
from streams.store.warehouse import Warehouse

BOUNDED = settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
load_all_checks()
EVERY_CHECK = CHECKS.get_all()
CHANGES = (
    "/api/codebook/preview",
    "/api/codebook/decide",
    "/api/codebook/judge",
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
    configuration = SchemathesisConfig.from_path(CONFIGURATION)
    return schemathesis.openapi.from_asgi("/openapi.json", web_of(fuzzed), config=configuration)


def test_every_endpoint_is_asked(described: Any) -> None:
    asked = {f"/api/{name}" for name in VIEWS} | set(CHANGES)
    assert set(described.raw_schema["paths"]) == asked


@pytest.mark.parametrize("name", VIEWS)
def test_whatever_is_asked_the_answer_is_as_documented(described: Any, name: str) -> None:
    @given(case=described[f"/api/{name}"]["GET"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @BOUNDED
    def allowed(case: schemathesis.Case) -> None:
        case.validate_response(case.call(), checks=EVERY_CHECK)

    @given(case=described[f"/api/{name}"]["GET"].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @BOUNDED
    def not_allowed(case: schemathesis.Case) -> None:
        case.validate_response(case.call(), checks=EVERY_CHECK)

    allowed()
    not_allowed()


@pytest.mark.parametrize("path", CHANGES)
def test_whatever_is_to_be_changed_the_answer_is_as_documented(
    described: Any, fuzzed: Warehouse, path: str
) -> None:
    bearer = {"Authorization": f"Bearer {token_of(fuzzed)}"}

    @given(case=described[path]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @BOUNDED
    def allowed(case: schemathesis.Case) -> None:
        case.validate_response(case.call(headers=bearer), checks=EVERY_CHECK, headers=bearer)

    @given(case=described[path]["POST"].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @BOUNDED
    def not_allowed(case: schemathesis.Case) -> None:
        case.validate_response(case.call(headers=bearer), checks=EVERY_CHECK, headers=bearer)

    @given(case=described[path]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @BOUNDED
    def by_nobody(case: schemathesis.Case) -> None:
        answer = case.call()
        case.validate_response(answer, checks=EVERY_CHECK)
        assert answer.status_code in (401, 422, 429), "429: wrong tokens, too many of late"

    allowed()
    not_allowed()
    by_nobody()


@pytest.mark.long
@pytest.mark.parametrize("signed", [True, False])
def test_all_that_schemathesis_knows_finds_nothing(fuzzed: Warehouse, tmp_path: Path, signed: bool) -> None:
    """Every phase and every check, over HTTP: with a token, and as anybody."""
    bearer = ["--header", f"Authorization: Bearer {token_of(fuzzed)}"] if signed else []
    with served(web_of(fuzzed)) as url:
        answer = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIGURATION)),
                *("run", f"{url}/openapi.json", *bearer, "--checks", "all", "--max-examples", "20"),
                *("--phases", "examples,coverage,fuzzing,stateful", "--no-color", "--continue-on-failure"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert answer.returncode == 0, answer.stdout[-6000:]
