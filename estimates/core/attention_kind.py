"""A short label for how a model attends: gqa, mla+sparse, hybrid(gqa+mamba2). For people and filters."""

from __future__ import annotations

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

RECURRENT: dict[type, str] = {
    Mamba1: "mamba1",
    Mamba2: "mamba2",
    GatedDeltaNet: "gated-delta",
    KimiDeltaAttention: "kimi-delta",
    LightningAttention: "lightning",
    ShortConvolution: "conv",
    RecurrentMixer: "recurrent",
}


def attention_kind(architecture: Architecture) -> str:
    """The label. Head sharing by the least shared layer; then windows, sparsity, cross-attention, mixers."""
    mixers = [mixer for group in architecture.layers for mixer in group.mixers]
    softmax = softmax_kind(mixers, architecture)
    recurrent = list(dict.fromkeys(RECURRENT[type(mixer)] for mixer in mixers if type(mixer) in RECURRENT))
    if softmax and recurrent:
        return f"hybrid({softmax}+{'+'.join(recurrent)})"
    return softmax or "+".join(recurrent) or "none"


def softmax_kind(mixers: list[Mixer], architecture: Architecture) -> str:
    attentions = [mixer for mixer in mixers if isinstance(mixer, Attention)]
    latent = [mixer for mixer in mixers if isinstance(mixer, LatentAttention)]
    if latent:
        label = "mla"
    elif any(mixer.caches_keys_only for mixer in attentions):
        label = "mqa-latent"
    elif attentions:
        label = head_sharing(attentions)
    else:
        return ""
    if architecture.encoder:
        label = "encoder-decoder-" + label
    elif attentions and not any(mixer.causal for mixer in attentions):
        label = "encoder-" + label
    if any(mixer.window for mixer in attentions):
        label += "+window"
    if any(mixer.kv_compression > 1 for mixer in attentions):
        label += "+compressed"
    if any(mixer.indexer for mixer in attentions) or any(mixer.indexer for mixer in latent):
        label += "+sparse"
    if any(mixer.cross for mixer in attentions) and not architecture.encoder:
        label += "+cross"
    return label


def head_sharing(attentions: list[Attention]) -> str:
    own = [mixer for mixer in attentions if mixer.owns_kv]
    if all(mixer.kv_heads == 1 for mixer in own):
        return "mqa"
    return "mha" if all(mixer.kv_heads == mixer.heads for mixer in own) else "gqa"
