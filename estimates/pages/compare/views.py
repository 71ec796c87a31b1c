"""The compare page: options side by side, differences first, causes as stacked bars; both as CSV."""

from __future__ import annotations

import csv
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from catalog.models import Offer
from config.rest.rendering import cell
from estimates.comparison.compare import FEWEST_OPTIONS, MOST_OPTIONS, Comparison, compare
from estimates.comparison.options import answer_options, read_options
from estimates.pages import finder
from estimates.pages.compare import bars, tables
from estimates.pages.compare.question import (
    BASES,
    SEPARATOR,
    CompareQuestion,
    option_question,
    problem_of,
    read_compare_question,
)
from estimates.pages.question import Problem, QuestionError
from estimates.pages.views import is_fragment, readable
from estimates.what_if import InvalidQuestion

CSV_TABLES = {"sides": tables.side_rows, "causes": tables.share_rows}


@readable
def compare_page(request: HttpRequest) -> HttpResponse:
    """The page whole, or its answer alone where a script asks."""
    try:
        question, added = read_compare_question(request.GET)
        if added:
            return redirect(reverse("explorer:compare") + question.address())
        if len(question.option) < FEWEST_OPTIONS:
            return _page(request, question, {"answer_template": "explorer/compare/_few.html"})
        comparison = compared(question)
    except QuestionError as error:
        refused: dict[str, Any] = {
            "problems": error.problems,
            "answer_template": "explorer/_refused.html",
            "home": "explorer:compare",
        }
        return _page(request, CompareQuestion(), refused, status=400)
    words = tables.METRIC_WORDS[question.metric]
    differing = [line for line in comparison.lines if line.differs]
    same = [line for line in comparison.lines if not line.differs]
    context: dict[str, Any] = {
        "heads": tables.heads(comparison, question),
        "baseline": comparison.options[comparison.baseline].asked.label,
        "answers": tables.answer_rows(comparison),
        "differences": tables.input_rows(differing, comparison),
        "same": tables.input_rows(same, comparison),
        "chart": bars.chart(comparison, question.metric),
        "causes": bars.cause_rows(comparison, question.metric),
        "metric_name": words[0],
        "metric_better": words[3],
        "metrics": [(name, text[1]) for name, text in tables.METRIC_WORDS.items()],
        "answer_template": "explorer/compare/_answer.html",
    }
    return _page(request, question, context)


def compared(question: CompareQuestion) -> Comparison:
    """The comparison that the page shows. Raises QuestionError."""
    given = []
    shared = {text.split(SEPARATOR)[0] for text in question.option}
    offers = [text.split(SEPARATOR)[1] for text in question.option]
    for text in question.option:
        model, offer, *_ = text.split(SEPARATOR)
        label = offer if len(shared) == 1 else f"{model} on {offer}"
        if offers.count(offer) > 1 and len(shared) == 1:
            rest = text.split(SEPARATOR)[2:]
            label = f"{offer} ({', '.join(rest)})"
        given.append(option_question(text, question.basis) | {"label": label[:80]})
    try:
        return compare(answer_options(read_options(given)), question.baseline)
    except InvalidQuestion as error:
        raise QuestionError([problem_of(fault) for fault in error.faults]) from None


@readable
def compare_csv(request: HttpRequest) -> HttpResponse:
    """The table or the causes with full figures; `table` names which."""
    given = request.GET.copy()
    name = (given.pop("table", ["sides"]) or ["sides"])[-1]
    try:
        if name not in CSV_TABLES:
            raise QuestionError([Problem("table", f"“{name[:60]}” is not known", tuple(CSV_TABLES))])
        question, _ = read_compare_question(given)
        if len(question.option) < FEWEST_OPTIONS:
            raise QuestionError(
                [Problem("option", "there are too few", (f"{FEWEST_OPTIONS} to {MOST_OPTIONS}",))]
            )
        comparison = compared(question)
    except QuestionError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="inference-atlas-compare-{name}.csv"'
    csv.writer(response).writerows([cell(value) for value in row] for row in CSV_TABLES[name](comparison))
    return response


def _page(
    request: HttpRequest, question: CompareQuestion, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    catalogue = finder.read_catalogue()
    first = question.option[0].split(SEPARATOR) if question.option else []
    vocabulary = catalogue.vocabulary
    context = {
        "question": question,
        "catalogue": catalogue,
        "bases": BASES,
        "offers": Offer.objects.filter(retired=False).order_by("slug").values_list("slug", flat=True),
        "add_model": first[0] if first else vocabulary.default_model,
        "add_workload": first[2] if first else vocabulary.default_workload,
        "most": MOST_OPTIONS,
        **context,
    }
    if is_fragment(request):
        return render(request, str(context["answer_template"]), context | {"fragment": True}, status=status)
    whole = context | {"frame": finder.read_frame(), "here": "compare"}
    return render(request, "explorer/compare/page.html", whole, status=status)
