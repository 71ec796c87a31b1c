"""One side of a comparison: the facts of an answer, the deployment that was chosen, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from estimates.core.choice import Choice
from estimates.core.deployments import Reason
from estimates.core.efficiency import EfficiencyTable
from estimates.core.estimate import Estimate, answer_choice, decide
from estimates.core.facts import Deployment, ModelFacts, Offer, Workload
from estimates.from_catalog import Datasheet, Shape


@dataclass(frozen=True, slots=True)
class Side:
    """Facts in the catalogue's units and what the core made of them; `choice` has open choices filled."""

    model: ModelFacts
    sheet: Datasheet
    shape: Shape
    offer: Offer
    workload: Workload
    deployment: Deployment
    table: EfficiencyTable
    choice: Choice | Reason
    estimate: Estimate
    usd_per_hour: Decimal | None = None  # of the whole offer

    @property
    def runs(self) -> bool:
        """Whether there are figures to compare."""
        return isinstance(self.choice, Choice) and self.estimate.tpot_s is not None


def side_of(
    model: ModelFacts,
    sheet: Datasheet,
    shape: Shape,
    offer: Offer,
    workload: Workload,
    deployment: Deployment,
    table: EfficiencyTable,
    usd_per_hour: Decimal | None,
    *,
    explained: bool = False,
) -> Side:
    """The side of a question; `offer` is that of the sheet and shape."""
    choice = decide(model, offer, workload, deployment, table)
    estimate = answer_choice(model, offer, workload, deployment, choice, table, explained=explained)
    return Side(model, sheet, shape, offer, workload, deployment, table, choice, estimate, usd_per_hour)
