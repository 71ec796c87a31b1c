"""Loading the data files: all or nothing, only what changed, faults with their line, editors' values kept."""

# ruff: noqa: E501

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.figures import accept_figure, accepted_value, figures_of
from catalog.importing.errors import DataFilesError, Place, Problems
from catalog.importing.files import DataFile, read_csv
from catalog.importing.kinds import Counts, Facts, Kind, Load, Record
from catalog.importing.load import UnknownKindError, in_order, load_files
from catalog.importing.registry import all_kinds
from catalog.models import Accelerator, Figure, Link, MemoryTier, PeakRate, Source, System, Vendor
from tests.catalog.small_catalogue import ONE, SmallCatalogue

pytestmark = pytest.mark.django_db


def load(small: SmallCatalogue, **options: bool) -> dict[str, Counts]:
    return load_files(small.root, **options).counts


def faults(small: SmallCatalogue) -> list[str]:
    with pytest.raises(DataFilesError) as caught:
        load_files(small.root)
    return [str(problem) for problem in caught.value.problems]


# ---- What a load writes ----------------------------------------------------------------------------------


def test_values_stand_in_columns_and_child_rows(small: SmallCatalogue) -> None:
    load(small)
    one = Accelerator.objects.get(slug="acme-one")
    assert (one.memory_gb, one.memory_bandwidth_gbs, one.vendor.slug) == (80, 2000, "acme")
    assert PeakRate.objects.get(accelerator=one).tera_ops == 400
    assert MemoryTier.objects.values_list("role", "capacity_gb", "memory_type").get() == (
        "cache",
        0.05,
        "SRAM",
    )
    assert Link.objects.values_list("scope", "bandwidth_gbs", "name").get() == ("scale_up", 300, "AcmeLink")
    assert System.objects.values_list("accelerator_count", "power_kw").get() == (8, 6)


def test_a_rival_is_kept_with_its_reason_and_not_used(small: SmallCatalogue) -> None:
    load(small)
    rival = Figure.objects.get(quantity="memory_bandwidth_gbs", accepted=False)
    assert (rival.value, rival.source.slug, rival.reason) == (1900, "other-table", "an engineering sample")


def test_the_report_counts_what_was_added(small: SmallCatalogue) -> None:
    counts = load(small)
    assert counts["accelerators"] == Counts(added=1)
    assert counts["figures of accelerators"] == Counts(added=6)  # five accepted, one rival
    assert counts["figures of systems"] == Counts(added=2)


def test_a_second_load_changes_nothing_and_bumps_no_version(small: SmallCatalogue) -> None:
    load(small)
    before = list(Accelerator.objects.values_list("version", "changed_at")) + list(
        System.objects.values_list("version", "changed_at")
    )
    counts = load(small)
    after = list(Accelerator.objects.values_list("version", "changed_at")) + list(
        System.objects.values_list("version", "changed_at")
    )
    assert after == before
    assert all(row.added == row.changed == row.removed == 0 for row in counts.values())


def test_a_changed_value_is_one_changed_figure_and_reaches_its_column(small: SmallCatalogue) -> None:
    load(small)
    version = Accelerator.objects.get().version
    small.edit(ONE, "value: 2000", "value: 2400")
    counts = load(small)
    assert counts["figures of accelerators"] == Counts(changed=1, unchanged=5)
    assert counts["accelerators"] == Counts(changed=1)
    one = Accelerator.objects.get()
    assert (one.memory_bandwidth_gbs, one.version) == (2400, version + 1)


def test_a_changed_rate_reaches_its_child_row(small: SmallCatalogue) -> None:
    load(small)
    small.edit(ONE, "value: 400", "value: 450")
    load(small)
    assert PeakRate.objects.get().tera_ops == 450


def test_accepting_the_rival_in_the_file_swaps_the_two(small: SmallCatalogue) -> None:
    load(small)
    small.edit(ONE, "{accepted: true, value: 2000", "{value: 2000")
    small.edit(ONE, "{value: 1900", "{accepted: true, value: 1900")
    load(small)
    assert Accelerator.objects.get().memory_bandwidth_gbs == 1900


