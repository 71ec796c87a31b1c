"""Decoders whose layers no common rule describes: one function a family."""

from __future__ import annotations

from dataclasses import replace

from catalog.importing.hf_config.attention import (
    HEADS,
    AttentionTraits,
    grouped_query,
    hidden_size,
    latent,
    sparse_indexer,
)
from catalog.importing.hf_config.decoders import (
    Traits,
    decoder,
    final_norm,
    latent_decoder,
    plain_decoder,
    vocabulary,
)
from catalog.importing.hf_config.feed_forward import dense, mixture
from catalog.importing.hf_config.layers import (
    LayerPlan,
    expert_layers,
    grouped,
    layer_count,
    of_length,
    sliding_window,
)
from catalog.importing.hf_config.prediction import prediction_modules
from catalog.importing.hf_config.reading import Config, ConfigError, UnsupportedArchitecture
from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    Indexer,
    Mixer,
    MixtureOfExperts,
    ParameterTerm,
)


def deepseek_v4(config: Config) -> Architecture:
    """DeepSeek-V4: one shared key-value head, compressed 4 or 128 to 1 beside a window, hyper-connections.

    Queries and outputs are low-rank; layers compressed 4 to 1 choose entries with an indexer. The first
    layers route by a table of tokens instead of a learned bias. Hyper-connections mix `hc_mult` streams
    before and after each block: (2 + m) m x m h weights, (2 + m) m biases and 3 scales a block.
    """
    hidden, count = hidden_size(config), layer_count(config)
    ratios = of_length(config, "compress_ratios", config.listing("compress_ratios") or [], count)
    streams = config.integer("hc_mult", least=1)
    mixing = (2 + streams) * streams
    connections = 2 * (mixing * streams * hidden + mixing + 3)
    head_connection = streams * streams * hidden + streams + 1
    hashed = config.integer("num_hash_layers", default=0)
    experts = mixture(config, bias=True)
    table = vocabulary(config) * experts.top_k

    def plan(ratio: object, is_hashed: bool) -> LayerPlan:
        if not isinstance(ratio, int) or ratio not in (0, 4, 128):
            raise ConfigError(config.where + "compress_ratios", ratio, "0, 4 or 128 for each layer")
        block = experts
        if is_hashed:
            block = replace(experts, extra_parameters=0)
        return LayerPlan((compressed_attention(config, ratio),), (block,), 2 * hidden + connections)

    plans = [plan(ratio, index < hashed) for index, ratio in enumerate(ratios)]
    extra = (
        final_norm(hidden),
        ParameterTerm("head hyper-connection", head_connection, True),
        ParameterTerm("routing tables of the hashed layers", hashed * table, True, "router"),
    )
    mtp = prediction_modules(config, plan(0, False), extra=head_connection)
    return decoder(config, grouped(plans), tied=False, extra=extra, mtp=mtp)


def compressor(hidden: int, width: int, ratio: int) -> int:
    """Weights that compress `ratio` entries of `width` into one; overlapping (twice as wide) at 4 to 1."""
    wide = (2 if ratio == 4 else 1) * width
    return 2 * hidden * wide + ratio * wide + width


def compressed_attention(config: Config, ratio: int) -> Attention:
    hidden = hidden_size(config)
    heads, head_dim = config.integer(*HEADS, least=1), config.integer("head_dim", least=1)
    q_lora_rank = config.integer("q_lora_rank", least=1)
    extra = q_lora_rank + head_dim + heads + (compressor(hidden, head_dim, ratio) if ratio else 0)
    indexer = None
    if ratio == 4:
        width = config.integer("index_head_dim", least=1)
        indexer = Indexer(
            heads=config.integer("index_n_heads", least=1),
            head_dim=width,
            top_k=config.integer("index_topk", least=1),
            extra_parameters=compressor(hidden, width, ratio) - hidden * width,
        )
    return Attention(
        heads=heads,
        kv_heads=1,
        head_dim=head_dim,
        v_head_dim=head_dim,
        window=config.integer("sliding_window", least=1),
        keys_are_values=True,
        caches_keys_only=True,
        kv_compression=ratio or 1,
        indexer=indexer,
        extra_parameters=extra,
        q_lora_rank=q_lora_rank,
        output_lora_rank=config.integer("o_lora_rank", least=1),
        output_groups=config.integer("o_groups", default=1, least=1),
    )


