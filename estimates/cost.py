"""What tokens cost: arithmetic over an hourly price and a cached throughput, never stored.

Which tokens are counted: each figure divides the whole price by the tokens of its name. `output` counts the
generated tokens alone, `input` the prompt tokens alone (cached ones included: they are asked and answered
for), `blended` both together. They are three views of one bill and do not add up. A bill that shall be split
over both kinds takes `split`: the prompt bears the share of machine time its prefill takes.

    USD per million tokens = price per hour / (tokens per second x 3600) x 1e6
    input tokens per second = output tokens per second x ISL / OSL
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, FloatField, QuerySet
from django.db.models.functions import Cast

from catalog.prices import QuoteUsed, hourly_price, usd_per_mtok
from estimates.economics.steps import DIGITS, decimal, rounded
from estimates.economics.tokens import token_prices
from estimates.models import Estimate


@dataclass(frozen=True, slots=True)
class TokenCost:
    """USD per million tokens of each kind; tokens per USD are the exact reciprocals."""

    usd_per_hour: Decimal
    usd_per_mtok_output: Decimal
    usd_per_mtok_input: Decimal
    usd_per_mtok_blended: Decimal

    @property
    def output_tokens_per_usd(self) -> Decimal:
        return 1_000_000 / self.usd_per_mtok_output

    @property
    def blended_tokens_per_usd(self) -> Decimal:
        return 1_000_000 / self.usd_per_mtok_blended

    def as_json(self) -> dict[str, str]:
        """Money as decimal text, rounded to six significant digits."""
        return {
            "usd_per_hour": rounded(self.usd_per_hour),
            "usd_per_mtok_output": rounded(self.usd_per_mtok_output),
            "usd_per_mtok_input": rounded(self.usd_per_mtok_input),
            "usd_per_mtok_blended": rounded(self.usd_per_mtok_blended),
            "output_tokens_per_usd": rounded(self.output_tokens_per_usd),
            "blended_tokens_per_usd": rounded(self.blended_tokens_per_usd),
        }


@dataclass(frozen=True, slots=True)
class SplitCost:
    """A pair of prices that together recover the bill: input x ISL + output x OSL = cost of a request."""

    prefill_share: float
    usd_per_mtok_input: Decimal
    usd_per_mtok_output: Decimal

    def as_json(self) -> dict[str, str | float]:
        return {
            "prefill_share": round(self.prefill_share, 4),
            "usd_per_mtok_input": rounded(self.usd_per_mtok_input),
            "usd_per_mtok_output": rounded(self.usd_per_mtok_output),
        }


def token_cost(usd_per_hour: Decimal, output_tokens_per_s: float, isl: float, osl: float) -> TokenCost:
    """Cost of a throughput at a price. Raises ValueError unless all are finite and above 0."""
    exact = token_prices(usd_per_hour, output_tokens_per_s, isl, osl)
    return TokenCost(
        usd_per_hour=usd_per_hour,
        usd_per_mtok_output=decimal(exact.usd_per_mtok("output")),
        usd_per_mtok_input=decimal(exact.usd_per_mtok("input")),
        usd_per_mtok_blended=decimal(exact.usd_per_mtok("blended")),
    )


def token_cost_texts(
    usd_per_hour: Decimal, output_tokens_per_s: float, isl: float, osl: float
) -> dict[str, str]:
    """What `token_cost(...).as_json()` gives, by floating point where that is sure to round the same way."""
    hour = float(usd_per_hour)
    if not (hour > 0 and 0 < output_tokens_per_s < math.inf and 0 < isl < math.inf and 0 < osl < math.inf):
        return token_cost(usd_per_hour, output_tokens_per_s, isl, osl).as_json()
    output = hour / (output_tokens_per_s * 3600) * 1e6
    blended = output * osl / (isl + osl)
    texts = {
        "usd_per_hour": _text(hour),
        "usd_per_mtok_output": _text(output),
        "usd_per_mtok_input": _text(output * osl / isl),
        "usd_per_mtok_blended": _text(blended),
        "output_tokens_per_usd": _text(1e6 / output),
        "blended_tokens_per_usd": _text(1e6 / blended),
    }
    if "" in texts.values():
        return token_cost(usd_per_hour, output_tokens_per_s, isl, osl).as_json()
    return texts


def _text(amount: float) -> str:
    """As `rounded` writes it; empty where an error of 1e-12 of the amount could decide the last digit.

    The handful of operations behind an amount are wrong by less than 1e-15 of it.
    """
    places = max(DIGITS - 1 - math.floor(math.log10(amount)), 0)
    shifted = amount * 10.0**places
    if abs(shifted % 1 - 0.5) < 1e-12 * shifted + 1e-9:
        return ""
    text = f"{amount:.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def prefill_share(ttft_unloaded_s: float, replicas: int, output_tokens_per_s: float, osl: float) -> float:
    """The prompt's share of machine time: its own prefill's time on one of the replicas.

    A request takes OSL / throughput seconds of the whole offer, its prefill TTFT (unloaded) / replicas.
    """
    return min(1.0, ttft_unloaded_s / replicas / (osl / output_tokens_per_s))


def split(cost: TokenCost, share: float) -> SplitCost:
    """Divide the bill by machine time, of which prompts take `share`."""
    exact = Decimal(repr(share))
    return SplitCost(
        prefill_share=share,
        usd_per_mtok_input=cost.usd_per_mtok_input * exact,
        usd_per_mtok_output=cost.usd_per_mtok_output * (1 - exact),
    )


def with_costs(estimates: QuerySet[Estimate], prices: Mapping[int, QuoteUsed] | str) -> QuerySet[Estimate]:
    """Annotate `usd_per_hour` and the costs per million tokens in the statement itself, for ordering too.

    `prices` is what `catalog.prices.offer_prices` gives, by offer id, or the `hourly_table` of it. Null where
    there is no quote or no throughput: order with `F(...).asc(nulls_last=True)`.
    """
    tokens = Cast(F("workload__isl") + F("workload__osl"), FloatField())
    osl = Cast(F("workload__osl"), FloatField())
    isl = Cast(F("workload__isl"), FloatField())
    return (
        estimates.annotate(usd_per_hour=hourly_price(prices))
        .annotate(usd_per_mtok_output=usd_per_mtok("usd_per_hour"))
        .annotate(
            usd_per_mtok_input=F("usd_per_mtok_output") * osl / isl,
            usd_per_mtok_blended=F("usd_per_mtok_output") * osl / tokens,
        )
    )
