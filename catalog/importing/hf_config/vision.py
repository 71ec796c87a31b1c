"""Vision towers and their projectors: parameters only, since a tower runs once an image, not once a token."""

from __future__ import annotations

from collections.abc import Callable

from catalog.importing.hf_config.reading import Config
from estimates.core.architecture import ParameterTerm

# Towers that configurations name without giving dimensions: width, layers, feed-forward, patch, positions.
NAMED_CLIP = {"openai/clip-vit-large-patch14-336": (1024, 24, 4096, 14, 577)}
NAMED_SIGLIP = {"siglip_so400m_patch14_384": (1152, 27, 4304, 14, 729)}


def biased_block(width: int, intermediate: int) -> int:
    """Transformer block with biases and two layer norms: 4 (e^2 + e) + 2 e I + I + e + 4 e."""
    return 4 * (width**2 + width) + 2 * width * intermediate + intermediate + width + 4 * width


def linear(inputs: int, outputs: int, bias: bool = True) -> int:
    return inputs * outputs + (outputs if bias else 0)


def siglip(width: int, layers: int, intermediate: int, patch: int, positions: int) -> int:
    """SigLIP tower without its pooling head: patches with bias, positions, blocks, final norm."""
    return (
        3 * patch**2 * width
        + width
        + positions * width
        + layers * biased_block(width, intermediate)
        + 2 * width
    )


def siglip_pooling_head(width: int, intermediate: int) -> int:
    """Attention pooling: probe, attention, norm and feed-forward."""
    attention = 4 * (width**2 + width)
    return width + attention + 2 * width + linear(width, intermediate) + linear(intermediate, width)


def clip(width: int, layers: int, intermediate: int, patch: int, positions: int) -> int:
    """CLIP tower: class token, patches without bias, positions, norms before and after."""
    stem = width + 3 * patch**2 * width + positions * width
    return stem + layers * biased_block(width, intermediate) + 4 * width


def qwen2_vl(vision: Config, hidden: int) -> int:
    width, layers = vision.integer("embed_dim", "hidden_size"), vision.integer("depth")
    patch, merge = vision.integer("patch_size"), vision.integer("spatial_merge_size", default=2)
    temporal = vision.integer("temporal_patch_size", default=2)
    merged = width * merge**2
    merger = 2 * width + linear(merged, merged) + linear(merged, hidden)
    blocks = layers * biased_block(width, int(vision.number("mlp_ratio", default=4) * width))
    return 3 * temporal * patch**2 * width + blocks + merger


def qwen2_5_vl(vision: Config, hidden: int) -> int:
    width, layers = vision.integer("hidden_size"), vision.integer("depth")
    intermediate, patch = vision.integer("intermediate_size"), vision.integer("patch_size")
    merged = width * vision.integer("spatial_merge_size", default=2) ** 2
    feed_forward = 3 * width * intermediate + 2 * intermediate + width
    block = 4 * (width**2 + width) + feed_forward + 2 * width
    merger = (
        width + linear(merged, merged) + linear(merged, vision.integer("out_hidden_size", default=hidden))
    )
    return 3 * vision.integer("temporal_patch_size", default=2) * patch**2 * width + layers * block + merger


def qwen3_vl(vision: Config, hidden: int) -> int:
    width, layers = vision.integer("hidden_size"), vision.integer("depth")
    intermediate, patch = vision.integer("intermediate_size"), vision.integer("patch_size")
    merged = width * vision.integer("spatial_merge_size", default=2) ** 2
    out = vision.integer("out_hidden_size", default=hidden)
    positions = vision.integer("num_position_embeddings")
    temporal = vision.integer("temporal_patch_size", default=2)
    stem = 3 * temporal * patch**2 * width + width + positions * width
    projector = linear(merged, merged) + linear(merged, out)
    deep = len(vision.listing("deepstack_visual_indexes") or []) * (2 * merged + projector)
    return stem + layers * biased_block(width, intermediate) + 2 * width + projector + deep


def gemma3(vision: Config, hidden: int) -> int:
    width = vision.integer("hidden_size")
    return siglip_tower(vision) + width * hidden + width


