"""The explorer in a browser: the address holds the state, light, dark, phone, no script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MODEL = "/?model=llama-3.1-8b-instruct"

Open = Callable[..., Visit]


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_row_opens_in_place_and_closes_again(site: str, visit: Open) -> None:
    page = visit(site + MODEL).page
    link = page.locator("#nvidia-h100-sxm-x8 a.opens")
    link.click()
    sheet = page.locator("#d-nvidia-h100-sxm-x8")
    expect(sheet).to_contain_text("Memory of the fullest chip")
    expect(sheet).to_contain_text("Facts it rests on")
    expect(link).to_have_attribute("aria-expanded", "true")
    expect(page).to_have_url(re.compile("open=nvidia-h100-sxm-x8"))
    link.press("Enter")
    expect(sheet).to_have_count(0)
    expect(link).to_have_attribute("aria-expanded", "false")


def test_an_opened_row_draws_its_load_when_it_comes_into_view(site: str, visit: Open) -> None:
    page = visit(site + MODEL).page
    page.locator("#nvidia-h100-sxm-x8 a.opens").click()
    load = page.locator("#d-nvidia-h100-sxm-x8 .under-load")
    load.scroll_into_view_if_needed()
    expect(load.locator("svg.load")).to_have_count(4)
    load.locator("summary").first.click()
    expect(load.locator("table").first).to_contain_text("saturated")
    assert has_no_sideways_scroll(page)


def test_without_a_script_the_load_of_a_row_is_a_page(site: str, visit: Open) -> None:
    page = visit(site + MODEL + "&open=nvidia-h100-sxm-x1", java_script_enabled=False).page
    page.locator(".under-load a").click()
    expect(page.locator("h1")).to_contain_text("under load")
    expect(page.locator("svg.load")).to_have_count(4)


def test_an_address_with_an_open_row_opens_it(site: str, visit: Open) -> None:
    page = visit(site + MODEL + "&open=nvidia-h100-sxm-x1").page
    expect(page.locator("#d-nvidia-h100-sxm-x1")).to_be_visible()


def test_a_changed_control_answers_in_place_and_changes_the_address(site: str, visit: Open) -> None:
    page = visit(site + MODEL).page
    page.evaluate("window.stayed = true")
    page.locator("select[name=order]").select_option("speed")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Speed")
    page.locator("input[name=chips]").fill("1")
    page.locator("input[name=chips]").press("Enter")
    expect(page.locator("#nvidia-h100-sxm-x8")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/\?model=llama-3.1-8b-instruct&workload=chat&chips=1&order=speed$"))
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(page.locator("input[name=chips]")).to_have_value("1")
    expect(page.locator("#nvidia-h100-sxm-x8")).to_have_count(0)


def test_back_returns_to_the_question_before(site: str, visit: Open) -> None:
    page = visit(site + MODEL).page
    page.locator("input[name=chips]").fill("1")
    page.locator("input[name=chips]").press("Enter")
    expect(page.locator("#nvidia-h100-sxm-x8")).to_have_count(0)
    page.go_back()
    expect(page.locator("#nvidia-h100-sxm-x8")).to_be_visible()
    expect(page.locator("input[name=chips]")).to_have_value("")


def test_a_mistake_is_said_in_place(site: str, visit: Open) -> None:
    found = visit(site + MODEL)
    found.page.locator("input[name=users]").fill("many")
    found.page.locator("input[name=users]").press("Enter")
    expect(found.page.get_by_role("alert")).to_contain_text("“many” is not a whole number above zero")
    found.complaints = [text for text in found.complaints if "400" not in text]  # the browser's note of it


def test_vendors_are_chosen_in_the_sentence(site: str, visit: Open) -> None:
    page = visit(site + MODEL).page
    page.locator("details.pick summary").click()
    page.get_by_role("checkbox", name="NVIDIA", exact=True).check()
    expect(page.locator("details.pick summary")).to_have_text("NVIDIA")
    expect(page).to_have_url(re.compile("vendor=nvidia"))
    page.keyboard.press("Escape")
    expect(page.locator("details.pick")).not_to_have_attribute("open", "")


def test_the_toggle_turns_dark_and_the_choice_lasts(site: str, visit: Open) -> None:
    page = visit(site + MODEL, color_scheme="light").page
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_the_system_decides_between_light_and_dark_until_one_is_chosen(site: str, visit: Open) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = visit(site + MODEL, color_scheme="light").page.evaluate(ground)
    dark = visit(site + MODEL, color_scheme="dark").page.evaluate(ground)
    assert light != dark


@pytest.mark.parametrize("query", ["", "&open=nvidia-h100-sxm-x8", "&unfit=1", "&tpot=0.001"])
@pytest.mark.parametrize(
    "screen", [PHONE, {"viewport": {"width": 1600, "height": 900}}], ids=["phone", "wide"]
)
def test_nothing_scrolls_sideways(site: str, visit: Open, screen: dict[str, object], query: str) -> None:
    page = visit(site + MODEL + query, **screen).page
    assert has_no_sideways_scroll(page)


def test_a_row_and_its_point_mark_each_other(site: str, visit: Open) -> None:
    page = visit(site + MODEL).page
    page.locator("#nvidia-h100-sxm-x8 td.deployment").hover()
    expect(page.locator(".pt.marked").first).to_have_attribute("data-key", "nvidia-h100-sxm-x8")
    page.locator('.pt[data-key="nvidia-h100-sxm-x1"]:not(.other)').focus()
    expect(page.locator("tr.marked")).to_have_id("nvidia-h100-sxm-x1")
    expect(page.locator("#readout")).to_contain_text("tokens/s per user")


def test_the_zoomed_chart_draws_the_same_points_within_the_content_policy(site: str, visit: Open) -> None:
    page = visit(site + MODEL).page
    page.locator("#zoom").click()
    expect(page.locator("#zoomed canvas").first).to_be_visible()
    drawn = page.evaluate(
        "echarts.getInstanceByDom(document.getElementById('zoomed')).getOption().series[2].data.length"
    )
    assert drawn == page.locator(".pt").count()
    page.locator("#zoom").click()
    expect(page.locator("#chart .field")).to_be_visible()


def test_all_is_there_without_a_script(site: str, visit: Open) -> None:
    page = visit(site + MODEL, java_script_enabled=False).page
    expect(page.locator("#ranking tbody tr")).to_have_count(3)
    expect(page.locator("#chart .pt").first).to_be_visible()
    expect(page.locator("#theme")).to_be_hidden()
    page.locator("input[name=chips]").fill("1")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator("#ranking tbody tr")).to_have_count(2)
    page.locator("#nvidia-h100-sxm-x1 a.opens").click()
    expect(page.locator("#d-nvidia-h100-sxm-x1")).to_contain_text("Formulas, with their numbers")


def test_text_keeps_its_contrast_in_light_and_dark(site: str, visit: Open) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 at least, on the colours that the browser computes for each look of text."""
    for scheme in ("light", "dark"):
        page = visit(site + MODEL + "&open=nvidia-h100-sxm-x8&unfit=1", color_scheme=scheme).page
        ratios = page.evaluate(CONTRAST)
        assert {look: ratio for look, ratio in ratios.items() if ratio < 4.5} == {}, scheme


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const bytes = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = bytes(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return bytes("white");
  };
  const ratios = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("symbol, option, title")) continue;
    const svg = element.closest("svg");
    const style = getComputedStyle(element);
    const [a, b] = [luminance(bytes(svg ? style.fill : style.color)), luminance(ground(element))];
    const name = (node) => `${node.tagName}.${node.getAttribute("class") ?? ""}`;
    const look = `${name(element)} in ${name(element.parentElement)}`;
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    ratios[look] = Math.min(ratios[look] ?? 99, Math.round(ratio * 100) / 100);
  }
  return ratios;
}"""
