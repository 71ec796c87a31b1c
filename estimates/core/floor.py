"""The floor of a decoding step: no token comes faster than the bytes it touches are read at full bandwidth.

Weights of the shapes a rank holds, the distinct experts its tokens choose, and the cache that is attended to,
over the datasheet's bandwidth. A correction learnt from measurements stops here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estimates.core.lanes import Lanes
from estimates.core.operations import Gemm, Lowered
from estimates.core.step import distinct_experts

Array = NDArray[np.floating]


def decode_floor_s(
    model: Lowered, lanes: Lanes, batch: Array, context: Array, verify: Array | int = 1
) -> Array:
    """Seconds to read what one step of `batch` sequences on a rank, `verify` tokens of each, touches."""
    tp = lanes["tp"]
    total: Array = np.zeros((1, 1, 1))
    for gemm, count in model.gemms:
        total = total + count * gemm.n(tp) * gemm.inner(tp) * lanes[f"{gemm.group}.weight_bytes"]
    if model.has_head:
        head = Gemm("output head", "head", model.hidden, sharded=model.vocab)
        total = total + head.n(tp) * head.inner(tp) * lanes["head.weight_bytes"]
    for experts, count in model.experts:
        ep = lanes["ep"]
        inner = lanes["group"] / ep
        size = experts.matrices * experts.width * experts.intermediate / inner
        touched = distinct_experts(experts, batch * lanes["dp"] * verify, lanes["routing_skew"]) / ep
        total = total + count * touched * size * lanes["routed_experts.weight_bytes"]
    for read, count in model.reads:
        attended = batch * read.attended(context)
        total = total + count * attended * read.elements(tp) * lanes["kv_bytes"]
    return np.asarray(total * lanes["inverse_bandwidth"])
