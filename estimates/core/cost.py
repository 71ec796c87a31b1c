"""USD per million tokens: arithmetic over throughput, never part of a cached performance result.

Arguments broadcast. Exact decimals, energy, owning and hosted prices are `estimates.economics`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

SECONDS_PER_HOUR = 3600.0
TOKENS_PER_MTOK = 1e6


def usd_per_mtok_output(usd_per_hour: ArrayLike, output_tok_s: ArrayLike) -> Array:
    """USD per million output tokens, the whole cost on them."""
    tokens_per_hour = np.asarray(output_tok_s, float) * SECONDS_PER_HOUR
    return np.asarray(np.asarray(usd_per_hour, float) / tokens_per_hour * TOKENS_PER_MTOK)
