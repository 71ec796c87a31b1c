"""A real browser against a real server: Chromium driven by Playwright, on a tiny calculated catalogue."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from config.verification import browser as browser_path
from estimates import sweeper
from tests.estimates.conftest import add_quote, build

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; without one the tests are skipped, or fail where `ATLAS_REQUIRE_BROWSER` is set."""
    path = browser_path()
    if path is None:
        reason = "no Chromium is installed (Debian: apt install chromium)"
        if os.environ.get("ATLAS_REQUIRE_BROWSER"):
            pytest.fail(f"{reason}, and ATLAS_REQUIRE_BROWSER forbids leaving the browser tests out")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # Playwright's event loop runs in this thread; Django would refuse the fixtures' queries beside it.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(chromium: Browser, live_server: LiveServer) -> str:
    """Address of a server whose tiny catalogue is calculated; eight H100 cost 24 USD an hour, one 4."""
    tiny = build()
    add_quote(tiny.h100, 8, "24")
    add_quote(tiny.h100, 1, "4")
    sweeper.sweep()
    return str(live_server.url)


@dataclass
class Visit:
    """A page and every complaint of the browser while it was open."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open an address in a context of its own; at the end no page may have complained."""
    visits: list[Visit] = []

    def opened(address: str, **context: object) -> Visit:
        page = chromium.new_context(**context).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(10_000)
        found = Visit(page)

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                found.complaints.append(message.text)

        page.on("console", note)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.add_init_script(REPORT_VIOLATIONS)
        page.goto(address)
        visits.append(found)
        return found

    yield opened
    for found in visits:
        found.page.context.close()
    assert [complaint for found in visits for complaint in found.complaints] == []
