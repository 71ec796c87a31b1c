"""Every offer that runs a model against the endpoints that serve it: which beat them, and at what load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from catalog.models import LanguageModel, Workload
from estimates.economics.bases import BasisAsked, HourlyPrice, hourly_prices
from estimates.economics.hosted import BreakEven, HostedPrice, Mix, break_even, hosted_prices, median
from estimates.economics.steps import rounded
from estimates.economics.tokens import TokenPrices, exact, token_prices
from estimates.models import Objective
from estimates.ranking import Answer, Limits, choose, read_estimates


@dataclass(frozen=True, slots=True)
class OfferEven:
    """One offer's cached answer, what its tokens cost, and the break-even with two hosted prices."""

    answer: Answer
    price: HourlyPrice
    tokens: TokenPrices
    """At full load in every paid hour."""
    cheapest: BreakEven | None
    median: BreakEven | None

    def as_json(self) -> dict[str, Any]:
        return {
            "offer": self.answer.offer,
            "accelerator": self.answer.accelerator,
            "count": self.answer.count,
            "estimate": self.answer.pk,
            "price": self.price.as_json(),
            "output_tok_s": rounded(self.tokens.output_tok_s),
            "usd_per_mtok_blended": rounded(self.tokens.usd_per_mtok("blended")),
            "grade": self.answer.grade,
            "against_cheapest": self.cheapest.as_json() if self.cheapest else None,
            "against_median": self.median.as_json() if self.median else None,
        }


@dataclass(frozen=True, slots=True)
class AgainstHosted:
    """Offers by their cost at full load, cheapest first, and the endpoints they stand against."""

    endpoints: list[HostedPrice]
    offers: list[OfferEven]
    unpriced: int
    """Offers that run the model and have no price on this basis."""

    @property
    def cheapest(self) -> HostedPrice | None:
        return self.endpoints[0] if self.endpoints else None

    @property
    def median(self) -> HostedPrice | None:
        return median(self.endpoints)


def against_hosted(model: LanguageModel, workload: Workload, asked: BasisAsked) -> AgainstHosted:
    """Of each offer its cached best within the service level; a few queries in all."""
    mix = Mix(exact(workload.isl), exact(workload.osl), exact(workload.prefix_share or 0.0))
    endpoints = hosted_prices(model.slug, mix, asked.day)
    low, middle = (endpoints[0] if endpoints else None), median(endpoints)
    rows = read_estimates(model, workload, Q(pk__in=()))
    answers = [
        answer
        for answer in choose(rows, Limits(), Objective.THROUGHPUT_WITHIN).answers
        if answer.throughput_tok_s
    ]
    prices = hourly_prices(asked, {answer.offer_id for answer in answers})
    offers = []
    for answer in answers:
        price = prices.get(answer.offer_id)
        if price is None or answer.throughput_tok_s is None:
            continue
        tokens = token_prices(price.usd_per_paid_hour, answer.throughput_tok_s, workload.isl, workload.osl)
        offers.append(
            OfferEven(
                answer=answer,
                price=price,
                tokens=tokens,
                cheapest=break_even(tokens, low.blended_usd_per_mtok) if low else None,
                median=break_even(tokens, middle.blended_usd_per_mtok) if middle else None,
            )
        )
    offers.sort(key=lambda even: (even.tokens.usd_per_mtok("blended"), even.answer.offer))
    return AgainstHosted(endpoints, offers, len(answers) - len(offers))
