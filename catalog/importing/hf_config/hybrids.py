"""Decoders that mix attention with recurrent layers, and purely recurrent ones."""

from __future__ import annotations

from dataclasses import replace

from catalog.importing.hf_config.attention import HEADS, AttentionTraits, grouped_query, hidden_size, latent
from catalog.importing.hf_config.decoders import (
    Traits,
    decoder,
    feed_forward_of,
    final_norm,
    plain_decoder,
)
from catalog.importing.hf_config.feed_forward import dense, expert_count, mixture
from catalog.importing.hf_config.layers import (
    LayerPlan,
    attention_kinds,
    expert_layers,
    grouped,
    layer_count,
    layer_kinds,
    listed_kinds,
    of_length,
)
from catalog.importing.hf_config.mixers import (
    gated_delta_net,
    kimi_delta_attention,
    lightning_attention,
    mamba1,
    mamba2,
    short_convolution,
)
from catalog.importing.hf_config.prediction import prediction_modules
from catalog.importing.hf_config.reading import Config, ConfigError
from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    LayerGroup,
    Mixer,
    ParameterTerm,
)

PLAIN = Traits()


def qwen3_next(config: Config) -> Architecture:
    """Gated delta net with gated attention in every fourth layer; Qwen3-Next ships one unlisted MTP layer."""
    interval = config.integer("full_attention_interval", default=4, least=1)
    listed = listed_kinds(config)
    count = layer_count(config, listed)
    kinds = listed or ["full" if (index + 1) % interval == 0 else "linear" for index in range(count)]
    kinds = [str(kind) for kind in of_length(config, "layer_types", list(kinds), count)]
    attention = AttentionTraits(
        head_norm=True, output_gate=config.flag("attn_output_gate", default=True), biases_from_key=True
    )
    routed = expert_layers(config, count) if expert_count(config) else [False] * count
    traits = Traits(shared_gate=True, router_bias=False)
    hidden = hidden_size(config)

    def plan(kind: str, is_routed: bool) -> LayerPlan:
        mixer: Mixer = grouped_query(config, attention) if kind == "full" else gated_delta_net(config)
        return LayerPlan((mixer,), (feed_forward_of(config, traits, is_routed),), 2 * hidden)

    plans = [plan(kind, is_routed) for kind, is_routed in zip(kinds, routed, strict=True)]
    unlisted = 1 if config.text("model_type") == "qwen3_next" else 0
    mtp = prediction_modules(config, plan("full", routed[-1]), unlisted=unlisted)
    return decoder(config, grouped(plans), tied=False, extra=(final_norm(hidden),), mtp=mtp)


def kimi_linear(config: Config) -> Architecture:
    """Kimi delta attention with latent attention in the layers listed, counted from 1."""
    linear = config.object("linear_attn_config")
    if linear is None:
        raise ConfigError(config.where + "linear_attn_config", None, "an object: the key is required")
    count = layer_count(config)
    full = linear.listing("full_attn_layers") or []
    if any(not isinstance(layer, int) or not 1 <= layer <= count for layer in full):
        raise ConfigError(linear.where + "full_attn_layers", full, f"layer numbers from 1 to {count}")
    delta = kimi_delta_attention(linear)
    gate = config.flag("mla_use_output_gate")
    extra_norms = 0
    if config.has("attn_res_block_size"):
        extra_norms = 4 * hidden_size(config)

    def attend(index: int, kind: str) -> Mixer:
        del kind
        return latent(config, output_gate=gate) if index + 1 in full else delta

    result = plain_decoder(config, Traits(router_bias=True), attend)
    if config.flag("latent_moe_use_norm"):
        result = with_latent_norm(result)
    if extra_norms:
        layers = tuple(
            replace(group, norm_parameters=group.norm_parameters + extra_norms) for group in result.layers
        )
        final = ParameterTerm("output residual attention", 2 * hidden_size(config), True)
        result = replace(result, layers=layers, extra=(*result.extra, final))
    return result


def with_latent_norm(architecture: Architecture) -> Architecture:
    """A norm of the latent width in each mixture that has one."""
    layers = []
    for group in architecture.layers:
        blocks = tuple(
            replace(block, extra_parameters=block.extra_parameters + (getattr(block, "latent", None) or 0))
            for block in group.feed_forwards
        )
        layers.append(replace(group, feed_forwards=blocks))
    return replace(architecture, layers=tuple(layers))


def minimax_text_01(config: Config) -> Architecture:
    """Lightning attention, softmax attention where attn_type_list has a 1."""

    def attend(index: int, kind: str) -> Mixer:
        del index
        return grouped_query(config, AttentionTraits()) if kind == "full" else lightning_attention(config)

    return plain_decoder(config, PLAIN, attend)


def bailing_hybrid(config: Config) -> Architecture:
    """Ling 2.5: lightning attention, latent attention in the last layer of each group."""
    size = config.integer("layer_group_size", least=1)
    count = layer_count(config)

    def attend(index: int, kind: str) -> Mixer:
        del kind
        if (index + 1) % size == 0 or index >= count // size * size:
            return latent(config)
        return lightning_attention(config, head_norm=config.flag("use_qk_norm"))

    return plain_decoder(config, Traits(router_bias=True), attend)


