"""The Chromium of this machine, for tests and pictures of the page."""

import os
import shutil

from playwright.async_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


async def launched(playwright: Playwright) -> Browser:
    """Start Chromium, whose sandbox refuses to run as root."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
