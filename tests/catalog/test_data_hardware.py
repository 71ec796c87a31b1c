"""The shipped hardware facts: complete, consistent with their figures, and free of the known traps."""

# ruff: noqa: E501

import re
from collections import Counter

import pytest
from django.db.models import Count, Q

from catalog.figures import column_value
from catalog.importing.json_schema import SCHEMA_FOLDER, schema_texts
from catalog.importing.load import Report
from catalog.models import Accelerator, Figure, Link, MemoryTier, PeakRate, System
from catalog.quantities import QUANTITIES

pytestmark = pytest.mark.usefixtures("hardware")


def chip(slug: str) -> Accelerator:
    return Accelerator.objects.get(slug=slug)


def rate(slug: str, number_format: str) -> float | None:
    return (
        PeakRate.objects.filter(accelerator__slug=slug, number_format=number_format)
        .values_list("tera_ops", flat=True)
        .first()
    )


def test_the_catalogue_is_complete(hardware: Report) -> None:
    assert hardware.counts["accelerators"].added == 206
    assert hardware.counts["systems"].added == 225


@pytest.mark.parametrize(
    "slugs",
    [
        ["nvidia-dgx-h100", "nvidia-hgx-h200-8", "nvidia-dgx-b200"],
        ["nvidia-gb200-nvl72", "nvidia-dgx-h100-x8"],
        ["nvidia-dgx-b300", "nvidia-gb300-nvl72"],
        ["amd-mi300x-platform", "amd-mi325x-platform", "amd-mi350x-platform", "amd-mi355x-platform"],
        ["google-tpu-v5e-8", "google-tpu-v5p-128", "google-tpu-v6e-8", "google-tpu-tpu7x-64"],
        ["aws-trn2-48xlarge", "aws-trn3-gen1-ultraserver", "aws-inf2-48xlarge"],
        ["microsoft-maia-200-tray", "cerebras-cs-3", "sambanova-sn40l-16", "groqrack-64"],
        ["d-matrix-corsair-server-8", "d-matrix-corsair-rack-64"],
    ],
)
def test_every_named_system_is_there_with_sourced_figures(slugs: list[str]) -> None:
    found = System.objects.filter(slug__in=slugs)
    assert found.count() == len(slugs)
    assert all(system.figures.filter(accepted=True, source__isnull=False).exists() for system in found)


@pytest.mark.parametrize(
    "slug",
    [
        "nvidia-rtx-5090", "nvidia-rtx-pro-6000-blackwell-server", "nvidia-l40", "nvidia-l40s", "microsoft-maia-100",
        "meta-mtia-v2", "meta-mtia-300", "groq-lpu-v1", "d-matrix-corsair", "d-matrix-raptor", "hailo-8", "hailo-10h",
        "encharge-en100-m2", "axelera-metis-aipu", "amd-ryzen-ai-max-395", "amd-ryzen-ai-9-hx-370",
        "intel-core-ultra-200v-npu4", "intel-panther-lake-npu5", "qualcomm-snapdragon-x2-elite-extreme", "apple-m4-max",
        "aws-inferentia2", "aws-trainium2", "google-tpu-v7",
    ],
)  # fmt: skip
def test_every_named_part_is_there_with_figures(slug: str) -> None:
    assert chip(slug).figures.filter(accepted=True).exists()


def test_a_known_chip_reads_as_its_datasheet() -> None:
    """H100 SXM5: 80 GB, 85,520,809,984 bytes by nvidia-smi, 3.35 TB/s, 989 and 1979 dense, NVLink 900 GB/s both ways."""
    h100 = chip("nvidia-h100-sxm")
    assert (h100.memory_gb, h100.memory_bytes, h100.memory_bandwidth_gbs) == (80, 85_520_809_984, 3350)
    assert (rate(h100.slug, "bf16"), rate(h100.slug, "fp8")) == (989, 1979)
    link = h100.links.get(scope="scale_up")
    assert (link.name, link.bandwidth_gbs, link.domain_size) == ("NVLink 4", 450, 8)


# ---- Columns and figures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("subject", "model"), [("accelerator", Accelerator), ("system", System)])
def test_every_column_equals_its_accepted_figure(
    subject: str, model: type[Accelerator] | type[System]
) -> None:
    accepted = {
        (getattr(figure, f"{subject}_id"), figure.quantity): figure.value
        for figure in Figure.objects.filter(accepted=True, **{f"{subject}__isnull": False})
    }
    differing = []
    for row in model._default_manager.prefetch_related(
        *(["peak_rates", "memory_tiers", "links"] if subject == "accelerator" else [])
    ):
        for name, about in QUANTITIES[subject].items():
            value = accepted.get((row.pk, name))
            wanted = None if value is None else column_value(about, value)
            if about.child is None:
                stands = getattr(row, about.column)
            else:
                related, key_field, key = about.child
                stands = next(
                    (getattr(child, about.column) for child in getattr(row, related).all() if getattr(child, key_field) == key),
                    None,
                )  # fmt: skip
            if stands != wanted:
                differing.append((row.slug, name, stands, wanted))
    assert differing == []


