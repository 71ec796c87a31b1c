"""The compare page: its address, the table, the bars, what it refuses, the finder's tick boxes."""

import csv
import io
from math import log
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from estimates.comparison.compare import compare
from estimates.comparison.options import answer_options, read_options
from estimates.models import Calculation, Estimate, Limit, Objective, State
from estimates.pages.compare import bars
from estimates.pages.compare.question import (
    CompareQuestion,
    option_question,
    option_text,
    read_compare_question,
)
from estimates.pages.question import QuestionError
from tests.estimates.conftest import TinyCatalogue, add_quote

EIGHT = "llama-3.1-70b-instruct~nvidia-h100-sxm-x8~chat~weights:fp8~tp:8~concurrency:64"
SLOWER = "llama-3.1-70b-instruct~nvidia-h100-sxm-x8~chat~weights:fp8~tp:8~concurrency:128"


@pytest.fixture(autouse=True)
def open_reading(settings: Any) -> None:
    settings.ATLAS_ANONYMOUS_READ = True


def page(client: Client, *options: str, status: int = 200, **parameters: str) -> str:
    response = client.get("/compare/", {"option": options, **parameters})
    assert response.status_code == status, response.content[:500]
    return response.content.decode()


class TestTheAddress:
    def test_an_option_says_model_offer_workload_and_what_is_known_of_the_deployment(self) -> None:
        text = option_text("m", "o", "w", {"weights": "fp8", "tp": 8, "pp": None, "kv": ""})
        assert text == "m~o~w~weights:fp8~tp:8"
        asked = option_question(text + "~isl:512", "spot")
        assert (asked["model"], asked["offer"], asked["workload"]) == ("m", "o", "w")
        assert asked["deployment"] == {"weights": "fp8", "tp": "8"}
        assert asked["workload_overrides"] == {"isl": "512"}
        assert asked["price"] == {"basis": "spot"}

    def test_it_is_read_as_it_is_written(self) -> None:
        question = CompareQuestion((EIGHT, SLOWER), 1, "tpot_ms", "owned")
        found, added = read_compare_question(QueryDict(question.address()[1:]))
        assert (found, added) == (question, False)

    def test_removing_an_option_keeps_the_baseline(self) -> None:
        question = CompareQuestion(("a~b~c", "d~e~f", "g~h~i"), 2)
        assert question.without(0) == "?option=d~e~f&option=g~h~i&baseline=1"
        assert question.without(2) == "?option=a~b~c&option=d~e~f"

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("option=a", "option 1"),
            ("option=a~b~c~color:red", "option 1"),
            ("option=a~b~c~tp", "option 1"),
            ("baseline=1&option=a~b~c", "baseline"),
            ("metric=joy", "metric"),
            ("basis=love", "basis"),
            ("metric=tpot_ms&metric=ttft_ms", "metric"),
            ("colour=red", "colour"),
            ("&".join(f"option=a~b~c{number}" for number in range(9)), "option"),
        ],
    )
    def test_what_has_no_meaning_is_refused_by_name(self, query: str, parameter: str) -> None:
        with pytest.raises(QuestionError) as error:
            read_compare_question(QueryDict(query))
        assert [problem.parameter for problem in error.value.problems] == [parameter]


def test_options_stand_side_by_side_with_differences_first(client: Client, tiny: TinyCatalogue) -> None:
    text = page(client, EIGHT, SLOWER)
    assert "Requests in flight" in text.partition("What is the same")[0]
    assert "Memory bandwidth" in text.partition("What is the same")[2]
    assert "80% interval" in text
    assert 'aria-label="grade ' in text


def test_one_option_and_none_lead_on(client: Client, tiny: TinyCatalogue) -> None:
    assert "Nothing to compare yet" in page(client)
    assert "One option alone" in page(client, EIGHT)


def test_the_form_adds_an_option_to_the_address(client: Client, tiny: TinyCatalogue) -> None:
    added = {"add_model": "llama-3.1-8b-instruct", "add_offer": "nvidia-l40s-x1", "add_workload": "chat"}
    response = client.get("/compare/", {"option": [EIGHT], **added})
    assert response.status_code == 302
    assert (
        response["Location"] == f"/compare/?option={EIGHT}&option=llama-3.1-8b-instruct~nvidia-l40s-x1~chat"
    )