def siglip_tower(vision: Config) -> int:
    patch = vision.integer("patch_size")
    positions = (vision.integer("image_size") // patch) ** 2
    width, intermediate = vision.integer("hidden_size"), vision.integer("intermediate_size")
    return siglip(width, vision.integer("num_hidden_layers"), intermediate, patch, positions)


def clip_tower(vision: Config) -> int:
    patch = vision.integer("patch_size")
    positions = (vision.integer("image_size") // patch) ** 2 + 1
    width, intermediate = vision.integer("hidden_size"), vision.integer("intermediate_size")
    return clip(width, vision.integer("num_hidden_layers"), intermediate, patch, positions)


def llava(vision: Config, hidden: int) -> int:
    return clip_tower(vision) + linear(vision.integer("hidden_size"), hidden) + linear(hidden, hidden)


def pixtral(vision: Config, hidden: int) -> int:
    """Pixtral tower with the patch-merging projector of Mistral 3."""
    width, layers = vision.integer("hidden_size"), vision.integer("num_hidden_layers")
    intermediate, patch = vision.integer("intermediate_size"), vision.integer("patch_size")
    block = 2 * width + 4 * width**2 + 3 * width * intermediate
    projector = width + 4 * width * width + width * hidden + hidden * hidden
    return 3 * patch**2 * width + width + layers * block + projector


def mllama(vision: Config, hidden: int) -> int:
    """Llama 3.2 vision: tiles with gated position tables for each aspect ratio, local and global layers."""
    width, intermediate = vision.integer("hidden_size"), vision.integer("intermediate_size")
    patch, tiles = vision.integer("patch_size"), vision.integer("max_num_tiles")
    positions = (vision.integer("image_size") // patch) ** 2 + 1
    ratios = len(vision.listing("supported_aspect_ratios") or []) + 1
    tile_tables = ratios * tiles * positions * width + 2 * ratios * tiles * width
    stem = 3 * patch**2 * width + width + positions * width + tile_tables + 3 + 4 * width
    block = 4 * width + 4 * width**2 + 2 * width * intermediate + intermediate + width
    deep = vision.integer("num_global_layers")
    layers = (vision.integer("num_hidden_layers") + deep) * block + 2 * deep
    return stem + layers + linear(vision.integer("vision_output_dim"), hidden)


def llama4(vision: Config, hidden: int) -> int:
    width, intermediate = vision.integer("hidden_size"), vision.integer("intermediate_size")
    patch, out = vision.integer("patch_size"), vision.integer("vision_output_dim")
    positions = (vision.integer("image_size") // patch) ** 2 + 1
    adapter = (
        intermediate * vision.integer("projector_input_dim") + vision.integer("projector_output_dim") * out
    )
    stem = 3 * patch**2 * width + width + positions * width + 4 * width
    layers = vision.integer("num_hidden_layers") * biased_block(width, intermediate)
    return stem + layers + adapter + out * hidden


def gemma4(vision: Config, hidden: int) -> int:
    """Gemma 4 tower: gated feed-forward, four norms a block, query and key norms, two-axis positions."""
    width, intermediate = vision.integer("hidden_size"), vision.integer("intermediate_size")
    head_dim = vision.integer("head_dim")
    block = 4 * width**2 + 3 * width * intermediate + 4 * width + 2 * head_dim
    positions = 2 * vision.integer("position_embedding_size") * width
    stem = 3 * vision.integer("patch_size") ** 2 * width + positions
    standardise = 2 * width if vision.flag("standardize") else 0
    return stem + vision.integer("num_hidden_layers") * block + standardise + width * hidden


def cohere2(vision: Config, hidden: int, projector: int) -> int:
    """SigLIP with a pixel-shuffling projector, gated: width x 4 to `projector`, half of it to hidden."""
    merged = vision.integer("hidden_size") * 4
    return siglip_tower(vision) + linear(merged, projector) + linear(projector // 2, hidden)


def minimax_m3(vision: Config, hidden: int) -> int:
    """CLIP blocks with rotary positions, two frames a patch, projector and 2 x 2 patch-merging network."""
    width, intermediate = vision.integer("hidden_size"), vision.integer("intermediate_size")
    stem = 3 * 2 * vision.integer("patch_size") ** 2 * width + 2 * width
    projector = linear(width, hidden) + linear(hidden, hidden)
    merger = linear(4 * hidden, hidden) + linear(hidden, hidden)
    return stem + vision.integer("num_hidden_layers") * biased_block(width, intermediate) + projector + merger


def kimi_vision(vision: Config, hidden: int) -> int:
    """MoonViT: learned position grid, blocks with or without biases, patch-merging projector."""
    width, intermediate = vision.integer("vt_hidden_size"), vision.integer("vt_intermediate_size")
    inner = vision.integer("qkv_hidden_size", default=width)
    biased = vision.flag("linear_bias", default=True)
    norm = width if vision.text("norm_type") == "rmsnorm" else 2 * width
    attention = linear(width, 3 * inner, biased) + linear(inner, width, biased)
    block = attention + linear(width, intermediate, biased) + linear(intermediate, width, biased) + 2 * norm
    grid = vision.integer("init_pos_emb_height") * vision.integer("init_pos_emb_width")
    patch = linear(
        3 * vision.integer("patch_size") ** 2, width, vision.flag("patch_embed_proj_bias", default=True)
    )
    merged = 4 * vision.integer("mm_hidden_size", default=width)
    projector = linear(merged, merged) + linear(merged, hidden) + norm
    return patch + grid * width + vision.integer("vt_num_hidden_layers") * block + norm + projector


def deepseek_vl2(vision: Config, hidden: int) -> int:
    """SigLIP so400m with pooling head, a downsampling two-layer projector, and two separator vectors."""
    name = vision.text("model_name") or ""
    if name not in NAMED_SIGLIP:
        return 0
    width, layers, intermediate, patch, positions = NAMED_SIGLIP[name]
    tower = siglip(width, layers, intermediate, patch, positions) + siglip_pooling_head(width, intermediate)
    return tower + linear(4 * width, hidden) + linear(hidden, hidden) + 2 * hidden


def phi3_vision(name: str | None, hidden: int) -> int:
    """Named CLIP tower, a projector of 2 x 2 patches, and two learned separators of that width."""
    if name not in NAMED_CLIP:
        return 0
    width, layers, intermediate, patch, positions = NAMED_CLIP[name]
    tower = clip(width, layers, intermediate, patch, positions)
    return tower + linear(4 * width, hidden) + linear(hidden, hidden) + 2 * 4 * width


TOWERS: dict[str, Callable[[Config, int], int]] = {
    "qwen2_vl": qwen2_vl,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "qwen3_vl_moe": qwen3_vl,
    "qwen3_5": qwen3_vl,
    "qwen3_5_moe": qwen3_vl,
    "gemma3": gemma3,
    "llava": llava,
    "mistral3": pixtral,
    "ministral3": pixtral,
    "mistral_large3": pixtral,
    "mllama": mllama,
    "llama4": llama4,
    "gemma4": gemma4,
    "minimax_m3_vl": minimax_m3,
    "kimi_k25": kimi_vision,
    "kimi_k3": kimi_vision,
    "deepseek_vl_v2": deepseek_vl2,
}


def vision_term(outer: Config, hidden: int) -> tuple[ParameterTerm | None, str | None]:
    """The vision tower of a multimodal configuration, and a warning where one is there but not counted."""
    kind = outer.text("model_type") or ""
    vision = outer.object("vision_config")
    image = outer.object("img_processor")
    parameters = 0
    if vision is not None and kind == "cohere2_vision":
        parameters = cohere2(vision, hidden, outer.integer("alignment_intermediate_size"))
    elif vision is not None and kind in TOWERS:
        parameters = TOWERS[kind](vision, hidden)
    elif image is not None:
        parameters = phi3_vision(image.text("model_name"), hidden)
    elif vision is None:
        return None, None
    if not parameters:
        return (
            None,
            f"vision tower of {kind or 'this configuration'} is not counted: its dimensions are not given",
        )
    return ParameterTerm("vision tower and projector", parameters, False, "vision"), None
