"""A what-if answered at once: stored or inline model and chip, any figure overridden, nothing saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from catalog import names
from catalog.figures import provenance
from catalog.importing.hf_config.convert import architecture_from_hf_config
from catalog.importing.hf_config.reading import ConfigError, UnsupportedArchitecture
from catalog.models import Accelerator, LanguageModel, Workload
from catalog.models import Offer as OfferRow
from catalog.prices import PriceFilter, QuoteUsed, offer_prices
from catalog.quantities import QUANTITIES, Quantity
from estimates import answers
from estimates.core.architecture_json import ArchitectureError, architecture_from_json
from estimates.core.estimate import Estimate, evaluate_one
from estimates.core.facts import Deployment, InvalidFact, ModelFacts, Pool
from estimates.core.facts import Workload as CoreWorkload
from estimates.core.formats import UnknownFormat
from estimates.from_catalog import (
    DECIDING_QUANTITIES,
    Datasheet,
    Evidence,
    Shape,
    accelerator_rows,
    chip_of,
    datasheet_of,
    evidence_of,
    model_facts,
    native_scheme,
    offer_of,
    shape_of,
    workload_facts,
)
from estimates.method import efficiency
from estimates.near import near_matches
from estimates.what_if import (
    RELATIVE_ACCEPTED,
    DeploymentAsked,
    Fault,
    InlineAccelerator,
    InlineModel,
    InvalidQuestion,
    PriceAsked,
    Question,
    WorkloadAsked,
    read_question,
    relative,
)

#: Reasons of the core that are faults of the question, not answers; the field at fault by their code.
FAULTS_OF_THE_QUESTION: Final = {
    "tp_does_not_divide": "/deployment/tp",
    "ep_does_not_divide": "/deployment/ep",
    "pp_exceeds_layers": "/deployment/pp",
    "no_experts": "/deployment/ep",
    "too_many_chips": "/count",
    "exceeds_domain": "/deployment/tp",
    "unknown_format": "/deployment/weights",
    "unknown_software": "/deployment/software",
    "static_prefill_pool": "/deployment/prefill",
}
CHIP_FIGURES: Final = QUANTITIES["accelerator"]
#: No figure of a chip is beyond, in any unit used here; keeps the arithmetic finite.
SMALLEST: Final = 1e-9
LARGEST: Final = 1e15


@dataclass(slots=True)
class Hardware:
    """The hardware in question: its datasheet after overrides, and where each figure comes from."""

    sheet: Datasheet
    shape: Shape
    row: Accelerator | None = None
    offer: OfferRow | None = None
    overridden: dict[str, float | None] = field(default_factory=dict)  # quantity -> value that stands
    notes: list[str] = field(default_factory=list)


def evaluate(data: Mapping[str, Any] | Question) -> dict[str, Any]:
    """Answer one what-if with plain values for JSON (`estimates.answers`); raises InvalidQuestion.

    What does not fit and what a missing fact refuses are answers, with the shortfall or the fact's name.
    """
    question = read_question(data)
    hardware = find_hardware(question)
    model = find_model(question.model)
    workload = find_workload(question)
    estimate = estimate_of(model, hardware, workload, question)
    quote = find_quote(question.price, hardware)
    return answers.answer(
        estimate,
        model=model,
        workload=workload,
        sheet=hardware.sheet,
        shape=hardware.shape,
        facts=facts_used(hardware),
        quote=quote,
        own_price=question.price.usd_per_hour,
        notes=hardware.notes,
    )


def estimate_of(
    model: ModelFacts, hardware: Hardware, workload: CoreWorkload, question: Question
) -> Estimate:
    """The core's answer. Raises InvalidQuestion for what the question itself got wrong."""
    try:
        offer = offer_of(hardware.shape, hardware.sheet, chip_of(hardware.sheet))
        deployment = deployment_facts(question.deployment)
    except InvalidFact as error:
        raise InvalidQuestion(
            Fault(f"/overrides/{error.field}", "invalid", str(error), error.accepted)
        ) from None
    estimate = evaluate_one(model, offer, workload, deployment, efficiency())
    reason = estimate.reason
    if estimate.state == "refused" and reason is not None and reason.code in FAULTS_OF_THE_QUESTION:
        pointer, asked = FAULTS_OF_THE_QUESTION[reason.code], question.deployment
        if reason.field and reason.field.startswith("prefill"):
            pointer = "/deployment/" + reason.field.replace(".", "/")
        if reason.code == "unknown_format" and asked.kv_format and repr(asked.kv_format) in reason.detail:
            pointer = "/deployment/kv_format"
        raise InvalidQuestion(Fault(pointer, reason.code, reason.detail, list(reason.accepted) or None))
    return estimate


