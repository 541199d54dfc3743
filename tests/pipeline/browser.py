"""A headless browser, to look at pages with."""

import os
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright


@contextmanager
def chromium():
    """Yield a browser; where there is none, skip, and in continuous integration fail."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        message = "no chromium (Debian's package) to open pages in"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser, file, **context):
    """Yield a page without a network and a list that gathers what it complains of.

    context: as in Playwright.
    """
    with browser.new_context(offline=True, **context) as alone:
        page = alone.new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(file.as_uri())
        yield page, complaints
