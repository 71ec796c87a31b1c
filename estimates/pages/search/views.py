"""The search page: deployments that carry a load within limits, both fronts, who is out; all as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.models import Accelerator, LanguageModel, PriceQuote, Provider, Workload
from catalog.models.accelerators import AcceleratorKind, Segment, Status
from config.rest.rendering import cell
from estimates.combinations import refusal
from estimates.core.demand import AT
from estimates.pages import finder
from estimates.pages.places import place_name
from estimates.pages.question import Problem, region_names
from estimates.pages.search.fronts import charts
from estimates.pages.search.question import (
    BASES,
    CONSTRAINTS,
    FORMATS,
    OBJECTIVES,
    SERVINGS,
    SHORT_LIST,
    SearchPageError,
    SearchPageQuestion,
    problem_of,
    read_search_question,
)
from estimates.pages.search.rows import Printing, best_of_each, counted, exclusions, lines
from estimates.pages.search.tables import TABLES, table_rows
from estimates.pages.table import time_text
from estimates.pages.views import is_fragment, readable
from estimates.search.answering import search_now
from estimates.what_if import InvalidQuestion


def sellers() -> list[tuple[str, str]]:
    """Slug and name of the providers with a quote."""
    quotes = PriceQuote.objects.filter(provider=OuterRef("pk")).order_by()
    return list(Provider.objects.filter(Exists(quotes)).order_by("name").values_list("slug", "name"))


def answered(question: SearchPageQuestion) -> dict[str, Any]:
    """The search's answer. Raises SearchPageError with the page's own names."""
    try:
        return search_now(question.asked())
    except InvalidQuestion as error:
        raise SearchPageError([problem_of(fault) for fault in error.faults], question) from None


@readable
def search_page(request: HttpRequest) -> HttpResponse:
    """The page whole, or its answer alone where a script asks."""
    catalogue, providers = finder.read_catalogue(), sellers()
    if not catalogue.vocabulary.default_model or not catalogue.vocabulary.default_workload:
        return _page(request, {"answer_template": "explorer/_bare.html"})
    try:
        question = read_search_question(request.GET, catalogue.vocabulary, dict(providers))
        answer = answered(question)
    except SearchPageError as error:
        return _refused(request, catalogue, providers, error)
    response = _page(
        request,
        _controls(question, catalogue, providers) | _context(question, dict(catalogue.vendors), answer),
    )
    if is_fragment(request) and request.headers.get("HX-Source", "").startswith("form"):
        response["HX-Push-Url"] = request.path + question.address()
    return response


@readable
def search_csv(request: HttpRequest) -> HttpResponse:
    """One table with full figures: deployments, what is out, or a front."""
    catalogue, providers = finder.read_catalogue(), sellers()
    query = request.GET.copy()
    table = (query.pop("table", ["results"]) or ["results"])[-1]
    try:
        question = read_search_question(query, catalogue.vocabulary, dict(providers))
        if table not in TABLES:
            problem = Problem("table", f"“{table[:60]}” is not known", TABLES)
            raise SearchPageError([problem], question)
        header, rows = table_rows(answered(question), table)
    except SearchPageError as error:
        return _refused(request, catalogue, providers, error)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"inference-atlas-search-{question.model}-{table}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return response


def _context(
    question: SearchPageQuestion, vendors: dict[str, str], answer: dict[str, Any]
) -> dict[str, object]:
    """The answer, ready to print."""
    names = dict(Accelerator.objects.order_by().values_list("slug", "name"))
    results, whole = answer["results"], question.rows == "all"
    kept, also = (results, {}) if question.sizes == "all" else best_of_each(results)
    shown = kept if whole else kept[:SHORT_LIST]
    drawn = charts(answer, kept, names, vendors, question.vendor)
    excluded = exclusions(answer["excluded"], names, vendors)
    out = [row for row in excluded if row.constraint == question.out or not (question.out or results)]
    lengths = {"isl": question.isl, "osl": question.osl}
    rows = lines(shown, Printing(vendors, answer["limits"], question.objective, lengths, also))
    name, role = LanguageModel.objects.values_list("name", "role").get(slug=question.model)
    return {
        "answer": answer,
        "lines": rows,
        "shown": {row.offer for row in rows},
        "hidden": len(kept) - len(shown),
        "chips": len(kept),
        "folded": len(results) - len(kept),
        "stale_prices": sum(((row["cost"] or {}).get("price") or {}).get("stale", False) for row in results),
        "cost_front": drawn["speed_and_usd_per_mtok"],
        "chip_front": drawn["speed_and_throughput_per_chip"],
        "out": out if whole else out[:SHORT_LIST],
        "out_hidden": 0 if whole else max(0, len(out) - SHORT_LIST),
        "out_total": len(excluded),
        "out_counts": [
            (name, CONSTRAINTS.get(name, name), count) for name, count in answer["counts"]["excluded"].items()
        ],
        "model_name": name,
        "refusal": refusal(role).partition(": ")[2] or answer["problem"],
        "load_text": load_text(question),
        "workload_text": workload_text(answer["workloads"][0]),
        "limits_text": limits_text(answer["limits"]),
        "answer_template": "explorer/search/_answer.html",
    }


def load_text(question: SearchPageQuestion) -> str:
    if question.users is not None:
        return f"{counted(question.users, 'user')} at once"
    if question.rate is not None:
        return f"{question.rate:,.10g} requests a second"
    return "as many users as one machine takes"


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


def bounds_text(
    question: SearchPageQuestion, catalogue: finder.Catalogue, providers: Iterable[tuple[str, str]]
) -> str:
    """What is set beside the sentence: "8,192 tokens in, at most 16 chips, NVIDIA or AMD"."""
    parts = [
        template.format(value)
        for value, template in (
            (question.isl, "{:,} tokens in"),
            (question.osl, "{:,} tokens out"),
            (question.chips, "at most {:,} chips"),
            (question.machines, "at most {:,} machines"),
            (question.watts, "at most {:,.10g} W"),
            (question.usd, "at most {:,.10g} USD an hour"),
            (question.spare, "{:,} spare"),
        )
        if value is not None
    ]
    parts += [f"prices of {dict(providers).get(question.provider)}"] if question.provider else []
    parts += [f"prices as of {question.as_of}"] if question.as_of else []
    parts += [f"prompts {SERVINGS[question.serving]}"] if question.serving != "aggregated" else []
    for _, _, options, chosen in picks(question, catalogue):
        parts += [" or ".join(label for value, label in options if value in chosen)] if chosen else []
    return ", ".join(parts)


type Pick = tuple[str, str, Iterable[tuple[str, str]], tuple[str, ...]]


def picks(question: SearchPageQuestion, catalogue: finder.Catalogue) -> list[Pick]:
    """The boxes to tick: parameter, legend, choices, those chosen."""
    return [
        ("segment", "Used in", Segment.choices, question.segment),
        ("kind", "Kind", AcceleratorKind.choices, question.kind),
        ("status", "Status (none: what can be had)", Status.choices, question.status),
        ("formats", "Weights in (none: any)", [(name, name) for name in FORMATS], question.formats),
        ("vendor", "Vendor", catalogue.vendors, question.vendor),
    ]


def _controls(
    question: SearchPageQuestion, catalogue: finder.Catalogue, providers: list[tuple[str, str]]
) -> dict[str, object]:
    workload = next((one for one in catalogue.workloads if one.slug == question.workload), Workload())
    return {
        "question": question,
        "catalogue": catalogue,
        "at": AT,
        "bases": BASES,
        "objectives": OBJECTIVES,
        "servings": SERVINGS,
        "regions": region_names(catalogue.countries),
        "region_text": place_name(question.region),
        "providers": providers,
        "listed": any(model.slug == question.model for _, group in catalogue.models for model in group),
        "picks": picks(question, catalogue),
        "bounds_text": bounds_text(question, catalogue, providers),
        "no_price": "no price of a purchase is known"
        if question.basis in ("none", "owned")
        else f"no price {BASES[question.basis]} is known",
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


def _refused(
    request: HttpRequest,
    catalogue: finder.Catalogue,
    providers: list[tuple[str, str]],
    error: SearchPageError,
) -> HttpResponse:
    """What cannot be asked, below the rest of the question as it was."""
    context = {
        **_controls(error.question, catalogue, providers),
        "problems": error.problems,
        "home": "explorer:search",
        "answer_template": "explorer/_refused.html",
    }
    return _page(request, context, status=400)
