"""Shapley shares by hand: additive games, interaction shared in halves, sums without a rest."""

import numpy as np
import pytest

from estimates.comparison.shapley import coalitions, sequential_shares, shapley_shares


def test_independent_causes_have_what_they_do_alone() -> None:
    # values of {}, {a}, {b}, {a, b}: a adds 2, b adds 3
    assert shapley_shares(np.array([0.0, 2.0, 3.0, 5.0])).tolist() == [2.0, 3.0]


def test_what_two_do_only_together_is_halved() -> None:
    # alone nothing, together 4
    assert shapley_shares(np.array([0.0, 0.0, 0.0, 4.0])).tolist() == [2.0, 2.0]


def test_three_players_by_hand() -> None:
    """The glove game: one left glove (0), two right ones (1, 2); a pair is worth 1.

    The left glove gains 0 in the orders where it comes first (1/3 of them), else 1: share 2/3; the rest is
    divided by the two right ones.
    """
    values = [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]  # by bits: {}, 0, 1, 01, 2, 02, 12, 012
    assert shapley_shares(np.array(values)) == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=1e-12)


@pytest.mark.parametrize("players", [0, 1, 4, 8])
def test_shares_add_up_to_the_whole(players: int) -> None:
    values = np.random.default_rng(7).normal(size=1 << players)
    assert shapley_shares(values).sum() == pytest.approx(values[-1] - values[0], abs=1e-12)
    one_by_one = values[coalitions(players, exact=False)]
    assert sequential_shares(one_by_one).sum() == pytest.approx(values[-1] - values[0], abs=1e-12)


def test_a_sequence_swaps_the_players_in_their_order() -> None:
    assert coalitions(3, exact=False) == [0b000, 0b001, 0b011, 0b111]
    assert coalitions(2, exact=True) == [0, 1, 2, 3]


def test_a_game_has_two_to_the_players_values() -> None:
    with pytest.raises(ValueError, match="2\\^n"):
        shapley_shares(np.zeros(3))