def deployment_facts(asked: DeploymentAsked) -> Deployment:
    """The deployment in question as the core takes it."""
    given = asked.model_dump(exclude={"prefill"})
    pool = None if asked.prefill is None else Pool(**asked.prefill.model_dump())
    return Deployment(**given, prefill=pool)


# ---- Model and workload ----------------------------------------------------------------------------------


def find_model(asked: str | InlineModel) -> ModelFacts:
    """The facts of a stored or inline model. Raises InvalidQuestion."""
    if isinstance(asked, InlineModel):
        return inline_model(asked)
    row = names.find_model(asked)
    if row is None:
        raise unknown("/model", "language model", asked, near_matches(LanguageModel, asked))
    try:
        return model_facts(row)
    except (ArchitectureError, InvalidFact, UnknownFormat) as error:
        raise InvalidQuestion(Fault("/model", "unreadable_model", f"{asked}: {error}")) from None


def inline_model(asked: InlineModel) -> ModelFacts:
    """A model given as an architecture or as a Hugging Face configuration, exactly one of the two."""
    if (asked.architecture is None) == (asked.hf_config is None):
        detail = "an inline model has either an architecture or an hf_config"
        raise InvalidQuestion(Fault("/model", "one_of", detail, ["architecture", "hf_config"]))
    try:
        if asked.hf_config is not None:
            imported = architecture_from_hf_config(asked.hf_config, asked.hf_quant_config)
            stored: dict[str, Any] = {
                str(group): {"format": one.format, "bits": one.bits}
                for group, one in imported.quantisation.items()
            }
            if imported.kv_format:
                stored["kv_format"] = imported.kv_format
            native = native_scheme(imported.native_format, stored, imported.architecture)
            return ModelFacts(asked.name, imported.architecture, native)
        architecture = architecture_from_json(asked.architecture)
        native = native_scheme(asked.native_format, asked.quantisation, architecture)
        return ModelFacts(asked.name, architecture, native)
    except ArchitectureError as error:
        pointer = "/model/" + error.path.replace("[", "/").replace("]", "").replace(".", "/")
        raise InvalidQuestion(Fault(pointer, "invalid_architecture", str(error), error.accepted)) from None
    except UnsupportedArchitecture as error:
        raise InvalidQuestion(Fault("/model/hf_config", "unsupported_architecture", str(error))) from None
    except ConfigError as error:
        raise InvalidQuestion(Fault("/model/hf_config", "invalid_config", str(error))) from None
    except UnknownFormat as error:
        pointer = "/model/native_format"
        raise InvalidQuestion(Fault(pointer, "unknown_format", str(error), list(error.accepted))) from None
    except InvalidFact as error:
        raise InvalidQuestion(Fault(f"/model/{error.field}", "invalid", str(error), error.accepted)) from None


def find_workload(question: Question) -> CoreWorkload:
    """The stored workload with the fields given in place of its own, or a wholly inline one."""
    if isinstance(question.workload, WorkloadAsked):
        asked, pointer = question.workload, "/workload"
        missing = [name for name in ("isl", "osl") if getattr(asked, name) is None]
        if missing:
            raise InvalidQuestion(
                *(Fault(f"/workload/{name}", "missing", f"workload.{name} is required") for name in missing)
            )
        base = CoreWorkload(slug="inline", isl=float(asked.isl or 1), osl=float(asked.osl or 1))
    else:
        asked, pointer = question.workload_overrides, "/workload_overrides"
        row = Workload.objects.filter(slug=question.workload).first()
        if row is None:
            raise unknown(
                "/workload", "workload", question.workload, near_matches(Workload, question.workload, 10)
            )
        base = workload_facts(row)
    changes: dict[str, Any] = {
        "isl": asked.isl and float(asked.isl),
        "osl": asked.osl and float(asked.osl),
        "ttft_slo_s": asked.ttft_limit_ms and asked.ttft_limit_ms / 1e3,
        "tpot_slo_s": asked.tpot_limit_ms and asked.tpot_limit_ms / 1e3,
        "prefix_share": asked.prefix_share,
        "arrival": asked.arrival,
    }
    try:
        return replace(base, **{name: value for name, value in changes.items() if value is not None})
    except InvalidFact as error:
        raise InvalidQuestion(
            Fault(f"{pointer}/{error.field}", "invalid", str(error), error.accepted)
        ) from None


