"""The scripts that come from others: the files that were built, from the packages that are named."""

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "agents" / "web" / "static" / "vendor"
ABOUT = json.loads((VENDOR / "vendor.json").read_text())


def test_the_files_are_those_that_were_built() -> None:
    built = {path.name for path in VENDOR.glob("*.js")}
    assert built == set(ABOUT["sha256"])
    for name, expected in ABOUT["sha256"].items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == expected, f"{name}: build it anew"


def test_they_are_of_the_versions_that_the_build_asks_for() -> None:
    asked = json.loads((ROOT / "infra" / "web" / "package.json").read_text())["dependencies"]
    built = {each["name"]: each["version"] for each in ABOUT["packages"]}
    assert asked.items() <= built.items()


def test_every_licence_is_passed_on() -> None:
    licences = (VENDOR / "LICENSES.txt").read_text()
    for each in ABOUT["packages"]:
        assert f"# {each['name']} {each['version']} ({each['license']})" in licences


def test_no_script_names_a_place_to_load_more_from() -> None:
    lock = (ROOT / "infra" / "web" / "package-lock.json").read_text()
    assert '"resolved"' not in lock, "npm install --omit-lockfile-registry-resolved"
    for name in ABOUT["sha256"]:
        text = (VENDOR / name).read_text()
        assert "importScripts(" not in text and "cdn." not in text
