"""The cases that other estimators were run on: all answered, three worked by hand, term by term.

Facts are those of the catalogue's own files. The hand arithmetic takes every efficiency figure from the data
files by name, so that a new fit moves both sides and a changed formula moves one.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker

from catalog.importing.load import DATA, load_files
from catalog.models import LanguageModel
from estimates.asked_hardware import find_hardware
from estimates.asked_model import deployment_facts, find_model, find_workload
from estimates.cases import Answered, answered, markdown, read_cases, read_peers, title
from estimates.core.estimate import Estimate, evaluate_one
from estimates.from_catalog import chip_of, offer_of
from estimates.what_if import read_question
from tests.core.machines import physics

# Without the mark a run of this file alone would set up no test database and read the one of development.
pytestmark = pytest.mark.django_db
EFFICIENCIES = Path(settings.BASE_DIR) / "estimates" / "data"


@pytest.fixture(scope="module")
def catalogue(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The catalogue's own files of the models and accelerators in the list, rolled back at the end."""
    root = tmp_path_factory.mktemp("facts")
    models = {case.model for case in read_cases()}
    chips = {case.accelerator for case in read_cases()}
    wanted = [path for path in DATA.rglob("*.yaml") if path.stem in models | chips]
    assert {path.stem for path in wanted} == models | chips
    shared = [path for path in (DATA / "sources").rglob("*") if path.is_file()]
    for path in [*wanted, *shared, DATA / "vendors.yaml"]:
        copy = root / path.relative_to(DATA)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    with django_db_blocker.unblock(), transaction.atomic():
        load_files(root, only=["accelerators", "models"])
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def answers(catalogue: None) -> dict[str, Answered]:
    return {one.case.slug: one for one in answered(read_cases())}


def test_the_list_is_whole() -> None:
    """30 cases: Llama 70B 5, Llama 8B on four chips in two formats at two loads 16, Llama 405B 3, Mixtral 1,

    DeepSeek-V3 2, gpt-oss-120b 2, Qwen3-235B 1; each once, and others spoke of cases in it only.
    """
    cases = read_cases()
    assert len(cases) == 5 + 4 * 2 * 2 + 3 + 1 + 2 + 2 + 1
    assert len({case.slug for case in cases}) == len(cases)
    assert {peer.case for peer in read_peers()} <= {case.slug for case in cases}


def test_every_case_is_answered_with_its_interval_its_grade_and_its_terms(
    answers: dict[str, Answered],
) -> None:
    for slug, one in answers.items():
        found = one.answer
        assert found["state"] == "ok", slug
        assert found["grade"] in ("A", "B", "C"), slug
        for result, interval in (
            (found["results"]["tpot_ms"], "tpot_ms"),
            (found["results"]["ttft_ms"]["loaded_mean"], "ttft_ms"),
            (found["results"]["throughput_tok_s"], "throughput_tok_s"),
        ):
            low, high = found["interval_80"][interval]
            assert low < result < high, slug
        terms = found["time_ms"]["tpot"]["by_operation"]
        assert sum(terms.values()) == pytest.approx(found["results"]["tpot_ms"], rel=1e-3), slug


def test_deepseek_v3_fits_eight_h200_in_fp8(answers: dict[str, Answered]) -> None:
    """671 billion parameters of 8 bits are 83.9 GB on each of eight chips of 150.8 GB, and cache fits."""
    found = answers["deepseek-fp8-h200"].answer
    assert found["state"] == "ok"
    assert 84 < found["memory_gb"]["weights"] < 86
    assert found["memory_gb"]["capacity"] == pytest.approx(150.75, rel=1e-3)
    assert found["results"]["max_concurrency"] > 64


# ---- Three cases by hand ---------------------------------------------------------------------------------
#
# H100 SXM of the catalogue: 3,350 GB/s, 989 TFLOPS in 16 bit, 1,979 in FP8, NVLink 450 GB/s a direction.
# A product of T tokens: F = 2 T N K, B = activations T K + weights N K + 2 T N. Context in the mean: 1,000
# tokens in and half of 1,000 out.

BANDWIDTH, BF16, FP8, LINK = 3350e9, 989e12, 1979e12, 450e9
CONTEXT = 1500


