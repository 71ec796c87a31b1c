"""`manage.py curve`: tables, CSV and JSON of a load curve, one clear line for what is wrong."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.estimates.conftest import TinyCatalogue


def curve(*arguments: str) -> str:
    out = StringIO()
    usual = ("--model", "llama-3.1-70b-instruct", "--hardware", "nvidia-h100-sxm", "--count", "8")
    call_command("curve", *usual, "--weights", "fp8", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_both_tables_and_says_what_the_first_wave_is(tiny: TinyCatalogue) -> None:
    text = curve("--tp", "8", "--points", "6")
    for words in ("Highest stable rate", "Clients of a closed loop", "independent users", "saturated"):
        assert words in text
    assert "first wave" in text


def test_csv_and_json_hold_the_loads_asked_for(tiny: TinyCatalogue) -> None:
    loads = ("--axis", "requests_per_s", "--at", "0.5,1")
    rows = list(csv.DictReader(StringIO(curve(*loads, "--csv"))))
    assert [float(row["requests_per_s"]) for row in rows] == [0.5, 1.0]
    found = json.loads(curve(*loads, "--json"))
    assert [point["requests_per_s"] for point in found["points"]] == [0.5, 1.0]


def test_what_does_not_fit_is_said(tiny: TinyCatalogue) -> None:
    assert "does not fit" in curve("--count", "1", "--weights", "bf16")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--axis", "colour"], "--axis: curve.axis is 'colour'; accepted: 'concurrency' or 'requests_per_s'"),
        (["--points", "1"], "--points: curve.points is '1'; accepted: at least 4"),
        (["--axis", "concurrency", "--at", "1,x"], "--at: curve.values.1 is 'x'; accepted: a number"),
        (["--at", "1,2"], "--axis: values are loads of one axis, which is not named"),
        (["--tp", "7"], "--tp: tensor parallel size 7 does not divide the heads"),
    ],
)
def test_a_fault_is_one_line(arguments: list[str], message: str, tiny: TinyCatalogue) -> None:
    with pytest.raises(CommandError) as raised:
        curve(*arguments)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
