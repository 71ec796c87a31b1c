"""Speculative decoding: the yield of a step, what verifying and drafting cost, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates.core.acceptance import (
    Acceptance,
    InvalidAcceptance,
    acceptance_of,
    load_acceptance,
    tokens_per_step,
)
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, InvalidFact, Link, ModelFacts, Pool, Speculation, Workload
from estimates.core.lanes import Lane, Variant
from estimates.core.operations import CacheRead
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.machines import H100, calibrated, efficiency, ideal, offer, scaled

LLAMA = ModelFacts("llama-3.1-70b-instruct", llama_70b())
DEEPSEEK = ModelFacts("deepseek-v3", deepseek_v3())
FP8 = named_scheme("fp8", llama_70b())
WORK = Workload("w", 1000, 1000)
ROOMY = scaled(H100, capacity=4.0)  # two copies of the weights fit on one chip


def at(
    speculation: Speculation | None,
    *,
    requests: float = 1,
    workload: Workload = WORK,
    table=None,
    model: ModelFacts = LLAMA,
    chip=ROOMY,
    tp: int = 1,
) -> Evaluated:
    lane = Lane(Variant(chip, Link("scale_up", 450e9, None, 8), None), FP8, "fp8", tp, 1, 1)
    point = Point(lane, 1, workload, requests, speculation=speculation)
    return evaluate_points(model, [point], table or ideal(), corrected=False)


def tpot(evaluated: Evaluated) -> float:
    return float(evaluated.loop.tpot.reshape(-1)[0])


def ask(speculation: Speculation | None, model: ModelFacts = DEEPSEEK, table=None, **deployment):
    asked = Deployment(weights="fp8", tp=8, speculation=speculation, **{"concurrency": 8, **deployment})
    on = offer(scaled(H100, capacity=1.8))
    return evaluate_one(model, on, WORK, asked, table or efficiency(), explained=False)


# ---- The yield of a step ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acceptance", "drafted", "expected"),
    [
        (0.875, 1, 1.875),  # 1 + a
        (0.8, 3, 2.952),  # 1 + 0.8 + 0.64 + 0.512 = (1 - 0.8^4) / 0.2
        (0.0, 5, 1.0),  # the verifying step's own token
        (1.0, 5, 6.0),  # all of them and one more
    ],
)
def test_tokens_of_a_step(acceptance, drafted, expected):
    assert float(tokens_per_step(acceptance, drafted)) == pytest.approx(expected, rel=1e-12)


def test_the_acceptance_behind_an_accepted_length():
    """vLLM and llama.cpp print lengths or shares: 1 + 3 x 0.75 = 3.25 tokens of 4 are an acceptance of 0.868:

    1 + 0.868 + 0.753 + 0.654 = 3.275, and 0.862: 1 + 0.862 + 0.743 + 0.641 = 3.246.
    """
    assert 0.862 < acceptance_of(3.25, 3) < 0.868
    assert float(tokens_per_step(acceptance_of(3.25, 3), 3)) == pytest.approx(3.25, rel=1e-9)


# ---- Verifying and drafting, on bare rooflines -----------------------------------------------------------


def test_a_look_up_that_is_always_right_divides_the_bytes_by_the_tokens_of_a_step():
    """At one sequence the step is its bytes: 4 tokens read weights and cache once, as one token does."""
    plain, drafted = tpot(at(None)), tpot(at(Speculation("ngram", 3, 1.0)))
    assert drafted == pytest.approx(plain / 4, rel=0.01)


def test_a_model_that_drafts_for_itself_gains_nothing():
    """n of its own steps and a verifying one for n + 1 tokens: (n S + S) / (n + 1) = S."""
    itself = Speculation("draft", 4, 1.0, LLAMA, draft_weights=FP8)
    assert tpot(at(itself)) == pytest.approx(tpot(at(None)), rel=0.01)


def test_a_draft_that_is_never_right_costs_its_steps():
    """One token a step of S + n S."""
    itself = Speculation("draft", 2, 0.0, LLAMA, draft_weights=FP8)
    assert tpot(at(itself)) == pytest.approx(3 * tpot(at(None)), rel=0.01)


def test_at_full_batches_verifying_costs_the_arithmetic_of_all_tokens():
    """4,096 sequences of no context on a chip of little arithmetic: 4 tokens each take 4 times as long."""
    slow = scaled(H100, compute=0.05, capacity=100.0)
    short = Workload("w", 1, 100)
    none = at(None, requests=4096, workload=short, chip=slow)
    four = at(Speculation("ngram", 3, 0.0), requests=4096, workload=short, chip=slow)
    assert float(four.times.decode.reshape(-1)[0]) == pytest.approx(
        4 * float(none.times.decode.reshape(-1)[0]), rel=0.02
    )


def test_queries_of_a_sparse_selection_read_entries_of_their_own():
    read = CacheRead(128, 1, 0, 576, 2, 2, top_k=2048)
    long, short = np.array([100_000.0]), np.array([5000.0])
    assert read.touched(long, 4, np.dtype(float))[0] == 8192  # 4 x 2,048
    assert read.touched(short, 4, np.dtype(float))[0] == 5000  # no more than there are


def test_memory_holds_what_drafts():
    """The draft's weights and cache: as much again where the model drafts for itself."""
    plain, twice = at(None), at(Speculation("draft", 1, 0.5, LLAMA, draft_weights=FP8))
    assert twice.memory.beside[0] == pytest.approx(plain.weights[0], rel=1e-9)
    assert twice.cache_per_request[0] == pytest.approx(2 * plain.cache_per_request[0], rel=1e-3)