def longcat(config: Config) -> Architecture:
    """LongCat-Flash: two latent attentions and two dense feed-forwards a layer beside one mixture.

    Zero experts are outputs of the router that return their input. The n-gram variant adds tables that
    embed groups of tokens: most of its parameters, and no compute.
    """
    hidden, count, vocab = hidden_size(config), layer_count(config), vocabulary(config)
    attention = latent(config)
    width = config.integer("ffn_hidden_size", least=1)
    block = mixture(config, bias=True, expert_width=config.integer("expert_ffn_hidden_size", least=1))
    feed_forward = DenseFeedForward(width)
    plan = LayerPlan((attention, attention), (feed_forward, feed_forward, block), 4 * hidden)
    extra = [final_norm(hidden)]
    ratio = config.optional("ngram_vocab_size_ratio", least=1)
    if ratio is not None:
        extra.append(ParameterTerm("n-gram tables", ratio * vocab * hidden, False, "embedding"))
        extra.append(ParameterTerm("n-gram projections", hidden * hidden, True, "mixer"))
        config.read.update(("emb_split_num", "emb_neighbor_num"))
    return decoder(config, (plan.group(count),), tied=False, extra=tuple(extra))


def hunyuan_v4(config: Config) -> Architecture:
    """Hy4: gated latent attention with sparse indexer and hyper-connections."""
    config.read.update(("hc_mult",))
    return latent_decoder(config, Traits(router_bias=True))


