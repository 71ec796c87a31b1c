"""Which layouts of a model on an offer exist, and the clear reason where an asked one does not.

A stage has tp x dp chips, a replica pp stages. A search tries stages within one scale-up domain whose tensor
parallelism divides the heads of every mixer and whose expert parallelism divides the experts. What is asked
for may go further, as far as software does: heads are padded where it pads them, experts spread unevenly (the
places left over hold copies), a stage wider than the domain talks over the slower link. Everything else is
refused with a Reason, never bent to fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Chip, Deployment, ModelFacts, Offer
from estimates.core.formats import FORMATS, SCHEME_GROUPS, WeightScheme, in_integers
from estimates.core.lanes import Variant
from estimates.core.lowering import lower
from estimates.core.operations import Lowered
from estimates.core.weight_schemes import canonical_kv, canonical_scheme, named_scheme, same_storage

MAXIMUM_GROUP = 128  # widest stage tried by a search


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no estimate: code, sentence, the field at fault, the missing fact, what would do."""

    code: str
    detail: str
    field: str | None = None
    missing_fact: str | None = None
    accepted: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "code": self.code,
            "detail": self.detail,
            "field": self.field,
            "missing_fact": self.missing_fact,
            "accepted": list(self.accepted),
        }


REASON_CODES: tuple[str, ...] = (
    "",
    "not_a_generator",
    "missing_bandwidth",
    "missing_capacity",
    "missing_link",
    "missing_rate",
    "does_not_fit",
    "no_layout",
    "ttft_slo_missed",
    "tpot_slo_missed",
    "slo_missed",
    "concurrency_not_reached",
    "context_too_long",
)


def refuse_model(model: ModelFacts) -> Reason | None:
    """Only decoders generate text."""
    role = model.architecture.role
    if role == "decoder":
        return None
    return Reason("not_a_generator", f"{model.slug} is a {role} model: it generates no text", "model")


def refuse_chip(chip: Chip) -> Reason | None:
    """Facts without which nothing can be said."""
    if chip.memory.bandwidth is None:
        return Reason(
            "missing_bandwidth",
            f"the memory bandwidth of {chip.slug} is not published",
            "chip",
            "memory_bandwidth",
        )
    if chip.memory.addressable_bytes is None:
        return Reason(
            "missing_capacity",
            f"the memory capacity of {chip.slug} is not published",
            "chip",
            "memory_capacity",
        )
    return None


def resolve_scheme(weights: str | WeightScheme | None, model: ModelFacts) -> WeightScheme:
    """The scheme asked for; None: the checkpoint's own, bf16 where it is not known. Raises UnknownFormat.

    A named format is that of the checkpoint itself or of one published of the same weights where there is
    one, else what such checkpoints usually store.
    """
    if isinstance(weights, WeightScheme):
        return weights
    native = model.native or named_scheme("bf16", model.architecture)
    if weights is None or weights in (native.slug, "native"):
        return native
    asked = canonical_scheme(weights)
    for stored in (native, *model.published):
        if same_storage(asked, stored.slug):
            return stored
    return named_scheme(asked, model.architecture)


def on_chip(scheme: WeightScheme, chip: Chip) -> WeightScheme:
    """The scheme as the chip runs it: an integer-only part computes a quantised model in integers alone.

    That is a part with an INT8 rate and no floating-point one. A scheme that is 16 bit throughout stays so
    and lacks a rate; floating-point weights do too. Files for the chips of PCs and phones hold embedding and
    head of an integer model in 8 bits (OpenVINO: NNCF's CompressWeights, "all embeddings and last linear
    layers are always compressed to 8-bit"; MLX quantises both as well).
    """
    if chip.kind in LOCAL_KINDS and scheme.attention.startswith("int"):
        ends = {name: "int8" for name in ("embedding", "head") if scheme.group(name).bits >= 12}
        scheme = replace(scheme, **ends) if ends else scheme  # type: ignore[arg-type]
    if chip.rate("int8") is None or any(not name.startswith("int") for name, _ in chip.rates):
        return scheme
    weights = [scheme.group(name) for name in SCHEME_GROUPS]
    floats = any(entry.compute[0].startswith("fp") and entry.bits < 12 for entry in weights)
    if floats or min(entry.bits for entry in weights) >= 12:
        return scheme
    return in_integers(scheme)


def resolve_kv(asked: str | None, scheme: WeightScheme, chip: Chip) -> str:
    """The cache format: the one asked for, else the scheme's, kept 16 bit where the chip has no FP8 rate."""
    if asked is not None:
        return canonical_kv(asked)
    if FORMATS[scheme.kv].bits < 12 and chip.rate("fp8") is None and chip.rate("int8") is None:
        return "bf16"
    return scheme.kv


