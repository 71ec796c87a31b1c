"""Pareto fronts of clouds small enough to see."""

import numpy as np

from estimates.core.pareto import front, thinned

#      y
#   4  a
#   3     b     (c lies under b, d under e)
#   2        e
#   1     c  d     f
#      1  2  3  4    x
X = [1, 2, 2, 3, 3, 4]
Y = [4, 3, 1, 1, 2, 1]


def test_the_front_holds_what_no_other_point_beats_on_both_axes_by_falling_x() -> None:
    assert front(X, Y).tolist() == [5, 4, 1, 0]


def test_of_equal_points_the_first_stands_for_all() -> None:
    assert front([2, 2, 1], [1, 1, 1]).tolist() == [0]


def test_a_point_with_an_unknown_axis_is_left_out() -> None:
    assert front([1, np.nan, 3], [1, 9, np.nan]).tolist() == [0]


def test_nothing_known_has_no_front() -> None:
    assert front([np.nan], [1]).size == 0


def test_a_thinned_front_keeps_both_ends_and_spreads_the_rest_along_the_curve() -> None:
    x = 2.0 ** -np.arange(9)
    kept = thinned(x, 1 / x, front(x, 1 / x), 3)
    assert kept.tolist() == [0, 4, 8]
