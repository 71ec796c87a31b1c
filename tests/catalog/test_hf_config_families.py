"""What configurations mean: aliases, nesting, and each trap that a real checkpoint has set."""

from __future__ import annotations

import pytest
from hf_configs import LATENT, LLAMA, MAMBA, attention, groups, imported, mixers

from catalog.importing.hf_config import ConfigError, UnsupportedArchitecture, architecture_from_hf_config
from estimates.core.architecture import (
    Attention,
    DenseFeedForward,
    GatedDeltaNet,
    KimiDeltaAttention,
    LatentAttention,
    LightningAttention,
    Mamba1,
    Mamba2,
    MixtureOfExperts,
    ShortConvolution,
)
from estimates.core.kv_cache import kv_terms
from estimates.core.parameters import count_parameters

GRANITE = {
    **LLAMA,
    "architectures": ["GraniteMoeHybridForCausalLM"],
    "model_type": "granitemoehybrid",
    "shared_intermediate_size": 96,
    "num_local_experts": 0,
    "num_experts_per_tok": 0,
    "layer_types": ["mamba", "mamba", "attention", "mamba"],
    "mamba_n_heads": 8,
    "mamba_d_head": 16,
    "mamba_d_state": 8,
    "mamba_d_conv": 4,
}
NEMOTRON = {
    **LLAMA,
    **MAMBA,
    "architectures": ["NemotronHForCausalLM"],
    "model_type": "nemotron_h",
    "num_hidden_layers": ...,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "moe_shared_expert_intermediate_size": 48,
    "n_shared_experts": 1,
}
NEXT = {
    **LLAMA,
    "architectures": ["Qwen3NextForCausalLM"],
    "model_type": "qwen3_next",
    "head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_conv_kernel_dim": 4,
}
FALCON = {
    "architectures": ["FalconForCausalLM"],
    "model_type": "falcon",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "vocab_size": 100,
}
GPT2 = {
    "architectures": ["GPT2LMHeadModel"],
    "n_embd": 64,
    "n_head": 4,
    "n_layer": 2,
    "n_positions": 32,
    "vocab_size": 100,
}


def nested(key: str, text: dict, **outer: object) -> dict:
    return {"architectures": ["LlavaNextForConditionalGeneration"], "model_type": "x", **outer, key: text}


# Unwrapping


@pytest.mark.parametrize("key", ["text_config", "language_config", "llm_config"])
def test_the_text_model_may_be_nested(key):
    assert architecture_from_hf_config(nested(key, LLAMA)).architecture == imported(LLAMA).architecture


def test_the_text_model_may_be_nested_twice():
    config = {"architectures": ["OmniModel"], "thinker_config": {"text_config": LLAMA}}
    assert architecture_from_hf_config(config).architecture == imported(LLAMA).architecture


def test_tie_flag_dtype_and_quantisation_come_from_either_level():
    inner = {key: value for key, value in LLAMA.items() if key != "torch_dtype"}
    quantised = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    config = nested(
        "text_config", inner, tie_word_embeddings=True, dtype="float16", quantization_config=quantised
    )
    model = architecture_from_hf_config(config)
    assert model.architecture.tied_embeddings
    assert model.dtype == "float16"
    assert model.quantisation["mixer"].format == "fp8_block"
    within = nested("text_config", {**inner, "tie_word_embeddings": False}, tie_word_embeddings=True)
    assert not architecture_from_hf_config(within).architecture.tied_embeddings


# Aliases


def test_layer_count_width_and_heads_have_many_names():
    renamed = {
        "n_layer": LLAMA["num_hidden_layers"],
        "n_embd": LLAMA["hidden_size"],
        "n_head": LLAMA["num_attention_heads"],
        "num_kv_heads": LLAMA["num_key_value_heads"],
        "ffn_hidden_size": LLAMA["intermediate_size"],
        "n_positions": LLAMA["max_position_embeddings"],
    }
    dropped = ["num_hidden_layers", "hidden_size", "num_attention_heads", "num_key_value_heads"]
    gone = dict.fromkeys([*dropped, "intermediate_size", "max_position_embeddings"], ...)
    assert imported(LLAMA, **gone, **renamed).architecture == imported(LLAMA).architecture


def test_a_null_does_not_hide_an_alias():
    assert attention(LLAMA, num_key_value_heads=None, num_kv_heads=4).kv_heads == 4


