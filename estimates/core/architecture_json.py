"""Architectures to and from plain JSON values: tagged kinds, strict, errors naming the field at fault.

Values equal to their default are left out, and keys stand in declaration order, so that files diff well.
Reading accepts nothing it does not know: a misspelt key is an error, not an ignored one.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any, Literal, get_args, get_origin

from estimates.core import architecture as model
from estimates.core.architecture import Architecture, Attention, LayerGroup, MixtureOfExperts

KINDS: dict[str, type] = {
    "attention": model.Attention,
    "latent_attention": model.LatentAttention,
    "mamba1": model.Mamba1,
    "mamba2": model.Mamba2,
    "gated_delta_net": model.GatedDeltaNet,
    "kimi_delta_attention": model.KimiDeltaAttention,
    "lightning_attention": model.LightningAttention,
    "short_convolution": model.ShortConvolution,
    "recurrent": model.RecurrentMixer,
    "dense": model.DenseFeedForward,
    "mixture_of_experts": model.MixtureOfExperts,
}
KIND_OF = {cls: kind for kind, cls in KINDS.items()}
MAY_BE_ZERO = {
    "extra_parameters",
    "norm_parameters",
    "shared_intermediate",
    "zero_experts",
    "qk_nope_head_dim",
}
MAY_BE_ZERO |= {"qk_rope_head_dim", "shift_elements", "state_elements", "parameters"}
LARGEST = 10**15  # no count or size of a model comes near; keeps arithmetic exact in float64


class ArchitectureError(ValueError):
    """A value that is no architecture: `path` of the field, the value found, what is accepted."""

    def __init__(self, path: str, value: object, accepted: str) -> None:
        shown = repr(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        super().__init__(f"{path}: {shown} is not accepted; expected {accepted}")
        self.path, self.value, self.accepted = path, value, accepted


def architecture_to_json(architecture: Architecture) -> dict[str, Any]:
    """Plain dictionaries, lists, numbers and strings; `architecture_from_json` gives the value back."""
    result: dict[str, Any] = _dump(architecture)
    return result


def architecture_from_json(data: object) -> Architecture:
    """Read and check an architecture. Raises ArchitectureError."""
    result: Architecture = _load_dataclass(Architecture, data, "architecture")
    check_architecture(result)
    return result


def check_architecture(architecture: Architecture) -> None:
    """Rules across fields, beyond types and signs. Raises ArchitectureError."""
    for index, group in enumerate(architecture.layers):
        _check_group(group, f"architecture.layers[{index}]")
    if architecture.mtp:
        _check_group(architecture.mtp.layer, "architecture.mtp.layer")
    if architecture.encoder:
        for index, group in enumerate(architecture.encoder.layers):
            _check_group(group, f"architecture.encoder.layers[{index}]")
    if not architecture.layers:
        raise ArchitectureError("architecture.layers", [], "at least one layer group")


def _check_group(group: LayerGroup, path: str) -> None:
    if group.weight_sets is not None and group.weight_sets > group.count:
        raise ArchitectureError(f"{path}.weight_sets", group.weight_sets, f"at most count ({group.count})")
    for index, mixer in enumerate(group.mixers):
        if isinstance(mixer, Attention) and mixer.heads % mixer.kv_heads:
            where = f"{path}.mixers[{index}].kv_heads"
            raise ArchitectureError(where, mixer.kv_heads, f"a divisor of heads ({mixer.heads})")
    for index, feed_forward in enumerate(group.feed_forwards):
        if isinstance(feed_forward, MixtureOfExperts):
            choices = feed_forward.experts + feed_forward.zero_experts
            if feed_forward.top_k > choices:
                where = f"{path}.feed_forwards[{index}].top_k"
                raise ArchitectureError(where, feed_forward.top_k, f"at most experts ({choices})")


def _dump(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_dump(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    result: dict[str, Any] = {}
    if type(value) in KIND_OF:
        result["kind"] = KIND_OF[type(value)]
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if field.default is not dataclasses.MISSING and item == field.default:
            continue
        result[field.name] = _dump(item)
    return result


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    """Resolved annotations of a dataclass, which `typing` would evaluate anew each time."""
    return typing.get_type_hints(cls)


def _load_dataclass(cls: type, data: object, path: str, tagged: bool = False) -> Any:
    if not isinstance(data, dict):
        raise ArchitectureError(path, data, "an object")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in data:
        if key not in fields and not (tagged and key == "kind"):
            raise ArchitectureError(f"{path}.{key}", data[key], f"one of the fields {', '.join(fields)}")
    hints = _hints(cls)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _load(hints[name], data[name], f"{path}.{name}", name)
        elif field.default is dataclasses.MISSING:
            raise ArchitectureError(f"{path}.{name}", None, "a value: the field is required")
    return cls(**values)


def _load(hint: Any, data: object, path: str, name: str) -> Any:
    origin = get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        members = [member for member in get_args(hint) if member is not type(None)]
        if data is None and len(members) < len(get_args(hint)):
            return None
        if len(members) == 1:
            return _load(members[0], data, path, name)
        return _load_tagged(members, data, path)
    if origin is tuple:
        if not isinstance(data, (list, tuple)):
            raise ArchitectureError(path, data, "a list")
        inner = get_args(hint)[0]
        return tuple(_load(inner, item, f"{path}[{index}]", name) for index, item in enumerate(data))
    if origin is Literal:
        if data not in get_args(hint):
            raise ArchitectureError(path, data, "one of " + ", ".join(map(str, get_args(hint))))
        return data
    if dataclasses.is_dataclass(hint):
        return _load_dataclass(typing.cast(type, hint), data, path)
    return _load_scalar(hint, data, path, name)


def _load_tagged(members: list[Any], data: object, path: str) -> Any:
    accepted = "an object with kind " + ", ".join(KIND_OF[member] for member in members)
    if not isinstance(data, dict):
        raise ArchitectureError(path, data, accepted)
    cls = KINDS.get(data["kind"]) if isinstance(data.get("kind"), str) else None
    if cls is None or cls not in members:
        raise ArchitectureError(f"{path}.kind", data.get("kind"), accepted)
    return _load_dataclass(cls, data, path, tagged=True)


def _load_scalar(hint: Any, data: object, path: str, name: str) -> Any:
    if hint is bool:
        if not isinstance(data, bool):
            raise ArchitectureError(path, data, "true or false")
        return data
    if hint is int:
        least = 0 if name in MAY_BE_ZERO else 1
        if isinstance(data, bool) or not isinstance(data, int) or not least <= data <= LARGEST:
            raise ArchitectureError(path, data, f"a whole number from {least} to {LARGEST:.0e}")
        return data
    if not isinstance(data, str):
        raise ArchitectureError(path, data, "a text")
    return data
