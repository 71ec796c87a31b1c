"""When a claim and an answer agree: rules over plain numbers."""

from __future__ import annotations

import pytest

from estimates.claims.rows import Row
from estimates.claims.verdict import judge


def row(value: float, low: float | None = None, high: float | None = None, **more: object) -> Row:
    return Row(
        {}, value=value, low=value if low is None else low, high=value if high is None else high, **more
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("claimed", "word"),
    [(100.0, "agrees"), (97.1, "agrees"), (103.0, "agrees"), (96.9, "disagrees"), (103.2, "disagrees")],
)
def test_a_figure_of_the_catalogue_agrees_within_three_percent(claimed: float, word: str) -> None:
    """Of ours, 100, by the larger of the two: from 100 x 0.97 = 97 to 100 / 0.97 = 103.09."""
    assert judge("system_figure", "eq", claimed, [row(100)]).word == word


def test_a_speed_agrees_inside_the_interval_and_else_tells_by_how_much() -> None:
    """Ours 10 (8 to 12): 12 agrees; 18 is 18 / 12 = 1.5 times too high, 4 is 4 / 8 = 0.5 of the lower end."""
    ours = [row(10, 8, 12)]
    assert judge("estimate", "eq", 12, ours).word == "agrees"
    assert judge("estimate", "eq", 18, ours).off_by == pytest.approx(1.5)
    assert judge("estimate", "eq", 4, ours).off_by == pytest.approx(0.5)


def test_a_stated_range_agrees_where_it_meets_the_interval() -> None:
    assert judge("estimate", "eq", 6.3, [row(8, 6, 10)], (4.6, 6.3)).word == "agrees"
    assert judge("estimate", "eq", 22, [row(8, 6, 10)], (18, 22)).off_by == pytest.approx(1.8)  # 18 / 10


def test_a_relation_agrees_on_the_same_side_whatever_the_interval() -> None:
    """At most 2: our 1.9 keeps it; our 2.4 does not, though its interval begins at 1.7; 2 / 2.4 = 0.833."""
    assert judge("estimate", "le", 2, [row(1.9, 1.5, 2.5)]).word == "agrees"
    missed = judge("estimate", "le", 2, [row(2.4, 1.7, 3)])
    assert (missed.word, missed.off_by) == ("disagrees", pytest.approx(2 / 2.4))
    assert judge("estimate", "ge", 5, [row(5.1)]).word == "agrees"
    assert judge("system_figure", "ge", 1.1, [row(1.44)]).word == "agrees"


def test_one_of_the_open_conditions_is_enough_and_how_many_is_told() -> None:
    found = judge("estimate", "eq", 10, [row(10, 9, 11), row(20, 18, 22)])
    assert (found.word, found.holding, found.of) == ("agrees", 1, 2)


def test_the_nearest_of_the_open_conditions_says_how_far_off_a_claim_is() -> None:
    """30 against intervals up to 20 and up to 24: 30 / 24 = 1.25."""
    found = judge("ratio", "eq", 30, [row(15, 10, 20), row(18, 13, 24)])
    assert (found.word, found.off_by) == ("disagrees", pytest.approx(1.25))


def test_what_does_not_fit_agrees_only_where_no_condition_fits() -> None:
    assert judge("fit", "eq", 0, [row(0), row(0)]).word == "agrees"
    assert judge("fit", "eq", 0, [row(0), row(1)]).word == "disagrees"
    assert judge("fit", "eq", 1, [row(0), row(1)]).word == "agrees"
    assert judge("fit", "eq", 1, [row(0)]).word == "disagrees"


def test_an_open_question_is_answered_and_names_what_some_conditions_lack() -> None:
    lacking = Row({}, "refused", missing=("memory_bandwidth of x",), detail="not published")
    found = judge("estimate", "ask", None, [row(3), lacking])
    assert (found.word, found.missing) == ("answered", ("memory_bandwidth of x",))


def test_without_any_value_the_missing_fact_is_named() -> None:
    lacking = Row({}, "refused", missing=("memory_bandwidth of x",), detail="not published")
    found = judge("estimate", "eq", 3, [lacking])
    assert (found.word, found.missing) == ("cannot_be_evaluated", ("memory_bandwidth of x",))


def test_a_speed_claimed_where_nothing_fits_is_disagreed_with() -> None:
    short = Row({}, "does_not_fit", detail="does not fit: 3.0 GB short on each chip")
    found = judge("estimate", "eq", 3, [short])
    assert (found.word, found.why) == ("disagrees", "does not fit: 3.0 GB short on each chip")
