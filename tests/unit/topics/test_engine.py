"""BERTopic is imported without its unused parts; a BERTopic with another structure fails here."""

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from models.errors import ModelUnavailable
from models.topics.online.bertopic_adapter import LEFT_OUT, ON_FIRST_USE, UNUSED
from tests.processes import ROOT

CHANGED = "BERTopic is built otherwise than models/topics/online/bertopic_adapter.py expects: "


def of_a_new_process(program: str) -> Any:
    """Run a program in a new process and return the last line it prints, parsed as JSON."""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.long
def test_learning_imports_no_package_that_is_not_used() -> None:
    imported = of_a_new_process("""
import json, sys
from tests.unit.topics.made_up_talks import model, talk
topics = model("bread")
topics.learn(talk(0, ["bread", "bees"]))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
""")
    assert "bertopic" in imported
    unused = sorted(set(imported) & set(UNUSED))
    assert not unused, f"{CHANGED}it imports {unused}; find where, and add that part to LEFT_OUT"


@pytest.mark.parametrize("name", sorted((LEFT_OUT | ON_FIRST_USE) - {"hdbscan"}))
def test_every_part_that_is_left_out_is_a_part_of_bertopic(name: str) -> None:
    assert find_spec(name) is not None, f"{CHANGED}it has no {name} any more; take it out of the list"


@pytest.mark.long
def test_what_draws_is_run_by_whoever_draws() -> None:
    before, after, drawn = of_a_new_process("""
import json, sys
from models.topics.online.bertopic_adapter import BERTopic
from bertopic import plotting
before = "plotly" in sys.modules
plot = plotting.visualize_barchart
print(json.dumps([before, "plotly" in sys.modules, plot.__module__]))
""")
    assert (before, after) == (False, True), f"{CHANGED}its plots are not in bertopic.plotting"
    assert drawn == "bertopic.plotting._barchart"


@pytest.mark.long
def test_others_import_what_bertopic_is_not_given() -> None:
    hidden = of_a_new_process("""
import json, sys
import models.topics.online.bertopic_adapter
import hdbscan
print(json.dumps([name for name, module in sys.modules.items() if module is None]))
""")
    assert hidden == []  # neither hdbscan nor another package is marked as missing for anybody else


def test_bertopic_waits_while_another_thread_imports_torch() -> None:
    """Both at once, and one of them may get half a module."""
    meanwhile, after = of_a_new_process("""
import importlib, json, sys, threading
from models.loading.import_lock import one_at_a_time
importing = threading.Thread(target=importlib.import_module, args=("models.topics.online.bertopic_adapter",))
with one_at_a_time():  # as models.embedding.embedder does around torch and sentence-transformers
    importing.start()
    importing.join(1.0)
    meanwhile = "bertopic" in sys.modules
importing.join()
print(json.dumps([meanwhile, "bertopic" in sys.modules]))
""")
    assert (meanwhile, after) == (False, True)


@pytest.mark.long
def test_agents_that_share_an_embedder_load_it_once_and_whole() -> None:
    """Each agent works in a thread of its own, and BERTopic is imported in another."""
    shapes, models = of_a_new_process("""
import importlib, json, threading
from concurrent.futures import ThreadPoolExecutor
import platformdirs
from models.embedding.embedder import Embedder
from models.bundled_models import prepare
folder = prepare(platformdirs.user_cache_path("groundswell") / "models").embedding
embedder, start = Embedder(folder, "cpu", 1, max_tokens=300), threading.Barrier(4)
loaded = []
def embed(text):
    start.wait()
    shape = embedder.embed([text]).shape
    loaded.append(id(embedder._model))
    return shape
def bertopic():
    start.wait()
    importlib.import_module("models.topics.online.bertopic_adapter")
with ThreadPoolExecutor(4) as pool:
    engine = pool.submit(bertopic)
    shapes = list(pool.map(embed, ["one", "two", "three"]))
    engine.result()
print(json.dumps([shapes, len(set(loaded))]))
""")
    assert shapes == [[1, 384]] * 3
    assert models == 1


def test_a_bertopic_without_what_is_used_is_refused() -> None:
    from models.topics.online import bertopic_adapter

    bertopic_adapter.check()
    lacking = {"_top_n_idx_of_next_year": bertopic_adapter.BERTopic}
    with pytest.raises(ModelUnavailable, match="has no _top_n_idx_of_next_year, sizes_of_next_year, which"):
        bertopic_adapter.check(lacking, ["topics_", "sizes_of_next_year"])
