"""Time of one forward step: decode tokens and prefill tokens through every operation of the model.

Arrays broadcast as (lanes, workloads, batches). Token counts are per attention rank: a tensor-parallel group
works on the same tokens, data-parallel attention ranks on their own, and experts see those of all ranks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estimates.core.collectives import all_reduce_s, all_to_all_s
from estimates.core.lanes import Lanes
from estimates.core.operations import Experts, Gemm, Lowered
from estimates.core.roofline import Ledger

Array = NDArray[np.floating]

RESIDUAL_BYTES = 2  # activations between layers travel in 16 bit


def token_time(model: Lowered, lanes: Lanes, tokens: Array, ledger: Ledger) -> None:
    """Everything that depends on how many tokens pass, not on what they attend to."""
    for gemm, count in model.gemms:
        _gemm(gemm, lanes, tokens, ledger, count)
    for experts, count in model.experts:
        _experts(experts, lanes, tokens, ledger, count)
    payload = tokens * (model.hidden * RESIDUAL_BYTES)
    tp = lanes["tp"]
    reductions = model.mixer_reductions + model.dense_reductions
    reduce = all_reduce_s(payload, tp, lanes["reduce_alpha"], lanes["reduce_inverse"])
    if model.expert_exchanges:
        shared = np.where(lanes["dp"] > 1, 0, model.expert_exchanges).astype(tp.dtype)
        ledger.plain("all-reduce", "interconnect", reduce * (reductions + shared))
    else:
        ledger.plain("all-reduce", "interconnect", reduce * reductions)
    kernels = (
        lanes["kernels_dense_layer"] * model.dense_layers
        + lanes["kernels_expert_layer"] * model.expert_layers
        + lanes["kernels_latent_layer"] * model.latent_or_sparse_layers
        + lanes["kernels_recurrent_layer"] * model.recurrent_layers
    )
    ledger.plain("small kernels", "overhead", kernels * lanes["kernel_us"])
    elementwise = lanes["elementwise_bytes_per_hidden"] * (model.hidden * model.layers) * tokens
    ledger.plain(
        "elementwise", "bandwidth", elementwise * lanes["inverse_bandwidth"] / lanes["elementwise_share"]
    )
    latency = (lanes["layer_latency_us"] + lanes["host_layer_us"]) * model.layers
    ledger.plain("layer latency", "overhead", latency)


def _gemm(gemm: Gemm, lanes: Lanes, tokens: Array, ledger: Ledger, count: int) -> None:
    """F = 2 T N K; B = activations T K + weights N K + output 2 T N, each in its format."""
    slot = gemm.group
    key = (gemm, tokens.dtype)
    if key not in lanes.products:
        n, k = gemm.n(lanes["tp"]), gemm.inner(lanes["tp"])
        n, k = n.astype(tokens.dtype), k.astype(tokens.dtype)
        moved = k * lanes[f"{slot}.activation_bytes"] + RESIDUAL_BYTES * n
        lanes.products[key] = (
            2 * n * k * lanes[f"{slot}.inverse_compute"],
            moved * lanes[f"{slot}.inverse_memory"],
            n * k * lanes[f"{slot}.weight_bytes"] * lanes[f"{slot}.inverse_memory"],
        )
    computed, per_token, weights = lanes.products[key]
    memory = tokens * per_token
    memory += weights
    ledger.roofline(
        gemm.operation, tokens * computed, memory, lanes[f"{slot}.p"], lanes[f"{slot}.start"], count
    )


def distinct_experts(experts: Experts, tokens: Array, skew: Array) -> Array:
    """Expected number of different experts that T tokens choose: E (1 - (1 - k/E)^(s T)), at least k of one.

    Uniform independent choices give s = 1; routing is skewed, so fewer are touched.
    """
    trials = np.minimum(tokens, np.maximum(1.0, skew * tokens)).astype(tokens.dtype)
    missed = np.log1p(-min(experts.top_k / experts.experts, 1 - 1e-9))
    return np.asarray(experts.experts * -np.expm1(trials * tokens.dtype.type(missed)))


def _experts(experts: Experts, lanes: Lanes, tokens: Array, ledger: Ledger, count: int) -> None:
    group_tokens = tokens * lanes["dp"]
    ep = lanes["ep"]
    inner = lanes["group"] / ep  # ways each expert is sharded inside
    per_expert = experts.matrices * experts.width * experts.intermediate / inner
    busiest = np.where(ep > 1, lanes["expert_imbalance"], 1).astype(tokens.dtype)
    pairs = group_tokens * (experts.top_k / ep * busiest)
    compute = pairs * (2 * per_expert * lanes["routed_experts.inverse_compute"])
    touched = distinct_experts(experts, group_tokens, lanes["routing_skew"]) / ep
    per_pair = experts.width * (lanes["routed_experts.activation_bytes"] + RESIDUAL_BYTES)
    per_pair = per_pair + 2 * RESIDUAL_BYTES * experts.intermediate / inner
    volume = touched * (per_expert * lanes["routed_experts.weight_bytes"]) + pairs * per_pair
    memory = volume * lanes["routed_experts.inverse_memory"]
    ledger.roofline(
        "routed experts", compute, memory, lanes["routed_experts.p"], lanes["routed_experts.start"], count
    )
    copies = np.minimum(experts.top_k, ep)  # ranks a token's copies go to
    payload = tokens * copies * experts.width
    dispatch = all_to_all_s(
        payload * lanes["dispatch_bytes"], lanes["group"], lanes["exchange_alpha"], lanes["exchange_inverse"]
    )
    combine = all_to_all_s(
        payload * lanes["combine_bytes"], lanes["group"], lanes["exchange_alpha"], lanes["exchange_inverse"]
    )
    exchanged = np.where(lanes["dp"] > 1, dispatch + combine, 0).astype(tokens.dtype)
    ledger.plain("expert dispatch and combine", "interconnect", exchanged * count)


def decode_time(
    model: Lowered, lanes: Lanes, batch: Array, context: Array, ledger: Ledger, verify: Array | float = 1
) -> None:
    """What decoding sequences add: cache reads, index scores, states, the head, the host's share.

    With `verify` tokens a sequence in one step (drafted ones and one more) the cache is read once for all of
    them, each entry a sparse selection picks by itself, and computed on by each; a state is written by each.
    """
    tp = lanes["tp"]
    for read, count in model.reads:
        attended = batch * read.attended(context).astype(batch.dtype)
        touched = attended if read.top_k is None else batch * read.touched(context, verify, batch.dtype)
        memory = touched * (
            read.elements(tp).astype(batch.dtype) * lanes["kv_bytes"] * lanes["decode_inverse_memory"]
        )
        attended = attended * verify
        compute = attended * (read.heads * read.decode_flop / tp * lanes["decode_inverse_compute"])
        ledger.roofline(
            "attention over the cache", compute, memory, lanes["decode_p"], lanes["decode_start"], count
        )
    for index, count in model.indexes:
        scored = batch * context / index.compression
        memory = scored * index.head_dim * lanes["decode_inverse_memory"]
        compute = scored * verify * (2 * index.heads * index.head_dim) * lanes["decode_inverse_compute"]
        ledger.roofline("indexer", compute, memory, lanes["decode_p"], lanes["decode_start"], count)
    for state, count in model.states:
        traffic = batch * ((1 + verify) * state.elements * state.bytes_per_element) / tp
        ledger.plain(
            "state update",
            "bandwidth",
            count * traffic * lanes["inverse_bandwidth"] / lanes["elementwise_share"],
        )
    if model.has_head:
        head = Gemm("output head", "head", model.hidden, sharded=model.vocab)
        _gemm(head, lanes, batch * verify, ledger, 1)
    ledger.plain("host", "overhead", lanes["host_step_us"] + batch * lanes["host_sequence_us"])


def prefill_attention_time(
    model: Lowered, lanes: Lanes, tokens: Array, isl: Array, prefix: Array, ledger: Ledger
) -> None:
    """Causal attention of `tokens` prompt tokens that stand, in the mean, in the middle of the new part.

    The share of peak grows with the prompt: e = e_max ISL / (ISL + i0), both data.
    """
    tp = lanes["tp"]
    position = prefix + isl / 2
    inverse = lanes["prefill_inverse_compute"] * (isl + lanes["prefill_half"]) / isl
    for read, count in model.reads:
        flop = tokens * read.attended(position).astype(tokens.dtype) * (read.heads * read.prefill_flop / tp)
        ledger.plain("prefill attention", "compute", count * flop * inverse)
    for index, count in model.indexes:
        flop = tokens * position / index.compression * (2 * index.heads * index.head_dim)
        ledger.plain("indexer", "compute", count * flop * inverse)
    for state, count in model.states:
        flop = tokens * (state.flop_per_token / tp)
        ledger.plain("state update", "compute", count * flop * lanes["attention.inverse_compute"])