def test_what_cannot_be_compared_is_said_by_option(client: Client, tiny: TinyCatalogue) -> None:
    text = page(client, EIGHT, "llama-3.1-70b-instruct~nvidia-h100-x8~chat", status=400)
    assert "option 2: offer" in text
    assert "nvidia-h100-sxm-x8" in text  # the near match
    assert "option 9" not in page(client, *[f"{EIGHT}{number}" for number in range(9)], status=400)


def test_an_option_that_does_not_fit_stands_beside_the_others(client: Client, tiny: TinyCatalogue) -> None:
    text = page(client, EIGHT, "llama-3.1-70b-instruct~nvidia-l40s-x1~chat~weights:bf16")
    assert "does not fit" in text
    assert "does not run" in text


def test_pieces_of_a_bar_add_up_to_its_net(tiny: TinyCatalogue) -> None:
    add_quote(tiny.h100, 8, "24")
    given = [option_question(text, "on_demand") for text in (EIGHT, SLOWER.replace("fp8", "bf16"))]
    comparison = compare(answer_options(read_options(given)))
    chart = bars.chart(comparison, "tpot_ms")
    (bar,) = chart.bars

    def at(text: str) -> float:
        return float(text.rstrip("%"))

    right = sum(at(part.width) for part in bar.parts if at(part.x) >= at(chart.zero) - 1e-6)
    left = sum(at(part.width) for part in bar.parts if at(part.x) < at(chart.zero) - 1e-6)
    assert at(bar.net) - at(chart.zero) == pytest.approx(right - left, abs=0.1)


def test_csv_has_full_figures_and_every_cause(client: Client, tiny: TinyCatalogue) -> None:
    query = {"option": [EIGHT, SLOWER]}
    sides = client.get("/compare/table.csv", {**query, "table": "sides"}).content.decode()
    rows = {row[0]: row[2:] for row in csv.reader(io.StringIO(sides))}
    assert rows["concurrency"] == ["64.0", "128.0"]
    assert float(rows["tpot_ms_low"][0]) < float(rows["tpot_ms"][0]) < float(rows["tpot_ms_high"][0])
    causes = client.get("/compare/table.csv", {**query, "table": "causes"}).content.decode()
    found = [row for row in csv.DictReader(io.StringIO(causes)) if row["metric"] == "tpot_ms"]
    assert [row["cause"] for row in found] == ["load"]
    assert float(found[0]["log_share"]) == pytest.approx(log(float(found[0]["ratio"])), abs=1e-9)
    assert client.get("/compare/table.csv", {**query, "table": "joy"}).status_code == 400


def test_the_finder_has_a_box_for_every_row_that_leads_here(client: Client, tiny: TinyCatalogue) -> None:
    calculation = Calculation.objects.create(
        language_model=tiny.llama_70b, accelerator=tiny.h100, state="done", method_version="now"
    )
    Estimate.objects.create(
        calculation=calculation,
        language_model=tiny.llama_70b,
        offer=tiny.h100.offers.get(count=8),
        workload=tiny.chat,
        objective=Objective.THROUGHPUT_WITHIN,
        state=State.OK,
        weight_format="fp8",
        kv_format="fp8",
        tp=8,
        pp=1,
        ep=1,
        dp=1,
        replicas=1,
        concurrency=64,
        tpot_ms=10.0,
        tok_s_per_user=100.0,
        throughput_tok_s=6000.0,
        binding_limit=Limit.BANDWIDTH,
        grade="B",
        meets_service_level=True,
    )
    text = client.get("/?model=llama-3.1-70b-instruct").content.decode()
    value = (
        "llama-3.1-70b-instruct~nvidia-h100-sxm-x8~chat~weights:fp8~kv:fp8~tp:8~pp:1~ep:1~dp:1~replicas:1"
        "~concurrency:64"
    )
    assert f'name="option" form="compare" value="{value}"' in text
    assert "nvidia-h100-sxm-x8" in page(client, value, EIGHT)
