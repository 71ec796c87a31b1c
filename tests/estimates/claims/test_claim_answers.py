"""Claims answered from the facts that stand: a changed fact changes the verdict, a missing one is named."""

from __future__ import annotations

import math
from typing import Any

import pytest

from catalog.figures import accept_figure
from catalog.models import PublishedClaim, Source
from estimates.claims.answers import Answer, answer_claim
from estimates.claims.evaluators import divided
from estimates.claims.rows import Row
from tests.estimates.conftest import TinyCatalogue, add_quote

ONE_USER = {"workload": {"isl": 256, "osl": 128}, "deployment": {"concurrency": 1, "weights": "bf16"}}


def claim(value: float | None, unit: str, relation: str = "eq", **columns: Any) -> PublishedClaim:
    source, _ = Source.objects.get_or_create(slug="press", defaults={"title": "Press"})
    answer, stated = columns.pop("answer", None), columns.pop("stated", {})
    return PublishedClaim.objects.create(
        slug=f"claim-{PublishedClaim.objects.count()}",
        subject="test",
        quantity=columns.pop("quantity", "tok_s_per_user"),
        value=value,
        unit=unit,
        relation=relation,
        kind="press",
        source=source,
        parameters=stated | ({"answer": answer} if answer else {}),
        **columns,
    )


def speed(tiny: TinyCatalogue, value: float | None, relation: str = "eq", **answer: Any) -> PublishedClaim:
    """A claim on the tokens/s of one user of Llama 8B on one H100."""
    asked = {"by": "estimate", "figure": "tok_s_per_user", "question": ONE_USER} | answer
    return claim(
        value,
        "tok/s",
        relation if value is not None else "ask",
        accelerator=tiny.h100,
        language_model=tiny.llama_8b,
        stated={"count": 1},
        answer=asked,
    )


def answered(one: PublishedClaim) -> Answer:
    """From the rows as they stand now."""
    return answer_claim(
        PublishedClaim.objects.select_related("accelerator", "system", "language_model").get(pk=one.pk)
    )


def test_the_memory_of_a_node_is_count_times_the_accelerators(tiny: TinyCatalogue) -> None:
    """8 x 80 GB = 640 GB; with 90 GB a card 720 GB, of which 640 is 640 / (720 x 0.97) = 0.9164."""
    node = claim(
        640,
        "GB",
        accelerator=tiny.h100,
        stated={"count": 8},
        answer={"by": "system_figure", "figure": "memory_total"},
    )
    found = answered(node)
    assert (found.verdict, found.value) == ("agrees", 640)
    accept_figure(tiny.h100, "memory_gb", 90, kind="vendor_claim", source=node.source)
    found = answered(node)
    assert (found.verdict, found.value) == ("disagrees", 720)
    assert found.off_by == pytest.approx(640 / (720 * 0.97), rel=1e-4)


def test_a_sparse_peak_is_the_dense_rate_times_the_scale_of_the_claim(tiny: TinyCatalogue) -> None:
    """8 x 1,979 TFLOPS x 2 = 31.664 PFLOPS."""
    peak = claim(
        31.7,
        "PFLOPS",
        accelerator=tiny.h100,
        stated={"count": 8, "number_format": "fp8"},
        answer={"by": "system_figure", "figure": "peak_rate", "scale": 2},
    )
    found = answered(peak)
    assert (found.verdict, found.value) == ("agrees", 31.664)


def test_a_figure_that_nobody_published_cannot_be_evaluated(tiny: TinyCatalogue) -> None:
    unknown = claim(
        1000,
        "GB/s",
        accelerator=tiny.mystery,
        answer={"by": "accelerator_figure", "figure": "memory_bandwidth_gbs"},
    )
    found = answered(unknown)
    assert (found.verdict, found.value) == ("cannot_be_evaluated", None)
    assert found.missing == ["memory_bandwidth_gbs of mystery"]


def test_a_changed_fact_changes_the_verdict_on_a_speed(tiny: TinyCatalogue) -> None:
    """Our own number agrees with itself; at a tenth of the bandwidth a token takes far longer."""
    ours = answered(speed(tiny, None)).value
    assert ours is not None
    same = speed(tiny, ours)
    before = answered(same)
    assert before.verdict == "agrees"
    assert before.low is not None
    assert before.high is not None
    assert before.low < ours < before.high
    accept_figure(tiny.h100, "memory_bandwidth_gbs", 335, kind="vendor_claim", source=same.source)
    after = answered(same)
    assert after.verdict == "disagrees"
    assert after.off_by is not None
    assert after.off_by > 2


def test_open_conditions_are_answered_as_a_range_that_says_over_what(tiny: TinyCatalogue) -> None:
    found = answered(speed(tiny, 1, "ge", over={"weights": ["bf16", "fp8"], "concurrency": [1, 4]}))
    assert found.over == {"weights": ["bf16", "fp8"], "concurrency": ["1", "4"]}
    assert found.combinations == len(found.rows) == 4
    values = [one["value"] for one in found.rows]
    assert (found.value_from, found.value_to) == (min(values), max(values))
    assert values[0] < values[2]  # eight bits a weight are read faster than sixteen


def test_what_the_claim_states_of_its_batch_is_ranged_over(tiny: TinyCatalogue) -> None:
    one = speed(tiny, 1, "ge", question={"workload": {"isl": 256, "osl": 128}})
    one.parameters["batch"] = [2, 8]
    one.save()
    assert answered(one).over == {"concurrency": ["2", "8"]}


