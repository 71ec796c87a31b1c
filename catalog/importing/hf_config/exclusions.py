"""Ignore lists of quantised checkpoints: which tensor groups they name, and how much of each stays wide."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalog.importing.hf_config.formats import StoredFormat
from catalog.importing.hf_config.reading import Config
from estimates.core.architecture import Architecture, MixtureOfExperts, TensorGroup
from estimates.core.parameters import count_parameters, mixer_terms

# Projections that an exclusion may name, and the terms of the count that they are.
PROJECTIONS = {
    "q_proj": "query projection",
    "k_proj": "key projection",
    "v_proj": "value projection",
    "o_proj": "output projection",
    "q_a_proj": "query down-projection",
    "q_b_proj": "query up-projection",
    "kv_a_proj_with_mqa": "latent down-projection",
    "kv_b_proj": "latent up-projection",
    "in_proj": "input projection",
    "out_proj": "output projection",
    "conv1d": "convolution",
    "indexer": "indexer",
    "indexers_proj": "indexer head weights",
}


@dataclass(frozen=True)
class Exclusion:
    """What one pattern leaves unquantised: a tensor group or some projections of it, in some layers."""

    group: TensorGroup
    terms: tuple[str, ...] = ()  # empty: the whole group
    layer: int | None = None  # None: every layer


def exclusions(part: Config, routed: list[bool]) -> list[Exclusion]:
    """What the ignore lists of all forms leave in the base format."""
    patterns: list[Any] = []
    for key in ("ignore", "modules_to_not_convert", "exclude_modules"):
        patterns += part.listing(key) or []
    return [item for pattern in patterns if isinstance(pattern, str) for item in classify(pattern, routed)]


def classify(pattern: str, routed: list[bool]) -> list[Exclusion]:
    """The tensor group and layer a module name or pattern speaks of; empty for norms."""
    text = pattern.removeprefix("re:").replace("\\", "").replace(".*", "*").strip("*. ")
    number = re.search(r"layers\.(\d+)", text)
    layer = int(number.group(1)) if number else None
    if text.startswith("mtp"):
        return [Exclusion("mtp")]
    if layer is not None and layer >= len(routed):  # the prediction layers follow the others
        return [Exclusion("mtp")] if re.search(r"layers\.\d+$", text) else []
    if re.search(r"vision|visual|mm_projector|multi_modal|patch_merge|embed_vision", text):
        return [Exclusion("vision")]
    if re.search(r"(^|\.)(lm_head|head)$", text):
        return [Exclusion("head")]
    if re.search(r"embed", text):
        return [Exclusion("embedding")]
    if re.search(r"norm|bias", text):
        return []
    if re.search(r"shared_expert(_gate|s?$|s?\.|s?\*)", text):
        return [] if text.endswith("_gate") else [Exclusion("shared_experts", (), layer)]
    if re.search(r"(^|\.)(gate|router)$", text):
        return [Exclusion("router")]
    if "experts" in text:
        return [Exclusion("routed_experts", (), layer)]
    tail = text.rsplit(".", 1)[-1].strip("*")
    if re.search(r"(^|\.)\*?(attn|self_attn|linear_attn|mixer|attention)\b|indexer", text):
        if "indexer" in text:
            tail = "indexers_proj" if tail == "indexers_proj" else "indexer"
        return [Exclusion("mixer", (PROJECTIONS[tail],) if tail in PROJECTIONS else (), layer)]
    if re.search(r"mlp|feed_forward|ffn", text):
        terms = tuple(part for part in ("gate_proj", "up_proj", "down_proj") if part == tail)
        return [Exclusion("dense_ffn", terms, layer)]
    if layer is not None:  # the whole layer, such as model.layers.0*
        return [
            Exclusion("mixer", (), layer),
            Exclusion("routed_experts" if routed[layer] else "dense_ffn", (), layer),
        ]
    return []


def apply_exclusions(
    by_group: dict[TensorGroup, StoredFormat],
    excluded: Iterable[Exclusion],
    base: StoredFormat,
    architecture: Architecture,
    keep: set[TensorGroup],
) -> None:
    """Mix the base format in by the share of each group's parameters that the exclusions name."""
    shares: dict[TensorGroup, float] = {}
    sizes = group_sizes(architecture)
    seen: set[Exclusion] = set()
    for exclusion in excluded:
        if exclusion in seen or exclusion.group in keep:
            continue
        seen.add(exclusion)
        if exclusion.group in ("mtp", "vision", "head", "embedding", "router"):
            by_group[exclusion.group] = base
            continue
        total, layers = sizes.get(exclusion.group, ({}, 0))
        whole = sum(size for size, _ in total.values())
        if not whole:
            continue
        named = [value for term, value in total.items() if named_by(term, exclusion)]
        if not exclusion.terms or exclusion.group == "dense_ffn":
            part = 1.0 / 3 if exclusion.terms else 1.0
            share = part / layers if exclusion.layer is not None else part
        else:
            share = sum(size / (count if exclusion.layer is not None else 1) for size, count in named) / whole
        shares[exclusion.group] = shares.get(exclusion.group, 0.0) + share
    for group, share in shares.items():
        share = 1.0 if share > 0.98 else share
        stored = by_group[group]
        bits = share * base.bits + (1 - share) * stored.bits
        by_group[group] = StoredFormat(base.format if share > 0.5 else stored.format, round(bits, 6))


def named_by(term: str, exclusion: Exclusion) -> bool:
    return any(term == name or term.startswith(name + " ") for name in exclusion.terms)


def group_sizes(architecture: Architecture) -> dict[TensorGroup, tuple[dict[str, tuple[int, int]], int]]:
    """By tensor group: parameters and layers of each term, and the number of layers that have the group."""
    terms: dict[str, tuple[int, int]] = {}
    layers: dict[TensorGroup, int] = {}

    def found(name: TensorGroup, count: int) -> None:
        layers[name] = layers.get(name, 0) + count

    for group in architecture.layers:
        if group.mixers:
            found("mixer", group.count)
        for mixer in group.mixers:
            for tensor_group, term, size in mixer_terms(mixer, architecture.hidden):
                if tensor_group == "mixer":
                    old = terms.get(term, (0, 0))
                    terms[term] = (old[0] + size * group.count, old[1] + group.count)
        for block in group.feed_forwards:
            if not isinstance(block, MixtureOfExperts):
                found("dense_ffn", group.count)
                continue
            found("routed_experts", group.count)
            if block.shared_intermediate:
                found("shared_experts", group.count)
    total = count_parameters(architecture).by_group
    return {
        name: (terms if name == "mixer" else {"all": (total[name], count)}, count)
        for name, count in layers.items()
    }
