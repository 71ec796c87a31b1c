"""Multi-token-prediction modules: a transformer layer, a 2 h x h projection and three norms each."""

from __future__ import annotations

from catalog.importing.hf_config.attention import hidden_size
from catalog.importing.hf_config.layers import LayerPlan
from catalog.importing.hf_config.reading import Config
from estimates.core.architecture import MultiTokenPrediction

MODULES = ("num_nextn_predict_layers", "mtp_num_hidden_layers")


def prediction_modules(
    config: Config,
    block: LayerPlan,
    *,
    duplicates: bool = False,
    unlisted: int = 0,
    extra: int = 0,
) -> MultiTokenPrediction | None:
    """Modules as the configuration counts them, or `unlisted` ones that it leaves out; None where none.

    `duplicates`: the checkpoint stores a second embedding and head with them. `extra`: parameters of a
    module beyond block, projection and norms.
    """
    modules = config.integer(*MODULES, default=unlisted)
    if not modules:
        return None
    hidden = hidden_size(config)
    return MultiTokenPrediction(
        modules=modules,
        layer=block.group(),
        extra_parameters=2 * hidden * hidden + 3 * hidden + extra,
        duplicated_embedding_and_head=duplicates,
    )