def test_every_figure_is_dated_and_says_how_it_is_known() -> None:
    figures = Figure.objects.filter(Q(accelerator__isnull=False) | Q(system__isnull=False))
    assert figures.filter(observed_on="").count() == 0
    assert figures.filter(kind="assumed", source__isnull=False).count() == 0
    assert figures.filter(kind="derived", reason="", source__isnull=True).count() == 0


def test_no_accepted_figure_rests_on_a_restricted_source() -> None:
    assert not Figure.objects.filter(accepted=True, source__restricted=True).exists()


def test_every_rival_says_why_it_is_not_used() -> None:
    rivals = Figure.objects.filter(accepted=False, accelerator__isnull=False)
    assert not rivals.filter(reason="").exists()
    assert rivals.filter(reason__startswith="not used: ").count() == 168


def test_restricted_parts_are_not_trusted_highly() -> None:
    unsourced = Figure.objects.filter(kind="assumed")
    assert set(unsourced.values_list("confidence", flat=True)) <= {"low", "medium"}


# ---- Traps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "usable", "physical"),
    [("nvidia-b200-sxm", 180, 192), ("nvidia-gb200", 186, 192), ("nvidia-b300-sxm", 270, 288)],
)
def test_usable_and_physical_capacity_are_told_apart(slug: str, usable: float, physical: float) -> None:
    assert chip(slug).memory_usable_gb == usable
    assert physical in set(
        Figure.objects.filter(accelerator__slug=slug, quantity="memory_gb").values_list("value", flat=True)
    )


def test_sram_that_is_the_main_memory_is_not_counted_again() -> None:
    first = Accelerator.objects.filter(memory_is_sram=True)
    assert set(first.values_list("slug", flat=True)) >= {
        "groq-lpu-v1",
        "cerebras-wse-3",
        "d-matrix-corsair",
        "graphcore-bow-ipu",
    }
    assert not MemoryTier.objects.filter(accelerator__in=first, role="cache").exists()
    assert not Accelerator.objects.filter(memory_type="SRAM", memory_is_sram=False).exists()


def test_a_second_tier_stands_behind_the_parts_that_have_one() -> None:
    slugs = MemoryTier.objects.filter(role="second").values_list("accelerator__slug", flat=True)
    assert set(slugs) >= {
        "nvidia-gb200",
        "nvidia-gh200-144gb",
        "sambanova-sn40l",
        "d-matrix-corsair",
        "cerebras-wse-3",
    }


@pytest.mark.parametrize(
    ("slug", "number_format", "dense"),
    [
        ("nvidia-l40s", "fp8", 733), ("nvidia-rtx-5090", "fp4", 1676.8), ("nvidia-jetson-t5000", "fp4", 1035),
        ("nvidia-gb10-dgx-spark", "fp4", 500), ("amd-mi355x", "fp8", 5033.2), ("nvidia-h100-sxm", "bf16", 989),
    ],
)  # fmt: skip
def test_rates_are_dense_tensor_rates(slug: str, number_format: str, dense: float) -> None:
    assert rate(slug, number_format) == dense


@pytest.mark.parametrize(
    ("slug", "over", "under", "ratio"),
    [
        ("nvidia-b300-sxm", "fp4", "fp8", 3.11), ("aws-trainium3", "fp8", "bf16", 3.75), ("intel-gaudi3", "fp8", "bf16", 1.0),
        ("d-matrix-corsair", "int4", "int8", 4.0), ("google-tpu-v5p", "fp8", "bf16", 1.0),
    ],
)  # fmt: skip
def test_rates_of_new_parts_do_not_follow_the_ladder_of_two(
    slug: str, over: str, under: str, ratio: float
) -> None:
    high, low = rate(slug, over), rate(slug, under)
    assert high is not None
    assert low is not None
    assert high / low == pytest.approx(ratio, abs=0.02)


@pytest.mark.parametrize(
    ("slug", "gbs"),
    [("google-tpu-v5p", 600), ("nvidia-gb200", 900), ("amd-mi300x", 448), ("aws-trainium2", 640)],
)
def test_links_count_one_direction(slug: str, gbs: float) -> None:
    assert Link.objects.get(accelerator__slug=slug, scope="scale_up").bandwidth_gbs == gbs


