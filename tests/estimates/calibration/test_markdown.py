"""The report as a page: every table, every figure from the report, the command that makes it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from estimates.calibration.markdown import COLUMNS, LEAST_ROWS, markdown
from tests.estimates.calibration.conftest import World

COMMAND = "python manage.py calibrate --cross-validate --markdown docs/accuracy.md"


@pytest.fixture
def page(world: World) -> str:
    return markdown(world.report, COMMAND)


def section(page: str, title: str) -> list[str]:
    """The lines under a heading."""
    lines = page.splitlines()
    start = lines.index(f"## {title}")
    rest = lines[start + 1 :]
    end = next((n for n, line in enumerate(rest) if line.startswith("## ")), len(rest))
    return rest[:end]


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    table = [line for line in section(page, title) if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def score(**changes: Any) -> dict[str, Any]:
    """A score of 100 rows."""
    return {
        "rows": 100,
        "answered": 100,
        "mape_pct": 12.34,
        "median_ape_pct": 5.67,
        "bias_pct": -1.25,
        "within20_pct": 89.0,
        "coverage80_pct": 80.5,
        "interval_ratio": 1.234,
    } | changes


def with_tpot(world: World, **views: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(world.report)
    found["rows_out"]["tpot_ms"] = {"complete": score(), **views}
    return found


def test_the_top_has_the_command_and_the_counts(page: str):
    top = page.split("## ")[0]
    assert top.startswith("# Accuracy\n\nMade on 2026-04-01 by\n\n    " + COMMAND + "\n")
    assert "151 figures of 91 published runs, 0 copies of one measurement removed; 150 figures taught." in top


def test_runs_that_cannot_be_asked_about_are_counted_by_reason(world: World):
    found = copy.deepcopy(world.report)
    found["measurements"]["left_out"] = {"missing_count": 8, "unknown_accelerator": 1279}
    assert "by the missing fact: missing count 8, unknown accelerator 1,279." in markdown(found, COMMAND)


def test_sections_come_in_the_order_of_what_matters(page: str):
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [
        "What was left out",
        "Beside other tools, on the same rows",
        "What each stage buys",
        "What each term does",
        "By what was known",
        "By accelerator",
        "By software",
        "By model",
        "The worst groups",
    ]


def test_the_headline_prints_a_score_by_fold_and_metric(world: World):
    first = rows(markdown(with_tpot(world), COMMAND), "What was left out")[0]
    assert first == ["rows", "TPOT", "100", "12.3", "5.7", "-1.2", "89.0", "80.5", "1.23"]
    assert len(first) == 2 + len(COLUMNS)


def test_views_are_printed_where_they_differ(world: World):
    found = with_tpot(
        world,
        plausible=score(rows=90, answered=90, mape_pct=9.0),
        all=score(rows=120, answered=120),
        below_capacity=score(rows=0, answered=0),
    )
    names = [line[1] for line in rows(markdown(found, COMMAND), "What was left out") if line[0] == "rows"]
    assert names[:2] == ["TPOT", "TPOT, plausible"]
    assert "TPOT, below capacity" not in names
    same = with_tpot(world, plausible=score())
    names = [line[1] for line in rows(markdown(same, COMMAND), "What was left out")]
    assert "TPOT, plausible" not in names


def test_every_metric_of_both_folds_is_in_the_headline(page: str):
    found = {(line[0], line[1]) for line in rows(page, "What was left out")}
    for fold in ("rows", "groups"):
        assert {metric for name, metric in found if name == fold} >= {
            "TPOT",
            "first token",
            "rates",
            "output_tok_s_total",
        }


def test_other_tools_stand_beside_ours_on_their_rows(world: World, page: str):
    """Both folds of ours on the rows that the tool answers."""
    (line,) = rows(page, "Beside other tools, on the same rows")
    peers = {
        fold: next(one for one in world.report[fold]["peers"] if one["view"] == "complete")
        for fold in ("rows_out", "groups_out")
    }

    def three(one: dict[str, Any]) -> str:
        return f"{one['mape_pct']:.1f} / {one['median_ape_pct']:.1f} / {one['within20_pct']:.1f}"

    assert line == [
        "Another tool 1.0",
        "tpot_ms",
        "3 of 3",
        three(peers["rows_out"]["peer"]),
        three(peers["rows_out"]["ours"]),
        three(peers["groups_out"]["ours"]),
    ]


def test_without_other_tools_there_is_no_table_of_them(world: World):
    found = copy.deepcopy(world.report)
    for fold in ("rows_out", "groups_out"):
        found[fold]["peers"] = []
    assert "Beside other tools" not in markdown(found, COMMAND)


def test_stages_are_mape_and_median_of_each_fold(world: World, page: str):
    found = rows(page, "What each stage buys")
    assert [line[0] for line in found] == [one["stage"] for one in world.report["stages"]]
    first = world.report["stages"][0]["rows_out"]["tpot_ms"]
    assert found[0][1] == f"{first['mape_pct']:.1f} / {first['median_ape_pct']:.1f}"
    assert all(len(line) == 7 for line in found)


def test_every_term_of_the_ablation_is_listed(world: World, page: str):
    found = rows(page, "What each term does")
    assert [line[0] for line in found] == [one["term"] for one in world.report["ablation"]]
    assert found[1][1:] == [
        f"{world.report['ablation'][1][name]:.2f}" for name in ("tpot_mape_before", "tpot_mape_after")
    ]


def test_tiers_have_their_coverage(world: World, page: str):
    found = rows(page, "By what was known")
    (line,) = (one for one in found if one[:3] == ["rows", "its group measured", "TPOT"])
    expected = world.report["rows_out"]["tiers"]["measured"]["tpot_ms"]["complete"]
    assert line[3] == str(expected["answered"])
    assert line[8] == f"{expected['coverage80_pct']:.1f}"


def test_slices_are_of_complete_rows_in_both_folds(world: World, page: str):
    (line,) = (one for one in rows(page, "By software") if one[0] == "sglang")
    expected = world.report["rows_out"]["slices"]["software"]["sglang"]["tpot_ms"]["complete"]
    names = ("mape_pct", "median_ape_pct", "coverage80_pct")
    assert line[1:3] == ["20", " / ".join(f"{expected[name]:.1f}" for name in names)]
    assert len(line) == 10


def test_slices_of_few_figures_are_counted_not_listed(world: World):
    """The L40S has ten figures of each metric here."""
    found = markdown(world.report, COMMAND)
    assert LEAST_ROWS == 20
    assert [line[0] for line in rows(found, "By accelerator")] == ["nvidia-h100-sxm"]
    assert "1 with fewer than 20 figures of each metric are not listed." in " ".join(
        section(found, "By accelerator")
    )


def test_worst_groups_say_what_is_known(world: World, page: str):
    found = rows(page, "The worst groups")
    assert [line[-1] for line in found] == [one["known"] for one in world.report["worst_groups"]]
    assert [float(line[7]) for line in found] == [one["mape_pct"] for one in world.report["worst_groups"]]


def test_every_table_is_rectangular_and_holds_no_none(page: str):
    assert "None" not in page
    assert "nan" not in page.lower().replace("nvidia", "")
    width = 0
    for line in page.splitlines():
        cells = line.count(" | ")
        assert not line.startswith("|") or not width or cells == width
        width = cells if line.startswith("|") else 0


def test_a_bar_in_a_name_does_not_split_its_cell(world: World):
    found = copy.deepcopy(world.report)
    found["worst_groups"][0]["model"] = "a|b"
    assert "| a\\|b |" in markdown(found, COMMAND)


def test_the_page_ends_with_a_line_break(page: str):
    assert page.endswith("|\n")
    assert not page.endswith("\n\n")
