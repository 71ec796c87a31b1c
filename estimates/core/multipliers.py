"""Physical multipliers: factors on the times of like operations, fitted to published runs and shrunk to one.

A family is a kind of time: arithmetic of matrix products, reading of experts, starts of kernels, the wire of
an all-reduce, the host's share. Its factor for a lane is the product over scopes: all lanes, then the
software's own. No factor knows a chip's or a model's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

_PRODUCTS: Final = ("attention", "dense_ffn", "shared_experts", "router", "head")

#: Family -> the columns of lanes that it scales.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "product_compute": tuple(f"{group}.inverse_compute" for group in _PRODUCTS),
    "product_memory": tuple(f"{group}.inverse_memory" for group in _PRODUCTS),
    "product_start": tuple(f"{group}.start" for group in _PRODUCTS),
    "experts_compute": ("routed_experts.inverse_compute",),
    "experts_memory": ("routed_experts.inverse_memory",),
    "experts_start": ("routed_experts.start",),
    "cache_read": ("decode_inverse_memory",),
    "cache_start": ("decode_start",),
    "prefill_attention": ("prefill_inverse_compute",),
    "reduce_wire": ("reduce_inverse",),
    "reduce_start": ("reduce_alpha",),
    "exchange": ("exchange_inverse", "exchange_alpha"),
    "kernels": ("kernel_us",),
    "elementwise": ("elementwise_share",),
    "host_step": ("host_step_us",),
    "host_sequence": ("host_sequence_us",),
    "interference": ("interference_share",),
    "request": ("request_us",),
    "burst": ("burst_share",),
}
#: No rate may exceed the datasheet's. Shares of peak compute reach 0.95, so that these factors end here.
LEAST_COMPUTE: Final = 0.95
_COMPUTE: Final = ("product_compute", "experts_compute", "prefill_attention")
_SHARES: Final = ("elementwise",)  # a column that divides: a longer time is a smaller share
_READS: Final = ("product_memory", "experts_memory", "cache_read")

SCOPES: Final = ("any", "software")

#: (family, scope, name of the scope) -> natural logarithm of the factor.
Multipliers = Mapping[tuple[str, str, str], float]


def factors_of(multipliers: Multipliers, software: str | None) -> dict[str, float]:
    """Factor of each family for lanes of one serving software; families at one are left out."""
    found = {}
    for family in FAMILIES:
        log = multipliers.get((family, "any", ""), 0.0)
        if software:
            log += multipliers.get((family, "software", software), 0.0)
        if log:
            factor = float(np.exp(log))
            found[family] = max(factor, LEAST_COMPUTE) if family in _COMPUTE else factor
    return found


def scale_columns(
    columns: dict[str, Array],
    software: Sequence[str | None],
    multipliers: Multipliers,
    places: NDArray[np.intp] | None = None,
) -> None:
    """Multiply the columns of lanes, shape (lanes, 1, 1), by the factors of each lane's software.

    With `places` the software is that of distinct places, which say whose each lane has.
    """
    if not multipliers:
        return
    datasheet = columns["inverse_bandwidth"]
    known = {name: factors_of(multipliers, name) for name in dict.fromkeys(software)}
    position = {name: number for number, name in enumerate(known)}
    which = np.array([position[name] for name in software], np.intp)
    if places is not None:
        which = which[places]
    for family, scaled_names in FAMILIES.items():
        each = np.array([factors.get(family, 1.0) for factors in known.values()])
        if np.all(each == 1.0):
            continue
        column = each[which].reshape(-1, 1, 1)
        for name in scaled_names:
            factor = (1 / column if family in _SHARES else column).astype(columns[name].dtype)
            scaled = columns[name] * factor
            columns[name] = np.maximum(scaled, datasheet) if family in _READS else scaled
