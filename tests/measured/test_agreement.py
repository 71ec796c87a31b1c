"""Kendall's tau by hand: orders, ties, pairs within the noise, a published group."""

import math

import pytest

from estimates.measured.agreement import NOISE, Swap, agreement, kendall_tau_b


def test_tau_counts_pairs_in_the_same_order_less_those_in_the_other():
    # Pairs of (1, 2, 3, 4) and (1, 3, 2, 4): six, of which only (2, 3) is swapped: (5 - 1) / 6.
    assert kendall_tau_b([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(4 / 6)
    assert kendall_tau_b([1, 2, 3, 4], [10, 20, 30, 40]) == 1
    assert kendall_tau_b([1, 2, 3, 4], [4, 3, 2, 1]) == -1


def test_ties_are_taken_out_of_either_side():
    # (1, 1, 2, 3) against (1, 2, 2, 3). Pairs: 12 tied left, 13 same, 14 same, 23 tied right, 24 same,
    # 34 same: 4 in the same order, none in the other; 6 - 1 pairs known on each side: 4 / sqrt(5 x 5).
    assert kendall_tau_b([1, 1, 2, 3], [1, 2, 2, 3]) == pytest.approx(4 / 5)
    # One tie on the left alone: (1, 1, 2) against (1, 2, 3): 2 / sqrt(2 x 3).
    assert kendall_tau_b([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / math.sqrt(6))


def test_a_ranking_of_ties_alone_has_no_tau():
    assert kendall_tau_b([5, 5, 5], [1, 2, 3]) is None
    assert kendall_tau_b([5], [1]) is None


def test_pairs_within_the_noise_are_counted_apart():
    # 100 and 105 are 5% apart, 120 is 14% and more from both. Of three pairs one is predicted the other way
    # round, which is the one within the noise.
    found = agreement(["a", "b", "c"], [100, 105, 120], [11, 10, 12])
    assert (found.systems, found.pairs, found.noise_pairs) == (3, 3, 1)
    assert found.tau_b == pytest.approx(1 / 3, abs=1e-4)
    assert found.tau == 1
    assert found.swapped == ()


def test_the_edge_of_the_noise_is_noise_whichever_of_the_two_is_larger():
    edge = 100 * (1 + NOISE)
    assert agreement(["a", "b"], [100, edge - 0.01], [1, 2]).noise_pairs == 1
    assert agreement(["a", "b"], [edge - 0.01, 100], [1, 2]).noise_pairs == 1
    assert agreement(["a", "b"], [100, edge + 0.01], [1, 2]).noise_pairs == 0


def test_nothing_but_noise_has_a_tau_b_and_no_tau():
    found = agreement(["a", "b", "c"], [100, 101, 102], [1, 2, 3])
    assert (found.tau_b, found.tau, found.noise_pairs) == (1, None, 3)


def test_a_predicted_tie_of_a_measured_difference_is_neither_right_nor_wrong():
    # Three pairs: a-b predicted equal, a-c and b-c right: 2 / 3; tau-b: 2 / sqrt(3 x 2).
    found = agreement(["a", "b", "c"], [1, 2, 3], [5, 5, 6])
    assert found.tau == pytest.approx(2 / 3, abs=1e-4)
    assert found.tau_b == pytest.approx(2 / math.sqrt(6), abs=1e-4)
    assert found.swapped == ()


def test_a_published_group_and_what_is_swapped_in_it():
    """Llama 3.1 405B, 128/128 tokens, on TensorRT-LLM, tokens/s per chip, predicted without each row.

    NVIDIA, TensorRT-LLM performance overview 0.14 and 1.0. Two of the three pairs are right: (2 - 1) / 3.
    """
    systems = ["4 x B200", "8 x RTX PRO 6000", "8 x H200"]
    found = agreement(systems, [1570.25, 556.5, 476.75], [1670.35, 464.125, 473.4875])
    assert found.tau == found.tau_b == pytest.approx(1 / 3, abs=1e-4)
    # 556.5 / 476.75 = 1.167; 464.125 / 473.4875 = 0.980
    assert found.swapped == (Swap("8 x RTX PRO 6000", "8 x H200", 1.167, 0.98),)


def test_swaps_are_given_from_the_better_system_the_widest_first():
    # c is measured 3 times a and 1.5 times b, and predicted at half of both.
    found = agreement(["a", "b", "c"], [1, 2, 3], [10, 20, 5])
    assert found.swapped == (Swap("c", "a", 3, 0.5), Swap("c", "b", 1.5, 0.25))
    assert found.tau == pytest.approx(-1 / 3, abs=1e-4)
