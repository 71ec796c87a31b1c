"""A catalogue of one invented accelerator and one system, written as data files for tests of the loader."""

# ruff: noqa: E501

from pathlib import Path
from textwrap import dedent

VENDORS = """\
- slug: acme
  name: Acme
  makes_hardware: true
"""
SOURCES = """\
- slug: acme-datasheet
  title: Acme One datasheet
- slug: other-table
  title: Somebody's table
"""
ACCELERATOR = """\
slug: acme-one
name: One
vendor: acme
generation: First
kind: gpu
segment: datacentre
status: available
release_date: "2026-01"
memory_type: HBM3
confidence: high
memory_tiers: {cache: SRAM}
links: {scale_up: AcmeLink}
figures:
  memory_gb:
    - {accepted: true, value: 80, unit: GB, kind: vendor_claim, source: acme-datasheet, date: "2026-01", confidence: high}
  memory_bandwidth_gbs:
    - {accepted: true, value: 2000, unit: GB/s, kind: vendor_claim, source: acme-datasheet, date: "2026-01", confidence: high}
    - {value: 1900, unit: GB/s, kind: third_party, source: other-table, date: "2025", confidence: low, reason: an engineering sample}
  memory_tier:cache:capacity_gb:
    - {accepted: true, value: 0.05, unit: GB, kind: assumed, date: "2026-01", confidence: low, as_printed: "50 MB"}
  peak_rate:bf16:
    - {accepted: true, value: 400, unit: TFLOPS, kind: vendor_claim, source: acme-datasheet, date: "2026-01", confidence: high, sparsity: dense}
  link:scale_up:bandwidth_gbs:
    - {accepted: true, value: 300, unit: GB/s, kind: vendor_claim, source: acme-datasheet, date: "2026-01", confidence: high}
"""
SYSTEMS = """\
- slug: acme-box
  name: Acme Box
  vendor: acme
  accelerator: acme-one
  form: server
  figures:
    accelerator_count:
      - {accepted: true, value: 8, unit: accelerators, kind: vendor_claim, source: acme-datasheet, date: "2026-01", confidence: high}
    power_kw:
      - {accepted: true, value: 6, unit: kW, kind: assumed, date: "2026-01", confidence: low}
"""
FILES = {
    "vendors.yaml": VENDORS,
    "sources.yaml": SOURCES,
    "accelerators/acme/acme-one.yaml": ACCELERATOR,
    "systems/acme.yaml": SYSTEMS,
}


class SmallCatalogue:
    """The files of the invented catalogue below a directory, to be changed by a test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in FILES.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))

    def edit(self, name: str, old: str, new: str) -> int:
        """Replace one occurrence in a file; the line it stands on."""
        path = self.root / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1


ONE = "accelerators/acme/acme-one.yaml"