def divides_heads(model: Lowered, tp: int) -> bool:
    return all(heads % tp == 0 for heads in model.tensor_divisors)


def divides_experts(model: Lowered, ep: int) -> bool:
    return bool(model.expert_divisors) and all(experts % ep == 0 for experts in model.expert_divisors)


def pads_heads(efficiency: EfficiencyTable, chip: Chip, software: str | None) -> bool:
    """Whether the software rounds the heads of a rank up where tensor parallelism does not divide them."""
    return bool(efficiency.coefficient("pads_heads", chip, efficiency.software_of(chip, software)))


def holds_experts(model: Lowered, ep: int) -> bool:
    """Whether every rank gets an expert of its own; the places left over hold copies."""
    return bool(model.expert_divisors) and ep <= min(model.expert_divisors)


def validate(
    model: ModelFacts, offer: Offer, deployment: Deployment, *, padded: bool = False
) -> Reason | None:
    """The first rule an explicit deployment breaks, None when it breaks none. `padded`: heads may be."""
    lowered = lower(model.architecture)
    tp, dp, pp = deployment.tp or 1, deployment.dp or 1, deployment.pp or 1
    heads = ", ".join(map(str, lowered.tensor_divisors))
    sizes = tuple(str(n) for n in range(1, offer.count + 1) if divides_heads(lowered, n))[:32]
    if not divides_heads(lowered, tp) and not (padded and tp <= min(lowered.tensor_divisors)):
        detail = f"tensor parallel size {tp} does not divide the heads ({heads})"
        return Reason("tp_does_not_divide", detail, "tp", None, sizes)
    if pp > lowered.layers and not offer.chip.sram_first:
        detail = f"{pp} pipeline stages exceed the {lowered.layers} layers"
        return Reason("pp_exceeds_layers", detail, "pp", None, (f"1 to {lowered.layers}",))
    stage = tp * dp
    ep = deployment.ep
    if ep is not None and ep > 1:
        if not lowered.experts:
            return Reason("no_experts", f"{model.slug} has no routed experts to spread", "ep", None, ("1",))
        if not holds_experts(lowered, ep):
            fewest = min(lowered.expert_divisors)
            detail = f"expert parallel size {ep} exceeds the {fewest} experts"
            return Reason("ep_does_not_divide", detail, "ep", None, (f"1 to {fewest}",))
        if stage % ep and (deployment.tp or deployment.dp):
            return Reason(
                "ep_does_not_divide", f"expert parallel size {ep} does not divide tp x dp = {stage}", "ep"
            )
    if deployment.dp is not None and dp > 1 and not lowered.experts:
        return Reason(
            "no_experts",
            "attention data parallelism shares experts; a dense model uses replicas",
            "dp",
            None,
            ("1",),
        )
    replicas = deployment.replicas or 1
    if stage * pp * replicas > offer.count:
        detail = f"{replicas} x {pp} x {stage} chips are asked of an offer of {offer.count}"
        return Reason("too_many_chips", detail, "count", None, (f"tp x dp x pp x replicas <= {offer.count}",))
    return _refuse_links(offer, stage, pp)


def _refuse_links(offer: Offer, stage: int, pp: int) -> Reason | None:
    if offer.chip.sram_first:
        return None
    if stage > 1 and (offer.scale_up is None or offer.scale_up.bytes_per_s is None):
        return Reason(
            "missing_link",
            f"the bandwidth between the chips of {offer.slug} is not known",
            "scale_up",
            "scale_up_bandwidth",
        )
    if not reaches(offer, stage):
        detail = (
            f"a stage of {stage} chips exceeds the scale-up domain of {offer.domain}, and no wider link of "
            f"{offer.slug} is known"
        )
        return Reason("exceeds_domain", detail, "tp", None, (f"tp x dp <= {offer.domain}",))
    if stage * pp > offer.domain and (offer.scale_out is None or offer.scale_out.bytes_per_s is None):
        return Reason(
            "missing_link",
            f"{pp} stages of {stage} chips leave the scale-up domain of {offer.domain}, and the scale-out "
            f"bandwidth of {offer.slug} is not known",
            "scale_out",
            "scale_out_bandwidth",
        )
    return None


def reaches(offer: Offer, stage: int) -> bool:
    """Whether some known link joins the chips of a stage."""
    if offer.chip.sram_first or stage <= max(offer.domain, 1):
        return True
    return offer.scale_out is not None and offer.scale_out.bytes_per_s is not None


