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


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory, chdb_home: Path) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("fuzzed")
    with Warehouse(Settings(home=home, study="fuzzed", web_hosts=["testserver"])) as warehouse:
        warehouse.migrate()
        examples.study(warehouse)
        yield schemathesis.openapi.from_asgi("/openapi.json", web_of(warehouse))


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
