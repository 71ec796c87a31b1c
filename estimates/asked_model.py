"""The model, workload and deployment that a what-if asks about, as the core takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog import names
from catalog.importing.hf_config.convert import architecture_from_hf_config
from catalog.importing.hf_config.reading import ConfigError, UnsupportedArchitecture
from catalog.models import LanguageModel, Workload
from estimates.core.architecture_json import ArchitectureError, architecture_from_json
from estimates.core.facts import Chip, Deployment, InvalidFact, ModelFacts, Pool, Speculation, Unit
from estimates.core.facts import Workload as CoreWorkload
from estimates.core.formats import UnknownFormat
from estimates.from_catalog import TERA, model_facts, native_scheme, workload_facts
from estimates.near import near_matches, unknown
from estimates.what_if import (
    DeploymentAsked,
    Fault,
    InlineModel,
    InvalidQuestion,
    Question,
    SpeculationAsked,
    UnitAsked,
    WorkloadAsked,
)


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
        accepted = "a model whose architecture can be read, or an inline one"
        raise InvalidQuestion(Fault("/model", "unreadable_model", f"{asked}: {error}", accepted)) from None


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
        pointer, accepted = "/model/hf_config", "a known model_type, or model.architecture in its place"
        raise InvalidQuestion(Fault(pointer, "unsupported_architecture", str(error), accepted)) from None
    except ConfigError as error:
        pointer, accepted = "/model/hf_config", "a whole config.json"
        raise InvalidQuestion(Fault(pointer, "invalid_config", str(error), accepted)) from None
    except UnknownFormat as error:
        pointer = "/model/native_format"
        raise InvalidQuestion(Fault(pointer, "unknown_format", str(error), list(error.accepted))) from None
    except InvalidFact as error:
        raise InvalidQuestion(Fault(f"/model/{error.field}", "invalid", str(error), error.accepted)) from None


def find_workload(question: Question) -> CoreWorkload:
    """The stored workload with the fields given in place of its own, or a wholly inline one."""
    if isinstance(question.workload, WorkloadAsked):
        asked, pointer = question.workload, "/workload"
        if question.workload_overrides.model_fields_set:
            detail = "workload_overrides replace fields of a stored workload; this one is given whole"
            raise InvalidQuestion(Fault("/workload_overrides", "conflict", detail, "the fields in workload"))
        missing = [name for name in ("isl", "osl") if getattr(asked, name) is None]
        if missing:
            raise InvalidQuestion(
                *(
                    Fault(f"/workload/{name}", "missing", f"workload.{name} is required", "a whole number")
                    for name in missing
                )
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
    return workload_with(base, asked, pointer)


def workload_with(base: CoreWorkload, asked: WorkloadAsked, pointer: str) -> CoreWorkload:
    """A workload with the fields given in place of its own. Raises InvalidQuestion."""
    changes: dict[str, Any] = {
        "isl": asked.isl and float(asked.isl),
        "osl": asked.osl and float(asked.osl),
        "ttft_slo_s": asked.ttft_limit_ms and asked.ttft_limit_ms / 1e3,
        "tpot_slo_s": asked.tpot_limit_ms and asked.tpot_limit_ms / 1e3,
        "prefix_share": asked.prefix_share,
        "prefix_shared": asked.prefix_shared,
        "arrival": asked.arrival,
    }
    try:
        return replace(base, **{name: value for name, value in changes.items() if value is not None})
    except InvalidFact as error:
        raise InvalidQuestion(
            Fault(f"{pointer}/{error.field}", "invalid", str(error), error.accepted)
        ) from None


def deployment_facts(asked: DeploymentAsked) -> Deployment:
    """The deployment in question as the core takes it. Raises InvalidQuestion or InvalidFact."""
    given = asked.model_dump(exclude={"prefill", "speculation"})
    pool = None if asked.prefill is None else Pool(**asked.prefill.model_dump())
    speculation = None if asked.speculation is None else speculation_facts(asked.speculation)
    return Deployment(**given, prefill=pool, speculation=speculation)


def speculation_facts(asked: SpeculationAsked, pointer: str = "/deployment/speculation") -> Speculation:
    """The speculation in question, its draft model a stored one. Raises InvalidQuestion."""
    draft: ModelFacts | None = None
    if asked.draft_model is not None:
        try:
            draft = find_model(asked.draft_model)
        except InvalidQuestion as error:
            faults = [replace(fault, pointer=f"{pointer}/draft_model") for fault in error.faults]
            raise InvalidQuestion(*faults) from None
    try:
        return Speculation(
            asked.method, asked.draft_tokens, asked.acceptance, draft, asked.draft_weights or None
        )
    except InvalidFact as error:
        place = f"{pointer}/{error.field.removeprefix('speculation.')}"
        raise InvalidQuestion(Fault(place, "invalid", str(error), error.accepted)) from None


def with_units(chip: Chip, asked: Mapping[str, UnitAsked]) -> Chip:
    """The chip with the engines that a question states, in place of known ones. Raises InvalidQuestion."""
    units = {unit.name: unit for unit in chip.units}
    for name, stated in asked.items():
        rates = {number_format: value * TERA for number_format, value in stated.rates.items()}
        try:
            units[name] = Unit(name, tuple(rates.items()), stated.bandwidth_share)
        except InvalidFact as error:
            place = f"/units/{name}/{error.field.replace('.', '/')}"
            raise InvalidQuestion(Fault(place, "invalid", str(error), error.accepted)) from None
    return replace(chip, units=tuple(units.values())) if asked else chip
