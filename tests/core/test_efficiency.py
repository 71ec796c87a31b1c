"""Efficiency data: the look-up chain, and what a broken file says."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import pytest

from estimates.core.efficiency import DATA_DIRECTORY, FILES, InvalidEfficiency, load_efficiency
from estimates.core.facts import Link
from tests.core.machines import A100, H100, MI300X, WSE3, efficiency


def rows(file):
    with (DATA_DIRECTORY / file).open(newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("file", FILES[:3])
def test_every_figure_has_a_provenance_and_a_source(file):
    for row in rows(file):
        assert row["provenance"] in ("measured", "fitted", "derived", "assumed", "vendor"), row
        assert row["source"], row


@pytest.mark.parametrize("file", FILES[3:])
def test_every_name_has_a_source(file):
    assert all(row["source"] for row in rows(file))


def test_a_chip_runs_its_usual_software_where_none_is_named():
    assert efficiency().software_of(H100, None) == "vllm"
    assert efficiency().software_of(H100, "trtllm") == "trtllm"
    assert efficiency().software_of(WSE3, None) is None


def test_fits_keep_their_denominators():
    measured = [row for row in rows("operators.csv") if row["operation"] == "gemm" and row["scope"] == "chip"]
    assert len(measured) > 40
    assert all(float(row["peak_tflops"]) > 0 and float(row["peak_gbps"]) > 0 for row in measured)


def test_the_chip_s_own_software_comes_first():
    # TensorRT-LLM 1.3 on H100, bf16: 0.7805 of compute, 0.8357 of bandwidth, 3.6 us, p 3.16
    fit = efficiency().fit(H100, "gemm", "bf16", "bf16", "trtllm")
    assert (fit.eff_compute, fit.eff_memory, fit.t0_s, fit.p) == pytest.approx((0.7805, 0.8357, 3.6e-6, 3.16))
    assert (fit.level, fit.exact_format) == (0, True)


def test_without_a_software_the_mean_of_the_measured():
    both = efficiency().fit(H100, "gemm", "bf16", "bf16", None)
    assert both.eff_compute == pytest.approx((0.7805 * 0.8189) ** 0.5)
    assert both.t0_s == pytest.approx((3.6e-6 + 3.95e-6) / 2)


@pytest.mark.parametrize(
    ("chip", "level"),
    [
        (H100, 0),
        (replace(H100, slug="nvidia-h800-sxm"), 1),
        (replace(H100, slug="nvidia-new", generation="Feynman"), 2),
        (MI300X, 3),
        (WSE3, 3),
    ],
    ids=["chip", "generation", "vendor", "kind", "sram first"],
)
def test_the_chain_of_inheritance(chip, level):
    assert efficiency().fit(chip, "gemm", "bf16", "bf16", None).level == level


def test_a_generation_does_not_lend_to_another_kind_of_chip():
    soc = replace(H100, slug="nvidia-small", kind="soc")
    assert efficiency().fit(soc, "gemm", "bf16", "bf16", None).level == 3


def test_the_nearest_format_stands_in():
    fit = efficiency().fit(A100, "gemm", "fp8", "bf16", "trtllm")  # unpacked to 16 bit: as INT8 weights
    assert not fit.exact_format or fit.origin.endswith("int8_wo")


def test_collectives_through_the_host_are_not_taken_for_a_fabric():
    fabric = efficiency().collective(MI300X, "all_reduce", Link("scale_up", 448e9), None).at(8)
    host = efficiency().collective(MI300X, "all_reduce", Link("pcie", 64e9), None).at(8)
    assert host[0] > fabric[0]
    assert host[1] < fabric[1]


def test_the_version_is_that_of_the_files(tmp_path):
    for file in FILES:
        shutil.copy(DATA_DIRECTORY / file, tmp_path / file)
    assert load_efficiency(tmp_path).version == efficiency().version
    path = tmp_path / "coefficients.csv"
    path.write_text(path.read_text().replace("0.87", "0.88"))
    assert load_efficiency(tmp_path).version != efficiency().version


@pytest.mark.parametrize(
    ("file", "column", "value"),
    [
        ("operators.csv", "eff_compute", "1.2"),
        ("operators.csv", "t0_us", "nan"),
        ("operators.csv", "source", ""),
        ("collectives.csv", "alpha_us", "fast"),
        ("coefficients.csv", "value", "-1"),
    ],
)
def test_a_broken_row_names_file_line_and_column(tmp_path, file, column, value):
    for name in FILES:
        shutil.copy(DATA_DIRECTORY / name, tmp_path / name)
    broken = rows(file)
    broken[3][column] = value
    with (tmp_path / file).open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(broken[0]))
        writer.writeheader()
        writer.writerows(broken)
    with pytest.raises(InvalidEfficiency) as caught:
        load_efficiency(tmp_path)
    assert (caught.value.file, caught.value.line, caught.value.column) == (file, 5, column)
