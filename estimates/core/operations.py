"""The operations one step of a model runs on one rank: products, cache reads, state updates, experts.

Sizes depend on the tensor-parallel size and are functions of an array of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def heads_on_rank(heads: int, tp: Array) -> Array:
    """Key-value heads on each tensor rank: divided until one is left, then replicated."""
    return np.ceil(heads / np.asarray(tp, float))


@dataclass(frozen=True, slots=True)
class Gemm:
    """A product of T x K activations with K x N weights; N and K shrink with tensor parallelism.

    N = sharded / tp + replicated + head_width x ceil(kv_heads / tp); K = k / tp where `k_sharded`. With
    `heads` the sharded side is that many heads, and a rank holds whole ones: ceil(heads / tp), padded.
    """

    operation: str  # what the explanation calls it
    group: str  # tensor group of the weight scheme
    k: int
    sharded: int = 0
    replicated: int = 0
    kv_heads: int = 0
    head_width: int = 0
    k_sharded: bool = False
    heads: int = 0

    def share(self, tp: Array) -> Array:
        """Part of the sharded side that one rank holds."""
        return np.asarray(heads_on_rank(self.heads, tp) / self.heads if self.heads else 1 / tp)

    def n(self, tp: Array) -> Array:
        width = self.sharded * self.share(tp) + self.replicated
        if self.kv_heads:
            width = width + self.head_width * heads_on_rank(self.kv_heads, tp)
        return np.asarray(width)

    def inner(self, tp: Array) -> Array:
        return np.asarray(self.k * self.share(tp) if self.k_sharded else self.k + 0.0 * tp)


@dataclass(frozen=True, slots=True)
class CacheRead:
    """Attention over cached tokens: bytes per cached token on a rank, FLOP per query and cached token.

    `entry` elements per key-value head, `latent` elements per token replicated on every rank.
    """

    heads: int
    kv_heads: int
    entry: int
    latent: int
    decode_flop: int  # per head, query and attended token
    prefill_flop: int
    window: int | None = None
    top_k: int | None = None
    compression: int = 1
    fixed_tokens: int | None = None  # cross-attention reads its source whatever the context

    def elements(self, tp: Array) -> Array:
        if self.latent:
            return np.asarray(self.latent + 0.0 * tp)
        return np.asarray(self.entry * heads_on_rank(self.kv_heads, tp))

    def attended(self, context: Array) -> Array:
        """Cache entries one query reads at this context."""
        if self.fixed_tokens is not None:
            return np.asarray(self.fixed_tokens + 0.0 * context)
        if self.compression > 1:
            entries = context / self.compression
            if self.top_k is not None:
                entries = np.minimum(entries, self.top_k)
            recent = 0.0 if self.window is None else np.minimum(context, self.window)
            return np.asarray(entries + recent)
        limit = min(self.window or 2**62, self.top_k or 2**62)
        return np.asarray(np.minimum(context, float(limit)))

    def touched(self, context: Array, verify: Array | float, dtype: np.dtype) -> Array:
        """Cache entries that `verify` queries of a sequence read: a selection each, at most all there are."""
        entries = np.asarray(verify * self.attended(context))
        return np.minimum(entries, context / self.compression + (self.window or 0)).astype(dtype)


@dataclass(frozen=True, slots=True)
class IndexRead:
    """Scoring every cached entry with the indexer's keys, one byte an element."""

    heads: int
    head_dim: int
    compression: int


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """A recurrent state that each token reads and writes; sharded over tensor ranks with its heads."""

    elements: int
    bytes_per_element: int
    flop_per_token: int


@dataclass(frozen=True, slots=True)
class Experts:
    """Routed experts: each token passes `top_k` of `experts` blocks of `matrices` x width x intermediate."""

    experts: int
    top_k: float
    width: int
    intermediate: int
    matrices: int


@dataclass(frozen=True, slots=True)
class Lowered:
    """A model as counted operations. `layers` decoder layers, `kernels` small kernels in all of them."""

    hidden: int
    vocab: int
    has_head: bool
    layers: int
    gemms: tuple[tuple[Gemm, int], ...]
    reads: tuple[tuple[CacheRead, int], ...]
    indexes: tuple[tuple[IndexRead, int], ...]
    states: tuple[tuple[StateUpdate, int], ...]
    experts: tuple[tuple[Experts, int], ...]
    mixer_reductions: int  # all-reduces after token mixers under tensor parallelism
    dense_reductions: int  # after dense feed-forwards
    expert_exchanges: int  # layers whose experts take tokens from every rank of the stage
    dense_layers: int
    expert_layers: int
    latent_or_sparse_layers: int
    recurrent_layers: int
    tensor_divisors: tuple[int, ...]  # head counts that a tensor-parallel size must divide
    expert_divisors: tuple[int, ...]  # expert counts that an expert-parallel size must divide
