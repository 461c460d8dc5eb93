"""schemathesis asks the API what its documentation allows, and much that it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import examples
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from page_process import web_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
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
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


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
    return schemathesis.openapi.from_asgi("/openapi.json", web_of(fuzzed))


def test_every_endpoint_is_asked(described: Any) -> None:
    asked = {f"/api/{name}" for name in VIEWS} | set(CHANGES)
    assert set(described.raw_schema["paths"]) == asked


@pytest.mark.parametrize("name", VIEWS)
def test_whatever_is_asked_the_answer_is_as_documented(described: Any, name: str) -> None:
    @given(case=described[f"/api/{name}"]["GET"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @BOUNDED
    def allowed(case: schemathesis.Case) -> None:
        case.validate_response(case.call(), checks=CHECKS)

    @given(case=described[f"/api/{name}"]["GET"].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @BOUNDED
    def not_allowed(case: schemathesis.Case) -> None:
        case.validate_response(case.call(), checks=CHECKS)

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
        case.validate_response(case.call(headers=bearer), checks=CHECKS)

    @given(case=described[path]["POST"].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @BOUNDED
    def not_allowed(case: schemathesis.Case) -> None:
        case.validate_response(case.call(headers=bearer), checks=CHECKS)

    @given(case=described[path]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @BOUNDED
    def by_nobody(case: schemathesis.Case) -> None:
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code in (401, 422, 429), "429: wrong tokens, too many of late"

    allowed()
    not_allowed()
    by_nobody()
