"""Small configurations written for the tests, and what they become."""

from __future__ import annotations

from typing import Any

from catalog.importing.hf_config import ImportedModel, architecture_from_hf_config
from estimates.core.architecture import Attention, LayerGroup, Mixer

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16",
}
LATENT: dict[str, Any] = {
    **LLAMA,
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "q_lora_rank": 24,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "first_k_dense_replace": 1,
}
MAMBA: dict[str, Any] = {
    "mamba_num_heads": 4,
    "mamba_head_dim": 16,
    "ssm_state_size": 8,
    "n_groups": 1,
    "conv_kernel": 4,
}


def imported(base: dict[str, Any], **changes: Any) -> ImportedModel:
    """The import of a base configuration with keys changed; `None` as a value stays, `...` removes a key."""
    config = {key: value for key, value in {**base, **changes}.items() if value is not ...}
    return architecture_from_hf_config(config)


def groups(base: dict[str, Any], **changes: Any) -> tuple[LayerGroup, ...]:
    return imported(base, **changes).architecture.layers


def mixers(base: dict[str, Any], **changes: Any) -> list[tuple[int, Mixer]]:
    """(layers, mixer) of each layer group."""
    return [(group.count, mixer) for group in groups(base, **changes) for mixer in group.mixers]


def attention(base: dict[str, Any], **changes: Any) -> Attention:
    """The attention of a model that has one kind of it."""
    ((_, mixer),) = mixers(base, **changes)
    assert isinstance(mixer, Attention)
    return mixer
