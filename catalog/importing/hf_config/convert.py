"""From a config.json to an architecture: unwrapping, dispatch to the family, and what could not be said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from catalog.importing.hf_config.decoders import with_defaults
from catalog.importing.hf_config.encoders import bert
from catalog.importing.hf_config.families import (
    BUILDERS,
    DECIDED_BY_TYPE,
    LLAMA,
    class_stem,
    family_of_class,
    family_of_type,
)
from catalog.importing.hf_config.formats import StoredFormat
from catalog.importing.hf_config.quantisation import stored_formats
from catalog.importing.hf_config.reading import (
    TEXT_KEYS,
    Config,
    ConfigError,
    UnsupportedArchitecture,
    architecture_names,
    language_part,
    without_non_finite,
)
from catalog.importing.hf_config.vision import vision_term
from estimates.core.architecture import Architecture, TensorGroup
from estimates.core.architecture_json import ArchitectureError, check_architecture

# Keys that only ever describe structure: a family that does not read one that is set would miscount.
STRUCTURAL_KEYS = {
    "n_routed_experts",
    "num_local_experts",
    "num_experts",
    "n_shared_experts",
    "num_shared_experts",
    "num_shared_expert",
    "shared_expert_intermediate_size",
    "moe_latent_size",
    "routed_expert_hidden_size",
    "zero_expert_num",
    "ngram_vocab_size_ratio",
    "kv_lora_rank",
    "index_topk",
    "sparse_attention_config",
    "compress_ratios",
    "hc_mult",
    "hybrid_override_pattern",
    "hybrid_layer_pattern",
    "layers_block_type",
    "attn_type_list",
    "full_attention_interval",
    "attn_layer_period",
    "layer_group_size",
    "linear_attn_config",
    "linear_num_value_heads",
    "cross_attention_layers",
    "block_configs",
    "num_kv_shared_layers",
    "cla_share_factor",
    "mamba_d_state",
    "ssm_state_size",
    "state_size",
    "conv_L_cache",
    "residual_moe",
    "use_residual",
    "altup_num_inputs",
    "global_head_dim",
    "swa_num_key_value_heads",
}


@dataclass(frozen=True)
class ImportedModel:
    """What a configuration says: architecture, stored formats, context, and what to know about them."""

    architecture: Architecture
    family: str
    quantisation: dict[TensorGroup, StoredFormat]
    native_format: str
    dtype: str | None
    kv_format: str | None
    max_context: int | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def architecture_from_hf_config(
    config: dict[str, Any], hf_quant_config: dict[str, Any] | None = None, hf_id: str | None = None
) -> ImportedModel:
    """Convert a Hugging Face configuration. `hf_id` decides what the files cannot: embedding checkpoints.

    Raises UnsupportedArchitecture for what is not known, ConfigError for a missing or impossible value.
    """
    if not isinstance(config, dict):
        raise ConfigError("config", config, "an object")
    outer = Config(without_non_finite(config))
    inner = Config(language_part(outer.data))
    if any(isinstance(outer.data.get(key), dict) for key in TEXT_KEYS):
        inner.where = "text_config."
    family, names = dispatch(outer, inner)
    if outer.text("model_type") == "llava":
        inner = with_defaults(inner, LLAMA)
    try:
        architecture = bert(inner, names) if family == "bert" else BUILDERS[family](inner)
        check_architecture(architecture)
    except ArchitectureError as error:
        raise ConfigError(error.path, error.value, error.accepted) from None
    refuse_unread(inner, family)
    warnings: list[str] = []
    term, warning = vision_term(outer, architecture.hidden)
    if term is not None:
        architecture = replace(architecture, extra=(*architecture.extra, term))
        if family == "mllama":
            architecture = replace(architecture, cross_tokens=image_tokens(outer))
    if warning:
        warnings.append(warning)
    architecture, notes = as_embedding(architecture, names, hf_id)
    stored = stored_formats(inner, architecture, without_non_finite(hf_quant_config))
    notes += context_notes(inner)
    return ImportedModel(
        architecture=replace(architecture, notes=architecture.notes + notes),
        family=family,
        quantisation=stored.by_group,
        native_format=stored.native_format,
        dtype=stored.dtype,
        kv_format=stored.kv_format,
        max_context=architecture.max_context,
        notes=notes,
        warnings=(*warnings, *stored.warnings),
    )


def dispatch(outer: Config, inner: Config) -> tuple[str, list[str]]:
    """Family and class names: by unmistakable keys, then architectures, then model_type."""
    names = architecture_names(inner.data) or architecture_names(outer.data)
    if inner.has("compress_ratios") and inner.has("o_lora_rank"):
        return "deepseek_v4", names
    if inner.has("expert_ffn_hidden_size") and inner.has("zero_expert_num"):
        return "longcat_flash", names
    for name in [*architecture_names(inner.data), *architecture_names(outer.data)]:
        family = family_of_class(name)
        if family:
            return family, names
    types = [inner.text("model_type"), outer.text("model_type")]
    if not names or all(class_stem(name) in DECIDED_BY_TYPE for name in names):
        for model_type in types:
            family = family_of_type(model_type)
            if family:
                return family, names
    said = ", ".join(names) or "none"
    kinds = ", ".join(dict.fromkeys(kind for kind in types if kind)) or "none"
    raise UnsupportedArchitecture(f"architecture is not known (architectures: {said}; model_type: {kinds})")


def refuse_unread(inner: Config, family: str) -> None:
    """Refuse a configuration with a structural key that the family's builder never looked at."""
    left = sorted(
        key
        for key in STRUCTURAL_KEYS - inner.read
        if inner.data.get(key) not in (None, False, 0, -1, [], {}, "")
    )
    if left:
        raise UnsupportedArchitecture(
            f"{family} with {', '.join(left)} is not known: those keys change its structure"
        )


def as_embedding(
    architecture: Architecture, names: list[str], hf_id: str | None
) -> tuple[Architecture, tuple[str, ...]]:
    """A decoder whose checkpoint has no head is an embedding model: by its class, or by its repository."""
    if architecture.role != "decoder":
        return architecture, ()
    bare = any(name.endswith("Model") and not name.endswith("LMHeadModel") for name in names)
    bare = bare and names != ["ChatGLMModel"]
    named = hf_id is not None and "embedding" in hf_id.lower().rsplit("/", 1)[-1]
    if not bare and not named:
        return architecture, ()
    return replace(architecture, role="embedding", has_head=False), (
        "embedding model: no output head is stored",
    )


def image_tokens(outer: Config) -> int | None:
    """Tokens that cross-attention caches for one image: tiles x (patches + class token)."""
    vision = outer.object("vision_config")
    if vision is None or not vision.has("max_num_tiles", "image_size", "patch_size"):
        return None
    patches = (vision.integer("image_size") // vision.integer("patch_size", least=1)) ** 2
    return vision.integer("max_num_tiles", default=1) * (patches + 1)


def context_notes(inner: Config) -> tuple[str, ...]:
    """Where the context is an extension of a shorter trained one."""
    scaling = inner.object("rope_scaling", "rope_parameters")
    original = inner.optional("original_max_position_embeddings")
    if scaling is not None and original is None:
        trained = scaling.value("original_max_position_embeddings")
        original = trained if isinstance(trained, int) else None
    longest = inner.optional("max_position_embeddings")
    if original and longest and original < longest:
        return (f"trained on {original} tokens of context, extended to {longest}",)
    return ()
