"""The compare page in a browser: ticked in the finder, the address holds it, phone, no script, contrast."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_explorer_browser import CONTRAST, PHONE

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
OPTIONS = "&".join(
    f"option=llama-3.1-8b-instruct~{offer}~chat"
    for offer in ("nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8", "nvidia-l40s-x1")
)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_rows_ticked_in_the_finder_are_compared(site: str, visit: Open, script: bool) -> None:
    page = visit(site + "/?model=llama-3.1-8b-instruct", java_script_enabled=script).page
    boxes = page.locator("#ranking input[name=option]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.locator("#ranking tr.open")).to_have_count(0)  # a tick opens no row
    page.get_by_role("button", name="Compare ticked rows").click()
    expect(page).to_have_url(re.compile(r"/compare/\?.*option=.*option="))
    expect(page.locator("#sides thead th[scope=col]")).to_have_count(3)
    expect(page.locator("#causes .stack-bar rect").first).to_be_visible()


def test_another_metric_and_baseline_are_in_the_address(site: str, visit: Open) -> None:
    page = visit(f"{site}/compare/?{OPTIONS}").page
    page.locator("#causes").get_by_role("link", name="TPOT").click()
    expect(page).to_have_url(re.compile("metric=tpot_ms"))
    page.get_by_role("link", name="make baseline").first.click()
    expect(page).to_have_url(re.compile("baseline=1"))
    expect(page.locator("#sides .base")).to_contain_text("8×")
    page.get_by_role("link", name="remove").first.click()
    expect(page.locator("#sides thead th[scope=col]")).to_have_count(3)


def test_an_option_is_added_by_the_form(site: str, visit: Open) -> None:
    page = visit(f"{site}/compare/").page
    for offer in ("nvidia-h100-sxm-x1", "nvidia-l40s-x1"):
        page.locator("input[name=add_offer]").fill(offer)
        page.get_by_role("button", name="Compare").click()
    expect(page.locator("#sides thead th[scope=col]")).to_have_count(3)


def test_nothing_scrolls_sideways(site: str, visit: Open) -> None:
    for width in (390, 860, 1280, 1800):
        screen = PHONE if width == 390 else {"viewport": {"width": width, "height": 900}}
        found = visit(f"{site}/compare/", **screen)
        for query in ("", f"?{OPTIONS}", "?option=x"):
            found.page.goto(f"{site}/compare/{query}")
            assert found.page.evaluate("document.documentElement.scrollWidth") <= width, (width, query)
        found.complaints = [text for text in found.complaints if "400" not in text]


def test_text_keeps_its_contrast_in_light_and_dark(site: str, visit: Open) -> None:
    for scheme in ("light", "dark"):
        page = visit(f"{site}/compare/?{OPTIONS}", color_scheme=scheme).page
        page.locator("details.same summary").click()
        ratios = page.evaluate(CONTRAST)
        assert {look: ratio for look, ratio in ratios.items() if ratio < 4.5} == {}, scheme
