"""`manage.py benchmark core`: what it prints. Never how fast: that is the machine's affair."""

import json
from io import StringIO
from typing import get_args

import pytest
from django.core.management import CommandError, call_command

from estimates.benchmarks.made_up import offers
from estimates.benchmarks.made_up_models import models
from estimates.core.architecture import Attention, FeedForward, Mixer, MixtureOfExperts
from estimates.core.facts import CHIP_KINDS
from tests.estimates.conftest import TinyCatalogue


def benchmark(*arguments: str) -> str:
    out = StringIO()
    call_command("benchmark", "core", "--models", "2", "--offers", "4", *arguments, stdout=out)
    return out.getvalue()


def test_json_holds_rate_and_memory_and_says_what_was_run() -> None:
    """Made-up facts: without the `db` fixture any query would fail this test."""
    found = json.loads(benchmark("--json"))
    positive = ("configs_per_s", "peak_mb", "configurations", "rows", "seconds", "wall_seconds")
    assert all(found[name] > 0 for name in positive)
    assert (found["models"], found["offers"], found["workloads"]) == (2, 4, 7)
    assert (found["processes"], found["threads"], found["facts"]) == (1, 1, "made up")
    assert 0 < found["search_p50_ms"] <= found["search_p95_ms"] <= found["search_max_ms"]
    assert (found["searches"], found["search_candidates"]) == (2, 4)
    assert found["edited_chips"] > 0
    assert found["together_ratio"] == pytest.approx(found["edit_ms_alone"] / found["edit_ms_together"])
    assert found["cpu"]
    assert found["numpy"]
    assert found["configs_per_s"] == pytest.approx(found["configurations"] / found["seconds"])
    assert sum(one["configurations"] for one in found["by_model"]) == found["configurations"]


def test_without_json_it_is_written_for_people() -> None:
    text = benchmark()
    assert "a second on one core" in text
    assert "ms CPU a model with all models in one call" in text
    assert "a search of one model over 4 offers:" in text
    assert "MB at most; 2 models x 4 offers x 7 workloads" in text


def test_the_catalogue_s_facts_can_be_evaluated(tiny: TinyCatalogue) -> None:
    """Two decoders on four offers; the embedding model has no output tokens and stays out."""
    found = json.loads(benchmark("--catalogue", "--json", "--models", "9", "--offers", "9"))
    assert (found["models"], found["offers"], found["workloads"]) == (2, 4, 2)
    assert found["facts"] == "catalogue"
    assert found["configurations"] > 0


def test_an_empty_catalogue_is_said(db: None) -> None:
    with pytest.raises(CommandError, match="no facts to evaluate"):
        benchmark("--catalogue")


@pytest.mark.parametrize(
    ("arguments", "said"), [(("--models", "0"), "at least 1"), (("--offers", "many"), "at least 1")]
)
def test_a_wrong_count_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        benchmark(*arguments)


def test_made_up_offers_are_of_every_kind_of_machine() -> None:
    found = offers(300)
    assert len(found) == 300
    assert {offer.count for offer in found} == {1, 4, 8, 16, 64, 72, 576}
    assert {offer.chip.kind for offer in found} == set(CHIP_KINDS)
    assert any(offer.chip.sram_first for offer in found)


def test_made_up_models_are_of_every_kind_of_layer() -> None:
    """Every token mixer and feed-forward that an architecture may have, experts of each kind."""
    layers = [group for model in models() for group in model.architecture.layers]
    mixers = {type(mixer) for group in layers for mixer in group.mixers}
    assert mixers == set(get_args(Mixer))
    blocks = [block for group in layers for block in group.feed_forwards]
    assert {type(block) for block in blocks} == set(get_args(FeedForward))
    experts = [block for block in blocks if isinstance(block, MixtureOfExperts)]
    for special in ("shared_intermediate", "latent", "zero_experts"):
        assert any(getattr(block, special) for block in experts)
    attention = [mixer for group in layers for mixer in group.mixers if isinstance(mixer, Attention)]
    assert {mixer.kv_heads == 1 for mixer in attention} == {True, False}
    for special in ("window", "sparse_top_k", "indexer", "cross"):
        assert any(getattr(mixer, special) for mixer in attention)
    assert len(models()) >= 30