def test_missing_key_value_heads_are_as_many_as_heads():
    assert attention(LLAMA, num_key_value_heads=...).kv_heads == 8


@pytest.mark.parametrize(
    "key", ["num_experts_per_tok", "num_experts_per_token", "experts_per_token", "moe_topk"]
)
def test_experts_per_token_have_many_names(key):
    routed = groups(LATENT, **{"num_experts_per_tok": ..., key: 3})[1].feed_forwards[0]
    assert routed.top_k == 3


@pytest.mark.parametrize("key", ["dtype", "torch_dtype"])
def test_dtype_has_two_names(key):
    assert imported(LLAMA, **{"torch_dtype": ..., key: "float16"}).native_format == "fp16"


# The traps


def test_no_experts_means_dense():
    (group, *_) = groups(GRANITE)
    assert group.feed_forwards == (DenseFeedForward(96),)


def test_granite_shared_width_is_the_dense_feed_forward():
    dense = groups(GRANITE, intermediate_size=1, shared_intermediate_size=40)[0].feed_forwards[0]
    assert dense == DenseFeedForward(40)


def test_granite_shared_width_is_a_shared_expert_beside_experts():
    (routed,) = groups(GRANITE, num_local_experts=4, num_experts_per_tok=2, intermediate_size=24)[
        0
    ].feed_forwards
    assert (routed.experts, routed.expert_intermediate, routed.shared_intermediate) == (4, 24, 96)


KIMI = {
    **LATENT,
    "architectures": ["KimiLinearForCausalLM"],
    "q_lora_rank": None,
    "linear_attn_config": {
        "full_attn_layers": [2, 4],
        "num_heads": 4,
        "head_dim": 8,
        "short_conv_kernel_size": 4,
    },
}


def test_full_attention_layers_of_kimi_count_from_one():
    plan = mixers(KIMI)
    # layer 1 is linear and dense; 2 and 4 are full, 3 is linear, all with experts
    assert [(count, type(mixer)) for count, mixer in plan] == [
        (1, KimiDeltaAttention),
        (2, LatentAttention),
        (1, KimiDeltaAttention),
    ]


def test_layer_zero_is_no_layer_of_kimi():
    linear = {**KIMI["linear_attn_config"], "full_attn_layers": [0, 4]}
    with pytest.raises(ConfigError, match="1 to 4"):
        imported(KIMI, linear_attn_config=linear)


@pytest.mark.parametrize("kinds", [["mamba"] * 3, ["mamba"] * 5])
def test_a_pattern_of_the_wrong_length_is_refused(kinds):
    with pytest.raises(ConfigError, match="one entry for each of 4 layers"):
        imported(GRANITE, layer_types=kinds)


def test_a_pattern_without_a_count_is_the_count():
    plan = groups(NEMOTRON, hybrid_override_pattern="MEM*-")
    assert sum(group.count for group in plan) == 5


def test_nemotron_layers_are_one_thing_each():
    plan = groups(NEMOTRON, hybrid_override_pattern="MEM*-", moe_latent_size=16)
    found = [(group.count, *map(type, (*group.mixers, *group.feed_forwards))) for group in plan]
    assert found == [(2, Mamba2), (1, MixtureOfExperts), (1, Attention), (1, DenseFeedForward)]
    experts = plan[1].feed_forwards[0]
    assert (experts.latent, experts.gated, experts.shared_intermediate) == (16, False, 48)


def test_an_unknown_layer_kind_is_refused():
    with pytest.raises(UnsupportedArchitecture, match="'X'"):
        imported(NEMOTRON, hybrid_override_pattern="MX")


def test_falcon_7b_has_one_key_value_head_without_saying_how_many():
    assert attention(FALCON, multi_query=True, new_decoder_architecture=False).kv_heads == 1
    assert attention(FALCON, multi_query=True, new_decoder_architecture=True, num_kv_heads=2).kv_heads == 2


def test_falcon_is_tied_by_default():
    assert imported(FALCON, multi_query=True).architecture.tied_embeddings


def test_head_width_need_not_divide_the_hidden_size():
    mixer = attention(LLAMA, head_dim=32)
    assert (mixer.head_dim, mixer.heads) == (32, 8)
    assert count_parameters(imported(LLAMA, head_dim=32).architecture).by_group["mixer"] == 4 * 64 * 32 * (
        8 + 4 + 8
    )


