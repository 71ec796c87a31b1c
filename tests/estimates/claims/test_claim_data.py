"""The claims of the catalogue's own files: each says how it is answered, and facts decide the verdicts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import transaction
from pytest_django import DjangoDbBlocker

from catalog.claim_parameters import ClaimParameters
from catalog.figures import accept_figure
from catalog.importing.load import DATA, load_files
from catalog.models import Accelerator, LanguageModel, PublishedClaim, Source
from estimates.claims.answers import Answer, answer_claim
from estimates.claims.rows import UNITS

pytestmark = pytest.mark.django_db

CHIPS = ("nvidia-h100-sxm", "d-matrix-corsair", "nvidia-gb200", "axelera-metis-aipu", "hailo-8")
MODELS = (
    "meta-llama-3-8b",
    "llama-3.2-1b-instruct",
    "gpt-moe-1.8t",
    "gpt-moe-1.8t-kv8",
    "gpt-moe-1.8t-kv120",
)


def entries() -> dict[str, dict[str, Any]]:
    return {entry["slug"]: entry for entry in yaml.safe_load((DATA / "claims.yaml").read_text("utf-8"))}


@pytest.fixture(scope="module")
def facts(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The catalogue's own files of a few chips and models, rolled back at the end."""
    root = tmp_path_factory.mktemp("facts")
    wanted = [path for path in DATA.rglob("*.yaml") if path.stem in CHIPS + MODELS]
    assert len(wanted) == len(CHIPS + MODELS)
    shared = [path for path in (DATA / "sources").rglob("*") if path.is_file()]
    for path in [*wanted, *shared, DATA / "vendors.yaml"]:
        copy: Path = root / path.relative_to(DATA)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    with django_db_blocker.unblock(), transaction.atomic():
        load_files(root, only=["accelerators", "models"])
        yield
        transaction.set_rollback(True)


def answer(slug: str) -> Answer:
    """The claim of the file, answered from the rows that stand."""
    entry = entries()[slug]
    return answer_claim(
        PublishedClaim(
            slug=slug,
            subject=entry["subject"],
            quantity=entry["quantity"],
            value=entry.get("value"),
            unit=entry.get("unit", ""),
            relation=entry["relation"],
            source=Source.objects.get(slug=entry["source"]),
            accelerator=Accelerator.objects.filter(slug=entry.get("accelerator")).first(),
            language_model=LanguageModel.objects.filter(slug=entry.get("language_model")).first(),
            parameters=entry["parameters"],
        )
    )


def test_every_claim_says_how_it_is_answered_in_a_known_unit() -> None:
    for slug, entry in entries().items():
        assert ClaimParameters.model_validate(entry["parameters"]).answer is not None, slug
        assert entry.get("unit", "") in UNITS, slug


def test_less_memory_on_an_h100_changes_the_verdict_on_its_node(facts: None) -> None:
    assert answer("8-x-nvidia-h100-node-memory-total").verdict == "agrees"
    with transaction.atomic():
        h100 = Accelerator.objects.get(slug="nvidia-h100-sxm")
        accept_figure(h100, "memory_gb", 64, kind="assumed", reason="a test")
        found = answer("8-x-nvidia-h100-node-memory-total")
        assert (found.verdict, found.value) == ("disagrees", 512)
        transaction.set_rollback(True)


def test_a_tenth_of_corsairs_bandwidth_changes_the_verdict_on_its_millisecond(facts: None) -> None:
    slug = "d-matrix-corsair-8-cards-llama-3-8b-tpot"
    assert answer(slug).verdict == "agrees"
    with transaction.atomic():
        corsair = Accelerator.objects.get(slug="d-matrix-corsair")
        accept_figure(corsair, "memory_bandwidth_gbs", 15_000, kind="assumed", reason="a test")
        assert answer(slug).verdict == "disagrees"
        transaction.set_rollback(True)


def test_a_frontier_model_fits_no_h100_node_until_its_cards_hold_four_times_as_much(facts: None) -> None:
    slug = "1.8t-mixture-of-experts-on-one-8-x-h100-node-fits"
    assert answer(slug).verdict == "agrees"
    with transaction.atomic():
        h100 = Accelerator.objects.get(slug="nvidia-h100-sxm")
        accept_figure(h100, "memory_bytes", 4 * 85_520_809_984, kind="assumed", reason="a test")
        assert answer(slug).verdict == "disagrees"
        transaction.set_rollback(True)


def test_a_speed_on_metis_names_the_bandwidth_that_its_maker_does_not_publish(facts: None) -> None:
    found = answer("axelera-metis-m.2-llama-3.2-1b-tok-s-per-user")
    assert found.verdict == "cannot_be_evaluated"
    assert found.missing == ["memory_bandwidth of axelera-metis-aipu"]


def test_hailo_8_holds_no_model_of_a_billion_weights(facts: None) -> None:
    """20 MB of SRAM against 1.2 billion weights of four bits."""
    assert answer("hailo-8-1b-fits").verdict == "disagrees"


def test_thirty_times_is_a_range_over_heads_and_serving_with_its_assumptions(facts: None) -> None:
    found = answer("gb200-nvl72-against-64-x-h100-throughput-per-accelerator-ratio")
    assert found.verdict in ("agrees", "disagrees")
    assert set(found.over) == {"KV heads", "serving"}
    assert found.combinations == 9
    assert found.assumptions[0].startswith("architecture assumed: 16 experts")
    for row in found.rows:
        if row["value"] is not None:
            assert row["value"] == pytest.approx(row["ours"] / row["theirs"], rel=1e-3)
