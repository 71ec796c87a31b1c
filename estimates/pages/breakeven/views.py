"""The break-even page: own tokens against hosted ones, by the share of hours in use; tables and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.models import LanguageModel, TokenPrice, Workload
from catalog.prices import plain
from config.rest.rendering import cell
from estimates.economics.against_hosted import AgainstHosted, OfferEven, against_hosted
from estimates.economics.bases import Basis, BasisAsked
from estimates.economics.hosted import BreakEven, HostedPrice, break_even
from estimates.economics.steps import rounded
from estimates.pages import finder
from estimates.pages.breakeven.plot import draw, share_text
from estimates.pages.breakeven.question import BASES, BreakEvenQuestion, read_break_even_question
from estimates.pages.numbers import significant
from estimates.pages.question import Problem, QuestionError
from estimates.pages.views import readable

FIRST_MODELS = ("gpt-oss-120b", "llama-3.3-70b-instruct", "llama-3.1-70b-instruct")
FIRST_WORKLOAD = "chat"
MOST_OFFERS = 40


@dataclass(frozen=True)
class EndpointLine:
    """One hosted price against the chosen offer."""

    price: HostedPrice
    look: str
    use: str
    load: str
    requests: str
    blended: str


@dataclass(frozen=True)
class OfferLine:
    """One offer against the cheapest and the median endpoint."""

    even: OfferEven
    cost: str
    cheapest: str
    median: str
    chosen: bool


@readable
def break_even_page(request: HttpRequest) -> HttpResponse:
    """One model on one offer against its endpoints, and every offer beside it."""
    models = hosted_models()
    workloads = list(Workload.objects.order_by("position", "slug"))
    if not models or not workloads:
        return _page(request, {"answer_template": "explorer/breakeven/_missing.html"})
    try:
        question = _read(request, models, workloads)
        context = _context(question, models, workloads)
    except QuestionError as error:
        refused = {"problems": error.problems, "answer_template": "explorer/_refused.html"}
        return _page(request, refused, status=400)
    return _page(request, context)


def hosted_models() -> dict[str, str]:
    """Name by slug of the models that some endpoint serves at a price."""
    priced = TokenPrice.objects.filter(
        suspect="", output_usd_per_mtok__gt=0, input_usd_per_mtok__isnull=False
    )
    rows = LanguageModel.objects.filter(pk__in=priced.values("language_model")).order_by("name", "slug")
    return dict(rows.values_list("slug", "name"))


def _read(
    request: HttpRequest, models: Mapping[str, str], workloads: list[Workload], drop: str = ""
) -> BreakEvenQuestion:
    given = request.GET.copy()
    if drop:
        given.pop(drop, None)
    slugs = [workload.slug for workload in workloads]
    first = next((slug for slug in FIRST_MODELS if slug in models), next(iter(models)))
    lengths = FIRST_WORKLOAD if FIRST_WORKLOAD in slugs else slugs[0]
    return read_break_even_question(given, models, slugs, first, lengths)


def _found(question: BreakEvenQuestion) -> tuple[LanguageModel, Workload, AgainstHosted]:
    model = LanguageModel.objects.get(slug=question.model)
    workload = Workload.objects.get(slug=question.workload)
    basis: Basis = question.basis  # type: ignore[assignment]
    return model, workload, against_hosted(model, workload, BasisAsked(basis, as_of=question.day))


def _chosen(question: BreakEvenQuestion, found: AgainstHosted) -> OfferEven | None:
    """The offer asked for. Raises QuestionError where it does not run the model or has no price."""
    if not question.offer:
        return found.offers[0] if found.offers else None
    chosen = next((even for even in found.offers if even.answer.offer == question.offer), None)
    if chosen is None:
        accepted = tuple(even.answer.offer for even in found.offers)
        detail = f"“{question.offer[:60]}” does not run this model at these lengths, or has no price so"
        raise QuestionError([Problem("offer", detail, accepted)])
    return chosen


def _context(
    question: BreakEvenQuestion, models: Mapping[str, str], workloads: list[Workload]
) -> dict[str, object]:
    model, workload, found = _found(question)
    chosen = _chosen(question, found)
    offers = found.offers if question.rows else found.offers[:MOST_OFFERS]
    return {
        "question": question,
        "models": models.items(),
        "workloads": workloads,
        "bases": BASES,
        "model": model,
        "workload": workload,
        "found": found,
        "chosen": chosen,
        "day": BasisAsked(as_of=question.day).day,
        "cost": significant(float(chosen.tokens.usd_per_mtok("blended"))) if chosen else "",
        "plot": draw(chosen, found.endpoints, found.median) if chosen and found.endpoints else None,
        "endpoints": _endpoint_lines(chosen, found),
        "offers": [_offer_line(even, chosen) for even in offers],
        "more": len(found.offers) - len(offers),
        "beats": sum(bool(even.cheapest and even.cheapest.reached) for even in found.offers),
        "beats_median": sum(bool(even.median and even.median.reached) for even in found.offers),
        "answer_template": "explorer/breakeven/_answer.html",
    }


def _endpoint_lines(chosen: OfferEven | None, found: AgainstHosted) -> list[EndpointLine]:
    lines = []
    for price in found.endpoints:
        even = break_even(chosen.tokens, price.blended_usd_per_mtok) if chosen else None
        reached = even is not None and even.reached
        lines.append(
            EndpointLine(
                price=price,
                look="cheapest" if price is found.cheapest else "median" if price is found.median else "",
                use=_use(even),
                load=significant(float(even.load_tok_s)) if even and reached else "",
                requests=significant(float(even.requests_per_day)) if even and reached else "",
                blended=significant(float(price.blended_usd_per_mtok)),
            )
        )
    return lines


def _offer_line(even: OfferEven, chosen: OfferEven | None) -> OfferLine:
    return OfferLine(
        even=even,
        cost=significant(float(even.tokens.usd_per_mtok("blended"))),
        cheapest=_use(even.cheapest),
        median=_use(even.median),
        chosen=even is chosen,
    )


def _use(even: BreakEven | None) -> str:
    """The share of hours above which owning or renting is cheaper; empty where it never is."""
    return share_text(even.utilisation) if even and even.reached else ""


def _page(request: HttpRequest, context: Mapping[str, object], status: int = 200) -> HttpResponse:
    whole = {**context, "frame": finder.read_frame(), "here": "break-even"}
    return render(request, "explorer/breakeven/page.html", whole, status=status)


@readable
def break_even_csv(request: HttpRequest) -> HttpResponse:
    """A table of the page with full figures; `table` names it: endpoints (default) or offers."""
    name = request.GET.get("table", "endpoints")
    models, workloads = hosted_models(), list(Workload.objects.order_by("position", "slug"))
    if name not in TABLES or not models or not workloads:
        text = f"table is one of {', '.join(TABLES)}"
        return HttpResponse(text, status=404, content_type="text/plain; charset=utf-8")
    try:
        question = _read(request, models, workloads, drop="table")
        found = _found(question)[2]
        chosen = _chosen(question, found)
    except QuestionError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    filename = f"inference-atlas-break-even-{question.model}-{name}.csv"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    csv.writer(response).writerows([cell(value) for value in row] for row in TABLES[name](found, chosen))
    return response


def _endpoint_rows(found: AgainstHosted, chosen: OfferEven | None) -> Iterator[Iterable[Any]]:
    yield (
        "provider",
        "model_name",
        "input_usd_per_mtok",
        "cached_input_usd_per_mtok",
        "output_usd_per_mtok",
        "blended_usd_per_mtok",
        "observed_on",
        "stale",
        "source",
        "offer",
        "offer_usd_per_mtok_at_full_load",
        "break_even_utilisation",
        "break_even_output_tok_s",
        "break_even_requests_per_day",
    )
    for price in found.endpoints:
        even = break_even(chosen.tokens, price.blended_usd_per_mtok) if chosen else None
        cached = price.cached_input_usd_per_mtok
        reached = even is not None and even.reached
        yield (
            price.provider,
            price.model_name,
            plain(price.input_usd_per_mtok),
            None if cached is None else plain(cached),
            plain(price.output_usd_per_mtok),
            rounded(price.blended_usd_per_mtok),
            price.observed_on,
            price.stale,
            price.source,
            chosen.answer.offer if chosen else None,
            rounded(even.own_usd_per_mtok) if even else None,
            rounded(even.utilisation) if even else None,
            rounded(even.load_tok_s) if even and reached else None,
            rounded(even.requests_per_day) if even and reached else None,
        )


def _offer_rows(found: AgainstHosted, chosen: OfferEven | None) -> Iterator[Iterable[Any]]:
    yield (
        "offer",
        "accelerator",
        "count",
        "basis",
        "usd_per_hour",
        "age_days",
        "stale",
        "output_tok_s",
        "usd_per_mtok_blended",
        "grade",
        "break_even_utilisation_cheapest",
        "break_even_utilisation_median",
    )
    for even in found.offers:
        yield (
            even.answer.offer,
            even.answer.accelerator,
            even.answer.count,
            even.price.basis,
            plain(round(even.price.usd_per_hour, 6)),
            even.price.age_days,
            even.price.stale,
            rounded(even.tokens.output_tok_s),
            rounded(even.tokens.usd_per_mtok("blended")),
            even.answer.grade,
            rounded(even.cheapest.utilisation) if even.cheapest else None,
            rounded(even.median.utilisation) if even.median else None,
        )


TABLES = {"endpoints": _endpoint_rows, "offers": _offer_rows}
