"""Memory of one rank: weights by tensor group, cache of a sequence, workspace, reserve, and the budget.

Counts come from the parameter counter and the KV terms; here they are spread over ranks. Tensor parallelism
divides matrices and key-value heads until one head is left, the latent of MLA and index keys are held by
every rank, experts are divided over the whole stage, routers and norms are copied. Where expert parallelism
does not divide the experts, every rank has room for as many as the fullest. A pipeline stage holds its share
of the layers; embedding and head go to the stages that have a layer less, where there are any.

Software limits the cache in two ways, both data: to a share of the whole memory less what else is held there
(`usable_share`: vLLM, SGLang), or to a share of what is free once all else is held (`cache_share`:
TensorRT-LLM).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from estimates.core.architecture import Architecture
from estimates.core.formats import WeightScheme
from estimates.core.lanes import Lanes
from estimates.core.model_columns import ModelColumns
from estimates.core.operations import given, heads_on_rank
from estimates.core.parameters import count_parameters

Array = NDArray[np.floating]

SPLIT: tuple[str, ...] = (
    "attention",
    "dense_ffn",
    "routed_experts",
    "shared_experts",
    "embedding",
    "head",
    "other",
)
_GROUP_OF: Mapping[str, str] = {"mixer": "attention", **{name: name for name in SPLIT}}
INDEX_KEY_BYTES = 1.0  # engines keep the indexer's keys in FP8
CONVOLUTION_BYTES = 2.0
LOGIT_BYTES = 4  # sampled in FP32


@lru_cache(maxsize=512)
def parameters_by_group(architecture: Architecture) -> Mapping[str, int]:
    """Parameters of the model that runs, by the tensor groups of a weight scheme; `other` stays 16 bit."""
    counted = count_parameters(architecture)
    groups = dict.fromkeys(SPLIT, 0)
    for group, parameters in counted.by_group.items():
        if group != "mtp":
            groups[_GROUP_OF.get(group, "other")] += parameters
    return groups


def group_bytes(architecture: Architecture, scheme: WeightScheme) -> dict[str, float]:
    """Bytes of the whole model's weights by tensor group."""
    return {
        group: parameters * (2.0 if group == "other" else scheme.group(group).bytes)
        for group, parameters in parameters_by_group(architecture).items()
    }


def rank_share(models: ModelColumns, group: str, tp: Array) -> Array:
    """Share of a tensor group's matrices that one tensor rank holds, replication included, shape (lanes,)."""
    one = np.ones((1, 1, 1))
    columns = np.asarray(tp, float).reshape(-1, 1, 1)
    whole, held = np.zeros_like(columns), np.zeros_like(columns)
    for slot in models.gemms:
        gemm = slot.operation
        if gemm.group == group:
            own = slot.of(columns)
            whole[slot.at] += slot.count * gemm.n(one) * gemm.inner(one)
            held[slot.at] += slot.count * gemm.n(own) * gemm.inner(own)
    even = 1 / columns
    return np.divide(held, whole, out=even, where=whole > 0).reshape(-1)


def expert_share(experts: Array, ep: Array, group: Array) -> Array:
    """Share of the routed experts that one chip of a stage holds: ceil(E / ep) of E whole experts, or a

    1 / (group / ep) slice of each. Copies fill the places that are left over. A model without experts has 0.
    """
    whole = np.maximum(experts, 1)
    return np.where(experts > 0, np.ceil(experts / ep) / whole * ep / group, 1 / group)


@dataclass(slots=True)
class RankMemory:
    """Bytes on one rank, one value a lane (float64, shape (lanes,)).

    `layers` is the weights of all layers, to be divided over pipeline stages; `ends` embedding and head of
    the stages that hold them. `growing` is cache bytes a token over all layers, each of `windows`
    (tokens, bytes a token) of layers that keep no more of them, `fixed` the state a sequence. `budget` is
    what the software may fill, `cache_share` the part of what it leaves there free that caches get.
    """

    split: dict[str, Array]
    ends: Array
    layers: Array
    growing: Array
    windows: tuple[tuple[Array, Array], ...]
    fixed: Array
    logits: Array
    workspace: Array
    reserve_fixed: Array
    reserve_share: Array
    capacity: Array
    budget: Array
    cache_share: Array
    even: NDArray[np.bool_]  # SRAM-first: tensors are spread evenly, a layer over several chips if need be
    beside: Array | float = 0.0  # weights of what drafts
    second: Array | float = 0.0  # bytes of the tier behind that may be filled as well

    def cache(self, context: Array) -> Array:
        """Cache bytes of one sequence over all layers on a rank; context broadcasts on trailing axes."""
        context = np.asarray(context, float)
        shape = (-1,) + (1,) * max(context.ndim - 1, 0)
        total = self.growing.reshape(shape) * context + self.fixed.reshape(shape)
        for window, per_token in self.windows:
            total = total + per_token.reshape(shape) * np.minimum(context, window.reshape(shape))
        return np.asarray(total)

    def stage_weights(self, pp: Array, layer_count: Array | float) -> Array:
        """Weights of the fullest pipeline stage: its layers, and the larger of embedding and head.

        Where stages differ by a layer, those that hold embedding and head have the fewer (vLLM,
        get_pp_indices; llama.cpp counts the output as a layer).
        """
        pp = np.asarray(pp, float)
        both = self.split["embedding"] + self.split["head"]
        most, fewest = np.ceil(layer_count / pp), np.floor(layer_count / pp)
        shorter = np.where(most > fewest, pp - layer_count % pp, 0)  # stages with a layer less
        layer = self.layers / layer_count
        full = layer * most + np.where(shorter > 1, 0, np.where(shorter > 0, both - self.ends, self.ends))
        staged = np.maximum(full, layer * np.where(shorter > 0, fewest, most) + self.ends)
        staged = np.where(pp > 1, staged, self.layers + both)
        return np.asarray(np.where(self.even, (self.layers + both) / pp, staged))

    def drafting(self, pp: Array) -> Array:
        """Weights of what drafts on the fullest stage: whole on one stage, or spread as all tensors are."""
        return np.asarray(np.where(self.even, self.beside / np.asarray(pp, float), self.beside))

    def usable(self, pp: Array, layer_count: Array | float) -> Array:
        """What caches may take: their share of the budget less weights, workspace and reserve of the fullest

        stage. Negative where those alone exceed the budget.
        """
        weights = self.stage_weights(pp, layer_count)
        held = weights * (1 + self.reserve_share) + self.workspace + self.reserve_fixed
        held = held + self.drafting(pp)
        free = self.budget + self.second - held
        return np.asarray(np.where(free > 0, self.cache_share * free, free))


