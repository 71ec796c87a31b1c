"""What a configuration is called where measurements are compared: chip, software, model, format, serving.

Two runs are of one group when all five agree; of kin when some do. Checkpoints of one shape (DeepSeek-V3, R1
and V3.1) are one architecture, whatever they are called.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from estimates.core.architecture import Architecture
from estimates.core.facts import Chip
from estimates.core.fingerprint import canonical
from estimates.core.lowering import lower

METRICS: Final = ("tpot", "ttft", "throughput")
SERVINGS: Final = ("closed_loop", "saturated", "static", "disaggregated", "offline", "server")
#: Servings whose throughput was measured and is corrected as such; elsewhere it follows from TPOT and TTFT.
OWN_THROUGHPUT: Final = ("static", "offline", "server")
#: The fields that make a group.
GROUP: Final = ("serving", "chip", "software", "architecture", "format")


@dataclass(frozen=True, slots=True)
class Identity:
    """Names of one configuration's parts; an empty text is not known and agrees with nothing."""

    serving: str
    chip: str
    generation: str
    vendor: str
    kind: str
    software: str
    version: str
    architecture: str
    family: str
    format: str

    def served(self, serving: str) -> Identity:
        return replace(self, serving=serving)

    def of_first_token(self, *, queued: bool) -> Identity:
        """The identity of the first token: where a closed loop waits for room it is of another kind."""
        return self.served("saturated") if queued and self.serving == "closed_loop" else self


@lru_cache(maxsize=4096)
def architecture_key(architecture: Architecture) -> str:
    """Digest of the decoder's shape: layers and width, not vocabulary, name or longest context."""
    text = canonical((architecture.hidden, architecture.layers))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@lru_cache(maxsize=4096)
def architecture_family(architecture: Architecture) -> str:
    """Kind of decoder: dense, experts, latent (latent or sparse attention), hybrid (recurrent layers)."""
    lowered = lower(architecture)
    if lowered.recurrent_layers:
        return "hybrid"
    if lowered.latent_or_sparse_layers:
        return "latent"
    return "experts" if lowered.experts else "dense"


def identity_of(
    chip: Chip,
    software: str | None,
    scheme: str,
    architecture: Architecture,
    serving: str,
    version: str | None = None,
) -> Identity:
    """The identity of a model in a weight scheme on a chip, under one kind of serving."""
    return Identity(
        serving=serving,
        chip=chip.slug,
        generation=f"{chip.generation}/{chip.efficiency_kind}" if chip.generation else "",
        vendor=f"{chip.vendor}/{chip.efficiency_kind}",
        kind=chip.efficiency_kind,
        software=software or "",
        version=f"{software}/{version}" if software and version else "",
        architecture=architecture_key(architecture),
        family=architecture_family(architecture),
        format=scheme,
    )
