"""The plan of a model's layers: which mixer and feed-forward each has, and how equal layers form groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.importing.hf_config.reading import Config, ConfigError, UnsupportedArchitecture
from estimates.core.architecture import FeedForward, LayerGroup, Mixer

LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "num_blocks")
CONTEXT = (
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "seq_length",
    "max_seq_len",
    "model_max_length",
    "context_length",
    "max_target_positions",
)
LAYER_KINDS = {
    "full_attention": "full",
    "attention": "full",
    "*": "full",
    "deepseek_sparse_attention": "full",
    "sliding_attention": "window",
    "chunked_attention": "window",
    "linear_attention": "linear",
    "mamba": "mamba",
    "M": "mamba",
    "conv": "conv",
    "hybrid": "hybrid",
    "moe": "moe",
    "E": "moe",
    "mlp": "mlp",
    "-": "mlp",
}


@dataclass(frozen=True)
class LayerPlan:
    """One layer: its mixers, its feed-forwards, and the parameters of its norms."""

    mixers: tuple[Mixer, ...]
    feed_forwards: tuple[FeedForward, ...]
    norms: int

    def group(self, count: int = 1, weight_sets: int | None = None) -> LayerGroup:
        return LayerGroup(count, self.mixers, self.feed_forwards, self.norms, weight_sets)


def grouped(plans: Iterable[LayerPlan]) -> tuple[LayerGroup, ...]:
    """Equal layers together, in the order in which each shape first appears."""
    counts: dict[LayerPlan, int] = {}
    for plan in plans:
        counts[plan] = counts.get(plan, 0) + 1
    return tuple(plan.group(count) for plan, count in counts.items())


def layer_kinds(config: Config, names: list[object], key: str) -> list[str]:
    """Spellings of layer kinds brought to one; an unknown one is refused."""
    kinds = []
    for name in names:
        if not isinstance(name, str) or name not in LAYER_KINDS:
            raise UnsupportedArchitecture(f"{config.where}{key}: layer kind {name!r} is not known")
        kinds.append(LAYER_KINDS[name])
    return kinds


def listed_kinds(config: Config) -> list[str] | None:
    """Kinds of all layers where the configuration lists them, by whichever key; None where it does not."""
    for key in ("layer_types", "layers_block_type"):
        names = config.listing(key)
        if names is not None:
            return layer_kinds(config, names, key)
    pattern = config.text("hybrid_override_pattern")
    if pattern is not None:
        return layer_kinds(config, list(pattern), "hybrid_override_pattern")
    for key, one, zero in (("hybrid_layer_pattern", "window", "full"), ("attn_type_list", "full", "linear")):
        flags = config.listing(key)
        if flags is not None:
            return [one if flag == 1 else zero for flag in flags]
    return None


def layer_count(config: Config, kinds: list[str] | None = None) -> int:
    """Number of layers; that of the listed kinds where no count is given."""
    count = config.optional(*LAYERS, least=1)
    if count is None and kinds is not None:
        return len(kinds)
    return config.integer(*LAYERS, least=1) if count is None else count


def of_length(config: Config, key: str, values: list[object], count: int) -> list[object]:
    """A per-layer list must have one entry a layer; entries for the prediction layers may follow."""
    following = config.integer("num_nextn_predict_layers", default=0)
    if len(values) not in (count, count + following):
        raise ConfigError(
            config.where + key, f"{len(values)} entries", f"one entry for each of {count} layers"
        )
    return values[:count]


def attention_kinds(config: Config, *, every_nth_full: int | None = None) -> list[str]:
    """Kind of each layer: listed, by a period, or full attention throughout.

    `every_nth_full` is the period hard-coded in a family whose configuration names none.
    """
    listed = listed_kinds(config)
    count = layer_count(config, listed)
    if listed is not None:
        return [str(kind) for kind in of_length(config, "layer_types", list(listed), count)]
    pattern = config.value("sliding_window_pattern", "_sliding_window_pattern", "global_attn_every_n_layers")
    if isinstance(pattern, str):
        letters = [{"L": "window", "G": "full"}.get(letter) for letter in pattern]
        if not letters or None in letters:
            raise ConfigError(config.where + "sliding_window_pattern", pattern, "a text of L and G")
        return [str(letters[index % len(letters)]) for index in range(count)]
    period = config.optional(
        "sliding_window_pattern", "_sliding_window_pattern", "global_attn_every_n_layers", least=1
    )
    period = period or every_nth_full
    if period:
        return ["full" if (index + 1) % period == 0 else "window" for index in range(count)]
    return ["full"] * count


def sliding_window(config: Config) -> int | None:
    """Window in tokens; None when absent, disabled, negative, or no shorter than the context."""
    window = config.value("sliding_window", "sliding_window_size", "attention_chunk_size")
    if not config.flag("use_sliding_window", default=True) or window is None:
        return None
    if isinstance(window, int) and not isinstance(window, bool) and window <= 0:
        return None
    width = config.integer("sliding_window", "sliding_window_size", "attention_chunk_size", least=1)
    longest = max_context(config)
    return None if longest is not None and width >= longest else width


def max_context(config: Config) -> int | None:
    """Longest context in tokens as the configuration states it."""
    return config.optional(*CONTEXT, least=1)


def expert_layers(config: Config, count: int) -> list[bool]:
    """Which layers have routed experts, by whichever rule the configuration uses."""
    types = config.listing("mlp_layer_types")
    if types is not None:
        return [kind == "sparse" for kind in of_length(config, "mlp_layer_types", types, count)]
    frequency = config.value("moe_layer_freq")
    if isinstance(frequency, list):
        return [bool(flag) for flag in of_length(config, "moe_layer_freq", frequency, count)]
    first = config.integer("first_k_dense_replace", "num_dense_layers", default=0)
    step = config.integer("moe_layer_freq", "moe_layer_frequency", default=1, least=1)
    sparse_step = config.integer("decoder_sparse_step", "interleave_moe_layer_step", default=1, least=0)
    dense_only = config.listing("mlp_only_layers") or []
    period = config.integer("expert_layer_period", default=1, least=1)
    offset = config.integer("expert_layer_offset", default=0)
    return [
        index >= first
        and index % step == 0
        and sparse_step > 0
        and (index + 1) % sparse_step == 0
        and index not in dense_only
        and index % period == offset % period
        for index in range(count)
    ]
