"""Recurrent mixers from configuration keys: state spaces, linear attention, short convolutions."""

from __future__ import annotations

from catalog.importing.hf_config.attention import HEADS, hidden_size
from catalog.importing.hf_config.reading import Config, ConfigError
from estimates.core.architecture import (
    GatedDeltaNet,
    KimiDeltaAttention,
    LightningAttention,
    Mamba1,
    Mamba2,
    ShortConvolution,
)

STATE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def mamba1(config: Config, *, inner_norms: bool = False) -> Mamba1:
    """First generation. `intermediate_size` of Falcon-Mamba is the inner width; its `expand` is not."""
    hidden = hidden_size(config)
    pure = config.has("state_size")
    inner = config.integer("intermediate_size") if pure else config.integer("mamba_expand") * hidden
    state = config.integer("mamba_d_state", "state_size", least=1)
    dt_rank = config.integer("mamba_dt_rank", "time_step_rank", default=-(-hidden // 16), least=1)
    conv = config.integer("mamba_d_conv", "conv_kernel", default=4, least=1)
    return Mamba1(inner, state, conv, dt_rank, dt_rank + 2 * state if inner_norms else 0)


def mamba2(config: Config, *, gated_norm: bool = True) -> Mamba2:
    """Second generation, under the key names of its several users."""
    head_dim = config.integer("mamba_head_dim", "mamba_d_head", "mamba_headdim", "head_dim", least=1)
    heads = config.optional("mamba_num_heads", "mamba_n_heads", "num_heads", least=1)
    if heads is None:
        heads = (
            config.integer("mamba_expand", "expansion_factor", default=2) * hidden_size(config) // head_dim
        )
    inner = config.optional("mamba_d_ssm", least=1)
    if inner is not None and inner != heads * head_dim:
        raise ConfigError(config.where + "mamba_d_ssm", inner, f"heads x head width = {heads * head_dim}")
    precision = config.text("mamba_ssm_cache_dtype", "mamba_ssm_dtype") or "float32"
    return Mamba2(
        heads=heads,
        head_dim=head_dim,
        state=config.integer("ssm_state_size", "mamba_d_state", "state_size", least=1),
        groups=config.integer("mamba_n_groups", "mamba_ngroups", "n_groups", default=1, least=1),
        conv=config.integer("mamba_d_conv", "conv_kernel", "conv_dimension", default=4, least=1),
        state_bytes_per_element=STATE_BYTES.get(precision, 4),
        gated_norm=gated_norm,
    )


def gated_delta_net(config: Config) -> GatedDeltaNet:
    return GatedDeltaNet(
        key_heads=config.integer("linear_num_key_heads", least=1),
        value_heads=config.integer("linear_num_value_heads", least=1),
        key_head_dim=config.integer("linear_key_head_dim", least=1),
        value_head_dim=config.integer("linear_value_head_dim", least=1),
        conv=config.integer("linear_conv_kernel_dim", default=4, least=1),
    )


def kimi_delta_attention(linear: Config) -> KimiDeltaAttention:
    return KimiDeltaAttention(
        heads=linear.integer("num_heads", least=1),
        head_dim=linear.integer("head_dim", least=1),
        conv=linear.integer("short_conv_kernel_size", default=4, least=1),
        full_rank_gate=linear.flag("use_full_rank_gate"),
    )


def lightning_attention(config: Config, *, head_norm: bool = False) -> LightningAttention:
    heads = config.integer("num_kv_heads_for_linear_attn", *HEADS, least=1)
    head_dim = config.integer("head_dim", least=1)
    return LightningAttention(heads, head_dim, 2 * head_dim if head_norm else 0)


def short_convolution(config: Config) -> ShortConvolution:
    width = config.integer("conv_dim", default=hidden_size(config), least=1)
    return ShortConvolution(width, config.integer("conv_L_cache", default=3, least=1))
