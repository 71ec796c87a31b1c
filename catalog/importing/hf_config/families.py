"""The families known: builder of each, and the class names and model types that lead to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from catalog.importing.hf_config import encoders, gemma, hybrids, recurrent, special
from catalog.importing.hf_config.attention import AttentionTraits
from catalog.importing.hf_config.decoders import Traits, latent_decoder, plain_decoder
from catalog.importing.hf_config.reading import Config
from estimates.core.architecture import Architecture

Builder = Callable[[Config], Architecture]

QKV = AttentionTraits(qkv_bias=True)
QKV_OUT = AttentionTraits(qkv_bias=True, output_bias=True)
HEAD_NORM = AttentionTraits(head_norm=True)
KEYED = AttentionTraits(biases_from_key=True)
KEYED_NORM = AttentionTraits(head_norm=True, biases_from_key=True)
FULL_NORM = AttentionTraits(full_norm=True)
GEMMA3 = (
    ("vocab_size", 262208),
    ("head_dim", 256),
    ("num_attention_heads", 8),
    ("num_key_value_heads", 4),
    ("max_position_embeddings", 131072),
)
LLAMA = (
    ("hidden_size", 4096),
    ("intermediate_size", 11008),
    ("num_hidden_layers", 32),
    ("num_attention_heads", 32),
    ("vocab_size", 32000),
)

PLAIN: dict[str, Traits] = {
    "llama": Traits(KEYED),
    "mistral": Traits(windowed=True),
    "ministral3": Traits(windowed=True),
    "mixtral": Traits(windowed=True, router_bias=False),
    "qwen2": Traits(QKV),
    "qwen2_vl": Traits(QKV),
    "qwen2_5_vl": Traits(QKV),
    "qwen2_moe": Traits(QKV, shared_gate=True),
    "qwen3": Traits(KEYED_NORM),
    "qwen3_moe": Traits(KEYED_NORM),
    "qwen3_vl": Traits(KEYED_NORM),
    "qwen3_vl_moe": Traits(KEYED_NORM),
    "gemma": Traits(KEYED, tied=True),
    "gemma2": Traits(KEYED, norms=4, tied=True, every_nth_full=2),
    "gemma3": Traits(HEAD_NORM, norms=4, tied=True, every_nth_full=6, defaults=GEMMA3),
    "phi3": Traits(KEYED, windowed=True),
    "phi3_v": Traits(KEYED, windowed=True),
    "phi3small": Traits(QKV_OUT, norm_bias=True, feed_forward_bias=True, tied=True),
    "phimoe": Traits(KEYED, norm_bias=True, windowed=True),
    "phi_msft": Traits(QKV_OUT, norms=1, norm_bias=True, gated=False, feed_forward_bias=True, head_bias=True),
    "starcoder2": Traits(
        QKV_OUT, norm_bias=True, gated=False, feed_forward_bias=True, tied=True, windowed=True
    ),
    "gpt2": Traits(
        QKV_OUT, norm_bias=True, gated=False, feed_forward_bias=True, tied=True, position_table=True
    ),
    "gptj": Traits(norms=1, norm_bias=True, gated=False, feed_forward_bias=True, head_bias=True),
    "gpt_neox": Traits(QKV_OUT, norm_bias=True, gated=False, feed_forward_bias=True),
    "baichuan": Traits(),
    "xverse": Traits(),
    "internlm2": Traits(),
    "orion": Traits(norm_bias=True),
    "exaone": Traits(),
    "exaone4": Traits(HEAD_NORM),
    "granite": Traits(KEYED, tied=True),
    "smollm3": Traits(KEYED, tied=True),
    "minicpm": Traits(KEYED, tied=True),
    "olmo2": Traits(FULL_NORM),
    "olmo3": Traits(FULL_NORM),
    "olmoe": Traits(FULL_NORM),
    "chatglm": Traits(QKV),
    "dbrx": Traits(),
    "deepseek": Traits(),
    "gpt_oss": Traits(
        AttentionTraits(qkv_bias=True, output_bias=True, sinks=True),
        router_bias=False,
        expert_biases=True,
        every_nth_full=2,
    ),
    "mimo": Traits(QKV),
    "step3p7": Traits(HEAD_NORM, head_gate=True, describes_mtp=False),
    "hunyuan_v1_dense": Traits(HEAD_NORM, tied=True),
    "hy_v3": Traits(HEAD_NORM),
    "minimax_m2": Traits(FULL_NORM),
    "afmoe": Traits(AttentionTraits(head_norm=True, output_gate=True), norms=4, router_bias=True),
    "llama4": Traits(router_bias=False, shared_copies=1, every_nth_full=4),
}
LATENT: dict[str, Traits] = {
    "glm_moe_dsa": Traits(router_bias=True),
    "glm4_moe_lite": Traits(router_bias=True, duplicates_in_mtp=True),
    "mistral_large3": Traits(router_bias=False),
    "minicpm3": Traits(tied=True),
    "sarvam_mla": Traits(),
}


def stablelm(config: Config) -> Architecture:
    attention = AttentionTraits(qkv_bias=config.flag("use_qkv_bias"))
    return plain_decoder(config, Traits(attention, norm_bias=True))


def seed_oss(config: Config) -> Architecture:
    attention = AttentionTraits(
        qkv_bias=config.flag("attention_bias"), output_bias=config.flag("attention_out_bias")
    )
    return plain_decoder(config, Traits(attention))


def glm4_moe(config: Config) -> Architecture:
    attention = AttentionTraits(qkv_bias=config.flag("attention_bias"), head_norm=config.flag("use_qk_norm"))
    return plain_decoder(config, Traits(attention, router_bias=True, duplicates_in_mtp=True))


def hunyuan_moe(config: Config) -> Architecture:
    return plain_decoder(config, Traits(AttentionTraits(head_norm=config.flag("use_qk_norm")), tied=True))


def cohere(config: Config) -> Architecture:
    """Parallel blocks with a single norm; query and key norms over all heads where use_qk_norm says so."""
    attention = AttentionTraits(full_norm=config.flag("use_qk_norm"), biases_from_key=True)
    return plain_decoder(config, Traits(attention, norms=1, tied=True, router_bias=False))


def falcon(config: Config) -> Architecture:
    """Parallel blocks; the new decoder has a norm for each branch, and its own key-value heads."""
    separate = config.flag("new_decoder_architecture") or not config.flag("parallel_attn", default=True)
    bias = config.flag("bias")
    attention = AttentionTraits(qkv_bias=bias, output_bias=bias)
    traits = Traits(
        attention, norms=2 if separate else 1, norm_bias=True, gated=False, feed_forward_bias=bias, tied=True
    )
    return plain_decoder(config, traits)


BUILDERS: dict[str, Builder] = {
    **{name: partial(plain_decoder, traits=traits) for name, traits in PLAIN.items()},
    **{name: partial(latent_decoder, traits=traits) for name, traits in LATENT.items()},
    "stablelm": stablelm,
    "seed_oss": seed_oss,
    "glm4_moe": glm4_moe,
    "glm4v_moe": glm4_moe,
    "hunyuan_v1_moe": hunyuan_moe,
    "cohere": cohere,
    "cohere2": cohere,
    "cohere2_moe": cohere,
    "falcon": falcon,
    "qwen": special.qwen1,
    "deepseek_v2": special.deepseek_v2,
    "deepseek_v3": special.deepseek_v2,
    "deepseek_v32": special.deepseek_v2,
    "kimi_k2": special.deepseek_v2,
    "deepseek_v4": special.deepseek_v4,
    "longcat_flash": special.longcat,
    "hy_v4": special.hunyuan_v4,
    "hunyuan": special.hunyuan_large,
    "nemotron_nas": special.nemotron_nas,
    "grok": special.grok,
    "arctic": special.arctic,
    "minimax_m3": special.minimax_m3,
    "mimo_v2_flash": special.mimo_v2,
    "gemma3n": gemma.gemma3n,
    "gemma4": gemma.gemma4,
    "mllama": special.mllama,
    "qwen3_next": hybrids.qwen3_next,
    "qwen3_5": hybrids.qwen3_next,
    "qwen3_5_moe": hybrids.qwen3_next,
    "kimi_linear": hybrids.kimi_linear,
    "minimax_text_01": hybrids.minimax_text_01,
    "bailing_hybrid": hybrids.bailing_hybrid,
    "lfm2": hybrids.lfm2,
    "lfm2_moe": hybrids.lfm2,
    "granitemoehybrid": hybrids.granite_hybrid,
    "jamba": hybrids.jamba,
    "falcon_h1": hybrids.falcon_h1,
    "nemotron_h": hybrids.nemotron_h,
    "zamba2": hybrids.zamba2,
    "falcon_mamba": recurrent.falcon_mamba,
    "mamba2": recurrent.pure_mamba2,
    "xlstm": recurrent.xlstm,
    "rwkv5": recurrent.rwkv5,
    "clip": encoders.clip_text,
    "t5": encoders.t5,
    "bart": encoders.bart,
    "whisper": encoders.whisper,
}

# Class prefixes and model types whose spelling differs from the family's name.
SPELLINGS = {
    "decilm": "nemotron_nas",
    "grok1": "grok",
    "grok1model": "grok",
    "bailingmoev25": "bailing_hybrid",
    "phi": "phi_msft",
    "step3p7flash": "step3p7",
    "hunyuandensev1": "hunyuan_v1_dense",
    "hunyuanmoev1": "hunyuan_v1_moe",
    "longcatflashngram": "longcat_flash",
    "minimaxm3sparse": "minimax_m3",
    "minimaxm3vl": "minimax_m3",
    "cliptext": "clip",
    "deepseekv2v": "deepseek_v2",
}
# Wrappers of other models, and classes that several generations share: the model type decides.
DECIDED_BY_TYPE = {"rwkv", "mistral3", "llava", "llavanext", "kimik25", "kimik3", "cohere2vision"}
FAMILY_OF = {re.sub(r"[^a-z0-9]", "", name): name for name in (*BUILDERS, "bert")} | SPELLINGS
CLASS_ENDINGS = r"(ForCausalLM|ForConditionalGeneration|LMHeadModel|ForMaskedLM|TextModel|Model)$"
TYPE_ENDINGS = r"_(text|text_model)$"


def family_of_class(name: str) -> str | None:
    """Family of a model class such as LlamaForCausalLM; None when it is not known."""
    return FAMILY_OF.get(class_stem(name))


def class_stem(name: str) -> str:
    """The class name without its ending, lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", re.sub(CLASS_ENDINGS, "", name).lower())


def family_of_type(model_type: str | None) -> str | None:
    """Family of a model_type such as gemma3_text; None when it is not known."""
    if not model_type:
        return None
    return FAMILY_OF.get(re.sub(r"[^a-z0-9]", "", re.sub(TYPE_ENDINGS, "", model_type.lower())))
