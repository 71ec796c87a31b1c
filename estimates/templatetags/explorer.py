"""Template tags of the explorer: glyphs, grades, and addresses that keep the rest of the question."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from estimates.pages import finder
from estimates.pages.question import Question
from estimates.pages.table import GRADES

register = template.Library()

register.filter("workload_label", finder.workload_label)


@register.simple_tag
def address(question: Question, **changes: object) -> str:
    """The page's query string with some parts changed."""
    return question.address(**changes)


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
