"""What a published run asks: each scenario as the workload that it is, what is not stated by its name."""

from typing import Any

import pytest

from estimates.measured.questions import Asked, ModelName, Names, Refusal, asked_of, question_of
from estimates.measured.runs import Run
from estimates.what_if import Question

NAMES = Names(
    accelerators={"nvidia-h100-sxm": ("nvidia", "Hopper"), "aws-trainium1": ("aws", "")},
    models={
        "Llama 3.1 8B": ModelName("llama-3.1-8b-instruct", "bf16", has_experts=False),
        "DeepSeek-R1": ModelName("deepseek-r1", "fp8_block", has_experts=True, heads=frozenset({128})),
        "Llama 2 70B": ModelName("llama-2-70b-hf", "bf16", has_experts=False),
        "Tiny": ModelName("tiny", "bf16", has_experts=False),
    },
    printed={"Nobody 7B": None},
)


def run(**changes: Any) -> Run:
    stated: dict[str, Any] = {
        "run_id": "one",
        "accelerator": "nvidia-h100-sxm",
        "n_accelerators": 8,
        "model": "Llama 3.1 8B",
        "isl": 1000,
        "osl": 200,
        "scenario": "closed_loop",
        "concurrency": 16,
        "metrics": (("tpot_ms", 10.0),),
    }
    return Run(**stated | changes)


def asked(**changes: Any) -> Question:
    found = question_of(run(**changes), NAMES)
    assert isinstance(found, Question)
    return found


def refused(**changes: Any) -> Refusal:
    found = question_of(run(**changes), NAMES)
    assert isinstance(found, Refusal)
    return found


def workload(**changes: Any) -> tuple[int, int, str | None, int | None]:
    """ISL, OSL, arrival and concurrency of the question."""
    question = asked(**changes)
    given: Any = question.workload
    return given.isl, given.osl, given.arrival, question.deployment.concurrency


# ---- Scenarios -------------------------------------------------------------------------------------------


def test_a_closed_loop_has_its_clients():
    assert workload() == (1000, 200, None, 16)


def test_offline_without_a_load_saturates():
    assert workload(scenario="offline_max_throughput", concurrency=None) == (1000, 200, "saturating", None)


def test_offline_with_a_load_is_a_static_batch():
    assert workload(scenario="offline_max_throughput", concurrency=64) == (1000, 200, "static", 64)


def test_offline_with_the_software_s_limit_saturates_within_it():
    notes = "num prompts 1500; concurrency = max-num-seqs"
    found = workload(scenario="offline_max_throughput", concurrency=1500, notes=notes)
    assert found == (1000, 200, "saturating", 1500)


@pytest.mark.parametrize("scenario", ["latency", "decode", "prefill", "single_stream"])
def test_single_stream_tests_are_a_static_batch_of_one_where_none_is_stated(scenario: str):
    assert workload(scenario=scenario, concurrency=None)[2:] == ("static", 1)


def test_a_server_without_clients_saturates():
    assert workload(scenario="server", concurrency=None) == (1000, 200, "saturating", None)


def test_a_server_with_clients_is_a_closed_loop():
    assert workload(scenario="server", concurrency=4) == (1000, 200, None, 4)


def test_a_decode_test_without_a_prompt_starts_at_an_empty_context():
    assert workload(scenario="decode", isl=None, osl=128, concurrency=1)[:2] == (1, 128)
    assert workload(scenario="decode", isl=0, osl=128, concurrency=1)[:2] == (1, 128)


def test_a_decode_test_at_a_context_may_leave_out_how_much_it_generates():
    assert workload(scenario="decode", isl=4096, osl=None, concurrency=1)[:2] == (4096, 1)


def test_a_prefill_test_ends_with_its_first_token():
    assert workload(scenario="prefill", isl=2048, osl=None)[:2] == (2048, 1)


def test_the_first_token_of_a_prefill_test_is_that_of_one_prompt():
    metrics = (("ttft_ms", 99.0),)
    assert workload(scenario="prefill", concurrency=32, metrics=metrics)[3] == 1
    assert workload(scenario="prefill", concurrency=32, metrics=(("prefill_tok_s", 9e3),))[3] == 32


