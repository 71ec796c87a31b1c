"""Decoders without attention: state spaces, matrix memories, RWKV."""

from __future__ import annotations

from catalog.importing.hf_config.attention import hidden_size
from catalog.importing.hf_config.decoders import decoder, final_norm, vocabulary
from catalog.importing.hf_config.layers import LayerPlan, layer_count
from catalog.importing.hf_config.mixers import mamba1, mamba2
from catalog.importing.hf_config.reading import Config
from estimates.core.architecture import Architecture, DenseFeedForward, ParameterTerm, RecurrentMixer


def falcon_mamba(config: Config) -> Architecture:
    hidden = hidden_size(config)
    plan = LayerPlan((mamba1(config),), (), hidden)
    return decoder(config, (plan.group(layer_count(config)),), tied=True, extra=(final_norm(hidden),))


def pure_mamba2(config: Config) -> Architecture:
    hidden = hidden_size(config)
    plan = LayerPlan((mamba2(config),), (), hidden)
    return decoder(config, (plan.group(layer_count(config)),), tied=True, extra=(final_norm(hidden),))


def xlstm(config: Config) -> Architecture:
    """xLSTM-7B: matrix memory of d_qk x d_v a head, a normaliser of d_qk and one stabiliser."""
    hidden = hidden_size(config)
    heads = config.integer("num_heads", least=1)
    keys = int(hidden * config.number("qk_dim_factor", default=0.5))
    values = int(hidden * config.number("v_dim_factor", default=1.0))
    multiple = config.integer("ffn_round_up_to_multiple_of", default=64, least=1)
    raw = hidden * config.number("ffn_proj_factor", default=2.667)
    width = int(-(-raw // multiple) * multiple)
    state = heads * ((keys // heads) * (values // heads) + keys // heads + 1)
    matrices = 2 * hidden * keys + 3 * hidden * values + 2 * hidden * heads
    mixer = RecurrentMixer("mLSTM", matrices, state, 4, 2 * heads + values)
    plan = LayerPlan((mixer,), (DenseFeedForward(width),), 2 * hidden)
    return decoder(config, (plan.group(layer_count(config)),), tied=False, extra=(final_norm(hidden),))


def rwkv5(config: Config) -> Architecture:
    """RWKV-5: time mix of five matrices, channel mix of width 3.5 h; the head is apart whatever the flag."""
    hidden = hidden_size(config)
    head = config.integer("head_size", default=64, least=1)
    width = config.integer("intermediate_size", default=int(3.5 * hidden) // 32 * 32, least=1)
    inner = config.integer("attention_hidden_size", default=hidden, least=1)
    matrices = 5 * hidden * inner + 2 * hidden * width + hidden * hidden
    mixer = RecurrentMixer("RWKV-5", matrices, inner * head, 4, 10 * hidden, 2 * hidden)
    plan = LayerPlan((mixer,), (), 4 * hidden)
    config.read.update(("tie_word_embeddings",))
    return Architecture(
        role="decoder",
        hidden=hidden,
        vocab=vocabulary(config),
        layers=(plan.group(layer_count(config)),),
        max_context=config.optional("context_length"),
        tied_embeddings=False,
        extra=(ParameterTerm("first and final norms", 4 * hidden, True),),
    )