# ---- Hardware --------------------------------------------------------------------------------------------


def find_hardware(question: Question) -> Hardware:
    """The datasheet and shape in question, overrides applied. Raises InvalidQuestion."""
    if (question.accelerator is None) == (question.offer is None):
        detail = "name the hardware as an accelerator with a count, or as an offer"
        raise InvalidQuestion(Fault("/accelerator", "one_of", detail, ["accelerator", "offer"]))
    if isinstance(question.accelerator, InlineAccelerator):
        hardware = inline_hardware(question.accelerator, question.count)
    else:
        hardware = stored_hardware(question)
    return overridden(hardware, question.overrides)


def inline_hardware(asked: InlineAccelerator, count: int) -> Hardware:
    for name, value in asked.figures.items():
        checked_figure(f"/accelerator/figures/{name}", name, value)
    sheet = Datasheet(
        slug=asked.name,
        vendor=asked.vendor,
        kind=asked.kind,
        generation=asked.generation,
        memory_is_sram=asked.memory_is_sram,
        quantities=dict(asked.figures),
        weakest="assumed",
    )
    return Hardware(sheet, Shape(f"{asked.name}-x{count}", count))


def stored_hardware(question: Question) -> Hardware:
    rows = accelerator_rows(Accelerator.objects.all())
    offer: OfferRow | None
    if question.offer is not None:
        offer = OfferRow.objects.filter(slug=question.offer).first()
        if offer is None:
            raise unknown("/offer", "offer", question.offer, near_matches(OfferRow, question.offer))
        row = rows.get(pk=offer.accelerator_id)
    else:
        slug = str(question.accelerator)
        found = rows.filter(slug=slug).first()
        if found is None:
            raise unknown("/accelerator", "accelerator", slug, near_matches(Accelerator, slug))
        row = found
        standing = OfferRow.objects.filter(accelerator=row, count=question.count).order_by("retired", "slug")
        offer = standing.first()
    sheet = datasheet_of(row, evidence_of([row.pk]).get(row.pk, Evidence()))
    shape = shape_of(offer) if offer else Shape(f"{row.slug}-x{question.count}", question.count)
    return Hardware(sheet, shape, row, offer)


def overridden(hardware: Hardware, overrides: Mapping[str, float | str]) -> Hardware:
    """The hardware with figures replaced. A figure that decides makes the answer rest on an assumption."""
    if not overrides:
        return hardware
    quantities = dict(hardware.sheet.quantities)
    for name, given in overrides.items():
        pointer = f"/overrides/{name}"
        about = known_figure(pointer, name)
        standing = quantities.get(name)
        value = override_value(pointer, about, given, standing)
        checked_figure(pointer, name, value)
        hardware.overridden[name] = standing
        quantities[name] = value
    if "memory_gb" in overrides and hardware.overridden["memory_gb"]:
        factor = quantities["memory_gb"] / (hardware.overridden["memory_gb"] or 1)
        for name in {"memory_bytes", "memory_usable_gb"} & quantities.keys() - overrides.keys():
            quantities[name] *= factor
            hardware.notes.append(f"{name} is scaled with memory_gb by {factor:.4g}")
    deciding = set(DECIDING_QUANTITIES) & set(overrides)
    weakest = "assumed" if deciding else hardware.sheet.weakest
    hardware.sheet = replace(hardware.sheet, quantities=quantities, weakest=weakest)
    taken = {
        "scale_up_gbs": "link:scale_up:bandwidth_gbs",
        "scale_up_domain": "link:scale_up:domain_size",
        "scale_out_gbs": "link:scale_out:bandwidth_gbs",
    }
    own = {name: None for name, figure in taken.items() if figure in overrides}
    hardware.shape = replace(hardware.shape, **own)  # type: ignore[arg-type]
    return hardware


