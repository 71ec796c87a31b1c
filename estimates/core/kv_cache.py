"""The KV cache of an architecture in three terms: bytes growing per token, windowed layers, fixed state.

Per sequence at context c: growing x c + sum over windows of min(c, w) x elements + fixed state. A full
attention layer grows by K (d + d_v) elements a token, latent attention by (l + rope), compressed attention
by the entry over its compression. Recurrent mixers hold a state that no context enlarges. Index keys of
sparse attention are kept apart, because engines store them in a format of their own; cross-attention caches
the source (image, audio window, encoder input), not the tokens decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimates.core.architecture import (
    Architecture,
    Attention,
    GatedDeltaNet,
    KimiDeltaAttention,
    LatentAttention,
    LightningAttention,
    Mamba1,
    Mamba2,
    Mixer,
    RecurrentMixer,
    ShortConvolution,
)

STATE_BYTES_FP32 = 4

Kind = Literal["growing", "window", "cross"]


@dataclass(frozen=True, slots=True)
class KvLayer:
    """What `layers` equal layers cache: elements a cached token and layer, and what bounds the tokens."""

    group: int  # index in Architecture.layers
    mixer: int  # index in LayerGroup.mixers
    layers: int
    kind: Kind
    elements_per_token: float
    window: int | None = None
    latent: bool = False  # replicated on every tensor-parallel rank
    kv_heads: int | None = None  # bounds how far tensor parallelism divides the cache


@dataclass(frozen=True, slots=True)
class StateLayer:
    """Recurrent state of `layers` equal layers: elements a sequence and layer, whatever the context."""

    group: int
    mixer: int
    layers: int
    state_elements: int
    state_bytes_per_element: int
    convolution_elements: int  # the last inputs of a convolution, in the activation format


@dataclass(frozen=True, slots=True)
class WindowTerm:
    """Layers that keep the last `window` tokens: elements a token over all of them."""

    window: int
    elements_per_token: float


@dataclass(frozen=True, slots=True)
class KvTerms:
    """The KV terms of one sequence. Elements, not bytes, except for the state, which has its own format."""

    growing_elements_per_token: float
    windows: tuple[WindowTerm, ...]
    state_bytes: float  # fp32 (or as the model says) part of the recurrent state
    convolution_elements: int
    indexer_elements_per_token: float
    cross_elements_per_source_token: float
    cross_tokens: int | None
    layers: tuple[KvLayer, ...]
    states: tuple[StateLayer, ...]

    def growing_bytes_per_token(self, kv_bytes_per_element: ArrayLike = 2.0) -> NDArray[np.float64]:
        """Bytes each further token adds once every window is full. Broadcasts over formats."""
        return np.asarray(self.growing_elements_per_token * np.asarray(kv_bytes_per_element, np.float64))

    def fixed_state_bytes(self, convolution_bytes_per_element: float = 2.0) -> float:
        """Bytes of recurrent and convolution state a sequence, at any context."""
        return self.state_bytes + self.convolution_elements * convolution_bytes_per_element


def state_of(mixer: Mixer) -> tuple[int, int, int] | None:
    """(state elements, bytes per element, convolution elements) of a recurrent mixer; None for attention.

    Mamba-2: heads x head_dim x state; gated delta net: value heads x d_k x d_v; Kimi delta and lightning
    attention: heads x d x d; a convolution of width k keeps its last k - 1 inputs.
    """
    match mixer:
        case Mamba1():
            return mixer.inner * mixer.state, STATE_BYTES_FP32, mixer.inner * (mixer.conv - 1)
        case Mamba2():
            inner = mixer.heads * mixer.head_dim
            channels = inner + 2 * mixer.groups * mixer.state
            return inner * mixer.state, mixer.state_bytes_per_element, channels * (mixer.conv - 1)
        case GatedDeltaNet():
            channels = 2 * mixer.key_heads * mixer.key_head_dim + mixer.value_heads * mixer.value_head_dim
            elements = mixer.value_heads * mixer.key_head_dim * mixer.value_head_dim
            return elements, STATE_BYTES_FP32, channels * (mixer.conv - 1)
        case KimiDeltaAttention():
            width = mixer.heads * mixer.head_dim
            return width * mixer.head_dim, STATE_BYTES_FP32, 3 * width * (mixer.conv - 1)
        case LightningAttention():
            return mixer.heads * mixer.head_dim * mixer.head_dim, STATE_BYTES_FP32, 0
        case ShortConvolution():
            return 0, STATE_BYTES_FP32, mixer.width * (mixer.kernel - 1)
        case RecurrentMixer():
            return mixer.state_elements, mixer.state_bytes_per_element, mixer.shift_elements
        case _:
            return None


def attention_cache(mixer: Attention) -> list[tuple[Kind, float, int | None]]:
    """(kind, elements a cached token, window) of one attention layer; empty when it caches nothing."""
    if not mixer.causal and not mixer.cross:
        return []
    if not mixer.owns_kv:
        return []
    entry = mixer.kv_heads * mixer.head_dim
    if not mixer.caches_keys_only:
        entry += mixer.kv_heads * mixer.v_head_dim
    if mixer.cross:
        return [("cross", entry, None)]
    if mixer.kv_compression > 1:
        cache: list[tuple[Kind, float, int | None]] = [("growing", entry / mixer.kv_compression, None)]
        if mixer.window:
            cache.append(("window", entry, mixer.window))
        return cache
    return [("window", entry, mixer.window)] if mixer.window else [("growing", entry, None)]


def layer_cache(mixer: Mixer) -> list[tuple[Kind, float, int | None]]:
    """(kind, elements a cached token, window) of one layer's mixer."""
    if isinstance(mixer, Attention):
        return attention_cache(mixer)
    if isinstance(mixer, LatentAttention):
        entry = mixer.kv_lora_rank + mixer.qk_rope_head_dim
        return [("window", entry, mixer.window)] if mixer.window else [("growing", entry, None)]
    return []


