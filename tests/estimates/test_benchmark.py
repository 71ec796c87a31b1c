"""`manage.py benchmark core`: what it prints. Never how fast: that is the machine's affair."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from estimates.benchmarks.made_up import offers
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
    assert found["cpu"]
    assert found["numpy"]
    assert found["configs_per_s"] == pytest.approx(found["configurations"] / found["seconds"])
    assert sum(one["configurations"] for one in found["by_model"]) == found["configurations"]


def test_without_json_it_is_written_for_people() -> None:
    text = benchmark()
    assert "a second on one core" in text
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


def test_made_up_offers_are_nodes_and_racks_too() -> None:
    assert {offer.count for offer in offers(40)} == {1, 8, 16, 72}
