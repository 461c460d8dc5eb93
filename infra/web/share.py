#!/usr/bin/env python3
"""Draws agents/web/static/share.png, the picture that a shared link shows, from share.html beside it.

python infra/web/share.py    needs Chromium and the development tools
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
PICTURE = HERE.parents[1] / "agents" / "web" / "static" / "share.png"
CHROMIUM = "/usr/bin/chromium"


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        page.goto((HERE / "share.html").as_uri())
        page.evaluate("document.fonts.ready")
        if page.evaluate("[...document.fonts].filter(font => font.status === 'loaded').length") != 2:
            raise SystemExit("the fonts were not loaded: build static/vendor first (infra/web/build.mjs)")
        page.screenshot(path=PICTURE)
        browser.close()
    print(f"{PICTURE.name}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
