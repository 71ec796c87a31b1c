"""The operations one step of a model runs on one rank: products, cache reads, state updates, experts.

Sizes depend on the tensor-parallel size and are functions of an array of it. A size is a number of one model,
or a column of as many as lanes have the operation (`model_columns`); one that is 0 or None is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

#: A count or a width: a number, or of several lanes a column of them.
type Size = Any


def given(size: Size) -> bool:
    """Whether an operation has this size; a column is of operations that do."""
    return isinstance(size, np.ndarray) or bool(size)


def heads_on_rank(heads: Size, tp: Array) -> Array:
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
    k: Size
    sharded: Size = 0
    replicated: Size = 0
    kv_heads: Size = 0
    head_width: Size = 0
    k_sharded: bool = False
    heads: Size = 0

    def share(self, tp: Array) -> Array:
        """Part of the sharded side that one rank holds."""
        return np.asarray(heads_on_rank(self.heads, tp) / self.heads if given(self.heads) else 1 / tp)

    def n(self, tp: Array) -> Array:
        width = self.sharded * self.share(tp) + self.replicated
        if given(self.kv_heads):
            width = width + self.head_width * heads_on_rank(self.kv_heads, tp)
        return np.asarray(width)

    def inner(self, tp: Array) -> Array:
        return np.asarray(self.k * self.share(tp) if self.k_sharded else self.k + 0.0 * tp)


@dataclass(frozen=True, slots=True)
class CacheRead:
    """Attention over cached tokens: bytes per cached token on a rank, FLOP per query and cached token.

    `entry` elements per key-value head, `latent` elements per token replicated on every rank.
    """

    heads: Size
    kv_heads: Size
    entry: Size
    latent: Size
    decode_flop: Size  # per head, query and attended token
    prefill_flop: Size
    window: Size = None
    top_k: Size = None
    compression: Size = 1
    fixed_tokens: Size = None  # cross-attention reads its source whatever the context

    @property
    def compressed(self) -> bool:
        """Whether an entry stands for several tokens."""
        return isinstance(self.compression, np.ndarray) or self.compression > 1

    def elements(self, tp: Array) -> Array:
        if given(self.latent):
            return np.asarray(self.latent + 0.0 * tp)
        return np.asarray(self.entry * heads_on_rank(self.kv_heads, tp))

    def attended(self, context: Array) -> Array:
        """Cache entries one query reads at this context."""
        if self.fixed_tokens is not None:
            return np.asarray(self.fixed_tokens + 0.0 * context)
        if self.compressed:
            entries = context / self.compression
            if given(self.top_k):
                entries = np.minimum(entries, self.top_k)
            recent = np.minimum(context, self.window) if given(self.window) else 0.0
            return np.asarray(entries + recent)
        for limit in (self.window, self.top_k):
            if given(limit):
                context = np.minimum(context, limit)
        return np.asarray(context)

    def touched(self, context: Array, verify: Array | float, dtype: np.dtype) -> Array:
        """Cache entries that `verify` queries of a sequence read: a selection each, at most all there are."""
        entries = np.asarray(verify * self.attended(context))
        recent = self.window if given(self.window) else 0
        return np.minimum(entries, context / self.compression + recent).astype(dtype)


@dataclass(frozen=True, slots=True)
class IndexRead:
    """Scoring every cached entry with the indexer's keys, one byte an element."""

    heads: Size
    head_dim: Size
    compression: Size


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """A recurrent state that each token reads and writes; sharded over tensor ranks with its heads."""

    elements: Size
    bytes_per_element: Size
    flop_per_token: Size


@dataclass(frozen=True, slots=True)
class Experts:
    """Routed experts: each token passes `top_k` of `experts` blocks of `matrices` x width x intermediate."""

    experts: Size
    top_k: Size
    width: Size
    intermediate: Size
    matrices: Size
    log_missed: Size = None  # of the share of tokens that pass an expert by; None: by experts and top_k

    @property
    def logarithm_missed(self) -> Size:
        """ln(1 - k / E), finite where every expert is chosen."""
        if self.log_missed is not None:
            return self.log_missed
        return float(np.log1p(-min(self.top_k / self.experts, 1 - 1e-9)))


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