def stage_variant(offer: Offer, stage: int) -> Variant:
    """The chip with the links that a stage of that size talks over.

    One wider than the scale-up domain is held up by the link between domains, which all its collectives then
    pass: a ring is as fast as its slowest hop.
    """
    out = offer.scale_out
    if stage <= max(offer.domain, 1) or offer.chip.sram_first or out is None:
        return Variant(offer.chip, offer.scale_up, offer.scale_out)
    return Variant(offer.chip, replace(out, domain_size=None), out)


@dataclass(frozen=True, slots=True)
class Layout:
    """tp x dp chips of a stage, experts spread over ep of them."""

    tp: int
    dp: int
    ep: int


def layouts(model: Lowered, variant: Variant, count: int) -> Iterator[Layout]:
    """Every tensor-parallel size that divides the heads within the domain; with experts also spread over

    the stage, under tensor-parallel or under data-parallel attention.
    """
    widest = min(stage_limit(variant, count), MAXIMUM_GROUP)
    for size in range(1, widest + 1):
        spread = size > 1 and divides_experts(model, size)
        divides = divides_heads(model, size) if model.tensor_divisors else size & (size - 1) == 0
        if divides:
            yield Layout(size, 1, 1)
            if spread:
                yield Layout(size, 1, size)
        if spread and (size & (size - 1) == 0 or divides):
            yield Layout(1, size, size)


def stage_limit(variant: Variant, count: int) -> int:
    """Most chips one stage may have."""
    if variant.chip.sram_first or variant.scale_up is None or variant.scale_up.bytes_per_s is None:
        return 1
    return min(count, variant.scale_up.domain_size or count)


def pipeline_limit(variant: Variant, count: int, stage: int, model: Lowered) -> int:
    """Most stages of that size: as far as chips, layers and known links reach."""
    chips = count // stage
    if variant.chip.sram_first:
        return chips
    up = variant.scale_up is not None and variant.scale_up.bytes_per_s is not None
    out = variant.scale_out is not None and variant.scale_out.bytes_per_s is not None
    if not out:
        domain = (variant.scale_up.domain_size or count) if up and variant.scale_up is not None else 1
        chips = min(chips, max(1, domain // stage))
    return max(1, min(chips, model.layers))


def hop_link_is_up(variant: Variant, stage: int, pp: int) -> bool:
    """Whether all stages of a replica share a scale-up domain."""
    return stage * pp <= scale_up_reach(variant)


def scale_up_reach(variant: Variant) -> float:
    """Most chips that the scale-up link joins: none where it is not known, any number where no bound is."""
    if variant.scale_up is None or variant.scale_up.bytes_per_s is None:
        return 0
    size = variant.scale_up.domain_size
    return math.inf if size is None else size


GENERAL_SCHEMES: tuple[str, ...] = ("bf16", "int4")
RATED_SCHEMES: tuple[tuple[str, str], ...] = (
    ("fp8", "fp8"),
    ("int8", "int8"),
    ("fp4", "nvfp4"),
    ("fp4", "mxfp4"),
)  # rate the chip must have -> scheme
LOCAL_SCHEMES: tuple[str, ...] = ("q4_k_m", "q8_0")
LOCAL_KINDS: tuple[str, ...] = ("soc", "cpu", "npu")


def schemes_for(
    model: ModelFacts, chip: Chip, efficiency: EfficiencyTable, only: Sequence[str] | None = None
) -> list[WeightScheme]:
    """The checkpoint's own scheme, the common ones, those the chip has a rate for; as the chip runs them."""
    if only is not None:
        return [on_chip(resolve_scheme(slug, model), chip) for slug in only]
    slugs = list(GENERAL_SCHEMES)
    slugs += [
        scheme
        for rate, scheme in RATED_SCHEMES
        if chip.rate(rate) is not None and efficiency.computes(chip, scheme)
    ]
    if chip.kind in LOCAL_KINDS:
        slugs += LOCAL_SCHEMES
    schemes = [resolve_scheme(slug, model) for slug in slugs]
    if model.native is not None and model.native not in schemes:
        schemes.insert(0, model.native)
    return [on_chip(scheme, chip) for scheme in dict.fromkeys(schemes)]


def scheme_traits(chip: Chip, efficiency: EfficiencyTable) -> tuple[object, ...]:
    """All that `schemes_for` and `resolve_kv` read of a chip: chips that agree in it try the same formats."""
    computed = tuple(efficiency.computes(chip, scheme) for _, scheme in RATED_SCHEMES)
    return tuple(name for name, _ in chip.rates), chip.kind in LOCAL_KINDS, computed