def test_a_module_weighs_its_block_and_its_projection():
    """FP8 of DeepSeek-V3's module on 8 tensor ranks, 32 experts a rank: routed 32 x 3 x 7168 x 2048, shared

    a rank's eighth of 3 x 7168 x 2048, a latent attention of which 7168 x 2112 is on all ranks, the rest
    divided, and the projection 2 x 7168^2 on all ranks.
    """
    scheme = named_scheme("fp8", deepseek_v3())
    lane = Lane(Variant(H100, Link("scale_up", 450e9, None, 8), None), scheme, "fp8", 8, 1, 8)
    point = Point(lane, 1, WORK, 1, speculation=Speculation("mtp", 1, 0.85))
    held = evaluate_points(DEEPSEEK, [point], ideal(), corrected=False).memory.beside[0]
    routed = 32 * 3 * 7168 * 2048
    shared = 3 * 7168 * 2048 / 8
    divided = (1536 * 128 * 192 + 512 * 128 * 256 + 128 * 128 * 7168) / 8
    attention = 7168 * (1536 + 576) + divided
    assert held == pytest.approx(routed + shared + attention + 2 * 7168**2, rel=0.01)


def test_more_tokens_of_one_module_hold_it_once():
    one = ask(Speculation("mtp", 1, 0.85)).memory["weights_draft"]
    assert ask(Speculation("mtp", 3, 0.85)).memory["weights_draft"] == one


def test_the_parts_of_a_token_hold_drafting():
    found = ask(Speculation("mtp", 2, 0.8))
    assert found.time_by_operation["drafting"] > 0
    assert sum(found.time_by_operation.values()) == pytest.approx(found.tpot_s, rel=1e-6)
    assert sum(found.time_by_limit.values()) == pytest.approx(found.tpot_s, rel=1e-6)


def test_disaggregated_workers_speculate_too():
    pool = Pool(workers=1, tp=4)
    sizes = {"tp": 4, "replicas": 1, "concurrency": 16, "weights": "fp8"}
    plain = evaluate_one(LLAMA, offer(), WORK, Deployment(prefill=pool, **sizes), efficiency())
    looked_up = Deployment(prefill=pool, speculation=Speculation("ngram", 2, 0.7), **sizes)
    drafted = evaluate_one(LLAMA, offer(), WORK, looked_up, efficiency())
    assert drafted.tpot_s < plain.tpot_s
    assert drafted.throughput_output_tok_s > plain.throughput_output_tok_s


@pytest.mark.parametrize("arrival", ["closed_loop", "static"])
@given(
    drafted=st.integers(1, 8), requests=st.sampled_from([1, 7, 64]), low=st.floats(0, 1), high=st.floats(0, 1)
)
@settings(max_examples=15, deadline=None)
def test_throughput_grows_with_acceptance(arrival, drafted, requests, low, high):
    low, high = sorted((low, high))
    work = replace(WORK, arrival=arrival)
    slow, fast = (
        at(Speculation("ngram", drafted, a), requests=requests, workload=work, table=efficiency())
        for a in (low, high)
    )
    assert float(fast.loop.throughput.reshape(-1)[0]) >= float(slow.loop.throughput.reshape(-1)[0]) * (
        1 - 1e-9
    )


