"""Draws docs/page.png: the page of the sample meeting during a search."""

import asyncio
import sys
import tempfile
from pathlib import Path

from helpers.browser import CHROMIUM, NAMES, launched
from helpers.page_samples import sample_page
from playwright.async_api import async_playwright

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "page.png"


async def draw() -> None:
    """Open the page, search for a word, and take the picture."""
    if CHROMIUM is None:
        sys.exit(f"Chromium is missing: install one of {', '.join(NAMES)}.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "meeting.html"
        file.write_text(sample_page(), encoding="utf-8")
        async with async_playwright() as playwright:
            browser = await launched(playwright)
            page = await browser.new_page(viewport={"width": 1200, "height": 960})
            await page.goto(file.as_uri())
            await page.fill("#query", "for")
            await page.locator("h1").click()
            await page.screenshot(path=PICTURE)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(draw())