def test_a_figure_taken_out_of_the_file_leaves_the_value_unknown(small: SmallCatalogue) -> None:
    load(small)
    text = (small.root / ONE).read_text()
    start, end = text.index("  peak_rate:bf16:"), text.index("  link:scale_up")
    (small.root / ONE).write_text(text[:start] + text[end:])
    counts = load(small)
    assert counts["figures of accelerators"].removed == 1
    assert not PeakRate.objects.exists()


def test_a_row_that_left_the_files_stays_and_is_noted(small: SmallCatalogue) -> None:
    load(small)
    (small.root / "systems/acme.yaml").write_text("[]\n")
    report = load_files(small.root)
    assert System.objects.filter(slug="acme-box").exists()
    assert "systems acme-box: no longer in the files; the row stays" in report.notes


# ---- Faults in files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "value", "accepted"),
    [
        ("value: 2000", "value: fast", 17, "figures.memory_bandwidth_gbs.0.value", "'fast'", "valid number"),
        ("value: 2000", "value: -1", 17, "figures.memory_bandwidth_gbs.0.value", "-1", "finite number above 0 (GB/s)"),
        ("value: 2000", "value: .nan", 17, "figures.memory_bandwidth_gbs.0.value", "nan", "a finite number"),
        ("value: 2000", "value: .inf", 17, "figures.memory_bandwidth_gbs.0.value", "inf", "a finite number"),
        ("400, unit: TFLOPS", "400, unit: GFLOPS", 22, "figures.peak_rate:bf16.0.unit", "'GFLOPS'", "TFLOPS"),
        ("kind: gpu", "kind: gpux", 5, "kind", "'gpux'", "'gpu', 'tpu', 'asic', 'wafer', 'npu', 'soc' or 'cpu'"),
        ("status: available", "state: available", 7, "state", "'available'", "no such field"),
        ("status: available\n", "", 1, "status", "''", "the field is required"),
        ('"2026-01"\nmemory_type', '"January"\nmemory_type', 8, "release_date", "'January'", "pattern"),
        ("memory_gb:", "memory_gib:", 14, "figures", "'memory_gib'", "memory_gb, memory_bytes"),
        ("source: other-table", "source: other-tabel", 18, "figures.memory_bandwidth_gbs.1.source", "'other-tabel'",
         "nearest: other-table"),
        ("kind: third_party, source: other-table,", "kind: third_party,", 18, "figures.memory_bandwidth_gbs.1.source",
         "None", "kind assumed or derived without one"),
        ("- {value: 1900", "- {accepted: true, value: 1900", 16, "figures.memory_bandwidth_gbs", "'accepted twice'",
         "one accepted figure"),
        ("slug: acme-one", "slug: acme-two", 1, "slug", "'acme-two'", "the file's name, acme-one"),
        ("vendor: acme", "vendor: acmee", 3, "vendor", "'acmee'", "the folder's name, acme"),
        ("links: {scale_up: AcmeLink}\n", "", 22, "link:scale_up:bandwidth_gbs", "'scale_up'", "an entry in links"),
        ("name: One\n", "name: One\nname: Two\n", 3, "name", "'name'", "each key once"),
        ("name: One", "name: [One", 3, "file", "expected", "well-formed YAML"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_field_value_and_what_is_accepted(
    small: SmallCatalogue, old: str, new: str, line: int, field: str, value: str, accepted: str
) -> None:
    small.edit(ONE, old, new)
    start = f"{ONE}:{line}: {field}: "
    fault = next(fault for fault in faults(small) if fault.startswith(start))
    given, _, wanted = fault.removeprefix(start).partition(" is not accepted; accepted: ")
    assert value in given
    assert accepted in wanted


def test_nothing_is_loaded_when_one_file_is_broken(small: SmallCatalogue) -> None:
    small.edit("systems/acme.yaml", "value: 8", "value: eight")
    with pytest.raises(DataFilesError):
        load_files(small.root)
    assert not Vendor.objects.exists()
    assert not Source.objects.exists()
    assert not Accelerator.objects.exists()


def test_every_fault_is_reported_not_only_the_first(small: SmallCatalogue) -> None:
    small.edit(ONE, "value: 2000", "value: fast")
    small.edit(ONE, "kind: gpu", "kind: gpux")
    small.edit("vendors.yaml", "makes_hardware: true", "makes_hardware: perhaps")
    assert [fault.split(": ")[:2] for fault in faults(small)] == [
        [f"{ONE}:5", "kind"],
        [f"{ONE}:17", "figures.memory_bandwidth_gbs.0.value"],
        ["vendors.yaml:3", "0.makes_hardware"],
    ]


def test_the_command_lists_the_faults_and_fails(small: SmallCatalogue) -> None:
    small.edit(ONE, "value: 2000", "value: fast")
    errors = StringIO()
    with pytest.raises(CommandError, match="nothing was loaded") as caught:
        call_command("load_catalog", data=small.root, stdout=StringIO(), stderr=errors)
    assert caught.value.returncode == 1
    assert f"{ONE}:17: figures.memory_bandwidth_gbs.0.value: 'fast' is not accepted" in errors.getvalue()


def test_a_file_that_is_not_text_is_a_fault(small: SmallCatalogue) -> None:
    (small.root / ONE).write_bytes(b"\xff\xfe\x00")
    assert any("UTF-8 text" in fault for fault in faults(small))


def test_a_file_nested_beyond_reason_is_a_fault(small: SmallCatalogue) -> None:
    (small.root / ONE).write_text("[" * 50_000)
    assert any(fault.startswith(ONE) for fault in faults(small))


def test_the_same_slug_in_two_places_names_both(small: SmallCatalogue) -> None:
    path = small.root / "systems/acme.yaml"
    path.write_text(path.read_text() * 2)
    assert any("'acme-box'" in fault and "systems/acme.yaml:1 has it" in fault for fault in faults(small))


def test_a_ragged_csv_row_is_a_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('name,model\n"two\nlines",x\nlonely\n')
    problems = Problems()
    rows = list(read_csv(DataFile(path, tmp_path), problems))
    assert rows == [(2, {"name": "two\nlines", "model": "x"})]
    assert [str(problem) for problem in problems] == ["a.csv:4: row: 1 is not accepted; accepted: 2 columns"]


def test_a_missing_directory_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DataFilesError):
        load_files(tmp_path / "nowhere")


# ---- One transaction -------------------------------------------------------------------------------------


def test_a_failure_while_writing_leaves_nothing_behind(small: SmallCatalogue) -> None:
    def parse(file: DataFile, problems: Problems) -> list[Record]:
        return [Record("x", None, Place("x", 1))]

    def write(records: list[Record], load: Load) -> Counts:
        raise RuntimeError("the disk is full")

    failing = Kind("failing", ("vendors.yaml",), parse, write, after=("systems",))
    with pytest.raises(RuntimeError):
        load_files(small.root, kinds=[*all_kinds(), failing])
    assert not Accelerator.objects.exists()
    assert not Figure.objects.exists()


def test_check_reads_everything_and_writes_nothing(small: SmallCatalogue) -> None:
    out = StringIO()
    call_command("load_catalog", data=small.root, check=True, stdout=out)
    assert "accelerators                   1 read" in out.getvalue()
    assert not Vendor.objects.exists()


def test_only_brings_the_kinds_that_a_kind_refers_to(small: SmallCatalogue) -> None:
    report = load_files(small.root, only=["accelerators"])
    assert list(report.counts) == ["vendors", "sources", "accelerators", "figures of accelerators"]
    assert not System.objects.exists()


def test_an_unknown_kind_names_those_there_are(small: SmallCatalogue) -> None:
    with pytest.raises(UnknownKindError, match=r"'acelerators'.*accelerators"):
        load_files(small.root, only=["acelerators"])


def test_kinds_that_refer_to_each_other_in_a_circle_are_refused() -> None:
    def nothing(records: list[Record], load: Load) -> Counts:
        return Counts()

    def no_records(file: DataFile, problems: Problems) -> list[Record]:
        return []

    first = Kind("first", (), no_records, nothing, after=("second",))
    second = Kind("second", (), no_records, nothing, after=("first",))
    with pytest.raises(ValueError, match="circle"):
        in_order([first, second])


# ---- Edits in the database -------------------------------------------------------------------------------


def edited(small: SmallCatalogue) -> Accelerator:
    load(small)
    one = Accelerator.objects.get()
    accept_figure(one, "memory_bandwidth_gbs", 2500, kind="assumed", reason="measured here")
    return one


def test_an_editors_figure_survives_a_load_and_is_reported(small: SmallCatalogue) -> None:
    one = edited(small)
    report = load_files(small.root)
    one.refresh_from_db()
    assert one.memory_bandwidth_gbs == 2500
    assert report.counts["figures of accelerators"].kept == 1
    assert "acme-one: memory_bandwidth_gbs: the editor's 2500 stays; the file has 2000" in report.notes


def test_a_file_that_changes_under_an_editors_figure_becomes_a_rival(small: SmallCatalogue) -> None:
    one = edited(small)
    small.edit(ONE, "value: 2000", "value: 2100")
    load(small)
    assert accepted_value(one, "memory_bandwidth_gbs") == 2500
    assert sorted(figures_of(one, "memory_bandwidth_gbs").values_list("value", "accepted")) == [
        (1900, False),
        (2100, False),
        (2500, True),
    ]


def test_overwrite_lets_the_file_win_and_keeps_the_editors_figure_as_a_rival(small: SmallCatalogue) -> None:
    one = edited(small)
    load(small, overwrite=True)
    one.refresh_from_db()
    assert one.memory_bandwidth_gbs == 2000
    assert figures_of(one, "memory_bandwidth_gbs").get(value=2500).accepted is False


def test_an_edited_column_stays_when_the_file_did_not_change(small: SmallCatalogue) -> None:
    load(small)
    Accelerator.objects.update(status="discontinued")
    report = load_files(small.root)
    assert Accelerator.objects.get().status == "discontinued"
    assert report.counts["accelerators"].kept == 1


def test_a_column_that_only_the_file_changed_is_taken_over(small: SmallCatalogue) -> None:
    load(small)
    small.edit(ONE, "status: available", "status: discontinued")
    assert load(small)["accelerators"] == Counts(changed=1)
    assert Accelerator.objects.get().status == "discontinued"


def test_a_column_changed_on_both_sides_keeps_the_editors_value(small: SmallCatalogue) -> None:
    load(small)
    Accelerator.objects.update(notes="by hand")
    small.edit(ONE, "confidence: high\nmemory_tiers", "confidence: high\nnotes: by file\nmemory_tiers")
    load(small)
    assert Accelerator.objects.get().notes == "by hand"
    load(small, overwrite=True)
    assert Accelerator.objects.get().notes == "by file"


def test_a_row_that_an_editor_made_first_keeps_the_editors_values(small: SmallCatalogue) -> None:
    Vendor.objects.create(slug="acme", name="Acme Corporation")
    report = load_files(small.root)
    assert Vendor.objects.get().name == "Acme Corporation"
    assert any("Acme Corporation" in note for note in report.notes)


# ---- References ------------------------------------------------------------------------------------------


def test_require_notes_an_unknown_key_with_the_nearest() -> None:
    facts, problems = Facts(), Problems()
    facts.add("vendors", [Record("nvidia", None, Place("v", 1))], problems)
    facts.require("vendors", "nvida", Place("a.yaml", 3), "vendor", problems)
    assert [str(problem) for problem in problems] == [
        "a.yaml:3: vendor: 'nvida' is not accepted; accepted: the key of one of the vendors; nearest: nvidia"
    ]