@cache
def data(name: str) -> list[dict[str, str]]:
    with (EFFICIENCIES / name).open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def coefficient(name: str) -> float:
    """A figure of TensorRT-LLM, else the one that holds for any."""
    values = {
        (row["scope"], row["scope_name"]): float(row["value"])
        for row in data("coefficients.csv")
        if row["name"] == name
    }
    return values.get(("software", "trtllm"), values["any", ""])


@dataclass(frozen=True)
class Measured:
    """TensorRT-LLM's shares of an H100's peaks for one operation and format: one row of operators.csv."""

    compute: float
    memory: float
    start_s: float
    p: float

    def seconds(self, flop: float, volume: float, rate: float) -> float:
        """t0 + ((F / (ec peak))^p + (B / (em bandwidth))^p)^(1/p)."""
        computing, reading = flop / (self.compute * rate), volume / (self.memory * BANDWIDTH)
        return self.start_s + (computing**self.p + reading**self.p) ** (1 / self.p)

    def product(self, tokens: float, n: float, k: float, size: float, rate: float) -> float:
        """T x K activations of `size` bytes times K x N weights of as many, 16-bit results."""
        volume = tokens * k * size + n * k * size + 2 * tokens * n
        return self.seconds(2 * tokens * n * k, volume, rate)


def measured(operation: str, stored: str) -> Measured:
    [row] = [
        row
        for row in data("operators.csv")
        if (row["operation"], row["name"], row["software"], row["format"])
        == (operation, "nvidia-h100-sxm", "trtllm", stored)
    ]
    figures = (float(row[name] or 0) for name in ("eff_compute", "eff_memory", "t0_us", "p"))
    compute, memory, start, p = figures
    return Measured(compute, memory, start * 1e-6, p)


def all_reduce(payload: float, ranks: int) -> float:
    """Alpha + 2 (n - 1) / n bytes / (share x link)."""
    [row] = [
        row
        for row in data("collectives.csv")
        if (row["operation"], row["name"], row["software"], row["ranks"])
        == ("all_reduce", "nvidia-h100-sxm", "trtllm", str(ranks))
    ]
    wire = 2 * (ranks - 1) / ranks * payload
    return float(row["alpha_us"]) * 1e-6 + wire / (float(row["link_share"]) * LINK)


def host(tokens: int) -> float:
    return (coefficient("host_step_us") + tokens * coefficient("host_sequence_us")) * 1e-6


def small_kernels(kind: str, layers: int) -> float:
    return coefficient(f"kernels_{kind}_layer") * layers * coefficient("kernel_us") * 1e-6


def elementwise(tokens: int, hidden: int, layers: int) -> float:
    volume = coefficient("elementwise_bytes_per_hidden") * hidden * layers * tokens
    return volume / (coefficient("elementwise_share") * BANDWIDTH)


def explained(slug: str, arrival: str = "closed_loop") -> Estimate:
    """The case's question put to the physics alone, with the catalogue's facts, on TensorRT-LLM."""
    asked: dict[str, Any] = next(case for case in read_cases() if case.slug == slug).question()
    asked["workload"]["arrival"] = arrival
    asked["deployment"]["software"] = "trtllm"
    question = read_question(asked)
    hardware = find_hardware(question)
    offer = offer_of(hardware.shape, hardware.sheet, chip_of(hardware.sheet))
    deployment = deployment_facts(question.deployment)
    return evaluate_one(find_model(question.model), offer, find_workload(question), deployment, physics())


def agree(found: dict[str, float], by_hand: dict[str, float], total: float | None) -> None:
    """Every term, no other term, and their sum."""
    assert found == pytest.approx(by_hand, rel=1e-9)
    assert total == pytest.approx(sum(by_hand.values()), rel=1e-9)


