"""Gemma 3n and Gemma 4: shared keys, per-layer embeddings, heads of two widths, dense beside experts."""

from __future__ import annotations

from dataclasses import replace

from catalog.importing.hf_config.attention import AttentionTraits, grouped_query, hidden_size
from catalog.importing.hf_config.decoders import decoder, final_norm, with_defaults
from catalog.importing.hf_config.feed_forward import dense, expert_count, mixture
from catalog.importing.hf_config.layers import LayerPlan, attention_kinds, grouped, of_length, sliding_window
from catalog.importing.hf_config.reading import Config, UnsupportedArchitecture
from estimates.core.architecture import Architecture, DenseFeedForward, MixtureOfExperts, ParameterTerm


def gemma3n(config: Config) -> Architecture:
    """Gemma 3n: per-layer embeddings, alternating updates, low-rank residuals; the last layers share keys.

    All layers store key and value projections; those of the last `num_kv_shared_layers` hold no cache.
    """
    config = with_defaults(config, (("vocab_size", 262400),))
    hidden, kinds = hidden_size(config), attention_kinds(config)
    owning = len(kinds) - config.integer("num_kv_shared_layers", default=0)
    widths = config.value("intermediate_size")
    listed = widths if isinstance(widths, list) else [widths] * len(kinds)
    of_length(config, "intermediate_size", listed, len(kinds))
    inputs = config.integer("altup_num_inputs", default=4)
    per_layer = config.integer("hidden_size_per_layer_input", default=256)
    laurel = 2 * hidden * config.integer("laurel_rank", default=64) + hidden
    altup = 2 * hidden + inputs * hidden + inputs**2 + inputs**3
    gate = 2 * hidden * per_layer + hidden
    window = sliding_window(config)
    plans = []
    for index, kind in enumerate(kinds):
        attention = grouped_query(
            config, AttentionTraits(head_norm=True), window=window if kind == "window" else None
        )
        if index >= owning:  # the stored projections stay counted, beside a layer without a cache
            unused = hidden * attention.kv_heads * 2 * attention.head_dim
            attention = replace(
                attention, owns_kv=False, extra_parameters=attention.extra_parameters + unused
            )
        width = Config({"intermediate_size": listed[index]}).integer("intermediate_size", least=1)
        plans.append(LayerPlan((attention,), (DenseFeedForward(width),), 4 * hidden + laurel + altup + gate))
    table = config.integer("vocab_size_per_layer_input", default=262144) * per_layer * len(kinds)
    projection = hidden * per_layer * len(kinds) + per_layer
    extra = (
        final_norm(hidden),
        ParameterTerm("per-layer embeddings", table, False, "embedding"),
        ParameterTerm("per-layer projection", projection, True, "mixer"),
        ParameterTerm("alternating-update projections", 2 * (inputs - 1) * hidden**2, True, "mixer"),
    )
    return decoder(config, grouped(plans), tied=True, extra=extra)


def gemma4(config: Config) -> Architecture:
    """Gemma 4: windowed layers, full ones with wider heads whose key projection also gives the values."""
    hidden, kinds = hidden_size(config), attention_kinds(config)
    if config.integer("hidden_size_per_layer_input", default=0):
        raise UnsupportedArchitecture("Gemma 4 with per-layer embeddings is not modelled")
    if config.integer("num_kv_shared_layers", default=0) or config.flag("use_double_wide_mlp"):
        raise UnsupportedArchitecture("Gemma 4 with shared key-value layers is not modelled")
    window = sliding_window(config)
    traits = AttentionTraits(head_norm=True)
    routed = config.flag("enable_moe_block") and expert_count(config) > 0
    feed_forwards: list[DenseFeedForward | MixtureOfExperts] = [dense(config, gated=True)]
    norms = 4 * hidden + 1
    if routed:
        block = mixture(config, bias=False)
        scale = hidden + block.experts
        feed_forwards.append(replace(block, extra_parameters=block.extra_parameters + scale))
        norms += 3 * hidden
    full = grouped_query(
        config,
        traits,
        keys=config.optional("num_global_key_value_heads", least=1),
        head_dim=config.optional("global_head_dim", least=1),
    )
    full = replace(full, keys_are_values=config.flag("attention_k_eq_v"))
    windowed = grouped_query(config, traits, window=window)
    plans = [
        LayerPlan((full if kind == "full" else windowed,), tuple(feed_forwards), norms) for kind in kinds
    ]
    return decoder(config, grouped(plans), tied=True, extra=(final_norm(hidden),))
