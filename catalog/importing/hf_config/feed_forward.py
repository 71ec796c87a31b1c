"""Feed-forward blocks from configuration keys: dense, and mixtures of routed and shared experts."""

from __future__ import annotations

from catalog.importing.hf_config.attention import hidden_size
from catalog.importing.hf_config.reading import Config, ConfigError
from estimates.core.architecture import DenseFeedForward, MixtureOfExperts

EXPERTS = ("n_routed_experts", "num_local_experts", "num_experts")
TOP_K = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "experts_per_token",
    "moe_topk",
    "moe_top_k",
    "top_k_experts",
)
EXPERT_WIDTH = (
    "moe_intermediate_size",
    "expert_ffn_hidden_size",
    "expert_hidden_dim",
    "intermediate_size",
    "ffn_hidden_size",
)
WIDTH = ("intermediate_size", "ffn_hidden_size", "n_inner", "ff_intermediate_size", "d_ff")
DENSE_LAYER_WIDTH = ("intermediate_size_mlp", "dense_intermediate_size", "prefix_dense_intermediate_size")
ROUTER_BIAS_KEYS = (
    "moe_router_enable_expert_bias",
    "use_routing_bias",
    "use_expert_bias",
    "use_moe_router_bias",
)


def expert_count(config: Config) -> int:
    """Routed experts; 0 means a dense model, whatever other expert keys say."""
    nested = config.object("ffn_config")
    if nested is not None:
        return nested.integer("moe_num_experts", default=0)
    value = config.value(*EXPERTS)
    if isinstance(value, list):
        if not value or value.count(value[0]) != len(value):
            raise ConfigError(config.field(EXPERTS), value, "the same number of experts in each layer")
        return Config({EXPERTS[0]: value[0]}, config.where).integer(EXPERTS[0], default=0)
    return config.integer(*EXPERTS, default=0)


def dense(config: Config, *, gated: bool, bias: bool = False, width: int | None = None) -> DenseFeedForward:
    """Dense feed-forward; `n_inner` null means four times the hidden size."""
    hidden = hidden_size(config)
    intermediate = width or config.integer(*WIDTH, default=4 * hidden, least=1)
    biases = (2 if gated else 1) * intermediate + hidden if bias else 0
    return DenseFeedForward(intermediate, gated, biases)


def dense_layer_width(config: Config) -> int | None:
    """Width of the dense layers of a mixture where it differs from the experts' width."""
    return config.optional(*DENSE_LAYER_WIDTH, least=1)


def shared_width(config: Config, expert_width: int) -> int:
    """Width of all shared experts together, 0 where there are none."""
    explicit = config.optional(
        "shared_expert_intermediate_size", "shared_intermediate_size", "share_expert_dim"
    )
    count = config.integer("n_shared_experts", "num_shared_experts", "num_shared_expert", default=0)
    if explicit is not None:
        return explicit
    each = config.integer("moe_shared_expert_intermediate_size", default=expert_width)
    return count * each


def router_bias(config: Config) -> bool:
    """A per-expert correction bias, under its several names."""
    named = config.text("topk_method") == "noaux_tc"
    return sum(config.flag(key) for key in ROUTER_BIAS_KEYS) > 0 or named  # every key counts as read


def mixture(
    config: Config,
    *,
    gated: bool = True,
    bias: bool | None = None,
    shared_gate: bool = False,
    expert_biases: bool = False,
    shared: int | None = None,
    expert_width: int | None = None,
) -> MixtureOfExperts:
    """A mixture of experts. `bias` overrides the keys; `shared_gate` is the gate of Qwen's shared expert."""
    nested = config.object("ffn_config")
    hidden = hidden_size(config)
    experts = expert_count(config)
    if nested is not None:
        top_k = nested.integer("moe_top_k", least=1)
        width = nested.integer("ffn_hidden_size", least=1)
    else:
        top_k = config.integer(*TOP_K, least=1)
        width = expert_width or config.integer(*EXPERT_WIDTH, least=1)
    shared = shared_width(config, width) if shared is None else shared
    latent = config.optional("moe_latent_size", "routed_expert_hidden_size", least=1)
    zero_experts = config.integer("zero_expert_num", default=0)
    extra = experts + zero_experts if (router_bias(config) if bias is None else bias) else 0
    extra += hidden if shared_gate and shared else 0
    if expert_biases:
        extra += experts
    return MixtureOfExperts(
        experts=experts,
        top_k=top_k,
        expert_intermediate=width,
        shared_intermediate=shared,
        gated=gated,
        latent=latent,
        extra_parameters=extra,
        zero_experts=zero_experts,
        expert_extra_parameters=(2 if gated else 1) * width + hidden if expert_biases else 0,
    )
