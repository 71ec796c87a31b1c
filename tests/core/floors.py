"""Least time of a token by the bytes and arithmetic it cannot do without, counted apart from the estimator.

Weights come from the parameter counter (checked against published checkpoints), cache from the memory model;
nothing here reads the operations that the estimator times. Full datasheet bandwidth and the chip's fastest
rate at which the formats could compute; no start, no overhead, no communication.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimates.core.architecture import Architecture, Attention, LatentAttention, MixtureOfExperts
from estimates.core.efficiency import EfficiencyTable
from estimates.core.lanes import Lane
from estimates.core.memory import RankMemory, group_bytes, parameters_by_group
from estimates.core.points import Evaluated

VECTORS = 0.98  # convolutions, biases and scales counted with the matrices are read by other kernels


def experts_of(architecture: Architecture) -> list[MixtureOfExperts]:
    return [
        b for group in architecture.layers for b in group.feed_forwards if isinstance(b, MixtureOfExperts)
    ]


def share_touched(architecture: Architecture, tokens: float, skew: float) -> float:
    """Share of the routed experts that T tokens choose: 1 - (1 - k / E)^(skew T), at least one token's."""
    shares = []
    for block in experts_of(architecture):
        chance = min(block.top_k / (block.experts + block.zero_experts), 1 - 1e-9)
        shares.append(1 - (1 - chance) ** max(min(tokens, 1.0), skew * tokens))
    return min(shares, default=0.0)


def reads_whole_cache(architecture: Architecture) -> bool:
    """Whether a decoding token attends to all that is cached for it: no sparse, compressed, cross reading."""
    return all(
        (
            isinstance(mixer, Attention)
            and not mixer.cross
            and not mixer.sparse_top_k
            and mixer.kv_compression == 1
        )
        or isinstance(mixer, LatentAttention)
        for group in architecture.layers
        for mixer in group.mixers
    ) and not any(getattr(mixer, "indexer", None) for group in architecture.layers for mixer in group.mixers)


def step_bytes(
    architecture: Architecture, lane: Lane, tokens: float, table: EfficiencyTable, *, head: bool
) -> float:
    """Bytes of weights that `tokens` tokens on every attention rank make one chip of the stage read."""
    held = group_bytes(architecture, lane.scheme)
    skew = table.coefficient("routing_skew", lane.variant.chip)
    outside = projected_outside(architecture) * lane.scheme.group("attention").bytes
    every = (
        held["attention"]
        - outside
        + held["dense_ffn"]
        + held["shared_experts"]
        + (held["head"] if head else 0.0)
    )
    touched = share_touched(architecture, tokens * lane.dp, skew)
    return VECTORS * (every / lane.tp + held["routed_experts"] * touched / lane.group)


def cache_bytes(architecture: Architecture, memory: RankMemory, context: float) -> np.ndarray:
    """Bytes of cache a chip of each lane reads for one decoding sequence, shape (lanes,)."""
    cached = memory.cache(np.full((1, 1), context))[:, 0]
    return cached if reads_whole_cache(architecture) else np.zeros_like(cached)


def token_flop(architecture: Architecture, lane: Lane, *, head: bool) -> float:
    """FLOP a chip of the stage does for one token of its attention rank: 2 an active parameter, over tp."""
    parameters = parameters_by_group(architecture)
    own = parameters["attention"] - projected_outside(architecture)
    active: float = own + parameters["dense_ffn"] + parameters["shared_experts"]
    chosen = [b.top_k / (b.experts + b.zero_experts) for b in experts_of(architecture)]
    active += parameters["routed_experts"] * min(chosen, default=0.0) + (parameters["head"] if head else 0)
    return VECTORS * 2 * active / lane.tp


def pair_flop(architecture: Architecture) -> int:
    """FLOP of a prompt's token for each token before it: scores and values of all heads and whole layers."""
    total = 0
    for group in architecture.layers:
        for mixer in group.mixers:
            if isinstance(mixer, LatentAttention):
                width = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim
                bounded = mixer.window or mixer.indexer
            elif isinstance(mixer, Attention):
                width = mixer.head_dim + mixer.v_head_dim
                bounded = mixer.window or mixer.indexer or mixer.sparse_top_k or mixer.cross
            else:
                continue
            total += 0 if bounded else group.count * mixer.heads * 2 * width
    return total


def projected_outside(architecture: Architecture) -> int:
    """Parameters that project the source of cross-attention to keys and values, once for all tokens."""
    return sum(
        group.count * architecture.hidden * mixer.kv_heads * (mixer.head_dim + mixer.v_head_dim)
        for group in architecture.layers
        for mixer in group.mixers
        if isinstance(mixer, Attention) and mixer.cross and mixer.owns_kv
    )


def fastest_rate(lane: Lane) -> float:
    """No product is faster than the chip's fastest rate, of 16-bit weights none than the 16-bit one."""
    rates = dict(lane.variant.chip.rates)
    if lane.scheme.slug in ("bf16", "fp16"):
        rates = {name: rates[name] for name in ("bf16", "fp16") if name in rates} or rates
    return max(rates.values(), default=np.inf)


@dataclass(frozen=True)
class Floor:
    """Least seconds of a lane's steps. Where a rate is not published (`rates_known`), by bytes alone."""

    architecture: Architecture
    lane: Lane
    cache: float  # bytes a decoding sequence reads
    rates_known: bool
    table: EfficiencyTable

    def decode(self, batch: float) -> float:
        """A step that decodes `batch` sequences a rank."""
        flop = batch * token_flop(self.architecture, self.lane, head=True)
        return self._seconds(batch, batch * self.cache, flop, head=True)

    def prompt(self, tokens: float, position: float = 0.0) -> float:
        """So many prompt tokens of every attention rank, `position` others before one of them in the mean."""
        each = token_flop(self.architecture, self.lane, head=False)
        each += pair_flop(self.architecture) * position / self.lane.tp
        return self._seconds(tokens, 0.0, tokens * each, head=False)

    def _seconds(self, tokens: float, more_bytes: float, flop: float, *, head: bool) -> float:
        bandwidth = self.lane.variant.chip.memory.bandwidth
        assert bandwidth is not None
        weights = step_bytes(self.architecture, self.lane, tokens, self.table, head=head)
        rate = fastest_rate(self.lane) if self.rates_known else np.inf
        return max((weights + more_bytes) / bandwidth, flop / rate)


def floors(
    found: Evaluated, architecture: Architecture, context: float, table: EfficiencyTable
) -> list[Floor]:
    """One a point that was evaluated."""
    cached = cache_bytes(architecture, found.memory, context)
    return [
        Floor(architecture, point.lane, float(cache), bool(known), table)
        for point, cache, known in zip(found.points, cached, found.rates_known, strict=True)
    ]
