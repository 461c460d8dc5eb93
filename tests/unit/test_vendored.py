"""The scripts and fonts that come from others: the files that were built, from the packages named."""

import hashlib
import json
from pathlib import Path

from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "agents" / "web" / "static" / "vendor"
ABOUT = json.loads((VENDOR / "vendor.json").read_text())


def test_the_files_are_those_that_were_built() -> None:
    built = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert built == {*ABOUT["sha256"], "LICENSES.txt", "vendor.json"}
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
    for path in [*VENDOR.glob("*.js"), *VENDOR.glob("*.css")]:
        text = path.read_text()
        assert "importScripts(" not in text and "cdn." not in text
        assert path.suffix != ".css" or "//" not in text


def test_a_font_is_named_by_its_content_because_browsers_keep_it() -> None:
    fonts = {name: sha256 for name, sha256 in ABOUT["sha256"].items() if name.endswith(".woff2")}
    assert len(fonts) == 19
    for name, sha256 in fonts.items():
        assert name.removesuffix(".woff2").endswith(f"-{sha256[:10]}")
    assert set(ABOUT["preload"]) <= set(fonts)


def test_the_makers_of_the_fonts_are_named() -> None:
    licences = (VENDOR / "LICENSES.txt").read_text()
    for path in (VENDOR / "fonts").iterdir():
        assert TTFont(path)["name"].getDebugName(0) in licences, path.name
