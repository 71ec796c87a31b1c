"""Template tags of the explorer: glyphs, grades, and addresses that keep the rest of the question."""

import re

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from estimates.claims.printed import SAID
from estimates.pages import finder
from estimates.pages.accuracy.question import AccuracyQuestion
from estimates.pages.claims.question import ClaimsQuestion
from estimates.pages.compare.question import option_text
from estimates.pages.numbers import FIGURE_SPACE, PUNCTUATION_SPACE, significant
from estimates.pages.question import Question
from estimates.pages.search.question import SearchPageQuestion
from estimates.pages.table import GRADES
from estimates.ranking import Answer

register = template.Library()

REPOSITORY_FILE = re.compile(r"^github:([\w.-]+/[\w.-]+)@([0-9a-f]{7,40}):([^\s()]+)$")

register.filter("workload_label", finder.workload_label)


@register.simple_tag
def address(question: Question | AccuracyQuestion | SearchPageQuestion, **changes: object) -> str:
    """The page's query string with some parts changed."""
    return question.address(**changes)


@register.simple_tag
def with_filter(question: AccuracyQuestion, value: str) -> str:
    """The accuracy page narrowed to one slice, or widened again where it is narrowed to it already."""
    chosen = "" if getattr(question, question.by) == value else value
    return question.address(**{question.by: chosen, "rows": ""})


@register.simple_tag
def table_address(question: AccuracyQuestion, table: str) -> str:
    """The query string of a table of the accuracy page as CSV."""
    query = question.address()
    return f"{query}&table={table}" if len(query) > 1 else f"?table={table}"


@register.simple_tag
def claims_address(question: ClaimsQuestion, **changes: object) -> str:
    """The claims page with some parts of its question changed."""
    return question.address(**changes)


@register.simple_tag
def verdict_word(verdict: str) -> str:
    return SAID[verdict]


@register.simple_tag
def compare_option(question: Question, answer: Answer) -> str:
    """A row of the finder as an option of the compare page: the very deployment that it shows."""
    parts = {
        "weights": answer.weight_format,
        "kv": answer.kv_format,
        **{name: getattr(answer, name) for name in ("tp", "pp", "ep", "dp", "replicas", "concurrency")},
    }
    return option_text(question.model, answer.offer, question.workload, parts)


@register.simple_tag
def search_address(question: Question) -> str:
    """The finder's question as the search page takes it: load, limits, prices and hardware."""
    carried = {
        name: getattr(question, name)
        for name in ("model", "workload", "users", "tpot", "ttft", "basis", "region", "vendor", "chips")
    }
    segment = (question.segment,) if question.segment else ()
    return SearchPageQuestion(**carried, segment=segment).address()


@register.simple_tag
def any_vendor(question: Question | SearchPageQuestion) -> str:
    return question.address(vendor=())


@register.simple_tag
def limit_glyph(limit: str) -> SafeString | str:
    """The glyph of a limit, the same everywhere; its name is read out and shown on focus."""
    if not limit:
        return ""
    return format_html(
        '<svg class="glyph limit-{0}" role="img" aria-label="{0}"><title>bound by {0}</title>'
        '<use href="#glyph-{0}"/></svg>',
        limit,
    )


@register.simple_tag
def grade(letter: str) -> SafeString | str:
    """A grade as a letter in a shape of its own."""
    if letter not in GRADES:
        return ""
    return format_html(
        '<svg class="grade" role="img" aria-label="grade {0}: {1}"><title>{0}: {1}</title>'
        '<use href="#grade-{0}"/></svg>',
        letter,
        GRADES[letter],
    )


@register.simple_tag
def source(title: str | None, url: str | None) -> SafeString | str:
    """A source by its title, linked where it has an address on the web."""
    title, address = title or "", web_address(url or "")
    if address:
        return format_html('<a href="{}" rel="noreferrer" title="{}">{}</a>', address, url, title or url)
    return ", ".join(part for part in (title, url) if part) or "none stated"


def web_address(url: str) -> str:
    """An address that a browser opens: as it is, or a file of a repository at a commit; else empty."""
    if url.startswith(("http://", "https://")):
        return url
    found = REPOSITORY_FILE.match(url)
    return "https://github.com/{}/blob/{}/{}".format(*found.groups()) if found else ""


@register.filter
def plain(value: float | None) -> str:
    """A number as it would be typed, nothing where there is none."""
    return "" if value is None else f"{value:.10g}"


@register.filter
def exact(value: float | None) -> str:
    """Six significant digits for scripts; - where unknown."""
    return "-" if value is None else f"{value:.6g}"


@register.filter
def three(value: float) -> str:
    return significant(value)


@register.filter
def money(value: float) -> str:
    return f"{value:,.2f}"


@register.filter
def strip(text: str) -> str:
    """Without the spaces that align a column."""
    return text.strip(FIGURE_SPACE + PUNCTUATION_SPACE)


@register.filter
def underscored(text: str) -> str:
    return text.replace("_", " ")
