"""Time of collectives over one scale-up domain and of hops between pipeline stages.

All-reduce: alpha + 2 (n - 1) / n bytes / (share link), the bandwidth-optimal lower bound of Thakur et al.
(2005) with a measured share of the link; all-to-all sends (n - 1) / n of a rank's bytes once. Bytes are those
held by one rank, the link is per direction, alpha and share are data by number of ranks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def all_reduce_s(payload_bytes: Array, ranks: Array, alpha_s: Array, inverse_rate: Array) -> Array:
    """Seconds of one all-reduce; zero on one rank. `inverse_rate` is 1 / (share x link) in s/byte."""
    wire = 2 * (ranks - 1) / ranks * payload_bytes
    return np.asarray(np.where(ranks > 1, alpha_s + wire * inverse_rate, 0))


def all_to_all_s(payload_bytes: Array, ranks: Array, alpha_s: Array, inverse_rate: Array) -> Array:
    """Seconds of one all-to-all in which a rank sends `payload_bytes` evenly to all; zero on one rank."""
    wire = (ranks - 1) / ranks * payload_bytes
    return np.asarray(np.where(ranks > 1, alpha_s + wire * inverse_rate, 0))


def hop_s(tokens: Array, alpha_s: Array, seconds_per_token: Array) -> Array:
    """Seconds to hand the activations of `tokens` tokens to the next pipeline stage."""
    return np.asarray(alpha_s + tokens * seconds_per_token)
