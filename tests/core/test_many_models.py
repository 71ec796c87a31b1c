"""Many models in one call: each is answered as it is alone, whoever is asked with it and in what order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates.core.facts import Link, ModelFacts, Workload
from estimates.core.grid import GridSpec, best_deployments, best_deployments_of
from estimates.core.grid_result import GridResult
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.memory import rank_memory
from estimates.core.model_columns import ModelColumns, alone, columns_of
from estimates.core.model_table import ModelTable
from estimates.core.points import Point, evaluate_points
from estimates.core.roofline import Ledger
from estimates.core.step import decode_time, prefill_attention_time, token_time
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, gpt_oss_120b, llama_70b
from tests.core.kinds import KINDS
from tests.core.machines import CHAT, GROQ, H100, MI300X, NVLINK_4, efficiency, offer

MODELS = {
    **{kind: ModelFacts(kind, architecture) for kind, architecture in KINDS.items()},
    "llama": ModelFacts("llama", llama_70b()),
    "deepseek": ModelFacts("deepseek", deepseek_v3()),
    "gpt-oss": ModelFacts("gpt-oss", gpt_oss_120b()),
}
ENCODER = ModelFacts("encoder", replace(llama_70b(), role="embedding"))
SHORT = ModelFacts("short", replace(llama_70b(), max_context=4096))
OFFERS = [
    offer(count=1),
    offer(count=16, scale_out=Link("scale_out", 50e9)),
    offer(MI300X, 8),
    offer(GROQ, 576, None),
]
WORKLOADS = [CHAT, Workload("long", 20_000, 500, 60, 0.2)]
SMALL = GridSpec(batches=(1, 8, 64), stages=(1, 2))
LANES = [(1, 1, 1), (4, 1, 1), (1, 8, 8), (8, 1, 8)]


def lanes_of(model: ModelFacts) -> list[Lane]:
    scheme = named_scheme("fp8", model.architecture)
    return [Lane(Variant(H100, NVLINK_4, None), scheme, "fp8", *sizes) for sizes in LANES]


def assert_same(found: GridResult, expected: GridResult) -> None:
    """Every column; sums of products may be taken in another order where points are looked up together."""
    for name, values in expected.columns.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)
        else:
            assert found[name].tolist() == values.tolist(), name
    assert found.configurations == expected.configurations
    for name in ("offers", "workloads", "schemes", "kv_formats", "missing_facts"):
        assert getattr(found, name) == getattr(expected, name)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(MODELS)), min_size=2, max_size=6, unique=True))
def test_models_asked_together_are_answered_as_each_alone(names):
    models = [MODELS[name] for name in names]
    together = best_deployments_of(models, OFFERS, WORKLOADS, efficiency(), SMALL)
    for model, found in zip(models, together, strict=True):
        assert_same(found, best_deployments(model, OFFERS, WORKLOADS, efficiency(), SMALL))


def test_a_model_that_is_refused_or_holds_fewer_workloads_keeps_its_own_answer():
    """An encoder generates nothing; a context of 4,096 holds the short workload alone."""
    models = [MODELS["llama"], ENCODER, SHORT, MODELS["deepseek"]]
    together = best_deployments_of(models, OFFERS, WORKLOADS, efficiency(), SMALL)
    for model, found in zip(models, together, strict=True):
        assert_same(found, best_deployments(model, OFFERS, WORKLOADS, efficiency(), SMALL))
    assert {row["reason"] for row in together[1].rows()} == {"not_a_generator"}
    long = [row for row in together[2].rows() if row["workload"] == "long"]
    assert {row["reason"] for row in long} == {"context_too_long"}
    assert together[1].configurations == 0


def test_no_models_have_no_answers():
    assert best_deployments_of([], OFFERS, WORKLOADS, efficiency()) == []


def test_a_block_that_ends_within_a_model_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    models = [MODELS["llama"], MODELS["deepseek"], MODELS["sliding window"]]
    whole = best_deployments_of(models, OFFERS, WORKLOADS, efficiency(), SMALL)
    monkeypatch.setattr("estimates.core.grid.CHUNK_ELEMENTS", 200)
    monkeypatch.setattr("estimates.core.grid_loops.SLICE_ELEMENTS", 60)
    for found, expected in zip(
        best_deployments_of(models, OFFERS, WORKLOADS, efficiency(), SMALL), whole, strict=True
    ):
        assert_same(found, expected)


def test_points_of_different_models_are_evaluated_each_by_its_own():
    models = [MODELS["llama"], MODELS["deepseek"], MODELS["llama"], MODELS["mamba 2"]]
    points = [
        Point(lanes_of(model)[1], 1 + number, CHAT, 8.0 * (number + 1)) for number, model in enumerate(models)
    ]
    together = evaluate_points(models, points, efficiency())
    for row, (model, point) in enumerate(zip(models, points, strict=True)):
        own = evaluate_points(model, [point], efficiency())
        for name in ("tpot", "ttft_loaded", "throughput"):
            assert getattr(together.loop, name)[row] == pytest.approx(getattr(own.loop, name)[0], rel=1e-12)
        assert together.capacity[row] == pytest.approx(own.capacity[0], rel=1e-12)
        assert together.places[row].identity == own.places[0].identity


def mixed(names: list[str]) -> tuple[ModelColumns, list[Lane]]:
    """The lanes of these models one after the other."""
    models = [MODELS[name] for name in names]
    return (
        columns_of([model for model in models for _ in LANES]),
        [lane for model in models for lane in lanes_of(model)],
    )


def test_steps_and_memory_of_every_kind_beside_every_other_are_its_own():
    """A step of 16 sequences at 3,000 tokens and a prompt of 2,000, of all kinds of decoders at once."""
    names = sorted(MODELS)
    columns, lanes = mixed(names)
    built = build_lanes(lanes, efficiency())

    def step(models, lanes) -> tuple[Ledger, np.ndarray]:
        ledger, shape = Ledger(detailed=True), np.ones((1, 1, 1))
        token_time(models, lanes, 16 * shape, ledger)
        decode_time(models, lanes, 16 * shape, 3000 * shape, ledger)
        prefill_attention_time(models, lanes, 2000 * shape, 2000 * shape, 0 * shape, ledger)
        return ledger, rank_memory(models, lanes).cache(np.full((len(lanes), 1), 3000.0))[:, 0]

    together, held = step(columns, built)
    assert sum(together.operations.values()) == pytest.approx(together.total, rel=1e-9)
    for number, name in enumerate(names):
        rows = slice(number * len(LANES), (number + 1) * len(LANES))
        own, cache = step(alone(MODELS[name].architecture), build_lanes(lanes_of(MODELS[name]), efficiency()))
        assert together.total[rows] == pytest.approx(own.total, rel=1e-12), name
        assert held[rows] == pytest.approx(cache, rel=1e-12), name
        for limit, seconds in own.limits.items():
            assert together.limits[limit][rows] == pytest.approx(seconds + 0 * own.total, rel=1e-12)


def test_what_is_taken_of_columns_is_of_the_lanes_asked_for():
    columns, _ = mixed(["llama", "deepseek", "mamba 2"])
    rows = np.array([9, 0, 5, 5])
    taken = columns.take(rows)
    hidden = [MODELS[name].architecture.hidden for name in ("mamba 2", "llama", "deepseek", "deepseek")]
    assert taken["hidden"].reshape(-1).tolist() == hidden
    (experts,) = taken.experts
    assert experts.rows is not None
    assert experts.rows.at.tolist() == [2, 3]
    assert experts.operation.experts.reshape(-1).tolist() == [256, 256]
    assert not columns.take(slice(0, 4)).experts


def test_a_model_alone_broadcasts_against_any_lanes():
    columns = alone(deepseek_v3(), np.float32)
    assert columns.take(np.array([3, 1])) is columns
    assert columns["layers"].shape == (1, 1, 1)
    assert columns["layers"].dtype == np.float32
    assert columns.flat("layers").dtype == np.float64


def test_the_order_of_operations_does_not_depend_on_who_is_asked_together():
    """Sums of seconds are taken slot by slot, so their order is part of the answer."""

    def order(names: list[str], of: str) -> list[tuple[str, bool, tuple[str, ...]]]:
        """Kinds of products of one of these models, as they are added up."""
        table = ModelTable.of([MODELS[name].architecture for name in names])
        return [
            (one.example.operation, one.example.k_sharded, tuple(one.sizes))
            for one in table.alike["gemms"]
            if names.index(of) in one.members
        ]

    for name in ("deepseek", "llama", "mamba 2"):
        alone_ = order([name], name)
        assert order(["deepseek", "llama", "mamba 2"], name) == alone_
        assert order(["mamba 2", "deepseek", "llama"], name) == alone_
