"""The chart as geometry: log axes, the Pareto front, colours that last, places in per cent."""

import pytest

from estimates.pages.chart import GREY, Axis, Point, draw, pareto_front


def point(key: str, x: float, y: float, vendor: str = "nvidia", chosen: bool = True) -> Point:
    return Point(key=key, label=key, vendor=vendor, x=x, y=y, chosen=chosen)


def test_a_value_stands_at_its_share_of_the_decades() -> None:
    axis = Axis(1, 100)
    assert [axis.share(value) for value in (1, 10, 100)] == pytest.approx([0, 0.5, 1])
    assert axis.share(0.1) == 0  # outside: at the edge


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (Axis(0.9, 110), ["1", "2", "5", "10", "20", "50", "100"]),
        (Axis(18, 61), ["20", "30", "40", "50", "60"]),
        (Axis(0.9, 9e4), ["1", "10", "100", "1,000", "10,000"]),  # five decades: the ones alone
    ],
)
def test_ticks_are_round_numbers_within_the_axis(axis: Axis, labels: list[str]) -> None:
    assert [tick.text for tick in axis.ticks() if tick.text] == labels


def test_the_front_holds_what_nothing_beats_in_both_speed_and_cost() -> None:
    cheap, middle, fast = point("cheap", 10, 1), point("middle", 20, 2), point("fast", 40, 8)
    slower_and_dearer_than_middle = point("beaten", 15, 3)
    as_fast_as_middle_and_dearer = point("dear", 20, 2.5)
    points = [fast, slower_and_dearer_than_middle, cheap, as_fast_as_middle_and_dearer, middle]
    assert pareto_front(points) == [cheap, middle, fast]


def test_one_answer_of_an_offer_can_be_on_the_front_and_the_other_not() -> None:
    chart = draw([point("a", 10, 1), point("a", 9, 5, chosen=False), point("b", 20, 2)], {"nvidia": "NVIDIA"})
    assert chart is not None
    assert sorted((p.point.key, p.point.chosen, p.on_front) for p in chart.points) == [
        ("a", False, False),
        ("a", True, True),
        ("b", True, True),
    ]


def test_at_most_eight_vendors_are_coloured_and_each_by_another_shape() -> None:
    names = {f"v{number}": f"Vendor {number}" for number in range(10)}
    chart = draw([point(slug, 10 + n, 1 + n, slug) for n, slug in enumerate(names)], names)
    assert chart is not None
    coloured = [key for key in chart.vendors if key.slot < GREY]
    assert [key.slug for key in coloured] == [f"v{number}" for number in range(8)]
    assert len({key.marker for key in coloured}) == 8
    assert {key.slug for key in chart.vendors if key.slot == GREY} == {"v8", "v9"}


def test_a_vendor_keeps_its_colour_when_others_are_left_out() -> None:
    names = {"nvidia": "NVIDIA", "amd": "AMD", "google": "Google"}
    everyone = draw([point(slug, 10 + n, 1 + n, slug) for n, slug in enumerate(names)], names)
    google = draw([point("g", 10, 1, "google")], names)
    assert everyone is not None
    assert google is not None
    slots = {key.slug: key.slot for key in everyone.vendors}
    assert google.vendors[0].slot == slots["google"] == 2


def test_a_chosen_vendor_beyond_the_eighth_gets_a_colour() -> None:
    names = {f"v{number}": f"Vendor {number}" for number in range(10)}
    points = [point(slug, 10 + n, 1 + n, slug) for n, slug in enumerate(names)]
    chart = draw(points, names, chosen=["v9"])
    assert chart is not None
    assert [key.slug for key in chart.vendors if key.slot < GREY] == ["v9"]


def test_places_are_shares_of_the_plot_from_the_left_and_from_the_top() -> None:
    """Two points a decade apart in both, margins of a factor 1.15: log 1.15 / log 13.225 = 0.054."""
    chart = draw([point("low", 1, 1), point("high", 10, 10)], {"nvidia": "NVIDIA"})
    assert chart is not None
    places = {p.point.key: (p.x, p.y) for p in chart.points}
    assert places == {"low": ("5.41%", "94.59%"), "high": ("94.59%", "5.41%")}


def test_labels_do_not_overlap() -> None:
    """Twelve points in one spot: there is room to the right, to the left and below on the left."""
    chart = draw(
        [point(f"8x Accelerator {n}", 10 + n / 1000, 1 + n / 1000) for n in range(12)], {"nvidia": "N"}
    )
    assert chart is not None
    assert sum(bool(p.label_side) for p in chart.points) <= 3


def test_nothing_to_draw_is_no_chart() -> None:
    assert draw([], {}) is None
