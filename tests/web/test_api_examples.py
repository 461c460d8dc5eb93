"""Tests of the API's documentation: its types, examples and errors agree with the real answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import urlencode

import examples
import pytest
from page_process import client_of, web_shared
from pydantic import TypeAdapter
from typing_extensions import is_typeddict

from agents.queries.registry import VIEWS
from agents.web.api.read import SHAPES
from streams.settings import Settings
from streams.store.warehouse import Warehouse


@pytest.fixture(scope="module")
def example(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="example")) as warehouse:
        if warehouse.migrate():
            examples.study(warehouse)
        yield warehouse


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_is_annotated_with_the_type_of_its_rows(name: str) -> None:
    shape = SHAPES[name]
    assert is_typeddict(get_args(shape)[0] if get_origin(shape) is list else shape)


@pytest.mark.parametrize("name", VIEWS)
def test_the_shape_of_each_view_is_that_of_its_rows(example: Warehouse, name: str) -> None:
    """Tested for every key, nested ones too, and its type; pydantic drops keys that a shape does not name."""
    found = examples.asked(example, name)
    assert found, "an example that shows nothing"
    assert TypeAdapter(SHAPES[name]).validate_python(found) == found


def test_the_examples_are_what_the_views_say(example: Warehouse) -> None:
    rewrite = "run python tests/web/examples.py"
    assert json.loads(examples.FILE.read_text()) == examples.examples(example), rewrite


@pytest.mark.parametrize("name", VIEWS)
async def test_an_example_is_documented_and_answered_over_http(example: Warehouse, name: str) -> None:
    documented = web_shared(example).openapi()["paths"][f"/api/{name}"]["get"]["responses"]["200"]["content"]
    async with client_of(example) as client:
        answer = await client.get(f"/api/{name}?{urlencode(examples.query_of(name))}")
    assert answer.status_code == 200
    assert documented["application/json"]["example"] == examples.cut(answer.json())
    assert documented["text/csv"]


async def test_errors_are_documented_as_they_are(example: Warehouse) -> None:
    described: Any = web_shared(example).openapi()
    for name in VIEWS:
        answers = described["paths"][f"/api/{name}"]["get"]["responses"]
        assert {"200", "304", "422", "503"} <= set(answers), name
        assert ("404" in answers) == (name in ("topic", "talk", "dead_letter"))
    assert set(described["components"]["schemas"]["Problem"]["properties"]) == {"error", "cure"}
    async with client_of(example) as client:
        page = await client.get("/api")
    assert page.status_code == 200
    for name in VIEWS:
        assert f'id="{name}"' in page.text
