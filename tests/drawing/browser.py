"""A headless browser for the tests of pages, which lets no request go out and no error pass."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium: the machine's, or Playwright's own; skip the test where there is none."""
    with sync_playwright() as playwright:
        path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip(f"there is no browser: none of {', '.join(CHROMIUM)}, nor Playwright's own")
        started = _launch(playwright, path)
        yield started
        started.close()


def _launch(playwright: Playwright, path: str | None) -> Browser:
    # A container's user is often root, whom Chromium's sandbox refuses.
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])


class Watched:
    """A tab of a browser, and what went wrong in it."""

    def __init__(self, started: Browser) -> None:
        context = started.new_context()
        self.wrong: list[str] = []
        context.route("**/*", self._watch)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(5000)
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _watch(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.wrong.append(f"request for {route.request.url}")
            route.abort()

    def resize(self, size: str) -> None:
        """Make the tab as large as a kind of screen."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})

    def open(self, path: Path, text: str) -> Page:
        """Write a page into a file and open that."""
        path.write_text(text, encoding="utf-8")
        self.page.goto(path.as_uri())
        return self.page