def nemotron_nas(config: Config) -> Architecture:
    """Nemotron-NAS: each layer's attention and feed-forward by block_configs, some left out altogether."""
    hidden, heads = hidden_size(config), config.integer(*HEADS, least=1)
    blocks = config.listing("block_configs") or []
    of_length(config, "block_configs", blocks, layer_count(config))
    plans = []
    for index, block in enumerate(blocks):
        part = Config(block if isinstance(block, dict) else {}, f"{config.where}block_configs[{index}].")
        attention, feed_forward = part.object("attention"), part.object("ffn")
        if attention is None or feed_forward is None:
            raise ConfigError(part.where, block, "an object with attention and ffn")
        if attention.flag("replace_with_linear") or feed_forward.flag("replace_with_linear"):
            raise UnsupportedArchitecture(
                f"{part.where} replaces a block by a linear layer, which is not modelled"
            )
        mixers: tuple[Mixer, ...] = ()
        if not attention.flag("no_op"):
            keys = heads // attention.integer("n_heads_in_group", least=1)
            mixers = (grouped_query(config, AttentionTraits(), keys=keys),)
        feed_forwards: tuple[DenseFeedForward, ...] = ()
        if not feed_forward.flag("no_op"):
            width = int(2 * feed_forward.number("ffn_mult", default=0) * hidden / 3)
            feed_forwards = (DenseFeedForward(-(-width // 256) * 256),)
        plans.append(LayerPlan(mixers, feed_forwards, hidden * (len(mixers) + len(feed_forwards))))
    return decoder(config, grouped(plans), tied=False, extra=(final_norm(hidden),))


def grok(config: Config) -> Architecture:
    """Grok-1 and Grok-2: mixture of experts, with residual_moe a dense feed-forward beside it."""
    hidden = hidden_size(config)
    mixer = grouped_query(config, AttentionTraits())
    feed_forwards: list[DenseFeedForward | MixtureOfExperts] = [mixture(config)]
    if config.flag("residual_moe"):
        feed_forwards.append(dense(config, gated=True))
    plan = LayerPlan((mixer,), tuple(feed_forwards), 4 * hidden)
    return decoder(config, (plan.group(layer_count(config)),), tied=False, extra=(final_norm(hidden),))


def arctic(config: Config) -> Architecture:
    """Snowflake Arctic: a dense residual feed-forward of width h beside the experts."""
    hidden = hidden_size(config)
    count = layer_count(config)
    mixer = grouped_query(config, AttentionTraits())
    routed = expert_layers(config, count)
    plans = []
    for is_routed in routed:
        if not is_routed:
            plans.append(LayerPlan((mixer,), (dense(config, gated=True),), 2 * hidden))
        elif config.flag("use_residual"):
            plans.append(LayerPlan((mixer,), (mixture(config), DenseFeedForward(hidden)), 3 * hidden))
        else:
            plans.append(LayerPlan((mixer,), (mixture(config),), 2 * hidden))
    return decoder(config, grouped(plans), tied=False, extra=(final_norm(hidden),))


def minimax_m3(config: Config) -> Architecture:
    """MiniMax-M3: grouped-query attention, block-sparse where sparse_attention_freq says so."""
    traits = Traits(attention=AttentionTraits(head_norm=True))
    sparse = config.object("sparse_attention_config")
    count = layer_count(config)
    marked: list[object] = [0] * count
    if sparse is not None and sparse.flag("use_sparse_attention"):
        marked = of_length(
            sparse, "sparse_attention_freq", sparse.listing("sparse_attention_freq") or [], count
        )

    def attend(index: int, kind: str) -> Mixer:
        del kind
        base = grouped_query(config, traits.attention)
        if sparse is None or not marked[index]:
            return base
        width = sparse.integer("sparse_index_dim", least=1)
        top_k = sparse.integer("sparse_topk_blocks", least=1) * sparse.integer("sparse_block_size", least=1)
        heads = sparse.integer("sparse_num_index_heads", least=1)
        indexer = Indexer(heads, width, top_k, weighted=False, extra_parameters=2 * width)
        return replace(base, indexer=indexer)

    # The prediction modules that num_mtp_modules and num_nextn_predict_layers name are in no checkpoint.
    quiet = Config({**config.data, "num_nextn_predict_layers": None}, config.where)
    quiet.read = config.read
    config.read.update(("num_nextn_predict_layers", "num_mtp_modules"))
    return plain_decoder(quiet, traits, attend)


def mimo_v2(config: Config) -> Architecture:
    """MiMo-V2: windowed layers with head counts and widths of their own, and sinks."""
    window = sliding_window(config)
    full_sinks = config.flag("add_full_attention_sink_bias")
    window_sinks = config.flag("add_swa_attention_sink_bias")
    value_dim = config.optional("v_head_dim", least=1)

    def attend(index: int, kind: str) -> Mixer:
        del index
        if kind == "full":
            return grouped_query(config, AttentionTraits(sinks=full_sinks), value_dim=value_dim)
        return grouped_query(
            config,
            AttentionTraits(sinks=window_sinks),
            window=window,
            heads=config.optional("swa_num_attention_heads", least=1),
            keys=config.optional("swa_num_key_value_heads", least=1),
            head_dim=config.optional("swa_head_dim", least=1),
            value_dim=config.optional("swa_v_head_dim", least=1) or value_dim,
        )

    return plain_decoder(config, Traits(), attend)


def mllama(config: Config) -> Architecture:
    """Llama 3.2 Vision: cross-attention layers among the counted ones, reading the image."""
    hidden, count = hidden_size(config), layer_count(config)
    crossing = config.listing("cross_attention_layers") or []
    own = grouped_query(config, AttentionTraits())
    cross = replace(own, cross=True, extra_parameters=2 * own.head_dim)
    block = dense(config, gated=True)
    plans = [
        LayerPlan(
            (cross if index in crossing else own,), (block,), 2 * hidden + (2 if index in crossing else 0)
        )
        for index in range(count)
    ]
    extra = (final_norm(hidden), ParameterTerm("image token embeddings", 8 * hidden, False, "embedding"))
    return decoder(config, grouped(plans), tied=False, extra=extra)


def hunyuan_large(config: Config) -> Architecture:
    """Hunyuan-Large: groups of `cla_share_factor` layers share the keys and values of their first."""
    factor = config.integer("cla_share_factor", default=1, least=1) if config.flag("use_cla") else 1

    def attend(index: int, kind: str) -> Mixer:
        del kind
        owns = index % factor == 0
        traits = AttentionTraits(head_norm=config.flag("use_qk_norm"))
        attention = grouped_query(config, traits, owns_kv=owns)
        return attention

    return plain_decoder(config, Traits(tied=True), attend)


def qwen1(config: Config) -> Architecture:
    """Qwen-1: `intermediate_size` counts gate and up together."""
    halved = {**config.data, "intermediate_size": config.integer("intermediate_size", least=2) // 2}
    return plain_decoder(Config(halved, config.where), Traits(attention=AttentionTraits(qkv_bias=True)))


def deepseek_v2(config: Config) -> Architecture:
    """DeepSeek-V2 and V3: latent attention, or plain attention where use_mla is off or the ranks are null."""
    if config.flag("use_mla", default=True) and config.has("kv_lora_rank"):
        sparse_indexer(config)
        return latent_decoder(config, Traits(duplicates_in_mtp=True))
    return plain_decoder(config, Traits())