def rank_memory(models: ModelColumns, lanes: Lanes, *, capacity_scale: float = 1.0) -> RankMemory:
    """Spread weights and cache over the ranks of each lane."""
    models = models.as_type(np.float64)
    tp, group, kv_bytes = lanes.flat("tp"), lanes.flat("group"), lanes.flat("kv_bytes")
    whole = _whole_weights(models, lanes)
    share = {
        "attention": rank_share(models, "attention", tp),
        "dense_ffn": 1 / tp,
        "shared_experts": rank_share(models, "shared_experts", tp),
        "routed_experts": expert_share(models.flat("most_experts"), lanes.flat("ep"), group),
        "embedding": 1 / tp,
        "head": 1 / tp,
        "other": np.ones_like(tp),
    }
    split = {name: whole[name] * share[name] for name in SPLIT}
    growing, windows, fixed = _cache_columns(models, tp, kv_bytes)
    growing = growing + models.flat("index_elements") * INDEX_KEY_BYTES
    states = models.flat("state_bytes") + models.flat("convolution_elements") * CONVOLUTION_BYTES
    fixed = fixed + states / tp
    chips = [lane.variant.chip for lane in lanes.lanes]
    capacity = capacity_scale * np.array(
        [np.nan if chip.memory.addressable_bytes is None else chip.memory.addressable_bytes for chip in chips]
    )
    ends = np.maximum(split["embedding"], split["head"])
    return RankMemory(
        split=split,
        ends=ends,
        layers=sum((split[name] for name in SPLIT if name not in ("embedding", "head")), np.zeros_like(tp)),
        growing=growing,
        windows=windows,
        fixed=fixed,
        logits=LOGIT_BYTES * models.flat("vocab") / tp,
        workspace=lanes.flat("chunk_tokens")
        * models.flat("hidden")
        * lanes.flat("workspace_bytes_per_hidden"),
        reserve_fixed=lanes.flat("reserve_fixed_bytes"),
        reserve_share=lanes.flat("reserve_weight_share"),
        capacity=capacity,
        budget=capacity * lanes.flat("usable_share"),
        cache_share=lanes.flat("cache_share"),
        even=np.array([chip.sram_first for chip in chips]),
    )


def _whole_weights(models: ModelColumns, lanes: Lanes) -> dict[str, Array]:
    """Bytes of the whole model's weights by tensor group, of each lane."""
    first, place = models.distinct(lanes.kinds)
    found = [group_bytes(models.architecture(row), lanes.lanes[row].scheme) for row in first]
    return {name: np.array([held[name] for held in found])[place] for name in SPLIT}


def _cache_columns(
    models: ModelColumns, tp: Array, kv_bytes: Array
) -> tuple[Array, tuple[tuple[Array, Array], ...], Array]:
    """Bytes on a rank: (a token at any context, windows as of `RankMemory`, the source of a sequence)."""
    growing, fixed = np.zeros_like(tp), np.zeros_like(tp)
    cross = np.broadcast_to(models.flat("cross_tokens"), tp.shape)
    windows: list[tuple[Array, Array]] = []
    for slot in models.cached:
        layer, at = slot.operation, slot.at
        spread: Array | float = 1.0
        if given(layer.kv_heads):
            heads = layer.kv_heads.reshape(-1)
            spread = heads_on_rank(heads, tp[at]) / heads
        per_token = layer.elements.reshape(-1) * slot.count.reshape(-1) * spread * kv_bytes[at]
        if layer.kind == "growing":
            growing[at] += per_token
        elif layer.kind == "cross":
            fixed[at] += per_token * cross[at]
        else:
            tokens, held = np.ones_like(tp), np.zeros_like(tp)
            tokens[at], held[at] = layer.window.reshape(-1), per_token
            windows.append((tokens, held))
    return growing, tuple(windows), fixed


def take_rows(memory: RankMemory, rows: NDArray[np.intp]) -> RankMemory:
    """The memory of these lanes, repeated as often as asked."""
    return RankMemory(
        split={name: values[rows] for name, values in memory.split.items()},
        ends=memory.ends[rows],
        layers=memory.layers[rows],
        growing=memory.growing[rows],
        windows=tuple((window[rows], values[rows]) for window, values in memory.windows),
        fixed=memory.fixed[rows],
        logits=memory.logits[rows],
        workspace=memory.workspace[rows],
        reserve_fixed=memory.reserve_fixed[rows],
        reserve_share=memory.reserve_share[rows],
        capacity=memory.capacity[rows],
        budget=memory.budget[rows],
        cache_share=memory.cache_share[rows],
        even=memory.even[rows],
        beside=_taken(memory.beside, rows),
        second=_taken(memory.second, rows),
    )


def _taken(values: Array | float, rows: NDArray[np.intp]) -> Array | float:
    return values if isinstance(values, float) else values[rows]