def test_a_prompt_behind_a_context_shares_a_prefix_of_it():
    # 2,048 new tokens behind 32,768: 32768 / 34816 of the prompt stands in the cache.
    question = asked(scenario="prefill", isl=2048, osl=None, notes="llama-bench pp2048 @ d32768, env vulkan")
    given: Any = question.workload
    assert given.isl == 34816
    assert given.prefix_share == pytest.approx(32768 / 34816)


def test_lengths_drawn_between_0_8_and_1_of_nominal_have_a_mean_of_0_9():
    flags = frozenset({"random_length_0.8_1.0"})
    assert workload(isl=1000, osl=200, flags=flags)[:2] == (900, 180)


# ---- Deployment ------------------------------------------------------------------------------------------


def test_stated_sizes_are_asked_and_others_left_open():
    given = asked(tp=8, workers=1, framework="vLLM", framework_version="0.19.0").deployment
    assert (given.tp, given.replicas, given.pp, given.dp, given.ep) == (8, 1, None, None, None)
    assert (given.software, given.software_version) == ("vllm", "0.19.0")


def test_parallel_sizes_printed_in_cores_are_halved():
    given = asked(
        accelerator="aws-trainium1",
        n_accelerators=16,
        tp=32,
        notes="tp counts NeuronCores (2 cores per chip, n_accel=16 chips)",
    )
    assert given.deployment.tp == 16


def test_a_stage_printed_whole_is_split_into_tensor_and_data_parallel_ranks():
    given = asked(model="DeepSeek-R1", tp=8, dp=8, n_accelerators=8).deployment
    assert (given.tp, given.dp) == (1, 8)


def test_data_parallel_ranks_of_a_dense_model_are_replicas():
    given = asked(tp=1, dp=8, workers=1).deployment
    assert (given.tp, given.dp, given.replicas) == (1, 1, 8)


def test_the_expert_parallel_size_follows_from_the_ways_an_expert_is_split():
    # 8 chips a stage, each expert split 2 ways: spread over 4.
    assert asked(model="DeepSeek-R1", tp=8, moe_tp=2).deployment.ep == 4


def test_an_expert_parallel_size_that_contradicts_the_stage_is_left_open():
    found = asked_of(run(model="DeepSeek-R1", tp=8, dp=1, ep=3), NAMES)
    assert isinstance(found, Asked)
    assert found.question.deployment.ep is None
    assert "contradicts" in found.assumed[0]


def test_a_dense_model_has_no_expert_parallel_size():
    assert asked(tp=8, ep=1).deployment.ep is None


def test_a_disaggregated_run_has_a_prefill_pool():
    given = asked(
        model="DeepSeek-R1",
        serving="disaggregated",
        n_accelerators=20,
        workers=1,
        tp=8,
        ep=8,
        prefill_workers=3,
        prefill_tp=4,
        prefill_ep=4,
    ).deployment
    assert (given.tp, given.ep, given.replicas) == (8, 8, 1)
    assert given.prefill is not None
    assert (given.prefill.workers, given.prefill.tp, given.prefill.ep) == (3, 4, 4)


def test_an_incomplete_deployment_has_one_worker_of_each_kind():
    found = asked_of(
        run(
            model="DeepSeek-R1",
            n_accelerators=None,
            serving="disaggregated",
            tp=4,
            prefill_tp=2,
            flags=frozenset({"incomplete_deployment"}),
        ),
        NAMES,
    )
    assert isinstance(found, Asked)
    assert found.question.count == 4 + 2
    assert "one worker where their number is not stated" in found.assumed[-1]


@pytest.mark.parametrize(("tp", "sizes"), [(48, (1, 48, 48)), (32, (32, None, None))])
def test_a_worker_whose_chips_do_not_divide_the_heads_shares_attention_out(tp, sizes):
    incomplete = frozenset({"incomplete_deployment"})
    found = asked(model="DeepSeek-R1", n_accelerators=None, tp=tp, flags=incomplete)
    deployment = found.deployment
    assert (deployment.tp, deployment.dp, deployment.ep) == sizes
    assert found.count == tp


