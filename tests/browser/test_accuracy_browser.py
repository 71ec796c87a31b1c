"""The accuracy page in a browser: the plot, the address that holds the state, phone, no script."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_explorer_browser import CONTRAST, PHONE
from tests.measured_runs import add_runs

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("calibrated")]

Open = Callable[..., Visit]
DRAWN = "#plot .frame[data-drawn]"
SERIES = "echarts.getInstanceByDom(document.querySelector('#plot .zoomed')).getOption().series"


def points_drawn(page: Page) -> int:
    expect(page.locator(DRAWN)).to_be_visible()
    return int(
        page.evaluate(f"{SERIES}.filter(s => s.type === 'scatter').reduce((n, s) => n + s.data.length, 0)")
    )


def test_the_plot_draws_every_point_within_the_content_policy(site: str, visit: Open) -> None:
    page = visit(site + "/accuracy/?fold=rows").page
    assert points_drawn(page) == 4
    expect(page.locator("#plot canvas").first).to_be_visible()


def test_a_changed_control_answers_in_place_and_changes_the_address(site: str, visit: Open) -> None:
    page = visit(site + "/accuracy/").page
    page.evaluate("window.stayed = true")
    page.locator("select[name=fold]").select_option("rows")
    expect(page).to_have_url(re.compile(r"/accuracy/\?fold=rows$"))
    page.locator("select[name=software]").select_option("sglang")
    expect(page).to_have_url(re.compile(r"fold=rows&software=sglang"))
    expect(page.locator("#plot .frame")).to_have_attribute("data-drawn", "1")
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(page.locator("select[name=software]")).to_have_value("sglang")


def test_a_slice_narrows_the_page_to_itself(site: str, visit: Open) -> None:
    page = visit(site + "/accuracy/?fold=rows&by=software").page
    page.locator(".slices").get_by_role("link", name="SGLang").click()
    expect(page).to_have_url(re.compile("software=sglang"))
    expect(page.locator(".slices tbody tr")).to_have_count(1)


def test_the_plot_is_there_without_a_script(site: str, visit: Open) -> None:
    page = visit(site + "/accuracy/?fold=rows", java_script_enabled=False).page
    expect(page.locator("#plot .points.tier-measured")).to_be_visible()
    page.locator("select[name=by]").select_option("software")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".slices tbody tr")).to_have_count(2)


def test_nothing_scrolls_sideways(site: str, visit: Open) -> None:
    for width in (390, 860, 1280, 1800):
        screen = PHONE if width == 390 else {"viewport": {"width": width, "height": 900}}
        found = visit(f"{site}/accuracy/", **screen)
        for query in ("", "?fold=rows&by=model", "?metric=ttft_ms&software=sglang", "?metric=x"):
            found.page.goto(f"{site}/accuracy/{query}")
            assert found.page.evaluate("document.documentElement.scrollWidth") <= width, (width, query)
        found.complaints = [text for text in found.complaints if "400" not in text]


def test_text_keeps_its_contrast_in_light_and_dark(site: str, visit: Open) -> None:
    for scheme in ("light", "dark"):
        page = visit(site + "/accuracy/", color_scheme=scheme).page
        page.locator("details.runs summary").click()
        ratios = page.evaluate(CONTRAST)
        assert {look: ratio for look, ratio in ratios.items() if ratio < 4.5} == {}, scheme


def test_an_opened_row_leads_to_its_slice(site: str, visit: Open, calibrated: Path) -> None:
    add_runs()
    page = visit(site + "/?model=llama-3.1-8b-instruct&open=nvidia-h100-sxm-x1").page
    sheet = page.locator("#d-nvidia-h100-sxm-x1")
    expect(sheet).to_contain_text("Nearest measurements")
    sheet.get_by_role("link", name="TPOT").first.click()
    expect(page).to_have_url(re.compile(r"/accuracy/\?metric=tpot_ms"))
    expect(page.locator("#plot")).to_be_visible()
