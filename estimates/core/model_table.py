"""Models as arrays: their numbers, and their operations gathered by what they have in common.

Operations that differ in their sizes alone are alike. In which order the kinds follow, and so how times add
up, does not depend on the models that happen to be asked together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.core.architecture import Architecture
from estimates.core.chip_terms import GEMM_GROUPS
from estimates.core.kv_cache import KvTerms, kv_terms
from estimates.core.lowering import lower
from estimates.core.operations import Gemm, Lowered, Size, given

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Cached:
    """What a layer caches of a token: elements, divided over tensor ranks by `kv_heads` where there are any.

    `kind` is growing, window or cross; a window bounds the tokens.
    """

    kind: str
    elements: Size
    kv_heads: Size
    window: Size


@lru_cache(maxsize=512)
def cache_terms(architecture: Architecture) -> KvTerms:
    return kv_terms(architecture)


#: Numbers of a whole model, by name.
_NUMBERS: Final[Mapping[str, Callable[[Lowered, KvTerms], float]]] = {
    "hidden": lambda model, _: model.hidden,
    "vocab": lambda model, _: model.vocab,
    "layers": lambda model, _: model.layers,
    "reductions": lambda model, _: model.mixer_reductions + model.dense_reductions,
    "expert_exchanges": lambda model, _: model.expert_exchanges,
    "dense_layers": lambda model, _: model.dense_layers,
    "expert_layers": lambda model, _: model.expert_layers,
    "latent_or_sparse_layers": lambda model, _: model.latent_or_sparse_layers,
    "recurrent_layers": lambda model, _: model.recurrent_layers,
    "most_experts": lambda model, _: max(model.expert_divisors, default=0),
    "index_elements": lambda _, terms: terms.indexer_elements_per_token,
    "state_bytes": lambda _, terms: terms.state_bytes,
    "convolution_elements": lambda _, terms: terms.convolution_elements,
    "cross_tokens": lambda _, terms: terms.cross_tokens or 0,
}


def _head(model: Lowered) -> tuple[tuple[Gemm, int], ...]:
    """The product of the last hidden state with the vocabulary."""
    head = Gemm("output head", "head", model.hidden, sharded=model.vocab)
    return ((head, 1),) if model.has_head else ()


def _cached(terms: KvTerms) -> tuple[tuple[Cached, int], ...]:
    """What its layers cache, those of one kind and spread with their count."""
    found = []
    for layer in terms.layers:
        heads = 0 if layer.latent else layer.kv_heads or 0
        found.append((Cached(layer.kind, layer.elements_per_token, heads, layer.window or 0), layer.layers))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of operation: how a model's are listed, what makes two alike, the sizes that then differ."""

    listed: Callable[[Lowered, KvTerms], Iterable[tuple[Any, int]]]
    sizes: Callable[[Any], tuple[str, ...]]
    likeness: Callable[[Any], tuple[Any, ...]] = lambda _: ()


def _given(operation: Any, *names: str) -> tuple[str, ...]:
    """Those of these sizes that the operation has."""
    return tuple(name for name in names if given(getattr(operation, name)))


_KINDS: Final[Mapping[str, _Kind]] = {
    "gemms": _Kind(
        lambda model, _: model.gemms,
        lambda gemm: ("k", "sharded", "replicated", *_given(gemm, "heads", "kv_heads", "head_width")),
        lambda gemm: (
            GEMM_GROUPS.index(gemm.group),
            gemm.operation,
            gemm.k_sharded,
            _given(gemm, "heads", "kv_heads", "head_width"),
        ),
    ),
    "heads": _Kind(lambda model, _: _head(model), lambda _: ("k", "sharded")),
    "experts": _Kind(
        lambda model, _: model.experts,
        lambda _: ("experts", "top_k", "width", "intermediate", "matrices", "log_missed"),
    ),
    "reads": _Kind(
        lambda model, _: model.reads,
        lambda read: (
            *("heads", "kv_heads", "entry", "decode_flop", "prefill_flop"),
            *_given(read, "latent", "window", "top_k"),
            *(("compression",) if read.compressed else ()),
            *(("fixed_tokens",) if read.fixed_tokens is not None else ()),
        ),
        lambda read: (_given(read, "latent", "window", "top_k"), read.compressed, read.fixed_tokens is None),
    ),
    "indexes": _Kind(lambda model, _: model.indexes, lambda _: ("heads", "head_dim", "compression")),
    "states": _Kind(
        lambda model, _: model.states, lambda _: ("elements", "bytes_per_element", "flop_per_token")
    ),
    "cached": _Kind(
        lambda _, terms: _cached(terms),
        lambda cached: ("elements", *_given(cached, "kv_heads", "window")),
        lambda cached: (cached.kind, _given(cached, "kv_heads", "window")),
    ),
}


def _size(operation: Any, name: str) -> float:
    return float(operation.logarithm_missed if name == "log_missed" else getattr(operation, name))


@dataclass(eq=False, slots=True)
class Alike:
    """Operations of several models that differ in sizes alone: one of each of `members`."""

    example: Any
    members: NDArray[np.intp]
    counts: Array
    sizes: dict[str, Array]


@dataclass(eq=False, slots=True)
class ModelTable:
    """Distinct models, their numbers as arrays over them."""

    models: tuple[Lowered, ...]
    architectures: tuple[Architecture, ...]
    numbers: dict[str, Array]
    alike: dict[str, tuple[Alike, ...]]

    @classmethod
    def of(cls, architectures: Sequence[Architecture], models: Sequence[Lowered] | None = None) -> ModelTable:
        """Of these architectures; `models` in place of what they are lowered to."""
        lowered = [lower(one) for one in architectures] if models is None else models
        terms = [cache_terms(one) for one in architectures]
        both = list(zip(lowered, terms, strict=True))
        return cls(
            models=tuple(lowered),
            architectures=tuple(architectures),
            numbers={name: np.array([read(*one) for one in both], float) for name, read in _NUMBERS.items()},
            alike={
                name: tuple(_gathered([kind.listed(*one) for one in both], kind))
                for name, kind in _KINDS.items()
            },
        )


def _gathered(models: Sequence[Iterable[tuple[Any, int]]], kind: _Kind) -> Iterable[Alike]:
    """Of each model the first of a likeness together, then the second; in the order of their likenesses."""
    found: dict[tuple[Any, ...], list[tuple[int, Any, int]]] = {}
    for number, operations in enumerate(models):
        met: Counter[tuple[Any, ...]] = Counter()
        for operation, count in operations:
            own = kind.likeness(operation)
            found.setdefault((own, met[own]), []).append((number, operation, count))
            met[own] += 1
    for key in sorted(found):
        members = found[key]
        example = members[0][1]
        yield Alike(
            example,
            np.array([number for number, _, _ in members], np.intp),
            np.array([count for _, _, count in members], float),
            {name: np.array([_size(one, name) for _, one, _ in members]) for name in kind.sizes(example)},
        )


def table_of(architectures: Sequence[Architecture]) -> ModelTable:
    """The table of these; of a single one, which is asked for again and again, it is kept."""
    return _of_one(architectures[0]) if len(architectures) == 1 else ModelTable.of(architectures)


@lru_cache(maxsize=512)
def _of_one(architecture: Architecture) -> ModelTable:
    return ModelTable.of([architecture])
