"""Plain and mixture-of-experts decoders: what a family's code fixes, and layers built from the keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from catalog.importing.hf_config.attention import (
    AttentionTraits,
    grouped_query,
    hidden_size,
    latent,
    sparse_indexer,
)
from catalog.importing.hf_config.feed_forward import dense, dense_layer_width, expert_count, mixture
from catalog.importing.hf_config.layers import (
    LayerPlan,
    attention_kinds,
    expert_layers,
    grouped,
    max_context,
    of_length,
    sliding_window,
)
from catalog.importing.hf_config.prediction import prediction_modules
from catalog.importing.hf_config.reading import Config
from estimates.core.architecture import (
    Architecture,
    FeedForward,
    LatentAttention,
    LayerGroup,
    Mixer,
    MultiTokenPrediction,
    ParameterTerm,
)


@dataclass(frozen=True)
class Traits:
    """A family of decoders: what its code fixes and no key says."""

    attention: AttentionTraits = field(default_factory=AttentionTraits)
    norms: int = 2  # norms a layer, in hidden sizes
    norm_bias: bool = False
    gated: bool = True
    feed_forward_bias: bool = False
    tied: bool = False  # where the configuration does not say
    head_bias: bool = False
    position_table: bool = False
    every_nth_full: int | None = None
    windowed: bool = False  # all layers are windowed when a window is set
    router_bias: bool | None = None
    shared_gate: bool = False
    expert_biases: bool = False
    shared_copies: int | None = None  # shared experts that the code adds without a key
    duplicates_in_mtp: bool = False
    unlisted_mtp: int = 0  # prediction modules that the checkpoint has without a key
    describes_mtp: bool = True  # False: the configuration counts modules whose layers it does not describe
    head_gate: bool = False  # a gate per head: hidden x heads
    defaults: tuple[tuple[str, int], ...] = ()  # class defaults of keys that configurations omit


def is_tied(config: Config, default: bool) -> bool:
    return config.flag("tie_word_embeddings", "tie_embedding", "use_embedding_sharing", default=default)


def vocabulary(config: Config) -> int:
    return config.integer("vocab_size", "padded_vocab_size", least=1)


def final_norm(hidden: int, biased: bool = False) -> ParameterTerm:
    return ParameterTerm("final norm", hidden * (2 if biased else 1), True)


def decoder(
    config: Config,
    layers: tuple[LayerGroup, ...],
    *,
    tied: bool,
    extra: tuple[ParameterTerm, ...],
    mtp: MultiTokenPrediction | None = None,
) -> Architecture:
    """A decoder-only architecture from finished layers."""
    return Architecture(
        role="decoder",
        hidden=hidden_size(config),
        vocab=vocabulary(config),
        layers=layers,
        max_context=max_context(config),
        tied_embeddings=is_tied(config, tied),
        extra=extra,
        mtp=mtp,
    )


def with_defaults(config: Config, defaults: tuple[tuple[str, int], ...]) -> Config:
    missing = {key: value for key, value in defaults if config.data.get(key) is None}
    return Config({**config.data, **missing}, config.where) if missing else config


def norm_parameters(traits: Traits, hidden: int) -> int:
    return traits.norms * hidden * (2 if traits.norm_bias else 1)


def plain_layers(
    config: Config, traits: Traits, attend: Callable[[int, str], Mixer] | None = None
) -> list[LayerPlan]:
    """Layers of attention and feed-forward, dense or routed, windowed where the keys say so."""
    hidden = hidden_size(config)
    kinds = attention_kinds(config, every_nth_full=traits.every_nth_full)
    window = sliding_window(config)
    routed = expert_layers(config, len(kinds)) if expert_count(config) else [False] * len(kinds)
    norms = norm_parameters(traits, hidden)

    def attention(index: int, kind: str) -> Mixer:
        bounded = kind == "window" or traits.windowed
        mixer = grouped_query(config, traits.attention, window=window if bounded else None)
        gate = hidden * mixer.heads if traits.head_gate else 0
        return replace(mixer, extra_parameters=mixer.extra_parameters + gate)

    build = attend or attention
    return [
        LayerPlan((build(index, kind),), (feed_forward_of(config, traits, routed[index]),), norms)
        for index, kind in enumerate(kinds)
    ]


def feed_forward_of(config: Config, traits: Traits, routed: bool) -> FeedForward:
    if not routed:
        width = dense_layer_width(config) if expert_count(config) else None
        bias = traits.feed_forward_bias or config.flag("mlp_bias")
        return dense(config, gated=traits.gated, bias=bias, width=width)
    experts = mixture(
        config,
        gated=traits.gated,
        bias=traits.router_bias,
        shared_gate=traits.shared_gate,
        expert_biases=traits.expert_biases,
    )
    if traits.shared_copies is not None and not experts.shared_intermediate:
        experts = replace(experts, shared_intermediate=traits.shared_copies * experts.expert_intermediate)
    return experts


def plain_decoder(
    config: Config, traits: Traits, attend: Callable[[int, str], Mixer] | None = None
) -> Architecture:
    """The common decoder: one attention and one feed-forward a layer."""
    config = with_defaults(config, traits.defaults)
    hidden = hidden_size(config)
    plans = plain_layers(config, traits, attend)
    extra = [final_norm(hidden, traits.norm_bias)]
    if traits.head_bias or config.flag("lm_head_bias"):
        extra.append(ParameterTerm("head bias", vocabulary(config), True, "head"))
    if traits.position_table:
        positions = (max_context(config) or 0) * hidden
        extra.append(ParameterTerm("position table", positions, False, "embedding"))
    mtp = None
    if traits.describes_mtp:
        block = LayerPlan(
            (with_own_indexer(plans[-1].mixers[0], config),), plans[-1].feed_forwards, plans[-1].norms
        )
        mtp = prediction_modules(
            config, block, duplicates=traits.duplicates_in_mtp, unlisted=traits.unlisted_mtp
        )
    return decoder(config, grouped(plans), tied=traits.tied, extra=tuple(extra), mtp=mtp)


def with_own_indexer(mixer: Mixer, config: Config) -> Mixer:
    """Prediction modules have an indexer of their own where the layers before share one."""
    if isinstance(mixer, LatentAttention) and mixer.indexer is not None:
        return replace(mixer, indexer=sparse_indexer(config))
    return mixer


def latent_decoder(config: Config, traits: Traits) -> Architecture:
    """Latent attention throughout, with an indexer in the layers that own one (DeepSeek, GLM-5, Kimi-K2)."""
    types = config.listing("indexer_types")
    count = len(attention_kinds(config))
    listed = of_length(config, "indexer_types", types, count) if types is not None else ["full"] * count
    gate = config.flag("gated_mla")

    def attend(index: int, kind: str) -> Mixer:
        del kind
        indexer = sparse_indexer(config, owns_keys=listed[index] == "full")
        return latent(config, output_gate=gate, indexer=indexer)

    return plain_decoder(config, traits, attend)