QWEN2 = {**LLAMA, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}
MISTRAL = {**LLAMA, "architectures": ["MistralForCausalLM"], "model_type": "mistral"}


@pytest.mark.parametrize(
    ("changes", "window"),
    [
        ({"sliding_window": 1024}, 1024),
        ({"sliding_window": 1024, "use_sliding_window": False}, None),
        ({"sliding_window": None}, None),
        ({"sliding_window": -1}, None),
        ({"sliding_window": 4096}, None),  # as long as the context
        ({"sliding_window": 262144}, None),
    ],
)
def test_a_window_counts_only_when_it_bounds(changes, window):
    assert attention(MISTRAL, **changes).window == window


def test_qwen2_names_a_window_that_it_does_not_use():
    assert attention(QWEN2, sliding_window=1024, use_sliding_window=False, max_window_layers=2).window is None


@pytest.mark.parametrize(
    ("changes", "routed"),
    [
        ({"first_k_dense_replace": 1}, 3),
        ({"first_k_dense_replace": 0, "moe_layer_freq": 2}, 2),
        ({"first_k_dense_replace": 0, "moe_layer_freq": [0, 1, 1, 0]}, 2),
        ({"first_k_dense_replace": 3, "mlp_layer_types": ["dense", "sparse", "sparse", "sparse"]}, 3),
    ],
)
def test_which_layers_have_experts_is_said_in_several_ways(changes, routed):
    plan = groups(LATENT, **changes)
    assert sum(g.count for g in plan if isinstance(g.feed_forwards[0], MixtureOfExperts)) == routed


QWEN_MOE = {
    **LLAMA,
    "architectures": ["Qwen3MoeForCausalLM"],
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
}


def test_sparse_step_and_dense_only_layers():
    plan = groups(QWEN_MOE, decoder_sparse_step=2, mlp_only_layers=[3])
    assert [(g.count, type(g.feed_forwards[0])) for g in plan] == [
        (3, DenseFeedForward),
        (1, MixtureOfExperts),
    ]


def test_expert_counts_given_per_layer_must_agree():
    assert groups(QWEN_MOE, num_experts=[8, 8, 8, 8])[0].feed_forwards[0].experts == 8
    with pytest.raises(ConfigError, match="num_experts"):
        imported(QWEN_MOE, num_experts=[8, 4, 8, 8])


def test_null_shared_experts_are_none():
    assert groups(LATENT, n_shared_experts=None)[1].feed_forwards[0].shared_intermediate == 0


def test_feed_forward_widths_may_differ_by_layer():
    gemma3n = {
        **LLAMA,
        "architectures": ["Gemma3nForCausalLM"],
        "intermediate_size": [32, 32, 48, 48],
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "sliding_window": 512,
        "num_kv_shared_layers": 2,
        "hidden_size_per_layer_input": 8,
        "vocab_size_per_layer_input": 100,
        "altup_num_inputs": 4,
        "laurel_rank": 4,
    }
    plan = groups(gemma3n)
    assert [group.feed_forwards[0].intermediate for group in plan] == [32, 32, 48, 48]
    # the last two layers hold no keys and values of their own
    assert [group.mixers[0].owns_kv for group in plan] == [True, True, False, False]
    assert kv_terms(imported(gemma3n).architecture).growing_elements_per_token == 2 * 2 * 8


def test_float32_in_a_configuration_is_doubted():
    assert any("float32" in warning for warning in imported(LLAMA, torch_dtype="float32").warnings)


def test_an_extended_context_is_noted():
    scaling = {"rope_type": "yarn", "original_max_position_embeddings": 1024}
    model = imported(LLAMA, rope_scaling=scaling)
    assert model.max_context == 4096
    assert model.notes == ("trained on 1024 tokens of context, extended to 4096",)


