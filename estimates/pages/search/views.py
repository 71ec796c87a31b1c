"""The search page: deployments that carry a load within limits, both fronts, who is out; all as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from catalog.models import Accelerator, LanguageModel, Provider, Workload
from catalog.models.accelerators import AcceleratorKind, Segment, Status
from config.rest.rendering import cell
from estimates.core.demand import AT
from estimates.pages import finder
from estimates.pages.places import place_name
from estimates.pages.question import Problem, QuestionError, region_names
from estimates.pages.search.question import (
    BASES,
    FORMATS,
    OBJECTIVES,
    SERVINGS,
    SHORT_LIST,
    SearchPageQuestion,
    problem_of,
    read_search_question,
)
from estimates.pages.search.rows import CONSTRAINTS, charts, exclusions, lines
from estimates.pages.search.tables import TABLES, table_rows
from estimates.pages.table import time_text
from estimates.pages.views import is_fragment, readable
from estimates.search.answering import search_now
from estimates.what_if import InvalidQuestion

BOUNDS = ("chips", "machines", "watts", "usd", "spare", "isl", "osl", "provider", "as_of")
PICKS = ("segment", "kind", "status", "formats", "vendor")


def asked_of(request: HttpRequest, catalogue: finder.Catalogue) -> SearchPageQuestion:
    """Raises QuestionError."""
    slugs = frozenset(Provider.objects.order_by().values_list("slug", flat=True))
    return read_search_question(request.GET, catalogue.vocabulary, slugs)


def answered(question: SearchPageQuestion) -> dict[str, Any]:
    """The search's answer. Raises QuestionError with the page's own names."""
    try:
        return search_now(question.asked())
    except InvalidQuestion as error:
        raise QuestionError([problem_of(fault) for fault in error.faults]) from None


@readable
def search_page(request: HttpRequest) -> HttpResponse:
    """The page whole, or its answer alone where a script asks."""
    catalogue = finder.read_catalogue()
    if not catalogue.vocabulary.default_model or not catalogue.vocabulary.default_workload:
        return _page(request, {"answer_template": "explorer/_bare.html"})
    try:
        question = asked_of(request, catalogue)
        context = _context(question, catalogue, answered(question))
    except QuestionError as error:
        return _refused(request, catalogue, error.problems)
    response = _page(request, context)
    if is_fragment(request) and request.headers.get("HX-Source", "").startswith("form"):
        response["HX-Push-Url"] = request.path + question.address()
    return response


@readable
def search_csv(request: HttpRequest) -> HttpResponse:
    """One table with full figures: deployments, what is out, or a front."""
    catalogue = finder.read_catalogue()
    query = request.GET.copy()
    table = (query.pop("table", ["results"]) or ["results"])[-1]
    problems = [Problem("table", f"“{table[:60]}” is not known", tuple(TABLES))]
    try:
        if table not in TABLES:
            raise QuestionError(problems)
        request.GET = query  # type: ignore[assignment]
        question = asked_of(request, catalogue)
        header, rows = table_rows(answered(question), table)
    except QuestionError as error:
        return _refused(request, catalogue, error.problems)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"inference-atlas-search-{question.model}-{table}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return response


def _context(
    question: SearchPageQuestion, catalogue: finder.Catalogue, answer: dict[str, Any]
) -> dict[str, object]:
    vendors = dict(catalogue.vendors)
    names = dict(Accelerator.objects.order_by().values_list("slug", "name"))
    drawn = charts(answer, names, vendors, question.vendor)
    whole = question.rows == "all"
    results = answer["results"]
    shown = results if whole else results[:SHORT_LIST]
    excluded = exclusions(answer["excluded"], names, vendors)
    kept = [row for row in excluded if row.constraint == question.out] if question.out else []
    rows = lines(shown, vendors, timezone.now().date())
    return {
        **_controls(question, catalogue),
        "answer": answer,
        "lines": rows,
        "hidden": len(results) - len(shown),
        "stale_prices": sum(((row["cost"] or {}).get("price") or {}).get("stale", False) for row in results),
        "cost_chart": drawn["speed_and_usd_per_mtok"],
        "chip_chart": drawn["speed_and_throughput_per_chip"],
        "out": kept if whole else kept[:SHORT_LIST],
        "out_hidden": 0 if whole else max(0, len(kept) - SHORT_LIST),
        "out_total": len(excluded),
        "out_counts": [
            (name, CONSTRAINTS.get(name, name), count) for name, count in answer["counts"]["excluded"].items()
        ],
        "model_name": LanguageModel.objects.values_list("name", flat=True).get(slug=question.model),
        "load_text": load_text(question),
        "workload_text": workload_text(answer["workloads"][0]),
        "limits_text": limits_text(answer["limits"]),
        "answer_template": "explorer/search/_answer.html",
    }


def load_text(question: SearchPageQuestion) -> str:
    if question.users is not None:
        return f"{question.users:,} user{'s' if question.users != 1 else ''} at once"
    if question.rate is not None:
        return f"{question.rate:g} requests a second"
    return "as many as one machine takes"


def workload_text(workload: Mapping[str, Any]) -> str:
    text = f"{workload['isl']:,.0f} tokens in, {workload['osl']:,.0f} out"
    if workload["prefix_share"]:
        text += f", {workload['prefix_share']:.0%} of the prompt cached"
    return text


def limits_text(limits: Mapping[str, Any]) -> str:
    """The limits in force as a phrase."""
    parts = [
        f"{name} ≤ {time_text(limits[f'{key}_ms'])} ({limits[f'{key}_at']})"
        for name, key in (("TPOT", "tpot"), ("TTFT", "ttft"))
        if limits[f"{key}_ms"] is not None
    ]
    return ", ".join(parts) or "no limits"


def _controls(question: SearchPageQuestion, catalogue: finder.Catalogue) -> dict[str, object]:
    workload = next((one for one in catalogue.workloads if one.slug == question.workload), Workload())
    picks: list[tuple[str, str, Iterable[tuple[str, str]], tuple[str, ...]]] = [
        ("segment", "Used in", Segment.choices, question.segment),
        ("kind", "Kind", AcceleratorKind.choices, question.kind),
        ("status", "Status (none: what can be had)", Status.choices, question.status),
        ("formats", "Weights in (none: any)", [(name, name) for name in FORMATS], question.formats),
        ("vendor", "Vendor", catalogue.vendors, question.vendor),
    ]
    return {
        "question": question,
        "catalogue": catalogue,
        "at": AT,
        "bases": BASES,
        "objectives": OBJECTIVES,
        "servings": SERVINGS,
        "regions": region_names(catalogue.countries),
        "region_text": place_name(question.region),
        "providers": list(
            Provider.objects.filter(quotes__isnull=False)
            .order_by("name")
            .distinct()
            .values_list("slug", "name")
        ),
        "picks": picks,
        "bounded": sum(getattr(question, name) not in (None, "", ()) for name in BOUNDS + PICKS)
        + (question.serving != "aggregated"),
        "basis_text": BASES[question.basis],
        "objective_text": OBJECTIVES[question.objective],
        "usual_tpot": f"{workload.tpot_limit_ms:.10g}" if workload.tpot_limit_ms else "any",
        "usual_ttft": f"{workload.ttft_limit_ms:.10g}" if workload.ttft_limit_ms else "any",
        "usual_isl": workload.isl,
        "usual_osl": workload.osl,
    }


def _page(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    if is_fragment(request):
        part = {**context, "fragment": True}
        return render(request, str(context["answer_template"]), part, status=status)
    whole = {**context, "frame": finder.read_frame(), "here": "search"}
    return render(request, "explorer/search/page.html", whole, status=status)


def _refused(request: HttpRequest, catalogue: finder.Catalogue, problems: list[Problem]) -> HttpResponse:
    vocabulary = catalogue.vocabulary
    question = SearchPageQuestion(vocabulary.default_model, vocabulary.default_workload)
    context = {
        **_controls(question, catalogue),
        "problems": problems,
        "home": "explorer:search",
        "answer_template": "explorer/_refused.html",
    }
    return _page(request, context, status=400)