@given(drafted=st.integers(1, 8), requests=st.sampled_from([1, 7, 64, 300]))
@settings(max_examples=15, deadline=None)
def test_nothing_accepted_is_never_faster_than_no_speculation(drafted, requests):
    plain = tpot(at(None, requests=requests, table=efficiency()))
    assert tpot(at(Speculation("ngram", drafted, 0.0), requests=requests, table=efficiency())) >= plain


# ---- Where the acceptance comes from ---------------------------------------------------------------------


def test_a_published_acceptance_is_taken_with_its_source_and_spread():
    found = ask(Speculation("mtp", 1))
    assert found.speculation["acceptance"] == 0.875
    assert found.speculation["acceptance_range"] == [0.85, 0.9]
    assert "2412.19437" in str(found.speculation["acceptance_source"])
    assert found.speculation["tokens_per_step"] == pytest.approx(1.875)


def test_an_unknown_acceptance_is_refused_by_name():
    """DeepSeek-V3 publishes that of one token ahead, not of three."""
    found = ask(Speculation("mtp", 3))
    assert found.state == "refused"
    assert found.reason.code == "missing_acceptance"
    assert found.missing_facts == ("acceptance",)


def test_a_model_without_modules_has_nothing_to_draft_with():
    found = ask(Speculation("mtp", 1, 0.8), LLAMA)
    assert (found.reason.code, found.reason.field) == ("no_mtp", "speculation.method")


def test_a_draft_must_share_the_vocabulary():
    found = ask(Speculation("draft", 1, 0.8, LLAMA))
    assert found.reason.code == "draft_model"
    assert "128256" in found.reason.detail


def test_an_unknown_format_of_the_draft_is_refused():
    found = ask(Speculation("draft", 1, 0.8, LLAMA, draft_weights="fp9"), LLAMA)
    assert found.reason.code == "draft_weights"


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "medusa", "draft_tokens": 1},
        {"method": "mtp", "draft_tokens": 0},
        {"method": "mtp", "draft_tokens": 65},
        {"method": "mtp", "draft_tokens": 1, "acceptance": 1.5},
        {"method": "draft", "draft_tokens": 1},
        {"method": "mtp", "draft_tokens": 1, "draft_model": LLAMA},
    ],
)
def test_impossible_speculation(wrong):
    with pytest.raises(InvalidFact):
        Speculation(**wrong)


def test_published_rows_say_where_they_are_from(tmp_path):
    header = "method,models,draft,draft_tokens,quantity,value,low,high,conditions,provenance,source\n"
    (tmp_path / "acceptance.csv").write_text(header + "mtp,m,,2,accepted_share,0.5,,,x,measured,y\n")
    (row,) = load_acceptance(tmp_path)
    assert isinstance(row, Acceptance)
    assert float(tokens_per_step(row.value, 2)) == pytest.approx(1 + 2 * 0.5)
    (tmp_path / "acceptance.csv").write_text(header + "mtp,m,,2,accepted_share,0.5,,,x,measured,\n")
    with pytest.raises(InvalidAcceptance, match="line 2: source"):
        load_acceptance(tmp_path)
    (tmp_path / "acceptance.csv").write_text(header + "mtp,m,,2,accepted_length,3.5,,,x,measured,y\n")
    with pytest.raises(InvalidAcceptance, match="from 1 to 3"):
        load_acceptance(tmp_path)


# ---- How sure --------------------------------------------------------------------------------------------


def test_a_speculating_answer_is_no_better_founded_than_its_kin_and_wider():
    plain, drafted = (ask(spec, table=calibrated()) for spec in (None, Speculation("mtp", 1)))
    assert drafted.grade >= plain.grade
    assert drafted.tier != "measured"

    def width(answer) -> float:
        ends = answer.interval["tpot_s"]
        return float(np.log(ends.high / ends.low))

    assert width(drafted) > width(plain)
    assert any("varies with the text" in line for line in drafted.assumptions)


def test_formulas_print_the_yield():
    asked = Deployment(weights="fp8", tp=8, concurrency=8, speculation=Speculation("mtp", 1))
    found = evaluate_one(DEEPSEEK, offer(scaled(H100, capacity=1.8)), WORK, asked, efficiency())
    assert (
        "tokens a step = (1 - a^(n + 1)) / (1 - a) = (1 - 0.875^2) / (1 - 0.875) = 1.8750" in found.formulas
    )