def test_searched_architectures_differ_by_layer():
    def block(group: int | None, mult: float | None) -> dict:
        return {
            "attention": {"no_op": group is None, "n_heads_in_group": group},
            "ffn": {"no_op": mult is None, "ffn_mult": mult},
        }

    nas = {
        **LLAMA,
        "architectures": ["DeciLMForCausalLM"],
        "model_type": "nemotron-nas",
        "intermediate_size": None,
        "num_key_value_heads": None,
        "hidden_size": 768,
        "block_configs": [block(8, 1.5), block(None, 1.5), block(4, None), block(8, 1.5)],
    }
    plan = groups(nas)
    # 2/3 x 1.5 x 768 = 768, a multiple of 256 already; heads 8 in groups of 8 and of 4
    assert [
        (g.count, [m.kv_heads for m in g.mixers], [f.intermediate for f in g.feed_forwards]) for g in plan
    ] == [
        (2, [1], [768]),
        (1, [], [768]),
        (1, [2], []),
    ]
    assert kv_terms(imported(nas).architecture).growing_elements_per_token == 2 * 96 * (1 + 1 + 2)


def test_longcat_has_two_attentions_a_layer_and_experts_without_weights():
    longcat = {
        "architectures": ["LongcatFlashForCausalLM"],
        **{key: LATENT[key] for key in LATENT if key.startswith(("q_", "kv_", "qk_", "v_"))},
        "vocab_size": 100,
        "hidden_size": 64,
        "num_layers": 3,
        "num_attention_heads": 8,
        "ffn_hidden_size": 96,
        "expert_ffn_hidden_size": 32,
        "n_routed_experts": 8,
        "zero_expert_num": 4,
        "moe_topk": 3,
    }
    (group,) = groups(longcat)
    assert group.count == 3
    assert len(group.mixers) == 2
    assert [type(block) for block in group.feed_forwards] == [
        DenseFeedForward,
        DenseFeedForward,
        MixtureOfExperts,
    ]
    assert count_parameters(imported(longcat).architecture).by_group["router"] == 3 * (64 * 12 + 12)


def test_zamba_shares_two_blocks_among_many_layers():
    zamba = {
        "architectures": ["Zamba2ForCausalLM"],
        "model_type": "zamba2",
        "hidden_size": 64,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "kv_channels": 16,
        "ffn_hidden_size": 96,
        "mamba_headdim": 16,
        "mamba_ngroups": 1,
        "state_size": 8,
        "num_mem_blocks": 2,
        "vocab_size": 100,
        "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid", "mamba", "hybrid"],
    }
    mamba, shared = groups(zamba)
    assert (mamba.count, shared.count, shared.weight_sets) == (6, 3, 2)
    assert shared.mixers[0].input_width == 128  # hidden state beside the embedding
    assert kv_terms(imported(zamba).architecture).growing_elements_per_token == 3 * 2 * 128


def test_layers_that_share_keys_across_have_no_projection_of_their_own():
    hunyuan = {
        **LLAMA,
        "architectures": ["HunYuanForCausalLM"],
        "model_type": "hunyuan",
        "use_cla": True,
        "cla_share_factor": 2,
        "num_experts": 4,
        "moe_topk": 1,
        "num_shared_expert": 1,
    }
    assert [(count, mixer.owns_kv) for count, mixer in mixers(hunyuan)] == [(2, True), (2, False)]


def test_expert_bias_vectors_are_counted_with_the_router():
    plain = count_parameters(imported(LATENT).architecture).by_group["router"]
    biased = count_parameters(imported(LATENT, topk_method="noaux_tc").architecture).by_group["router"]
    assert biased - plain == 3 * 8


@pytest.mark.parametrize("model_type", ["git", "deepseek_ref", None, ...])
def test_the_class_decides_before_the_model_type(model_type):
    assert imported(LATENT, model_type=model_type).family == "deepseek_v3"


def test_the_model_type_decides_where_no_class_is_named():
    assert imported(LLAMA, architectures=...).family == "llama"


def test_unmistakable_keys_decide_before_the_class():
    v4 = {
        **LLAMA,
        "architectures": ["SomethingElse"],
        "model_type": "deepseek_ref",
        "num_key_value_heads": 1,
        "head_dim": 32,
        "q_lora_rank": 24,
        "o_lora_rank": 16,
        "o_groups": 2,
        "index_head_dim": 8,
        "index_n_heads": 2,
        "index_topk": 16,
        "sliding_window": 128,
        "hc_mult": 4,
        "num_hash_layers": 1,
        "n_routed_experts": 8,
        "n_shared_experts": 1,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 32,
        "num_nextn_predict_layers": 1,
        "compress_ratios": [0, 128, 4, 4, 0],
    }
    model = imported(v4)
    assert model.family == "deepseek_v4"
    terms = kv_terms(model.architecture)
    assert terms.growing_elements_per_token == 32 / 128 + 2 * 32 / 4
    assert terms.windows[0].elements_per_token == 4 * 32
    assert terms.indexer_elements_per_token == 2 * 8 / 4


