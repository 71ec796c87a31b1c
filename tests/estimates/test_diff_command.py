"""`manage.py diff_estimate`: tables, JSON, and one line for what cannot be asked."""

import io

import orjson
import pytest
from django.core.management import CommandError, call_command

from tests.estimates.conftest import TinyCatalogue

QUESTION = ("--model", "llama-3.1-70b-instruct", "--offer", "nvidia-h100-sxm-x8")


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("diff_estimate", *arguments, stdout=out)
    return out.getvalue()


def test_the_calibration_against_the_physics(tiny: TinyCatalogue) -> None:
    text = run(*QUESTION, "--from-method", "physics")
    assert "No fact has changed" in text
    assert "Time per output token (ms)" in text
    assert "method" in text


def test_the_whole_answer_as_json(tiny: TinyCatalogue) -> None:
    found = orjson.loads(run(*QUESTION, "--from-method", "multipliers", "--json"))
    assert found["from"]["method"] == "multipliers"
    assert found["metrics"]["tpot_ms"]["causes"][0]["cause"] == "method"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "question"),
        ((*QUESTION,), "--from"),
        ((*QUESTION, "--from", "2001-01-01"), "begins at"),
        ((*QUESTION, "--from", "yesterday"), "--from"),
        (("--question", "{", "--from", "2001-01-01"), "not JSON"),
        (("--model", "llama-9", "--offer", "nvidia-h100-sxm-x8", "--from-method", "physics"), "--model"),
        (("--estimate", "1", "--from-method", "previous"), "--estimate"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    arguments: tuple[str, ...], message: str, tiny: TinyCatalogue
) -> None:
    with pytest.raises(CommandError, match=message) as error:
        run(*arguments)
    assert "\n" not in str(error.value)
