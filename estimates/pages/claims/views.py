"""The claims page: what is claimed, our own number with its interval, the verdict; all of it as CSV too."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.models import Vendor
from config.rest.rendering import cell
from estimates.claims.printed import SAID
from estimates.claims.store import answered_claims, claims_with_facts
from estimates.claims.verdict import WORDS
from estimates.pages import finder
from estimates.pages.claims.lines import ClaimLine, line_of
from estimates.pages.claims.question import FIGURES, ClaimsQuestion, read_claims_question
from estimates.pages.question import QuestionError
from estimates.pages.views import is_fragment, readable

#: Stale answers made while the page waits; the others keep their old answer, which the page says.
PAGE_SECONDS: Final = 2.0
CSV_COLUMNS: Final = (
    "slug",
    "subject",
    "quantity",
    "claimed",
    "unit",
    "relation",
    "verdict",
    "off_by",
    "our_value",
    "our_from",
    "our_to",
    "our_low",
    "our_high",
    "grade",
    "over",
    "missing",
    "assumptions",
    "fitted",
    "source",
    "source_url",
    "source_date",
)


@readable
def claims_page(request: HttpRequest) -> HttpResponse:
    """Claims with their verdicts, narrowed as asked; one of them open with all its conditions."""
    found = answered()
    try:
        question = read_claims_question(request.GET, vendors_of(found))
    except QuestionError as error:
        refused = {"problems": error.problems, "home": "explorer:claims"}
        return _page(request, {**refused, "answer_template": "explorer/_refused.html"}, status=400)
    lines = [line for line in found if chosen(line, question, verdict=False)]
    shown = [line for line in lines if not question.verdict or line.verdict == question.verdict]
    counts = Counter(line.verdict for line in lines)
    context = {
        "question": question,
        "lines": shown,
        "counts": [(word, SAID[word], counts[word]) for word in WORDS],
        "total": len(lines),
        "fitted": sum(bool(line.fitted) for line in lines if line.verdict == "agrees"),
        "waiting": claims_with_facts().count() - len(found),
        "stale": sum(line.stale for line in found),
        "figures": FIGURES,
        "vendors": vendor_names(found),
        "answer_template": "explorer/claims/_answer.html",
    }
    response = _page(request, context)
    if is_fragment(request):
        response["HX-Push-Url"] = request.path + question.address()
    return response


def answered() -> list[ClaimLine]:
    """Every claim that has an answer, those of one verdict together, then by subject."""
    rows = claims_with_facts().select_related(
        "accelerator__vendor", "system", "language_model", "answer", "source"
    )
    lines = [line_of(claim, answer) for claim, answer in answered_claims(list(rows), within_s=PAGE_SECONDS)]
    return sorted(lines, key=lambda line: (WORDS.index(line.verdict), line.kind, line.subject, line.slug))  # type: ignore[arg-type]  # a verdict is one of the words


def chosen(line: ClaimLine, question: ClaimsQuestion, *, verdict: bool = True) -> bool:
    return (
        (not verdict or question.verdict in ("", line.verdict))
        and question.figures in ("", line.kind)
        and question.vendor in ("", line.vendor)
    )


def vendors_of(lines: list[ClaimLine]) -> list[str]:
    return sorted({line.vendor for line in lines if line.vendor})


def vendor_names(lines: list[ClaimLine]) -> list[tuple[str, str]]:
    names = Vendor.objects.filter(slug__in=vendors_of(lines)).order_by("name").values_list("slug", "name")
    return list(names)


@readable
def claims_csv(request: HttpRequest) -> HttpResponse:
    """The claims of the page with full figures."""
    rows = claims_with_facts().select_related(
        "accelerator__vendor", "system", "language_model", "answer", "source"
    )
    pairs = answered_claims(list(rows), within_s=PAGE_SECONDS)
    lines = {claim.pk: line_of(claim, answer) for claim, answer in pairs}
    try:
        question = read_claims_question(request.GET, vendors_of(list(lines.values())))
    except QuestionError as error:
        refused = {"problems": error.problems, "home": "explorer:claims"}
        return _page(request, {**refused, "answer_template": "explorer/_refused.html"}, status=400)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="inference-atlas-claims.csv"'
    writer = csv.writer(response)
    writer.writerow(CSV_COLUMNS)
    for claim, answer in pairs:
        if chosen(lines[claim.pk], question):
            row = csv_row(claim, answer)
            writer.writerow([cell(row[name]) for name in CSV_COLUMNS])
    return response


def csv_row(claim: Any, answer: Mapping[str, Any]) -> dict[str, Any]:
    ours = {"our_value": "value", "our_from": "value_from", "our_to": "value_to"}
    ours |= {"our_low": "low", "our_high": "high"}
    return {
        "slug": claim.slug,
        "subject": claim.subject,
        "quantity": claim.quantity,
        "claimed": claim.value,
        "unit": claim.unit,
        "relation": claim.relation,
        **{name: answer[name] for name in ("verdict", "off_by", "grade", "fitted")},
        **{name: answer[key] for name, key in ours.items()},
        "over": "; ".join(f"{name}: {', '.join(values)}" for name, values in answer["over"].items()),
        "missing": "; ".join(answer["missing"]),
        "assumptions": "; ".join(answer["assumptions"]),
        "source": claim.source.title,
        "source_url": claim.source.url,
        "source_date": claim.source_date,
    }


def _page(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    if is_fragment(request):
        part = {**context, "fragment": True}
        return render(request, str(context["answer_template"]), part, status=status)
    whole = {**context, "frame": finder.read_frame(), "here": "claims"}
    return render(request, "explorer/claims/page.html", whole, status=status)