def test_encoders_have_no_cache():
    bert = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": 100,
        "max_position_embeddings": 32,
    }
    architecture = imported(bert).architecture
    assert architecture.role == "embedding"
    assert kv_terms(architecture).layers == ()


def test_embedding_checkpoints_have_no_head():
    by_class = imported(MISTRAL, architectures=["MistralModel"]).architecture
    by_name = architecture_from_hf_config(LLAMA, hf_id="org/Llama-Embedding-1B").architecture
    assert by_class.role == by_name.role == "embedding"
    assert count_parameters(by_class).by_group["head"] == 0


# Families


def test_two_thirds_widths_of_lfm2():
    lfm2 = {
        **LLAMA,
        "architectures": ["Lfm2ForCausalLM"],
        "layer_types": ["conv", "conv", "full_attention", "conv"],
        "conv_L_cache": 3,
        "intermediate_size": 1000,
    }
    assert groups(lfm2)[0].feed_forwards[0].intermediate == 1000
    adjusted = groups(lfm2, block_auto_adjust_ff_dim=True)
    assert adjusted[0].feed_forwards[0].intermediate == 768  # 666 up to a multiple of 256
    assert isinstance(adjusted[0].mixers[0], ShortConvolution)
    assert imported(lfm2).architecture.tied_embeddings


def test_gated_delta_net_with_gated_attention_each_fourth_layer():
    plan = mixers(NEXT)
    assert [(count, type(mixer)) for count, mixer in plan] == [(3, GatedDeltaNet), (1, Attention)]
    assert plan[1][1].output_gate


def test_qwen3_next_ships_a_prediction_module_that_no_key_names():
    assert imported(NEXT).architecture.mtp.modules == 1
    assert (
        imported(
            {**NEXT, "architectures": ["Qwen3_5ForCausalLM"]}, model_type="qwen3_5_text"
        ).architecture.mtp
        is None
    )


def test_prediction_modules_hold_a_layer_a_projection_and_three_norms():
    mtp = imported(LATENT, num_nextn_predict_layers=2).architecture.mtp
    assert (mtp.modules, mtp.extra_parameters) == (2, 2 * 64 * 64 + 3 * 64)
    assert isinstance(mtp.layer.feed_forwards[0], MixtureOfExperts)


def test_lightning_attention_by_type_list():
    minimax = {
        **LLAMA,
        "architectures": ["MiniMaxText01ForCausalLM"],
        "head_dim": 8,
        "attn_type_list": [0, 0, 0, 1],
    }
    assert [(c, type(m)) for c, m in mixers(minimax)] == [(3, LightningAttention), (1, Attention)]


def test_jamba_places_attention_and_experts_by_period_and_offset():
    jamba = {
        **LLAMA,
        "architectures": ["JambaForCausalLM"],
        "attn_layer_period": 4,
        "attn_layer_offset": 1,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "mamba_d_state": 8,
        "mamba_expand": 2,
        "mamba_d_conv": 4,
        "mamba_dt_rank": 4,
    }
    plan = groups(jamba)
    assert [(g.count, type(g.mixers[0]), type(g.feed_forwards[0])) for g in plan] == [
        (2, Mamba1, DenseFeedForward),
        (1, Attention, MixtureOfExperts),
        (1, Mamba1, MixtureOfExperts),
    ]


def test_falcon_mamba_states_an_expansion_that_is_not_its_width():
    config = {
        "architectures": ["FalconMambaForCausalLM"],
        "expand": 16,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "state_size": 16,
        "time_step_rank": 4,
        "conv_kernel": 4,
        "vocab_size": 100,
    }
    assert mixers(config) == [(2, Mamba1(128, 16, 4, 4))]


def test_shared_indexers_own_no_keys():
    glm = {
        **LATENT,
        "architectures": ["GlmMoeDsaForCausalLM"],
        "index_head_dim": 8,
        "index_n_heads": 2,
        "index_topk": 16,
        "indexer_types": ["full", "shared", "full", "shared"],
    }
    terms = kv_terms(imported(glm).architecture)
    assert terms.indexer_elements_per_token == 2 * 8


