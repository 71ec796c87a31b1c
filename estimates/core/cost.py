"""Money and energy per token: arithmetic over throughput, never part of a cached performance result.

All arguments broadcast. Which tokens a price counts is part of its name: `output` puts the whole cost on the
output tokens, `blended` spreads it over input and output, `split` divides it by the machine's time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

SECONDS_PER_HOUR = 3600.0
HOURS_PER_YEAR = 8766.0
TOKENS_PER_MTOK = 1e6


def usd_per_mtok_output(
    usd_per_hour: ArrayLike, output_tok_s: ArrayLike, utilisation: ArrayLike = 1.0
) -> Array:
    """USD per million output tokens, the whole cost on them. `utilisation`: share of hours at this load."""
    tokens_per_hour = np.asarray(output_tok_s, float) * SECONDS_PER_HOUR * np.asarray(utilisation, float)
    return np.asarray(np.asarray(usd_per_hour, float) / tokens_per_hour * TOKENS_PER_MTOK)


def tokens_per_usd(usd_per_mtok: ArrayLike) -> Array:
    """Tokens for one USD: the reciprocal of the price."""
    return np.asarray(TOKENS_PER_MTOK / np.asarray(usd_per_mtok, float))


def usd_per_mtok_blended(
    usd_per_hour: ArrayLike,
    output_tok_s: ArrayLike,
    isl: ArrayLike,
    osl: ArrayLike,
    utilisation: ArrayLike = 1.0,
) -> Array:
    """USD per million tokens when input and output tokens count alike."""
    ratio = 1 + np.asarray(isl, float) / np.asarray(osl, float)
    return usd_per_mtok_output(usd_per_hour, np.asarray(output_tok_s, float) * ratio, utilisation)


def usd_per_mtok_split(
    usd_per_hour: ArrayLike,
    output_tok_s: ArrayLike,
    isl: ArrayLike,
    osl: ArrayLike,
    prefill_share: ArrayLike,
    utilisation: ArrayLike = 1.0,
) -> tuple[Array, Array]:
    """(USD per million input tokens, USD per million output tokens), each paying for its share of time.

    Input tokens x input price + output tokens x output price is the whole cost.
    """
    whole = usd_per_mtok_output(usd_per_hour, output_tok_s, utilisation)
    share = np.asarray(prefill_share, float)
    per_input = whole * share * np.asarray(osl, float) / np.asarray(isl, float)
    return np.asarray(per_input), np.asarray(whole * (1 - share))


def owned_usd_per_hour(
    purchase_usd: ArrayLike,
    years: ArrayLike,
    power_w: ArrayLike,
    usd_per_kwh: ArrayLike,
    pue: ArrayLike = 1.0,
    hosting_usd_per_hour: ArrayLike = 0.0,
) -> Array:
    """Cost of an hour of one's own machine: amortisation, power at the facility's PUE, hosting."""
    amortised = np.asarray(purchase_usd, float) / (np.asarray(years, float) * HOURS_PER_YEAR)
    energy = np.asarray(power_w, float) / 1000 * np.asarray(pue, float) * np.asarray(usd_per_kwh, float)
    return np.asarray(amortised + energy + np.asarray(hosting_usd_per_hour, float))


def joules_per_output_token(power_w: ArrayLike, output_tok_s: ArrayLike, pue: ArrayLike = 1.0) -> Array:
    """Energy per output token at a given draw of the whole machine; rated power is an upper bound."""
    return np.asarray(np.asarray(power_w, float) * np.asarray(pue, float) / np.asarray(output_tok_s, float))


def break_even_tok_s(usd_per_hour: ArrayLike, hosted_usd_per_mtok: ArrayLike) -> Array:
    """Output tokens/s, averaged over all hours paid for, above which the machine beats a hosted price."""
    return np.asarray(
        np.asarray(usd_per_hour, float)
        / SECONDS_PER_HOUR
        / (np.asarray(hosted_usd_per_mtok, float) / TOKENS_PER_MTOK)
    )
