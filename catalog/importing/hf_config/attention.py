"""Attention of a layer from configuration keys: grouped-query, latent, sparse with an indexer."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.importing.hf_config.reading import Config, ConfigError
from estimates.core.architecture import Attention, Indexer, LatentAttention

HIDDEN = ("hidden_size", "n_embd", "d_model", "embedding_dim")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
HEAD_DIM = ("head_dim", "kv_channels", "attention_head_dim")


@dataclass(frozen=True)
class AttentionTraits:
    """What a family's code fixes and its configuration does not say."""

    qkv_bias: bool = False
    output_bias: bool = False
    head_norm: bool = False  # query and key norm of the head width
    full_norm: bool = False  # query and key norm over all heads
    output_gate: bool = False
    sinks: bool = False
    biases_from_key: bool = False  # attention_bias means query, key, value and output biases


def hidden_size(config: Config) -> int:
    return config.integer(*HIDDEN, least=1)


def kv_heads(config: Config, heads: int) -> int:
    """Key-value heads; one where `multi_query` says so (Falcon-7B), as many as heads where nothing does."""
    nested = config.object("attn_config")
    if nested is not None:
        return nested.integer("kv_n_heads", default=heads, least=1)
    if config.flag("multi_query") and not config.flag("new_decoder_architecture"):
        return 1
    return config.integer(*KV_HEADS, default=heads, least=1)


def attention_extra(
    heads: int, keys: int, head_dim: int, value_dim: int, hidden: int, traits: AttentionTraits
) -> int:
    """Biases, norms and sinks of one attention layer."""
    extra = 0
    if traits.qkv_bias:
        extra += heads * head_dim * (2 if traits.output_gate else 1) + keys * (head_dim + value_dim)
    if traits.output_bias:
        extra += hidden
    if traits.head_norm:
        extra += 2 * head_dim
    if traits.full_norm:
        extra += (heads + keys) * head_dim
    if traits.sinks:
        extra += heads
    return extra


def grouped_query(
    config: Config,
    traits: AttentionTraits,
    *,
    window: int | None = None,
    owns_kv: bool = True,
    heads: int | None = None,
    keys: int | None = None,
    head_dim: int | None = None,
    value_dim: int | None = None,
) -> Attention:
    """Grouped-query attention from the common keys; explicit sizes override them."""
    hidden = hidden_size(config)
    heads = heads or config.integer(*HEADS, least=1)
    keys = keys or kv_heads(config, heads)
    head_dim = head_dim or config.optional(*HEAD_DIM) or hidden // heads
    value_dim = value_dim or head_dim
    if heads % keys:
        raise ConfigError(config.where + "num_key_value_heads", keys, f"a divisor of the {heads} heads")
    if config.flag("attention_bias") and traits.biases_from_key:
        traits = AttentionTraits(
            True, True, traits.head_norm, traits.full_norm, traits.output_gate, traits.sinks
        )
    extra = attention_extra(heads, keys if owns_kv else 0, head_dim, value_dim, hidden, traits)
    return Attention(
        heads,
        keys,
        head_dim,
        value_dim,
        window=window,
        owns_kv=owns_kv,
        output_gate=traits.output_gate,
        extra_parameters=extra,
    )


def latent(config: Config, *, output_gate: bool = False, indexer: Indexer | None = None) -> LatentAttention:
    """Multi-head latent attention. `head_dim` is not read: it means nothing under latent attention."""
    heads = config.integer(*HEADS, least=1)
    hidden = hidden_size(config)
    q_lora_rank = config.optional("q_lora_rank", least=1)
    kv_lora_rank = config.integer("kv_lora_rank", least=1)
    norms = (q_lora_rank or 0) + kv_lora_rank
    sinks = heads if config.flag("learnable_sink") else 0
    return LatentAttention(
        heads=heads,
        q_lora_rank=q_lora_rank,
        kv_lora_rank=kv_lora_rank,
        qk_nope_head_dim=config.integer("qk_nope_head_dim"),
        qk_rope_head_dim=config.integer("qk_rope_head_dim"),
        v_head_dim=config.integer("v_head_dim", default=hidden // heads, least=1),
        output_gate=output_gate,
        indexer=indexer,
        extra_parameters=norms + sinks,
    )


def sparse_indexer(config: Config, *, owns_keys: bool = True) -> Indexer | None:
    """Indexer of DeepSeek sparse attention with its key norm (weight and bias); None where there is none."""
    head_dim = config.optional("index_head_dim", least=1)
    if head_dim is None:
        return None
    return Indexer(
        heads=config.integer("index_n_heads", least=1),
        head_dim=head_dim,
        top_k=config.integer("index_topk", least=1),
        owns_keys=owns_keys,
        extra_parameters=2 * head_dim,
    )