def test_llama_70b_in_fp8_on_eight_h100_for_one_user_by_hand(catalogue: None) -> None:
    """80 layers of 8,192: 64 heads of 128, 8 for keys and values, feed-forward 28,672; vocabulary 128,256.

    A chip of eight holds 8 query heads and 1 key-value head: N = 1,024 + 2 x 128 = 1,280 from 8,192; back
    from 1,024 to 8,192; 2 x 28,672 / 8 = 7,168 from 8,192; back from 3,584. 68.5 GB of FP8 layers and a
    16-bit head of 2.1 GB over eight chips are 8.8 GB: 2.6 ms at full bandwidth, less than half of the terms.
    """
    gemm, head, cache_read = (
        measured("gemm", "fp8"),
        measured("gemm", "bf16"),
        measured("attention_decode", "fp8"),
    )
    by_hand = {
        "attention projections": 80
        * (gemm.product(1, 1280, 8192, 1, FP8) + gemm.product(1, 8192, 1024, 1, FP8)),
        "feed-forward": 80 * (gemm.product(1, 7168, 8192, 1, FP8) + gemm.product(1, 8192, 3584, 1, FP8)),
        # one key and one value of 128 a token in FP8; 8 heads x 2 x (128 + 128) FLOP a token
        "attention over the cache": 80 * cache_read.seconds(CONTEXT * 8 * 512, CONTEXT * 256, BF16),
        # after attention and after the feed-forward, 8,192 elements of 2 bytes
        "all-reduce": 160 * all_reduce(8192 * 2, 8),
        "output head": head.product(1, 128_256 / 8, 8192, 2, BF16),
        "small kernels": small_kernels("dense", 80),
        "elementwise": elementwise(1, 8192, 80),
        "host": host(1),
    }
    found = explained("70b-fp8-h100-tp8-single")
    agree(found.time_by_operation, by_hand, found.tpot_s)
    matrices = 80 * (8192 * (8192 + 2048) + 8192**2 + 3 * 8192 * 28_672) / 8
    both_ends = 2 * 128_256 * 8192 * 2 / 8
    norms = (2 * 80 + 1) * 8192 * 2  # held whole by every chip
    assert found.memory["weights"] == pytest.approx(matrices + both_ends + norms, rel=1e-9)


def test_mixtral_in_fp8_on_one_h100_for_eight_users_by_hand(catalogue: None) -> None:
    """32 layers of 4,096: 32 heads of 128, 8 for keys and values; 8 experts of 14,336, 2 a token.

    A static batch, whose steps carry no prompts. Eight tokens choose 8 (1 - (1 - 2/8)^(0.8 x 8)) = 6.7
    experts of 176 MB: 32 x 1.19 GB are 37.9 GB, 11.3 ms at full bandwidth. Two experts would be 3.4 ms.
    """
    gemm, experts, cache_read = (
        measured("gemm", "fp8"),
        measured("experts", "fp8"),
        measured("attention_decode", "fp8"),
    )
    wide = measured("gemm", "bf16")
    expert = 3 * 4096 * 14_336
    chosen = 8 * (1 - (1 - 2 / 8) ** (coefficient("routing_skew") * 8))
    assert 6.5 < chosen < 7.0
    pairs = 8 * 2  # tokens x experts: each reads 4,096 bytes, writes 2 x 4,096, and 2 x 2 x 14,336 in between
    volume = chosen * expert + pairs * (4096 + 2 * 4096 + 4 * 14_336)
    by_hand = {
        "attention projections": 32
        * (gemm.product(8, 4096 + 2 * 1024, 4096, 1, FP8) + gemm.product(8, 4096, 4096, 1, FP8)),
        "router": 32 * wide.product(8, 8, 4096, 2, BF16),
        "routed experts": 32 * experts.seconds(pairs * 2 * expert, volume, FP8),
        "attention over the cache": 32
        * cache_read.seconds(8 * CONTEXT * 32 * 512, 8 * CONTEXT * 8 * 256, BF16),
        "output head": wide.product(8, 32_000, 4096, 2, BF16),
        "small kernels": small_kernels("expert", 32),
        "elementwise": elementwise(8, 4096, 32),
        "host": host(8),
    }
    found = explained("mixtral-fp8-h100", "static")
    agree(found.time_by_operation, by_hand, found.tpot_s)
    assert by_hand["routed experts"] > 32 * chosen * expert / BANDWIDTH > 2 * 32 * 2 * expert / BANDWIDTH