def indexer_elements(mixer: Mixer) -> float:
    """Index-key elements one layer adds a token; compressed attention indexes its compressed entries."""
    if isinstance(mixer, (Attention, LatentAttention)) and mixer.indexer and mixer.indexer.owns_keys:
        compression = mixer.kv_compression if isinstance(mixer, Attention) else 1
        return mixer.indexer.head_dim / compression
    return 0.0


def kv_terms(architecture: Architecture) -> KvTerms:
    """Walk the decoder layers and sum what one sequence caches. MTP modules and encoders are not included:

    the first cache only under speculation, the second keep nothing. Shared weights still cache per layer.
    """
    layers: list[KvLayer] = []
    states: list[StateLayer] = []
    indexer = 0.0
    for group_index, group in enumerate(architecture.layers):
        for mixer_index, mixer in enumerate(group.mixers):
            latent = isinstance(mixer, LatentAttention)
            heads = mixer.kv_heads if isinstance(mixer, Attention) else None
            for kind, elements, window in layer_cache(mixer):
                layers.append(
                    KvLayer(group_index, mixer_index, group.count, kind, elements, window, latent, heads)
                )
            state = state_of(mixer)
            if state is not None:
                states.append(StateLayer(group_index, mixer_index, group.count, *state))
            indexer += indexer_elements(mixer) * group.count
    windows: dict[int, float] = {}
    for layer in layers:
        if layer.kind == "window" and layer.window is not None:
            windows[layer.window] = windows.get(layer.window, 0.0) + layer.elements_per_token * layer.layers
    return KvTerms(
        growing_elements_per_token=_elements(layers, "growing"),
        windows=tuple(WindowTerm(window, elements) for window, elements in sorted(windows.items())),
        state_bytes=float(sum(s.layers * s.state_elements * s.state_bytes_per_element for s in states)),
        convolution_elements=sum(s.layers * s.convolution_elements for s in states),
        indexer_elements_per_token=indexer,
        cross_elements_per_source_token=_elements(layers, "cross"),
        cross_tokens=architecture.cross_tokens,
        layers=tuple(layers),
        states=tuple(states),
    )


def _elements(layers: list[KvLayer], kind: Kind) -> float:
    return float(sum(layer.elements_per_token * layer.layers for layer in layers if layer.kind == kind))


def kv_bytes(
    terms: KvTerms,
    context: ArrayLike,
    kv_bytes_per_element: ArrayLike = 2.0,
    *,
    bound_windows: bool = True,
    indexer_bytes_per_element: ArrayLike = 1.0,
    convolution_bytes_per_element: float = 2.0,
    source_tokens: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Bytes one sequence caches at `context` tokens; arguments broadcast against one another.

    `bound_windows=False` is an engine that keeps the whole context in windowed layers too. `source_tokens`
    is the length that cross-attention caches (default: the model's own, or none where it has none).
    """
    tokens = np.asarray(context, np.float64)
    width = np.asarray(kv_bytes_per_element, np.float64)
    total = terms.growing_elements_per_token * tokens * width
    for term in terms.windows:
        kept = np.minimum(tokens, term.window) if bound_windows else tokens
        total = total + term.elements_per_token * kept * width
    total = total + terms.indexer_elements_per_token * tokens * np.asarray(indexer_bytes_per_element)
    source = (terms.cross_tokens or 0) if source_tokens is None else source_tokens
    total = total + terms.cross_elements_per_source_token * np.asarray(source, np.float64) * width
    return np.asarray(total + terms.fixed_state_bytes(convolution_bytes_per_element), np.float64)