@pytest.mark.parametrize(
    ("pattern", "full"),
    [
        ({"sliding_window_pattern": 2}, 2),
        ({"sliding_window_pattern": "LLLG"}, 1),
        ({"_sliding_window_pattern": 4}, 1),
    ],
)
def test_windows_by_period_or_letters(pattern, full):
    exaone = {**LLAMA, "architectures": ["Exaone4ForCausalLM"], "sliding_window": 512}
    assert sum(count for count, mixer in mixers(exaone, **pattern) if mixer.window is None) == full


def test_gemma_2_alternates_without_saying_so():
    gemma = {**LLAMA, "architectures": ["Gemma2ForCausalLM"], "sliding_window": 512}
    assert [(count, mixer.window) for count, mixer in mixers(gemma)] == [(2, 512), (2, None)]
    assert imported(gemma).architecture.tied_embeddings


def test_gemma_3_leaves_its_defaults_out():
    text = {key: LLAMA[key] for key in ("hidden_size", "intermediate_size", "num_hidden_layers")}
    config = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": {**text, "sliding_window": 8},
    }
    architecture = architecture_from_hf_config(config).architecture
    assert (architecture.vocab, architecture.max_context) == (262208, 131072)


def test_qwen_1_counts_gate_and_up_together():
    qwen = {**LLAMA, "architectures": ["QWenLMHeadModel"], "model_type": "qwen"}
    assert groups(qwen)[0].feed_forwards[0].intermediate == 48


def test_gpt_2_has_a_position_table_and_four_times_the_width():
    architecture = imported(GPT2).architecture
    assert architecture.layers[0].feed_forwards[0].intermediate == 256
    # V h + P h, per layer 12 h^2 + 13 h, final norm 2 h
    assert count_parameters(architecture).total == 132 * 64 + 2 * (12 * 64**2 + 13 * 64) + 128


def test_llama_4_leaves_a_shared_expert_unsaid_and_chunks_three_layers_of_four():
    llama4 = {
        **LLAMA,
        "architectures": ["Llama4ForConditionalGeneration"],
        "attention_chunk_size": 256,
        "interleave_moe_layer_step": 2,
        "intermediate_size_mlp": 200,
        "num_local_experts": 8,
        "num_experts_per_tok": 1,
    }
    plan = groups(llama4)
    assert sum(group.count for group in plan if group.mixers[0].window == 256) == 3
    dense = next(
        block for group in plan for block in group.feed_forwards if isinstance(block, DenseFeedForward)
    )
    routed = next(
        block for group in plan for block in group.feed_forwards if isinstance(block, MixtureOfExperts)
    )
    assert (dense.intermediate, routed.shared_intermediate) == (200, 96)


def test_whisper_keeps_its_source_in_the_cross_attention():
    whisper = {
        "architectures": ["WhisperForConditionalGeneration"],
        "d_model": 64,
        "vocab_size": 100,
        **{
            f"{stack}_{part}": value
            for stack in ("encoder", "decoder")
            for part, value in (("attention_heads", 4), ("ffn_dim", 96), ("layers", 2))
        },
    }
    architecture = imported(whisper).architecture
    assert architecture.role == "speech"
    terms = kv_terms(architecture)
    assert (terms.cross_tokens, terms.cross_elements_per_source_token) == (1500, 2 * 2 * 64)


def test_cross_attention_layers_of_llama_vision_cache_the_image():
    mllama = {
        "architectures": ["MllamaForConditionalGeneration"],
        "model_type": "mllama",
        "text_config": {
            **LLAMA,
            "architectures": None,
            "model_type": "mllama_text_model",
            "cross_attention_layers": [1],
        },
        "vision_config": {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "image_size": 28,
            "patch_size": 14,
            "max_num_tiles": 4,
            "vision_output_dim": 96,
            "supported_aspect_ratios": [[1, 1], [1, 2]],
        },
    }
    architecture = architecture_from_hf_config(mllama).architecture
    terms = kv_terms(architecture)
    assert terms.growing_elements_per_token == 3 * 2 * 2 * 8
    assert terms.cross_tokens == 4 * (2 * 2 + 1)
    assert count_parameters(architecture).by_group["vision"] > 0


def test_a_vision_tower_without_dimensions_is_a_warning_not_a_guess():
    model = architecture_from_hf_config(
        nested("language_config", LLAMA, vision_config={"model_name": "tower"})
    )
    assert any("not counted" in warning for warning in model.warnings)