def override_value(pointer: str, about: Quantity, given: float | str, standing: float | None) -> float:
    """An override in the quantity's unit; relative ones need a value that stands."""
    if not isinstance(given, str):
        return float(given)
    factor = relative(given)
    if factor is None:
        detail = f"{about.name} is {given[:60]!r}"
        raise InvalidQuestion(Fault(pointer, "invalid_override", detail, RELATIVE_ACCEPTED))
    if standing is None:
        detail = f"{about.name} is not known, so {given!r} of it is not either"
        raise InvalidQuestion(Fault(pointer, "nothing_to_scale", detail, f"a number ({about.unit})"))
    value = standing * factor
    return float(round(value)) if about.integer else value


def known_figure(pointer: str, name: str) -> Quantity:
    if name not in CHIP_FIGURES:
        raise InvalidQuestion(
            Fault(
                pointer, "unknown_figure", f"{name[:60]!r} is no figure of an accelerator", list(CHIP_FIGURES)
            )
        )
    return CHIP_FIGURES[name]


def checked_figure(pointer: str, name: str, value: float) -> None:
    about = known_figure(pointer, name)
    accepted = about.fault(value)
    if accepted is None and not SMALLEST <= value <= LARGEST:
        accepted = f"a number from {SMALLEST:g} to {LARGEST:g} ({about.unit or 'no unit'})"
    if accepted is not None:
        raise InvalidQuestion(
            Fault(pointer, "invalid", f"{name} is {value!r}; accepted: {accepted}", accepted)
        )


def facts_used(hardware: Hardware) -> list[dict[str, Any]]:
    """Every figure of the hardware that the estimate may read, with its source, kind and rivals."""
    sources = provenance(hardware.row) if hardware.row is not None else {}
    facts = []
    for name, value in hardware.sheet.quantities.items():
        if name == "launch_price_usd" or name.startswith("memory_tier:cache"):
            continue
        fact: dict[str, Any] = {"quantity": name, "value": value, "unit": CHIP_FIGURES[name].unit}
        source = sources.get(name)
        if name in hardware.overridden:
            fact |= {"kind": "override", "instead_of": hardware.overridden[name], "source": None}
        elif source is not None:
            fact |= {
                "kind": source.kind,
                "confidence": source.confidence,
                "source": {
                    "slug": source.source_slug,
                    "title": source.source_title,
                    "url": source.source_url,
                },
                "observed_on": source.observed_on,
                "as_printed": source.as_printed,
                "reason": source.reason,
                "rivals": source.rivals,
            }
        else:
            fact |= {"kind": "given" if hardware.row is None else "unsourced", "source": None}
        facts.append(fact)
    return facts


# ---- Price -----------------------------------------------------------------------------------------------


def find_quote(asked: PriceAsked, hardware: Hardware) -> QuoteUsed | None:
    """The offer's own quote, else the cheapest per chip of the accelerator's other offers, scaled."""
    if asked.usd_per_hour is not None or hardware.row is None:
        return None
    criteria = PriceFilter(
        pricing_model=asked.pricing_model,
        providers=(asked.provider,) if asked.provider else (),
        regions=(asked.region,) if asked.region else (),
        countries=(asked.country.upper(),) if asked.country else (),
        as_of=asked.as_of,
    )
    counts = dict(OfferRow.objects.filter(accelerator=hardware.row).values_list("pk", "count"))
    prices = offer_prices(criteria, list(counts))
    if hardware.offer is not None:
        return prices.get(hardware.offer.pk)
    if not prices:
        return None
    pk, used = min(prices.items(), key=lambda item: item[1].usd_per_hour / counts[item[0]])
    return replace(
        used,
        usd_per_hour=used.usd_per_hour * hardware.shape.count / counts[pk],
        scaled_from=used.quoted_count,
    )


def unknown(pointer: str, what: str, slug: str, near: list[str]) -> InvalidQuestion:
    """No row of that slug: the near matches are what is accepted."""
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    code = f"unknown_{what.replace(' ', '_')}"
    return InvalidQuestion(Fault(pointer, code, f"there is no {what} {slug[:80]!r}{hint}", near or None))
