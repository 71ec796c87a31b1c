"""Which runs are put in order together, in which views, and the means over groups."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from estimates.measured.places import Group, Place, System, View
from estimates.measured.ranking import Ranked, Ranking, ranking_of
from estimates.measured.runs import Run

MODELS = {"m": "m", "m-instruct": "m", "other": "other"}


def run(run_id: str, accelerator: str, rate: float, **changes: Any) -> Run:
    """A run of 2 chips with this throughput per chip."""
    values: dict[str, Any] = {"n_accelerators": 2, "model": "m", "isl": 1000.0, "osl": 500.0}
    values |= {"scenario": "offline_max_throughput", "framework": "vLLM", "weight_format": "fp8"}
    values |= {"metrics": (("output_tok_s_per_accel", rate),)}
    return Run(run_id=run_id, accelerator=accelerator, **values | changes)


def figures(**rates: float) -> dict[str, dict[str, float]]:
    return {run_id: {"output_tok_s_per_accel": rate} for run_id, rate in rates.items()}


THREE = [run("a", "A", 100), run("b", "B", 200), run("c", "C", 300)]
RIGHT = {"said": figures(a=1, b=2, c=3)}


def only(found: Ranking, view: str = "best") -> Ranked:
    (one,) = [one for one in found.groups if str(one.view) == view]
    return one


def test_three_systems_of_one_model_and_workload_are_a_group():
    one = only(ranking_of(THREE, RIGHT, MODELS))
    assert one.group == Group("m", 1000, 500, "offline_max_throughput", "aggregated", "vllm")
    assert [str(place.system) for place in one.places] == ["2 x C", "2 x B", "2 x A"]
    assert one.orders["said"].tau == 1


def test_two_systems_are_none():
    assert ranking_of(THREE[:2], RIGHT, MODELS).groups == ()


def test_one_chip_in_three_numbers_is_three_systems_and_no_three_chips():
    runs = [
        run(name, "A", rate, n_accelerators=n) for name, rate, n in (("a", 9, 1), ("b", 8, 2), ("c", 7, 4))
    ]
    found = ranking_of(runs, {"said": figures(a=9, b=8, c=7)}, MODELS)
    assert [str(one.view) for one in found.groups] == ["best"]
    assert [str(place.system) for place in found.groups[0].places] == ["1 x A", "2 x A", "4 x A"]


@pytest.mark.parametrize(
    "changes",
    [
        {"isl": 2000.0},
        {"osl": 100.0},
        {"scenario": "server"},
        {"serving": "disaggregated"},
        {"framework": "SGLang"},
        {"model": "other"},
        {"flags": frozenset({"random_length_0.8_1.0"})},
        {"flags": frozenset({"speculative"})},
        {"flags": frozenset({"host_limited"})},
        {"framework": None},
        {"model": "unknown"},
        {"accelerator": None},
    ],
)
def test_a_run_of_something_else_is_not_compared(changes: dict[str, Any]):
    other = run("c", **{"accelerator": "C", "rate": 300} | changes)
    assert ranking_of([*THREE[:2], other], RIGHT, MODELS).groups == ()


def test_checkpoints_of_one_architecture_and_spellings_of_one_software_are():
    alike = run("c", "C", 300, model="m-instruct", framework="vLLM 0.9.1")
    assert only(ranking_of([*THREE[:2], alike], RIGHT, MODELS)).orders["said"].systems == 3


def test_an_impossible_run_stays_out():
    assert ranking_of(THREE, RIGHT, MODELS, impossible={"c"}).groups == ()


def test_a_system_stands_for_its_best_measured_configuration_and_what_is_said_of_that():
    # The second run of A was measured faster and is predicted slower: its prediction counts.
    runs = [*THREE, run("a2", "A", 250)]
    one = only(ranking_of(runs, {"said": figures(a=900, a2=2.5, b=2, c=3)}, MODELS))
    assert [(str(place.system), place.measured) for place in one.places] == [
        ("2 x C", 300),
        ("2 x A", 250),
        ("2 x B", 200),
    ]
    assert one.orders["said"].tau == 1


def test_a_chip_stands_for_the_best_of_any_number():
    runs = [*THREE, run("a2", "A", 400, n_accelerators=8)]
    one = only(ranking_of(runs, {"said": figures(a=1, a2=4, b=2, c=3)}, MODELS), "best, by chip")
    assert [str(place.system) for place in one.places] == ["A", "C", "B"]
    assert one.orders["said"].tau == 1


def test_systems_that_an_order_does_not_have_leave_it():
    runs = [*THREE, run("d", "D", 400)]
    one = only(ranking_of(runs, {"all": figures(a=1, b=2, c=3, d=4), "some": figures(a=1, b=2, c=3)}, MODELS))
    assert (one.orders["all"].systems, one.orders["some"].systems) == (4, 3)
    found = ranking_of(runs, {"few": figures(a=1, b=2)}, MODELS)
    assert found.groups == ()


def loop(run_id: str, accelerator: str, load: float, tpot_ms: float) -> Run:
    """A closed loop without first tokens of 2 chips: load / tpot tokens/s."""
    metrics = (("output_tok_s_per_accel", load * 1e3 / tpot_ms / 2), ("tpot_ms", tpot_ms))
    return run(run_id, accelerator, 1, scenario="closed_loop", concurrency=load, metrics=metrics)


def test_closed_loops_are_compared_at_one_load_and_at_one_speed_for_each_user():
    # At 4 users A is the fastest, at 64 users the slowest.
    speeds = {"A": (10, 60), "B": (12, 50), "C": (14, 40)}
    runs = []
    for name, (few, many) in speeds.items():
        runs += [loop(f"{name}4", name, 4, few), loop(f"{name}64", name, 64, many)]
    said = {"said": {one.run_id: dict(one.metrics) for one in runs}}
    found = ranking_of(runs, said, MODELS)
    order = {str(one.view): [place.system.accelerator for place in one.places] for one in found.groups}
    assert order["load 4"] == ["A", "B", "C"]
    assert order["load 64"] == ["C", "B", "A"]
    assert order["best"] == ["C", "B", "A"]
    # 50 tokens/s for each user, tokens/s per chip in logarithms between those of 4 and of 64 users:
    # A from (100, 200) to (16.67, 533): 533 (200 / 533)^(ln(50 / 16.67) / ln(100 / 16.67)) = 292
    # C from (71.4, 142.9) to (25, 800): 800 (142.9 / 800)^(ln(50 / 25) / ln(71.4 / 25)) = 257; B between.
    assert order["speed 50"] == ["A", "B", "C"]
    (at_50,) = [one for one in found.groups if str(one.view) == "speed 50"]
    assert at_50.places[0].measured == pytest.approx(292, abs=0.5)
    assert at_50.places[2].measured == pytest.approx(257, abs=0.5)
    assert "speed 100" not in order  # only A is so fast
    assert all(one.orders["said"].tau == 1 for one in found.groups)


def test_lengths_of_a_benchmark_task_are_its_own():
    task = {"source": "MLPerf Inference v6.0", "isl": None}
    lengths = (294.4, 291.2, 290.0)
    runs = [
        run(name, name.upper(), rate, osl=osl, **task)
        for name, rate, osl in zip("abc", (1, 2, 3), lengths, strict=True)
    ]
    one = only(ranking_of(runs, RIGHT, MODELS))
    assert (one.group.task, one.group.isl, one.group.osl) == ("MLPerf", None, None)


def test_an_order_from_elsewhere_is_asked_for_every_view():
    asked: list[tuple[str, int]] = []

    def same(group: Group, view: View, places: Sequence[Place]) -> Mapping[System, float]:
        asked.append((str(view), len(places)))
        return {place.system: 2 * place.measured for place in places}

    def backwards(group: Group, view: View, places: Sequence[Place]) -> Mapping[System, float]:
        return {place.system: 1 / place.measured for place in places}

    found = ranking_of(THREE, {}, MODELS, others={"same": same, "back": backwards})
    assert asked == [("best", 3), ("best, by chip", 3)]
    assert [(one.orders["same"].tau, one.orders["back"].tau) for one in found.groups] == [(1, -1), (1, -1)]


def test_the_mean_is_weighted_by_pairs():
    # Three systems in order: tau 1 of 3 pairs. Four of another model in reverse: -1 of 6. (3 - 6) / 9.
    others = [run(name, name, rate, model="other") for name, rate in zip("defg", (1, 2, 3, 4), strict=True)]
    said = {"said": figures(a=1, b=2, c=3, d=4, e=3, f=2, g=1)}
    (mean,) = [one for one in ranking_of([*THREE, *others], said, MODELS).means if one.view == "best"]
    assert (mean.groups, mean.pairs) == (2, 9)
    assert mean.tau == mean.tau_b == pytest.approx(-1 / 3, abs=1e-4)


def test_noise_weighs_nothing_in_the_mean_of_tau():
    # Of the second group only d-f and e-f are apart; both are right.
    others = [run(name, name, rate, model="other") for name, rate in zip("def", (100, 101, 200), strict=True)]
    said = {"said": figures(a=3, b=2, c=1, d=2, e=1, f=3)}
    (mean,) = [one for one in ranking_of([*THREE, *others], said, MODELS).means if one.view == "best"]
    assert (mean.pairs, mean.noise_pairs) == (6, 1)
    assert mean.tau == pytest.approx((-3 + 2) / 5, abs=1e-4)
    assert mean.tau_b == pytest.approx((-1 * 3 + 1 / 3 * 3) / 6, abs=1e-4)


def test_sources_of_a_group_are_named():
    runs = [
        run(name, name.upper(), rate, source=source)
        for name, rate, source in (("a", 1, "Lab two"), ("b", 2, "Lab one"), ("c", 3, "Lab two"))
    ]
    assert only(ranking_of(runs, RIGHT, MODELS)).sources == ("Lab one", "Lab two")