def test_a_prefill_pool_is_read_the_same_way():
    found = asked_of(
        run(
            model="DeepSeek-R1",
            n_accelerators=None,
            serving="disaggregated",
            tp=48,
            prefill_tp=28,
            flags=frozenset({"incomplete_deployment"}),
        ),
        NAMES,
    )
    assert isinstance(found, Asked)
    pool = found.question.deployment.prefill
    assert pool is not None
    assert (pool.tp, pool.dp, pool.ep, found.question.count) == (1, 28, 28, 48 + 28)
    assert any(note.startswith("prefill tensor parallel size 28 does not divide") for note in found.assumed)


# ---- Formats ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notes", "weights"),
    [
        ("MLPerf Inference v4.1 closed; weight_transformations says 'quantization, affine fusion'", "fp8"),
        ("MLPerf Inference v5.1 open", None),
    ],
)
def test_a_submission_that_says_quantised_has_the_format_of_its_generation(notes, weights):
    found = asked_of(run(model="Llama 2 70B", weight_format=None, notes=notes), NAMES)
    assert isinstance(found, Asked)
    assert found.question.deployment.weights == weights


def test_an_empty_format_is_the_checkpoint_s_own():
    assert asked(weight_format=None).deployment.weights is None


def test_a_format_that_the_checkpoint_s_is_a_kind_of_is_the_checkpoint_s():
    assert asked(model="DeepSeek-R1", weight_format="fp8").deployment.weights == "fp8_block"


def test_another_format_is_asked_as_printed():
    assert asked(model="DeepSeek-R1", weight_format="nvfp4").deployment.weights == "nvfp4"


def test_software_that_is_not_listed_is_the_chip_s_default_and_said():
    found = asked_of(run(framework="Abacus"), NAMES)
    assert isinstance(found, Asked)
    assert found.question.deployment.software is None
    assert "Abacus" in found.assumed[0]


# ---- What is not stated ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "fact"),
    [
        ({"accelerator": None, "accelerator_as_printed": "X1"}, "unknown_accelerator", "accelerator"),
        ({"accelerator": "nvidia-x1"}, "unknown_accelerator", "accelerator"),
        ({"model": "Nobody 7B"}, "unknown_model", "model"),
        ({"n_accelerators": None}, "missing_count", "n_accelerators"),
        ({"isl": None}, "missing_input_length", "isl"),
        ({"osl": None}, "missing_output_length", "osl"),
        ({"isl": None, "osl": None, "scenario": "decode"}, "missing_input_length", "isl"),
        ({"isl": None, "scenario": "prefill"}, "missing_input_length", "isl"),
    ],
)
def test_a_missing_fact_is_refused_by_its_name(changes: dict, code: str, fact: str):
    refusal = refused(**changes)
    assert (refusal.code, refusal.missing_fact) == (code, fact)


# ---- MLPerf ----------------------------------------------------------------------------------------------


MLPERF_SERVER = {"isl": None, "scenario": "server", "concurrency": None, "source": "MLPerf Inference v4.1"}


def test_an_mlperf_task_without_a_published_mean_input_length_is_refused_by_name():
    refusal = refused(
        model="Tiny", isl=None, scenario="server", concurrency=None, source="MLPerf Inference v9"
    )
    assert refusal.missing_fact == "isl"
    assert refusal.detail == "no mean input length of the MLPerf task Tiny is published"


def test_an_mlperf_server_keeps_the_task_s_limits_at_the_task_s_mean_length():
    found = asked_of(run(**MLPERF_SERVER, model="Llama 2 70B"), NAMES)
    assert isinstance(found, Asked)
    given: Any = found.question.workload
    # MLPerf's loadgen: 2,000 ms to the first token, 200 ms a token for Llama 2 70B in the server scenario.
    assert (given.ttft_limit_ms, given.tpot_limit_ms) == (2000, 200)
    assert given.isl > 1
    assert "mean input length" in found.assumed[0]


def test_an_mlperf_offline_run_has_no_service_level():
    offline = MLPERF_SERVER | {"scenario": "offline_max_throughput"}
    given: Any = asked(**offline, model="Llama 2 70B").workload
    assert (given.ttft_limit_ms, given.tpot_limit_ms) == (None, None)
