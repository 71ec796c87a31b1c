"""Cost per token from cost per hour: numbers worked out by hand."""

import numpy as np
import pytest

from estimates.core.cost import usd_per_mtok_output


def test_ten_dollars_an_hour_at_a_thousand_tokens_a_second() -> None:
    assert usd_per_mtok_output(10, 1000) == pytest.approx(10 / 3.6)  # 3.6 million tokens an hour


def test_prices_and_throughputs_broadcast() -> None:
    costs = usd_per_mtok_output(np.array([1.0, 2.0])[:, None], np.array([10.0, 20.0, 30.0]))
    assert costs[1, 2] == pytest.approx(2 / (30 * 3600) * 1e6)