def lfm2(config: Config) -> Architecture:
    """Short convolutions with some attention layers; the feed-forward width may be set by two thirds."""
    attention = AttentionTraits(head_norm=True)
    kinds = attention_kinds(config)
    routed = expert_layers(config, len(kinds)) if expert_count(config) else [False] * len(kinds)
    hidden = hidden_size(config)
    adjust = config.flag("block_auto_adjust_ff_dim")
    multiple = config.integer("block_multiple_of", default=256, least=1)
    width = config.integer("intermediate_size", "block_ff_dim", least=1)
    if adjust:
        width = -(-int(2 * width / 3) // multiple) * multiple
    plans = []
    for kind, is_routed in zip(kinds, routed, strict=True):
        mixer: Mixer = grouped_query(config, attention) if kind == "full" else short_convolution(config)
        block = mixture(config) if is_routed else dense(config, gated=True, width=width)
        plans.append(LayerPlan((mixer,), (block,), 2 * hidden))
    return decoder(config, grouped(plans), tied=True, extra=(final_norm(hidden),))


def granite_hybrid(config: Config) -> Architecture:
    """Granite 4: Mamba-2 with some attention; without experts `shared_intermediate_size` is dense."""
    kinds = attention_kinds(config)
    hidden = hidden_size(config)
    shared = config.integer("shared_intermediate_size", default=0)
    block = (
        mixture(config, shared=shared) if expert_count(config) else dense(config, gated=True, width=shared)
    )
    plans = []
    for kind in kinds:
        mixer: Mixer = grouped_query(config, AttentionTraits()) if kind == "full" else mamba2(config)
        plans.append(LayerPlan((mixer,), (block,), 2 * hidden))
    return decoder(config, grouped(plans), tied=True, extra=(final_norm(hidden),))


def jamba(config: Config) -> Architecture:
    """Jamba: Mamba-1, attention by period and offset, experts by another period and offset."""
    period = config.integer("attn_layer_period", least=1)
    offset = config.integer("attn_layer_offset", default=0)
    norms = config.flag("mamba_inner_layernorms", default=True)

    def attend(index: int, kind: str) -> Mixer:
        del kind
        is_full = index % period == offset % period
        return grouped_query(config, AttentionTraits()) if is_full else mamba1(config, inner_norms=norms)

    return plain_decoder(config, PLAIN, attend)


def falcon_h1(config: Config) -> Architecture:
    """Falcon-H1: attention and Mamba-2 side by side in each layer."""
    hidden = hidden_size(config)
    mixers = (
        grouped_query(config, AttentionTraits()),
        mamba2(config, gated_norm=config.flag("mamba_rms_norm")),
    )
    plan = LayerPlan(mixers, (dense(config, gated=True),), 2 * hidden)
    return decoder(config, (plan.group(layer_count(config)),), tied=False, extra=(final_norm(hidden),))


def nemotron_h(config: Config) -> Architecture:
    """Nemotron-H and Nemotron 3: a layer is one mixer or one feed-forward, by a pattern or a list."""
    kinds = attention_kinds(config)
    hidden = hidden_size(config)
    attention = AttentionTraits(biases_from_key=True)

    def plan(kind: str) -> LayerPlan:
        if kind == "mamba":
            return LayerPlan((mamba2(config),), (), hidden)
        if kind == "full":
            return LayerPlan((grouped_query(config, attention),), (), hidden)
        if kind == "moe":
            return LayerPlan((), (mixture(config, gated=False, bias=True),), hidden)
        return LayerPlan((), (dense(config, gated=False),), hidden)

    names: list[object] = list(config.text("mtp_hybrid_override_pattern") or "")
    names = names or config.listing("mtp_layers_block_type") or []
    mtp = None
    if names:
        parts = [plan(kind) for kind in layer_kinds(config, names, "mtp_layers_block_type")]
        block = LayerPlan(
            tuple(mixer for part in parts for mixer in part.mixers),
            tuple(block for part in parts for block in part.feed_forwards),
            hidden * len(parts),
        )
        mtp = prediction_modules(config, block)
    plans = [plan(kind) for kind in kinds]
    return decoder(config, grouped(plans), tied=False, extra=(final_norm(hidden),), mtp=mtp)


def zamba2(config: Config) -> Architecture:
    """Zamba2: Mamba-2 throughout; in the hybrid layers a shared block of attention and feed-forward.

    The shared blocks read the hidden state beside the embedding (2 h); their weights stand once, their keys
    and values in each layer that runs them. Each such layer has its own projection and low-rank adapters.
    """
    kinds = attention_kinds(config)
    hidden = hidden_size(config)
    heads = config.integer(*HEADS, least=1)
    runs = kinds.count("hybrid")
    head_dim = 2 * hidden // heads
    width = config.integer("ffn_hidden_size", "intermediate_size", least=1)
    rank = config.integer("lora_rank", "adapter_rank", default=128)
    attention = Attention(heads, heads, head_dim, head_dim, input_width=2 * hidden)
    shared = LayerGroup(
        runs,
        (attention,),
        (DenseFeedForward(width),),
        3 * hidden,
        config.integer("num_mem_blocks", default=1, least=1),
    )
    mamba = LayerPlan((mamba2(config),), (), hidden)
    adapters = runs * (hidden * rank + 2 * rank * width) if config.flag("use_shared_block_lora") else 0
    extra = (
        final_norm(hidden),
        ParameterTerm("projections after the shared blocks", runs * hidden * hidden, True, "mixer"),
        ParameterTerm("adapters of the shared blocks", adapters, True, "dense_ffn"),
    )
    return decoder(config, (mamba.group(len(kinds)), shared), tied=True, extra=extra)
