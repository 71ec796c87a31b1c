"""The floor of a decoding step: no token comes faster than the bytes it touches are read at full bandwidth.

Weights of the shapes a rank holds, the distinct experts its tokens choose, and the cache that is attended to,
over the datasheet's bandwidth. A correction learnt from measurements stops here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estimates.core.lanes import Lanes
from estimates.core.model_columns import ModelColumns
from estimates.core.roofline import added
from estimates.core.step import distinct_experts

Array = NDArray[np.floating]


def decode_floor_s(
    models: ModelColumns, lanes: Lanes, batch: Array, context: Array, verify: Array | int = 1
) -> Array:
    """Seconds to read what one step of `batch` sequences on a rank, `verify` tokens of each, touches."""
    batch, context = _shaped(batch), _shaped(context)
    verified = _shaped(np.asarray(verify, batch.dtype))
    total: Array = np.zeros((1, 1, 1))
    for gemms in (*models.gemms, *models.heads):
        gemm, tp = gemms.operation, gemms.of(lanes["tp"])
        stored = gemms.of(lanes[f"{gemm.group}.weight_bytes"])
        total = added(total, gemms.count * gemm.n(tp) * gemm.inner(tp) * stored, gemms.rows)
    for routed in models.experts:
        experts = routed.operation
        dp, ep, group, skew = (routed.of(lanes[name]) for name in ("dp", "ep", "group", "routing_skew"))
        size = experts.matrices * experts.width * experts.intermediate / (group / ep)
        chosen = routed.of(batch) * dp * routed.of(verified)
        touched = distinct_experts(experts, chosen, skew) / ep
        stored = routed.of(lanes["routed_experts.weight_bytes"])
        total = added(total, routed.count * touched * size * stored, routed.rows)
    for reads in models.reads:
        read = reads.operation
        attended = reads.of(batch) * read.attended(reads.of(context))
        held = read.elements(reads.of(lanes["tp"])) * reads.of(lanes["kv_bytes"])
        total = added(total, reads.count * attended * held, reads.rows)
    return np.asarray(total * lanes["inverse_bandwidth"])


def _shaped(values: Array) -> Array:
    """With three axes, of lanes first, as columns have them."""
    found = np.asarray(values)
    return found if found.ndim == 3 else found.reshape((1,) * (3 - found.ndim) + found.shape)