def test_llama_8b_in_bf16_on_one_h100_for_one_user_by_hand(catalogue: None) -> None:
    """32 layers of 4,096: 32 heads of 128, 8 for keys and values, feed-forward 14,336; vocabulary 128,256.

    7.5 billion parameters of 2 bytes are read for each token, 15.0 GB: 4.5 ms at full bandwidth.
    """
    gemm, cache_read = measured("gemm", "bf16"), measured("attention_decode", "bf16")
    by_hand = {
        "attention projections": 32
        * (gemm.product(1, 6144, 4096, 2, BF16) + gemm.product(1, 4096, 4096, 2, BF16)),
        "feed-forward": 32
        * (gemm.product(1, 28_672, 4096, 2, BF16) + gemm.product(1, 4096, 14_336, 2, BF16)),
        "attention over the cache": 32 * cache_read.seconds(CONTEXT * 32 * 512, CONTEXT * 8 * 256 * 2, BF16),
        "output head": gemm.product(1, 128_256, 4096, 2, BF16),
        "small kernels": small_kernels("dense", 32),
        "elementwise": elementwise(1, 4096, 32),
        "host": host(1),
    }
    found = explained("8b-bf16-h100-single")
    agree(found.time_by_operation, by_hand, found.tpot_s)
    read = 32 * (4096 * 6144 + 4096**2 + 3 * 4096 * 14_336) + 128_256 * 4096
    assert read == 7_504_658_432
    assert sum(by_hand.values()) > 2 * read / BANDWIDTH == pytest.approx(4.48e-3, rel=1e-3)


def test_the_first_token_of_llama_8b_by_hand(catalogue: None) -> None:
    """A prompt of 1,000 tokens is one chunk: products, causal attention, launches, what a request costs.

    Attention: each token sees 500 others in the mean, 32 heads x 512 FLOP a pair, at a share of the 16-bit
    peak that grows as ISL / (ISL + i0).
    """
    gemm, attention = measured("gemm", "bf16"), measured("attention_prefill", "bf16")
    shapes = ((6144, 4096), (4096, 4096), (28_672, 4096), (4096, 14_336))
    products = 32 * sum(gemm.product(1000, n, k, 2, BF16) for n, k in shapes)
    share = attention.compute * 1000 / (1000 + attention.p)
    causal = 32 * 1000 * 500 * 32 * 512 / (share * BF16)
    launches = 32 * coefficient("prefill_layer_us") * 1e-6  # kernel after kernel, not replayed as a graph
    step = products + causal + small_kernels("dense", 32) + elementwise(1000, 4096, 32) + host(1) + launches
    found = explained("8b-bf16-h100-single").ttft_s["unloaded"]
    assert found == pytest.approx(step + coefficient("request_us") * 1e-6, rel=1e-9)


# ---- The page --------------------------------------------------------------------------------------------


def test_the_page_holds_every_case_and_what_others_said(answers: dict[str, Answered]) -> None:
    page = markdown(answers.values())
    for case in read_cases():
        assert page.count(f"| {title(case)} |") == 2, case.slug  # its answer, its terms
    for peer in read_peers():
        assert peer.tool in page
        assert peer.note in page


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("cases", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_page_or_the_whole_answers(catalogue: None) -> None:
    only = ("--case", "8b-fp8-l40s-single")
    assert run(*only).startswith("# The cases other estimators were run on\n")
    [one] = json.loads(run(*only, "--json"))
    assert one["case"]["accelerator"] == "nvidia-l40s"
    assert one["answer"]["results"]["tpot_ms"] > 0


def test_an_unknown_case_is_one_clear_line() -> None:
    with pytest.raises(CommandError, match="'9b' is not accepted; accepted: 70b-fp8-h100-tp2,"):
        run("--case", "9b")


def test_a_catalogue_without_the_model_is_one_clear_line(catalogue: None) -> None:
    LanguageModel.objects.filter(slug="meta-llama-3.1-8b").delete()
    with pytest.raises(CommandError, match="--model: "):
        run("--case", "8b-fp8-l40s-single")


def test_the_page_in_the_documentation_is_of_this_list() -> None:
    """Its figures are as of the calibration it was made with; its cases and sentences are these."""
    page = (Path(settings.BASE_DIR) / "docs" / "cases.md").read_text()
    for case in read_cases():
        assert page.count(f"| {title(case)} |") == 2, f"{case.slug}: python manage.py cases > docs/cases.md"