def test_a_speed_on_a_chip_without_bandwidth_names_the_fact(tiny: TinyCatalogue) -> None:
    one = speed(tiny, 100)
    PublishedClaim.objects.filter(pk=one.pk).update(accelerator=tiny.mystery)
    found = answered(one)
    assert found.verdict == "cannot_be_evaluated"
    assert found.missing == ["memory_bandwidth of mystery"]


def test_a_fit_does_not_depend_on_a_bandwidth_that_nobody_published(tiny: TinyCatalogue) -> None:
    """16 GB of weights in 100 GB; 141 GB of Llama 70B in bf16 are not."""
    fits = {"by": "fit", "question": {"workload": {"isl": 256, "osl": 128}, "deployment": {"weights": "fp8"}}}
    small = claim(1, "", quantity="fits", accelerator=tiny.mystery, language_model=tiny.llama_8b, answer=fits)
    assert answered(small).verdict == "agrees"
    large = claim(
        1,
        "",
        quantity="fits",
        accelerator=tiny.mystery,
        language_model=tiny.llama_70b,
        answer=fits | {"question": {"workload": {"isl": 256, "osl": 128}, "deployment": {"weights": "bf16"}}},
    )
    assert answered(large).verdict == "disagrees"


def test_a_rate_within_a_service_level_that_nothing_keeps_is_none(tiny: TinyCatalogue) -> None:
    """Llama 8B in bf16 reads 16 GB a token: on 3.35 TB/s no deployment of one chip takes 1 ms."""
    level = {"workload": {"isl": 256, "osl": 128, "tpot_limit_ms": 1.0}, "deployment": {"weights": "bf16"}}
    found = answered(speed(tiny, 100, figure="output_tok_s", question=level))
    assert found.verdict == "disagrees"
    assert found.why == "no deployment keeps TPOT 1 ms"


def test_a_ratio_divides_and_adds_the_errors_in_squares() -> None:
    """20 (10 to 40) over 5 (5 / 2 to 10): 4; each bound is a factor of 2, so exp(sqrt(2) ln 2) = 2.665."""
    found = divided(
        Row({}, value=20, low=10, high=40, grade="B"), Row({}, value=5, low=2.5, high=10, grade="D")
    )
    factor = math.exp(math.sqrt(2) * math.log(2))
    assert found.value == 4
    assert (found.low, found.high) == (pytest.approx(4 / factor), pytest.approx(4 * factor))
    assert found.grade == "D"


def test_both_sides_of_a_ratio_share_model_and_requests(tiny: TinyCatalogue) -> None:
    one = claim(
        2,
        "x",
        "ge",
        quantity="speed_per_user_ratio",
        accelerator=tiny.h100,
        language_model=tiny.llama_8b,
        answer={
            "by": "ratio",
            "figure": "tok_s_per_user",
            "question": ONE_USER,
            "against": {"question": {"accelerator": "nvidia-l40s", "deployment": ONE_USER["deployment"]}},
        },
    )
    found = answered(one)
    assert found.verdict == "agrees"
    (only,) = found.rows
    assert only["value"] == pytest.approx(only["ours"] / only["theirs"], rel=1e-3)


def test_a_cost_is_the_stated_price_over_the_tokens_the_claim_counts(tiny: TinyCatalogue) -> None:
    """USD 2 an hour at r tokens/s are 2 / (3,600 r) x 1e6 per million, r of input and output together."""
    stated = {"usd_per_accelerator_hour": 2.0, "tokens_counted": "input + output", "isl": 1024, "osl": 1024}
    one = claim(
        0.1,
        "USD",
        quantity="usd_per_mtok",
        accelerator=tiny.h100,
        language_model=tiny.llama_8b,
        stated=stated,
        answer={"by": "cost"},
    )
    found = answered(one)
    (only,) = found.rows
    assert found.value == pytest.approx(2 / (3600 * only["tok_s"]) * 1e6, rel=1e-3)


def test_a_cost_on_the_lowest_rental_takes_the_quote_and_lacks_it_by_name(tiny: TinyCatalogue) -> None:
    one = claim(
        1,
        "USD",
        quantity="usd_per_mtok",
        accelerator=tiny.h100,
        language_model=tiny.llama_8b,
        stated={"isl": 1024, "osl": 1024},
        answer={"by": "cost"},
    )
    assert answered(one).missing == ["a quote for nvidia-h100-sxm"]
    add_quote(tiny.h100, 8, "24")
    (only,) = answered(one).rows
    assert only["usd_per_hour"] == 3  # an eighth of 24


def test_a_claim_without_a_question_says_what_it_lacks(tiny: TinyCatalogue) -> None:
    found = answered(claim(1, "GB", accelerator=tiny.h100))
    assert found.verdict == "cannot_be_evaluated"
    assert found.missing == ["how to answer it: its parameters have no `answer`"]


def test_parameters_that_no_form_would_take_are_told(tiny: TinyCatalogue) -> None:
    wrong = claim(1, "GB", answer={"by": "guess"})
    assert answered(wrong).verdict == "cannot_be_evaluated"
    assert "answer.by" in answered(wrong).why


def test_an_unknown_model_is_told_and_never_an_error(tiny: TinyCatalogue) -> None:
    one = speed(tiny, 1, question=ONE_USER | {"model": "no-such-model"})
    found = answered(one)
    assert found.verdict == "cannot_be_evaluated"
    assert "no-such-model" in found.why
