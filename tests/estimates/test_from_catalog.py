"""Rows as core facts: every unit by hand, what is unknown stays unknown, few queries however many rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Accelerator, Figure, LanguageModel, Link, MemoryTier, Offer, Source
from estimates.core.architecture_json import architecture_from_json
from estimates.core.formats import UnknownFormat
from estimates.from_catalog import (
    Datasheet,
    Evidence,
    FactCache,
    Shape,
    accelerator_rows,
    chip_of,
    datasheet_of,
    evidence_of,
    memory_tiers,
    native_scheme,
    read_workloads,
    scale_out_of,
    scale_up_of,
)
from tests.estimates.conftest import TinyCatalogue, llama


def sheet(**quantities: float) -> Datasheet:
    return Datasheet(
        "chip", "maker", "gpu", quantities={key.replace("__", ":"): v for key, v in quantities.items()}
    )


def test_units_become_si(tiny: TinyCatalogue) -> None:
    """80 GB, 3,350 GB/s, 989 TFLOPS; the device reports 85,520,809,984 bytes."""
    row = accelerator_rows(Accelerator.objects.all()).get(slug="nvidia-h100-sxm")
    chip = chip_of(datasheet_of(row))
    assert (chip.memory.capacity_bytes, chip.memory.usable_bytes) == (80e9, 85_520_809_984)
    assert (chip.bandwidth, chip.rate("bf16"), chip.power_w) == (3350e9, 989e12, 700)
    assert (chip.vendor, chip.generation, chip.kind) == ("nvidia", "Hopper", "gpu")


def test_unknown_stays_unknown(tiny: TinyCatalogue) -> None:
    row = accelerator_rows(Accelerator.objects.all()).get(slug="mystery")
    chip = chip_of(datasheet_of(row))
    assert (chip.bandwidth, chip.rate("bf16"), chip.power_w) == (None, None, None)


def test_workload_limits_become_seconds(tiny: TinyCatalogue) -> None:
    chat = read_workloads().rows[0]
    assert (chat.slug, chat.facts.ttft_slo_s, chat.facts.tpot_slo_s) == ("chat", 2.0, 0.05)


def test_printed_usable_capacity_counts_where_the_device_reports_nothing() -> None:
    (tier,) = memory_tiers(sheet(memory_gb=192, memory_usable_gb=180, memory_bandwidth_gbs=8000))
    assert (tier.capacity_bytes, tier.addressable_bytes) == (192e9, 180e9)


def test_a_second_tier_follows_the_main_memory_and_a_cache_is_none(tiny: TinyCatalogue) -> None:
    MemoryTier.objects.create(accelerator=tiny.h100, role="cache", capacity_gb=0.05)
    MemoryTier.objects.create(accelerator=tiny.h100, role="second", capacity_gb=480, bandwidth_gbs=500)
    row = accelerator_rows(Accelerator.objects.all()).get(pk=tiny.h100.pk)
    tiers = memory_tiers(datasheet_of(row))
    assert [(tier.capacity_bytes, tier.bandwidth) for tier in tiers] == [(80e9, 3350e9), (480e9, 500e9)]


def test_sram_is_said_to_be_sram() -> None:
    part = Datasheet("lpu", "maker", "asic", memory_is_sram=True, quantities={"memory_gb": 0.23})
    assert chip_of(part).sram_first


def test_an_offers_own_link_comes_before_the_accelerators() -> None:
    known = sheet(
        link__scale_up__bandwidth_gbs=450, link__scale_up__domain_size=8, link__scale_up__latency_us=2
    )
    own = scale_up_of(Shape("x72", 72, scale_up_gbs=900, scale_up_domain=72), known)
    assert own is not None
    assert (own.bytes_per_s, own.domain_size, own.latency_s) == (900e9, 72, 2e-6)
    general = scale_up_of(Shape("x8", 8), known)
    assert general is not None
    assert (general.bytes_per_s, general.domain_size) == (450e9, 8)


def test_without_a_fabric_chips_meet_over_the_host_bus() -> None:
    """PCIe 4 carries 16 GT/s x 16 lanes x 128/130 / 8 = 31.5 GB/s per direction."""
    bus = scale_up_of(Shape("x4", 4), sheet(pcie_generation=4))
    assert bus is not None
    assert (bus.scope, bus.topology) == ("pcie", "host")
    assert bus.bytes_per_s == pytest.approx(16e9 * 16 * 128 / 130 / 8, rel=1e-3)


def test_bridged_cards_of_one_host_meet_over_its_bus() -> None:
    bridged = sheet(
        link__scale_up__bandwidth_gbs=300,
        link__scale_up__domain_size=2,
        link__scale_out__bandwidth_gbs=50,
        pcie_generation=4,
    )
    inside = scale_out_of(Shape("x4", 4), bridged)
    assert inside is not None
    assert (inside.scope, inside.bytes_per_s) == ("pcie", pytest.approx(31.504e9))
    for shape in (Shape("x2", 2), Shape("x16", 16)):  # one bridge; two hosts
        network = scale_out_of(shape, bridged)
        assert network is not None
        assert network.scope == "scale_out"


def test_a_chips_link_to_its_own_processor_joins_no_chips() -> None:
    own = sheet(
        link__scale_up__bandwidth_gbs=450, link__scale_up__domain_size=2, link__host__bandwidth_gbs=450
    )
    assert scale_out_of(Shape("x4", 4), own) is None


def test_one_chip_has_no_link_and_an_unknown_one_is_none() -> None:
    assert scale_up_of(Shape("x1", 1), sheet(link__scale_up__bandwidth_gbs=450)) is None
    assert scale_up_of(Shape("x2", 2), sheet()) is None
    assert scale_out_of(Shape("x2", 2), sheet()) is None


def test_the_weakest_deciding_figure_is_the_chips_provenance(tiny: TinyCatalogue) -> None:
    source = Source.objects.create(slug="s", title="Sheet")
    for quantity, kind, accepted in (
        ("memory_gb", "measured", True),
        ("memory_bandwidth_gbs", "third_party", True),
        ("memory_bandwidth_gbs", "assumed", False),  # a rival that is not used
        ("tdp_w", "assumed", True),  # decides no speed
    ):
        Figure.objects.create(
            accelerator=tiny.h100, quantity=quantity, value=1, kind=kind, accepted=accepted, source=source
        )
    assert evidence_of([tiny.h100.pk]) == {tiny.h100.pk: Evidence("derived")}


def test_an_assumed_bandwidth_or_link_is_told_to_the_core(tiny: TinyCatalogue) -> None:
    for quantity in ("memory_bandwidth_gbs", "link:scale_up:bandwidth_gbs"):
        Figure.objects.create(
            accelerator=tiny.h100,
            quantity=quantity,
            value=1,
            kind="assumed",
            accepted=True,
            reason="recalled",
        )
    row = accelerator_rows(Accelerator.objects.filter(pk=tiny.h100.pk)).get()
    told = datasheet_of(row, evidence_of([row.pk])[row.pk])
    assert chip_of(told).memory.assumed
    assert not chip_of(datasheet_of(row)).memory.assumed
    own = told.get("link:scale_up:bandwidth_gbs")
    assert own is not None
    assert scale_up_of(Shape("x8", 8), told).assumed  # type: ignore[union-attr]
    assert scale_up_of(Shape("x8", 8, own), told).assumed  # type: ignore[union-attr]
    assert not scale_up_of(Shape("x8", 8, own / 2), told).assumed  # type: ignore[union-attr]  # a system's own


def test_a_checkpoints_formats_come_group_by_group() -> None:
    """gpt-oss: experts in MXFP4, all else in bf16; a cache format only where the checkpoint has one."""
    dense = architecture_from_json(llama(4096, 32, 32, 8, 14336))
    stored = {"routed_experts": {"format": "mxfp4", "bits": 4.25}, "mixer": {"format": "bf16", "bits": 16}}
    scheme = native_scheme("mxfp4", stored | {"kv_format": "fp8"}, dense)
    assert scheme is not None
    assert (scheme.slug, scheme.routed_experts, scheme.attention, scheme.kv) == (
        "mxfp4",
        "mxfp4",
        "bf16",
        "fp8",
    )


def test_a_format_that_nobody_knows_is_refused() -> None:
    dense = architecture_from_json(llama(4096, 32, 32, 8, 14336))
    with pytest.raises(UnknownFormat):
        native_scheme("bf16", {"mixer": {"format": "fp7", "bits": 7}}, dense)
    assert native_scheme("", {}, dense) is None


def test_reading_takes_few_queries_and_none_for_what_has_not_changed(tiny: TinyCatalogue) -> None:
    cache = FactCache()
    accelerators = [tiny.h100.pk, tiny.l40s.pk, tiny.mystery.pk]
    models = list(LanguageModel.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(
        connection,
    ) as first:
        cache.accelerators(accelerators)
        cache.models(models)
    assert len(first) <= 9
    with CaptureQueriesContext(connection) as second:
        cache.accelerators(accelerators)
        cache.models(models)
    assert len(second) == 2


def test_a_change_to_a_child_row_is_read_anew(tiny: TinyCatalogue) -> None:
    cache = FactCache()
    before = cache.accelerators([tiny.h100.pk])[0]
    Link.objects.filter(accelerator=tiny.h100).update(bandwidth_gbs=900)
    after = cache.accelerators([tiny.h100.pk])[0]
    assert after.version == before.version + 1
    assert after.digest != before.digest
    assert after.offers[1][1].scale_up.bytes_per_s == 900e9


def test_retired_offers_are_left_out(tiny: TinyCatalogue) -> None:
    Offer.objects.filter(slug="nvidia-h100-sxm-x8").update(retired=True)
    facts = FactCache().accelerators([tiny.h100.pk])[0]
    assert [offer.slug for _, offer in facts.offers] == ["nvidia-h100-sxm-x1"]


def test_an_impossible_value_is_a_problem_of_its_row_alone(tiny: TinyCatalogue) -> None:
    tiny.l40s.peak_rates.create(number_format="fp3", tera_ops=1)
    by_slug = {facts.slug: facts for facts in FactCache().accelerators([tiny.h100.pk, tiny.l40s.pk])}
    assert by_slug["nvidia-l40s"].problem.startswith("nvidia-l40s: rates is 'fp3'")
    assert by_slug["nvidia-h100-sxm"].problem == ""
