"""The search page in a browser: the address holds the question; both charts, keyboard, phone, no script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_explorer_browser import CONTRAST, PHONE

pytestmark = pytest.mark.browser

SEARCH = "/search/?model=llama-3.1-8b-instruct&users=100"
QUERIES = ["", "&sizes=all", "&out=price", "&tpot=0.001&basis=none", "&isl=8000&watts=9000", "&as_of=x"]

Open = Callable[..., Visit]


def ranked(page: Page) -> list[str]:
    """Offers of the ranked rows, in their order."""
    return [row.get_attribute("id") or "" for row in page.locator("#deployments tbody tr").all()]


def without_refusals(found: Visit) -> None:
    """A refused question is a 400, which the browser notes by itself."""
    found.complaints = [text for text in found.complaints if "400" not in text]


def test_a_changed_control_answers_in_place_and_changes_the_address(site: str, visit: Open) -> None:
    page = visit(site + SEARCH + "&sizes=all").page
    page.evaluate("window.stayed = true")
    assert set(ranked(page)) == {"nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8"}
    page.locator(".bounds summary").click()
    page.locator("input[name=chips]").fill("4")
    page.locator("input[name=chips]").press("Enter")
    expect(page.locator("#deployments tbody tr")).to_have_count(1)
    expect(page).to_have_url(
        re.compile(r"/search/\?model=llama-3.1-8b-instruct&workload=chat&users=100&chips=4&sizes=all$")
    )
    page.locator("select[name=objective]").select_option("speed_per_user")
    expect(page.locator(".verdict")).to_contain_text("First by tokens/s per user")
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(page.locator("select[name=objective]")).to_have_value("speed_per_user")
    assert ranked(page) == ["nvidia-h100-sxm-x1"]


def test_a_ticked_box_narrows_the_answer(site: str, visit: Open) -> None:
    page = visit(site + SEARCH).page
    page.locator(".bounds summary").click()
    page.get_by_role("checkbox", name="int4").check()
    expect(page.locator("#deployments .deployment").first).to_contain_text("int4")
    expect(page).to_have_url(re.compile("formats=int4"))


def test_requests_a_second_take_the_place_of_users(site: str, visit: Open) -> None:
    page = visit(site + SEARCH).page
    page.locator("input[name=rate]").fill("3")
    page.locator("input[name=rate]").press("Enter")
    expect(page.locator(".verdict")).to_contain_text("3 requests a second")
    expect(page.locator("input[name=users]")).to_have_value("")
    page.locator("input[name=users]").fill("50")
    page.locator("input[name=users]").press("Enter")
    expect(page.locator(".verdict")).to_contain_text("50 users at once")
    expect(page.locator("input[name=rate]")).to_have_value("")


def test_back_returns_to_the_question_before(site: str, visit: Open) -> None:
    page = visit(site + SEARCH).page
    page.locator("input[name=users]").fill("7")
    page.locator("input[name=users]").press("Enter")
    expect(page.locator(".verdict")).to_contain_text("7 users at once")
    page.go_back()
    expect(page.locator(".verdict")).to_contain_text("100 users at once")
    expect(page.locator("input[name=users]")).to_have_value("100")


def test_a_mistake_is_said_in_place_and_keeps_the_form(site: str, visit: Open) -> None:
    found = visit(site + SEARCH)
    found.page.locator("input[name=users]").fill("many")
    found.page.locator("input[name=users]").press("Enter")
    expect(found.page.get_by_role("alert")).to_contain_text("“many” is not a whole number above zero")
    expect(found.page.locator("select[name=model]")).to_have_value("llama-3.1-8b-instruct")
    without_refusals(found)


def test_a_row_marks_its_points_in_both_charts_and_a_point_its_row(site: str, visit: Open) -> None:
    page = visit(site + SEARCH + "&sizes=all").page
    page.locator("#nvidia-h100-sxm-x8 td.needed").hover()
    for chart in ("#front-cost", "#front-chip"):
        marked = page.locator(f"{chart} .pt.marked")
        assert marked.count() >= 1
        assert {point.get_attribute("data-key") for point in marked.all()} == {"nvidia-h100-sxm-x8"}
    page.mouse.move(0, 0)
    page.locator('#front-chip .pt[data-key="nvidia-h100-sxm-x1"]:not(.other)').focus()
    expect(page.locator("tr.marked")).to_have_id("nvidia-h100-sxm-x1")


def test_a_point_leads_to_its_row_even_where_that_is_folded_away(site: str, visit: Open) -> None:
    page = visit(site + SEARCH).page
    shown = ranked(page)
    assert len(shown) == 1
    folded = ({"nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8"} - set(shown)).pop()
    point = page.locator(f'.pt[data-key="{shown[0]}"]:not(.other)').first
    point.focus()
    page.keyboard.press("Enter")
    expect(page.locator("tr:focus")).to_have_id(shown[0])
    page.locator(f'.pt[data-key="{folded}"]').first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"sizes=all&rows=all#{folded}$"))
    expect(page.locator(f"tr#{folded}")).to_be_visible()


def test_the_keyboard_reaches_the_answer_and_every_reason(site: str, visit: Open) -> None:
    page = visit(site + SEARCH + "&basis=none").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator(".bounds summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Watts")).to_be_visible()
    reason = page.locator("#deployments .usd .dash").first
    reason.focus()
    shown = reason.evaluate("(element) => getComputedStyle(element, '::after').content")
    assert "no price on these terms" in shown


def test_ticked_rows_are_compared(site: str, visit: Open) -> None:
    page = visit(site + SEARCH + "&sizes=all").page
    for box in page.locator('input[name="option"]').all():
        box.check()
    page.get_by_role("button", name="Compare ticked rows").click()
    expect(page).to_have_url(re.compile(r"/compare/\?"))
    assert page.url.count("option=") == 2


def test_what_is_out_opens_at_its_place(site: str, visit: Open) -> None:
    page = visit(site + SEARCH).page
    page.get_by_role("link", name="1 without a price").click()
    expect(page.locator("#out table")).to_contain_text("1× nvidia-l40s")
    expect(page).to_have_url(re.compile("out=price#out$"))


def test_all_is_there_without_a_script(site: str, visit: Open) -> None:
    page = visit(site + SEARCH, java_script_enabled=False).page
    expect(page.locator("#front-cost .pt").first).to_be_visible()
    expect(page.locator("#deployments tbody tr")).to_have_count(1)
    page.locator(".bounds summary").click()
    page.locator("input[name=chips]").fill("4")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile("chips=4"))
    assert ranked(page) == ["nvidia-h100-sxm-x1"]
    expect(page.locator(".bounds summary")).to_contain_text("at most 4 chips")


def test_nothing_scrolls_sideways(site: str, visit: Open) -> None:
    for width in (390, 860, 1280, 1880):
        screen = PHONE if width == 390 else {"viewport": {"width": width, "height": 900}}
        found = visit(f"{site}{SEARCH}", **screen)
        for query in QUERIES:
            found.page.goto(site + SEARCH + query)
            found.page.locator(".bounds").evaluate("(bounds) => { bounds.open = true }")
            assert found.page.evaluate("document.documentElement.scrollWidth") <= width, (width, query)
        without_refusals(found)


def test_the_whole_table_is_seen_on_a_common_screen(site: str, visit: Open) -> None:
    page = visit(site + SEARCH + "&sizes=all", viewport={"width": 1280, "height": 900}).page
    assert page.evaluate("(box => box.scrollWidth <= box.clientWidth)(document.querySelector('.wide-table'))")


def test_text_keeps_its_contrast_in_light_and_dark(site: str, visit: Open) -> None:
    for scheme in ("light", "dark"):
        page = visit(site + SEARCH + "&out=price&tpot=10", color_scheme=scheme).page
        page.locator(".bounds summary").click()
        ratios = page.evaluate(CONTRAST)
        assert {look: ratio for look, ratio in ratios.items() if ratio < 4.5} == {}, scheme
