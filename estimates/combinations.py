"""Which model, offer and workload make an estimate: the rule, in one place.

- Only a decoder generates text. Encoders, encoder-decoders, embedding, speech and vision models get one
  refused row an offer and objective, under the first workload, with the reason `not_a_generator`.
- Every accelerator takes part, whatever its status: announced is marked by its status, discontinued parts
  are still in racks. Retired offers do not: nothing stands behind them any more.
- Workloads meant for PC and edge parts (`edge_only`) are asked of accelerators of those segments alone; all
  others are asked of every accelerator, so that a phone chip that cannot hold a model says so.
- What does not fit, and what a missing fact refuses, is a row with its reason, not a gap.
"""

from __future__ import annotations

from typing import Final

from catalog.models.accelerators import Segment
from catalog.models.language_models import Role
from estimates.from_catalog import Workloads

NOT_A_GENERATOR: Final = "not_a_generator"
EDGE_SEGMENTS: Final = frozenset({Segment.PC.value, Segment.EDGE.value})

_ANSWERS: Final[dict[str, str]] = {
    Role.ENCODER: "an encoder returns labels or vectors",
    Role.ENCODER_DECODER: "an encoder-decoder is not served as a chat model",
    Role.EMBEDDING: "an embedding model returns vectors",
    Role.SPEECH: "a speech model takes or returns audio",
    Role.VISION: "a vision model takes images and returns none of the text a workload counts",
}


def refusal(role: str) -> str:
    """Why a model of this role gets no estimate; empty for one that generates text."""
    return "" if role == Role.DECODER else f"{NOT_A_GENERATOR}: {_ANSWERS.get(role, role)}"


def workload_positions(segment: str, workloads: Workloads) -> list[int]:
    """Positions in `workloads.rows` of the workloads that are asked of an accelerator of this segment."""
    edge = segment in EDGE_SEGMENTS
    return [index for index, row in enumerate(workloads.rows) if edge or not row.edge_only]