def test_a_card_without_a_fabric_has_its_bus() -> None:
    """PCIe 4.0 x16: 16 GT/s x 16 lanes x 128/130 / 8 = 31.51 GB/s per direction."""
    link = Link.objects.get(accelerator__slug="nvidia-l40s")
    assert (link.scope, link.name, link.bandwidth_gbs) == ("host", "PCIe 4.0 x16", 31.51)


def test_unified_memory_is_shared_with_the_host() -> None:
    shared = set(Accelerator.objects.filter(shares_memory_with_host=True).values_list("slug", flat=True))
    assert {"apple-m4-max", "amd-mi300a", "nvidia-gb10-dgx-spark", "amd-epyc-9654"} <= shared
    assert not shared & {"nvidia-h100-sxm", "nvidia-gh200-144gb"}


@pytest.mark.parametrize(
    ("slug", "segment"),
    [
        ("nvidia-h100-sxm", "datacentre"), ("nvidia-rtx-pro-6000-blackwell-server", "datacentre"),
        ("nvidia-rtx-pro-6000-blackwell-workstation", "workstation"), ("nvidia-rtx-5090", "pc"), ("apple-m4-max", "pc"),
        ("nvidia-jetson-t5000", "edge"), ("hailo-8", "edge"), ("amd-radeon-pro-v710", "datacentre"),
    ],
)  # fmt: skip
def test_the_segment_follows_the_rule(slug: str, segment: str) -> None:
    assert chip(slug).segment == segment


# ---- Systems ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "count", "domain"),
    [
        ("nvidia-dgx-h100", 8, 8), ("nvidia-gb200-nvl72", 72, 72), ("nvidia-dgx-h100-x8", 64, 8),
        ("mlperf-v6.0-coreweave-coreweave-b200-sxm-16x-b200-sxm-180gb-tensorrt", 16, 8),
        ("mlperf-v6.0-nvidia-nvidia-gb300-nvl72-72x-gb300-288gb-aarch64-tensorrt", 288, 72),
        ("amd-mi300a-4", 4, 4), ("google-tpu-v5e-256", 256, 256), ("huawei-cloudmatrix-384", 384, 384),
    ],
)  # fmt: skip
def test_a_cluster_keeps_the_domain_of_a_node(slug: str, count: int, domain: int) -> None:
    system = System.objects.get(slug=slug)
    assert (system.accelerator_count, system.scale_up_domain) == (count, domain)


def test_no_domain_is_larger_than_its_system() -> None:
    assert not [
        s.slug for s in System.objects.all() if s.scale_up_domain and s.scale_up_domain > s.accelerator_count
    ]


def test_cards_without_nvlink_are_not_given_it_by_a_description() -> None:
    bridgeless = System.objects.filter(
        accelerator__slug__in=["nvidia-rtx-pro-6000-blackwell-server", "nvidia-l4", "nvidia-l40s"],
        accelerator_count__gt=1,
    )
    assert bridgeless.count() > 10
    assert set(bridgeless.values_list("scale_up_gbs", flat=True)) <= {31.51, 63.02}
    assert not [system.slug for system in bridgeless if re.search("NVLink", system.fabric)]


def test_memory_of_a_node_is_the_sum_of_its_accelerators() -> None:
    """DGX H100: 8 x 80 = 640 GB; GB200 NVL72: 72 x 186 = 13,392 GB, headlines say 13.5 and 13.8 TB."""
    totals = dict(System.objects.values_list("slug", "total_memory_gb"))
    assert (totals["nvidia-dgx-h100"], totals["nvidia-gb200-nvl72"]) == (640, 13_392)
    rivals = Figure.objects.filter(
        system__slug="nvidia-gb200-nvl72", quantity="total_memory_gb", accepted=False
    )
    assert sorted(rivals.values_list("value", flat=True)) == [13_500, 13_824]


def test_every_vendor_of_hardware_is_marked_so() -> None:
    unmarked = Accelerator.objects.filter(vendor__makes_hardware=False) | Accelerator.objects.filter(
        systems__vendor__makes_hardware=False
    )
    assert not unmarked.exists()


def test_every_part_lacks_nothing_silently() -> None:
    """Parts without bandwidth or any rate are few and known to be unpublished: refused by name, not guessed."""
    bare = Accelerator.objects.annotate(rates=Count("peak_rates")).filter(
        Q(memory_bandwidth_gbs=None) | Q(rates=0)
    )
    kinds = Counter(bare.values_list("status", flat=True))
    assert sum(kinds.values()) <= 26


def test_the_schemas_are_in_step_with_the_loader() -> None:
    for name, text in schema_texts().items():
        assert (SCHEMA_FOLDER / name).read_text(encoding="utf-8") == text, f"write_schemas() renews {name}"
