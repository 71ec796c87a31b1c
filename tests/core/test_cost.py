"""Cost per token from cost per hour: numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimates.core.cost import (
    break_even_tok_s,
    joules_per_output_token,
    owned_usd_per_hour,
    tokens_per_usd,
    usd_per_mtok_blended,
    usd_per_mtok_output,
    usd_per_mtok_split,
)

positive = st.floats(1e-3, 1e6)


def test_ten_dollars_an_hour_at_a_thousand_tokens_a_second():
    assert usd_per_mtok_output(10, 1000) == pytest.approx(10 / 3.6)  # 3.6 million tokens an hour


def test_half_used_costs_twice():
    assert usd_per_mtok_output(10, 1000, 0.5) == pytest.approx(2 * 10 / 3.6)


def test_counting_input_tokens_too_divides_by_their_ratio():
    assert usd_per_mtok_blended(10, 1000, 8000, 1000) == pytest.approx(10 / 3.6 / 9)


def test_input_and_output_prices_pay_for_the_whole():
    per_input, per_output = usd_per_mtok_split(10, 1000, 8000, 1000, 0.4)
    assert per_input * 8000 + per_output * 1000 == pytest.approx(10 / 3.6 * 1000)


@given(positive, positive)
def test_tokens_per_dollar_is_the_reciprocal(usd, speed):
    price = usd_per_mtok_output(usd, speed)
    assert tokens_per_usd(price) * price == pytest.approx(1e6, rel=1e-15)


def test_owning():
    # 250,000 USD over 5 years of 8766 h, 10.2 kW at PUE 1.3 and 0.10 USD/kWh, 2 USD/h hosting
    expected = 250_000 / (5 * 8766) + 10.2 * 1.3 * 0.10 + 2
    assert owned_usd_per_hour(250_000, 5, 10_200, 0.10, 1.3, 2) == pytest.approx(expected)


def test_energy_and_break_even():
    assert joules_per_output_token(5600, 1000, 1.25) == pytest.approx(7.0)
    # 7.2 USD/h is 0.002 USD/s; at 0.5 USD per million that is 4000 tokens/s
    assert break_even_tok_s(7.2, 0.5) == pytest.approx(4000)


def test_prices_and_throughputs_broadcast():
    assert usd_per_mtok_output(np.array([1.0, 2.0])[:, None], np.array([10.0, 20.0, 30.0])).shape == (2, 3)
