"""Time of one forward step: decode tokens and prefill tokens through every operation of the model.

Arrays broadcast as (lanes, workloads, batches). Token counts are per attention rank: a tensor-parallel group
works on the same tokens, data-parallel attention ranks on their own, and experts see those of all ranks.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.core.collectives import all_reduce_s, all_to_all_s
from estimates.core.lanes import Lanes
from estimates.core.model_columns import ModelColumns, Slot
from estimates.core.operations import Experts, Gemm, given
from estimates.core.roofline import Ledger

Array = NDArray[np.floating]

RESIDUAL_BYTES = 2  # activations between layers travel in 16 bit
#: Columns of a tensor group that its products are timed by.
_PRODUCT: Final = ("weight_bytes", "activation_bytes", "inverse_compute", "inverse_memory", "p", "start")


def token_time(models: ModelColumns, lanes: Lanes, tokens: Array, ledger: Ledger) -> None:
    """Everything that depends on how many tokens pass, not on what they attend to."""
    for gemm in models.gemms:
        _gemm(gemm, lanes, tokens, ledger)
    for experts in models.experts:
        _experts(experts, lanes, tokens, ledger)
    hidden, layers = models["hidden"], models["layers"]
    tp = lanes["tp"]
    reduce = all_reduce_s(
        tokens * (hidden * RESIDUAL_BYTES), tp, lanes["reduce_alpha"], lanes["reduce_inverse"]
    )
    shared = np.where(lanes["dp"] > 1, 0, models["expert_exchanges"]).astype(tp.dtype)
    ledger.plain("all-reduce", "interconnect", reduce * (models["reductions"] + shared))
    kernels = (
        lanes["kernels_dense_layer"] * models["dense_layers"]
        + lanes["kernels_expert_layer"] * models["expert_layers"]
        + lanes["kernels_latent_layer"] * models["latent_or_sparse_layers"]
        + lanes["kernels_recurrent_layer"] * models["recurrent_layers"]
    )
    ledger.plain("small kernels", "overhead", kernels * lanes["kernel_us"])
    elementwise = lanes["elementwise_bytes_per_hidden"] * (hidden * layers) * tokens
    ledger.plain(
        "elementwise", "bandwidth", elementwise * lanes["inverse_bandwidth"] / lanes["elementwise_share"]
    )
    latency = (lanes["layer_latency_us"] + lanes["host_layer_us"]) * layers
    ledger.plain("layer latency", "overhead", latency)


def _gemm(slot: Slot[Gemm], lanes: Lanes, tokens: Array, ledger: Ledger) -> None:
    """F = 2 T N K; B = activations T K + weights N K + output 2 T N, each in its format."""
    key = (slot, tokens.dtype)
    if key not in lanes.products:
        lanes.products[key] = _product(slot, lanes, tokens.dtype)
    computed, per_token, weights, p, start = lanes.products[key]
    tokens = slot.of(tokens)
    memory = tokens * per_token
    memory += weights
    ledger.roofline(slot.operation.operation, tokens * computed, memory, p, start, slot.count, slot.rows)


def _product(slot: Slot[Gemm], lanes: Lanes, dtype: np.dtype) -> tuple[Array, ...]:
    """(seconds of arithmetic a token, of reading and writing a token, of reading the weights, p, start)."""
    gemm, tp = slot.operation, slot.of(lanes["tp"])
    column = {name: slot.of(lanes[f"{gemm.group}.{name}"]) for name in _PRODUCT}
    n, k = gemm.n(tp).astype(dtype), gemm.inner(tp).astype(dtype)
    moved = k * column["activation_bytes"] + RESIDUAL_BYTES * n
    return (
        2 * n * k * column["inverse_compute"],
        moved * column["inverse_memory"],
        n * k * column["weight_bytes"] * column["inverse_memory"],
        column["p"],
        column["start"],
    )


def distinct_experts(experts: Experts, tokens: Array, skew: Array) -> Array:
    """Expected number of different experts that T tokens choose: E (1 - (1 - k/E)^(s T)), at least k of one.

    Uniform independent choices give s = 1; routing is skewed, so fewer are touched.
    """
    trials = np.minimum(tokens, np.maximum(1.0, skew * tokens)).astype(tokens.dtype)
    missed = np.asarray(experts.logarithm_missed, tokens.dtype)
    return np.asarray(experts.experts * -np.expm1(trials * missed))


def _experts(slot: Slot[Experts], lanes: Lanes, tokens: Array, ledger: Ledger) -> None:
    experts = slot.operation
    dp, ep, group = (slot.of(lanes[name]) for name in ("dp", "ep", "group"))
    routed = {name: slot.of(lanes[f"routed_experts.{name}"]) for name in _PRODUCT}
    tokens = slot.of(tokens)
    group_tokens = tokens * dp
    inner = group / ep  # ways each expert is sharded inside
    per_expert = experts.matrices * experts.width * experts.intermediate / inner
    busiest = np.where(ep > 1, slot.of(lanes["expert_imbalance"]), 1).astype(tokens.dtype)
    pairs = group_tokens * (experts.top_k / ep * busiest)
    compute = pairs * (2 * per_expert * routed["inverse_compute"])
    touched = distinct_experts(experts, group_tokens, slot.of(lanes["routing_skew"])) / ep
    per_pair = experts.width * (routed["activation_bytes"] + RESIDUAL_BYTES)
    per_pair = per_pair + 2 * RESIDUAL_BYTES * experts.intermediate / inner
    volume = touched * (per_expert * routed["weight_bytes"]) + pairs * per_pair
    memory = volume * routed["inverse_memory"]
    ledger.roofline("routed experts", compute, memory, routed["p"], routed["start"], slot.count, slot.rows)
    copies = np.minimum(experts.top_k, ep)  # ranks a token's copies go to
    payload = tokens * copies * experts.width
    alpha, inverse = slot.of(lanes["exchange_alpha"]), slot.of(lanes["exchange_inverse"])
    dispatch = all_to_all_s(payload * slot.of(lanes["dispatch_bytes"]), group, alpha, inverse)
    combine = all_to_all_s(payload * slot.of(lanes["combine_bytes"]), group, alpha, inverse)
    exchanged = np.where(dp > 1, dispatch + combine, 0).astype(tokens.dtype)
    ledger.plain("expert dispatch and combine", "interconnect", exchanged * slot.count, slot.rows)


def decode_time(
    models: ModelColumns,
    lanes: Lanes,
    batch: Array,
    context: Array,
    ledger: Ledger,
    verify: Array | float = 1,
) -> None:
    """What decoding sequences add: cache reads, index scores, states, the head, the host's share.

    With `verify` tokens a sequence in one step (drafted ones and one more) the cache is read once for all of
    them, each entry a sparse selection picks by itself, and computed on by each; a state is written by each.
    """
    dtype = batch.dtype
    verified = np.asarray(verify, dtype).reshape(-1, 1, 1)
    for reads in models.reads:
        read = reads.operation
        tp, own, reach, tokens = map(reads.of, (lanes["tp"], batch, context, verified))
        compute_s, memory_s, p, start = _attention_columns(lanes, reads)
        attended = own * read.attended(reach).astype(dtype)
        touched = own * read.touched(reach, tokens, dtype) if given(read.top_k) else attended
        memory = touched * (read.elements(tp).astype(dtype) * reads.of(lanes["kv_bytes"]) * memory_s)
        compute = attended * tokens * (read.heads * read.decode_flop / tp * compute_s)
        ledger.roofline("attention over the cache", compute, memory, p, start, reads.count, reads.rows)
    for indexes in models.indexes:
        index = indexes.operation
        own, reach, tokens = map(indexes.of, (batch, context, verified))
        compute_s, memory_s, p, start = _attention_columns(lanes, indexes)
        scored = own * reach / index.compression
        memory = scored * index.head_dim * memory_s
        compute = scored * tokens * (2 * index.heads * index.head_dim) * compute_s
        ledger.roofline("indexer", compute, memory, p, start, indexes.count, indexes.rows)
    for states in models.states:
        state = states.operation
        tp, own, tokens = map(states.of, (lanes["tp"], batch, verified))
        inverse, share = states.of(lanes["inverse_bandwidth"]), states.of(lanes["elementwise_share"])
        traffic = own * ((1 + tokens) * state.elements * state.bytes_per_element) / tp
        seconds = states.count * traffic * inverse / share
        ledger.plain("state update", "bandwidth", seconds, states.rows)
    for head in models.heads:
        _gemm(head, lanes, batch * verified, ledger)
    ledger.plain("host", "overhead", lanes["host_step_us"] + batch * lanes["host_sequence_us"])


def _attention_columns(lanes: Lanes, slot: Slot[Any]) -> tuple[Array, ...]:
    """(inverse rate, inverse bandwidth, p, start) of attention over cached entries."""
    names = ("decode_inverse_compute", "decode_inverse_memory", "decode_p", "decode_start")
    return tuple(slot.of(lanes[name]) for name in names)


def prefill_attention_time(
    models: ModelColumns, lanes: Lanes, tokens: Array, isl: Array, prefix: Array, ledger: Ledger
) -> None:
    """Causal attention of `tokens` prompt tokens that stand, in the mean, in the middle of the new part.

    The share of peak grows with the prompt: e = e_max ISL / (ISL + i0), both data.
    """
    dtype = tokens.dtype
    position = prefix + isl / 2
    inverse = lanes["prefill_inverse_compute"] * (isl + lanes["prefill_half"]) / isl
    for reads in models.reads:
        read = reads.operation
        tp, own, reach, pace = map(reads.of, (lanes["tp"], tokens, position, inverse))
        flop = own * read.attended(reach).astype(dtype) * (read.heads * read.prefill_flop / tp)
        ledger.plain("prefill attention", "compute", reads.count * flop * pace, reads.rows)
    for indexes in models.indexes:
        index = indexes.operation
        own, reach, pace = map(indexes.of, (tokens, position, inverse))
        flop = own * reach / index.compression * (2 * index.heads * index.head_dim)
        ledger.plain("indexer", "compute", indexes.count * flop * pace, indexes.rows)
    for states in models.states:
        tp, own, pace = map(states.of, (lanes["tp"], tokens, lanes["attention.inverse_compute"]))
        flop = own * (states.operation.flop_per_token / tp)
        ledger.plain("state update", "compute", states.count * flop * pace, states.rows)
