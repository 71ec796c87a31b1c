"""Options of serving beyond the layout, settled before a search: speculation, second tier, engines of a chip.

What of them is unknown is refused by the name of the missing fact, what the model or chip cannot do by the
field that asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from estimates.core.acceptance import published
from estimates.core.deployments import Reason, resolve_scheme
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Chip, Deployment, ModelFacts, Offer, Speculation
from estimates.core.formats import UnknownFormat

LIKE_VOCABULARIES = 0.003  # padded differently, they are the same; a token must mean the same to both


@dataclass(frozen=True, slots=True)
class Settled:
    """The question as a search takes it: the offer with the engine that decodes, the options filled."""

    offer: Offer
    deployment: Deployment
    prompt_chip: Chip | None = None  # the engine that computes prompts, where it is another one


def settle(
    model: ModelFacts, offer: Offer, deployment: Deployment, efficiency: EfficiencyTable
) -> Settled | Reason:
    """Fill what the options leave to published facts, or say what is missing."""
    if deployment.speculation is not None:
        found = speculation_of(model, deployment.speculation, efficiency)
        if isinstance(found, Reason):
            return found
        deployment = replace(deployment, speculation=found)
    if deployment.offload is not None:
        reason = refuse_second_tier(offer.chip)
        if reason is not None:
            return reason
    engines: dict[str, Chip] = {}
    for name in ("decode_unit", "prefill_unit"):
        asked = getattr(deployment, name)
        if asked is None:
            continue
        engine = engine_of(offer.chip, asked, name)
        if isinstance(engine, Reason):
            return engine
        engines[name] = engine
    decode = engines.get("decode_unit", offer.chip)
    prompts = engines.get("prefill_unit", offer.chip)
    if engines:
        offer = replace(offer, chip=decode)
    return Settled(offer, deployment, prompts if prompts != decode else None)


def speculation_of(
    model: ModelFacts, asked: Speculation, efficiency: EfficiencyTable
) -> Speculation | Reason:
    """The speculation with its acceptance: as stated, else as published of this model and way of drafting."""
    architecture = model.architecture
    if asked.method == "mtp" and architecture.mtp is None:
        detail = f"{model.slug} has no multi-token-prediction module"
        return Reason("no_mtp", detail, "speculation.method", None, ("draft", "ngram"))
    if asked.draft_model is not None:
        draft = asked.draft_model.architecture
        if draft.role != "decoder":
            detail = f"{asked.draft_model.slug} is a {draft.role} model: it drafts no text"
            return Reason("draft_model", detail, "speculation.draft_model")
        if abs(draft.vocab - architecture.vocab) > LIKE_VOCABULARIES * architecture.vocab:
            detail = (
                f"{asked.draft_model.slug} has {draft.vocab} tokens, {model.slug} {architecture.vocab}: "
                "a draft must share the vocabulary"
            )
            return Reason("draft_model", detail, "speculation.draft_model")
        try:
            resolve_scheme(asked.draft_weights, asked.draft_model)
        except UnknownFormat as unknown:
            detail = f"unknown number format {unknown.value!r} of the draft"
            return Reason("draft_weights", detail, "speculation.draft_weights", None, unknown.accepted)
    if asked.acceptance is not None:
        return asked
    known = published(efficiency.acceptance, asked, model.slug)
    if known is None:
        how = f"drafted by {asked.draft_model.slug}" if asked.draft_model else f"by {asked.method}"
        detail = (
            f"no acceptance of {asked.draft_tokens} tokens of {model.slug} {how} is published; "
            "state it as speculation.acceptance"
        )
        return Reason("missing_acceptance", detail, "speculation.acceptance", "acceptance")
    spread = None if known.low is None or known.high is None else (known.low, known.high)
    return replace(
        asked,
        acceptance=known.value,
        acceptance_range=spread,
        acceptance_source=known.source,
    )


def refuse_second_tier(chip: Chip) -> Reason | None:
    """Why weights cannot lie behind the first tier of this chip; None where they can."""
    if len(chip.tiers) < 2 or chip.tiers[1].addressable_bytes is None:
        detail = f"no memory behind the first tier of {chip.slug} is known"
        return Reason("missing_second_tier", detail, "offload", "second_tier_capacity")
    if chip.tiers[1].bandwidth is None:
        detail = f"the bandwidth of the second memory tier of {chip.slug} is not published"
        return Reason("missing_second_tier", detail, "offload", "second_tier_bandwidth")
    return None


def engine_of(chip: Chip, name: str, field: str) -> Chip | Reason:
    """The chip as the named engine sees it, or what of it is missing."""
    unit = chip.unit(name)
    if unit is None:
        known = tuple(one.name for one in chip.units)
        detail = f"{chip.slug} has no engine {name!r}" + ("" if known else ": none of its engines is known")
        return Reason("unknown_unit", detail, field, None, known)
    if unit.bandwidth_share is None:
        detail = f"the part of the bandwidth of {chip.slug} that its {name} draws is not known"
        return Reason("missing_unit_bandwidth", detail, field, f"bandwidth_share of {name}")
    return chip.on(unit)
