"""The price page: quotes of an accelerator over time by provider, cheapest now, to buy; all as CSV too."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from catalog.models import Accelerator
from catalog.prices import plain
from config.rest.rendering import cell
from estimates.pages import finder
from estimates.pages.prices import history
from estimates.pages.prices.plot import draw
from estimates.pages.prices.question import BASES, PricesQuestion, read_prices_question
from estimates.pages.question import QuestionError
from estimates.pages.views import readable

FIRST = "nvidia-h100-sxm"


@readable
def prices_page(request: HttpRequest) -> HttpResponse:
    """One accelerator's prices on one basis as of a day."""
    quoted = history.quoted_accelerators()
    if not quoted:
        return _page(request, {"answer_template": "explorer/prices/_missing.html"})
    try:
        question = _read(request, quoted)
    except QuestionError as error:
        context = {"problems": error.problems, "answer_template": "explorer/_refused.html"}
        return _page(request, context, status=400)
    return _page(request, _context(question, quoted))


def _read(request: HttpRequest, quoted: list[tuple[str, str, int]], drop: str = "") -> PricesQuestion:
    given = request.GET.copy()
    if drop:
        given.pop(drop, None)
    slugs = [slug for slug, _, _ in quoted]
    default = FIRST if FIRST in slugs else max(quoted, key=lambda row: row[2])[0]
    asked = given.get("accelerator", "").strip() or default
    counts = {asked: history.quoted_counts(asked)} if asked in slugs else {}
    return read_prices_question(given, slugs, default, counts)


def _context(question: PricesQuestion, quoted: list[tuple[str, str, int]]) -> dict[str, object]:
    today = timezone.now().date()
    day = question.day or today
    quotes = history.read_quotes(question.accelerator, question.basis, question.number, day)
    found = history.standings(quotes, day)
    accelerator = Accelerator.objects.select_related("vendor").get(slug=question.accelerator)
    return {
        "question": question,
        "accelerators": quoted,
        "accelerator": accelerator,
        "counts": [plain(count) for count in history.quoted_counts(question.accelerator)],
        "bases": BASES,
        "basis_text": BASES[question.basis],
        "day": day,
        "today": today,
        "plot": draw(history.series_of(quotes), day),
        "standings": found,
        "cheapest": next((line for line in found if not line.stale), found[0] if found else None),
        "fresh": sum(not line.stale for line in found),
        "quotes": len(quotes),
        "to_buy": history.purchase_prices(accelerator, day),
        "answer_template": "explorer/prices/_answer.html",
    }


def _page(request: HttpRequest, context: Mapping[str, object], status: int = 200) -> HttpResponse:
    """Always whole: choices depend on each other, and a script takes the part it wants."""
    whole = {**context, "frame": finder.read_frame(), "here": "prices"}
    return render(request, "explorer/prices/page.html", whole, status=status)


@readable
def prices_csv(request: HttpRequest) -> HttpResponse:
    """A table of the page with full figures; `table` names it: history (default), now or buy."""
    name = request.GET.get("table", "history")
    quoted = history.quoted_accelerators()
    if name not in TABLES or not quoted:
        words = f"table is one of {', '.join(TABLES)}" if quoted else "no price is kept"
        return HttpResponse(words, status=404, content_type="text/plain; charset=utf-8")
    try:
        question = _read(request, quoted, drop="table")
    except QuestionError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    filename = f"inference-atlas-prices-{question.accelerator}-{name}.csv"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    rows = TABLES[name](question, question.day or timezone.now().date())
    csv.writer(response).writerows([cell(value) for value in row] for row in rows)
    return response


def _history_rows(question: PricesQuestion, day: date) -> Iterator[Iterable[Any]]:
    yield (
        "observed_on",
        "provider",
        "offering",
        "region",
        "term",
        "count",
        "kind",
        "usd_per_hour",
        "usd_per_accelerator_hour",
        "source",
        "source_url",
    )
    for quote in history.read_quotes(question.accelerator, question.basis, question.number, day):
        yield _quote_cells(quote)


def _quote_cells(quote: history.Quote) -> tuple[Any, ...]:
    return (
        quote.observed_on.isoformat() if quote.observed_on else None,
        quote.provider,
        quote.offering,
        quote.region,
        quote.term,
        plain(quote.count),
        quote.kind,
        plain(quote.usd_per_hour),
        plain(round(quote.each, 6)),
        quote.source,
        quote.source_url,
    )


def _now_rows(question: PricesQuestion, day: date) -> Iterator[Iterable[Any]]:
    first, *names = next(iter(_history_rows(question, day)))
    yield (first, *names, "stale", "quotes", "days_seen", "first_seen")
    quotes = history.read_quotes(question.accelerator, question.basis, question.number, day)
    for line in history.standings(quotes, day):
        earliest = line.first.isoformat() if line.first else None
        yield (*_quote_cells(line.quote), line.stale, line.quotes, line.days, earliest)


def _buy_rows(question: PricesQuestion, day: date) -> Iterator[Iterable[Any]]:
    yield ("hardware_name", "usd", "year", "basis", "source", "source_url")
    accelerator = Accelerator.objects.get(slug=question.accelerator)
    for price in history.purchase_prices(accelerator, day):
        yield (
            price.hardware_name,
            plain(price.price),
            price.year,
            price.basis,
            price.source_title,
            price.source_url,
        )


TABLES = {"history": _history_rows, "now": _now_rows, "buy": _buy_rows}
