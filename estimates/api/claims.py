"""Published claims with the service's own answers: its number, interval, grade and verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.sources import CLAIMS as PUBLISHED
from config.rest.columns import boolean, choice, nested, number, text, time
from config.rest.views import DetailView, ListView
from estimates.claims.models import ClaimAnswer, ClaimVerdict
from estimates.claims.printed import claimed, ours, over_words, verdict_line
from estimates.claims.store import answered_claims, as_json, claims_with_facts

#: Stale answers made while a list waits; what is left keeps its old answer and says so.
LIST_SECONDS: Final = 1.0


def answer_of(pk: int) -> dict[str, Any] | None:
    """The whole answer of a claim, with its sentences."""
    row = ClaimAnswer.objects.select_related("claim").filter(pk=pk).first()
    if row is None:
        return None
    found, claim = as_json(row), row.claim
    sentences = {
        "claimed": claimed(claim),
        "ours": ours(found, claim.unit, claim.quantity),
        "verdict": verdict_line(found),
        "over": over_words(found),
    }
    return {"sentences": sentences, **found}


CLAIMS: Final = replace(
    PUBLISHED,
    meaning="A published sentence with a number, a configuration and a source, held against the estimator.",
    columns=(
        *PUBLISHED.columns,
        choice(
            "verdict",
            ClaimVerdict,
            "agrees: within 3% (capacities, rates), inside our 80% interval (speeds, costs), on the claimed "
            "side (relations); answered: an open question",
            source="answer__verdict",
            nullable=True,
        ),
        number("our_value", "middle of the open conditions, in the claim's unit", source="answer__value"),
        number("our_from", "lowest of the open conditions", source="answer__value_from"),
        number("our_to", "highest of the open conditions", source="answer__value_to"),
        number("our_low", "lower end of the 80% intervals", source="answer__low"),
        number("our_high", "upper end of the 80% intervals", source="answer__high"),
        text("grade", "the weakest of the answer, A to D", source="answer__grade", example="B"),
        number(
            "off_by",
            "the claim over the nearest value that would agree",
            source="answer__off_by",
            example=1.3,
        ),
        nested("over", "open conditions that the answer ranges over", source="answer__details__over"),
        nested("missing", "facts without which it cannot be evaluated", source="answer__details__missing"),
        nested("assumptions", "what the claim does not state", source="answer__details__assumptions"),
        boolean("stale", "a fact has changed since", source="answer__stale", nullable=True),
        time("answered_at", source="answer__answered_at", nullable=True, listed=False),
    ),
    sections={"answer": answer_of},
    section_meanings={"answer": "every combination of the open conditions with its value and deployment"},
    example_query="verdict=disagrees&limit=5",
)


class ClaimListView(ListView):
    """Published claims, each with our own number, interval, grade and verdict."""

    resource = CLAIMS

    def get(self, request: Request) -> HttpResponseBase:
        answered_claims(list(claims_with_facts()), within_s=LIST_SECONDS)
        return super().get(request)


class ClaimDetailView(DetailView):
    """One claim with its whole answer, made now where a fact has changed."""

    resource = CLAIMS

    def get(self, request: Request, key: str) -> Response:
        answered_claims(list(claims_with_facts().filter(slug=key)))
        return super().get(request, key)
