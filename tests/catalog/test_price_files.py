"""Files of prices, measurements, claims and workloads: what they hold, and how faults in them are told."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import ProgrammingError, connection, transaction

from catalog.importing import claims, measurements, prices, token_prices, workloads
from catalog.importing.append_only import append_missing
from catalog.importing.errors import DataFilesError, Problems
from catalog.importing.files import DataFile
from catalog.importing.kinds import Facts, Kind, Record
from catalog.importing.load import DATA, load_files
from catalog.importing.natural_keys import digest
from catalog.importing.registry import all_kinds
from catalog.models import (
    MeasuredValue,
    MeasurementRun,
    Offer,
    PriceQuote,
    PublishedClaim,
    System,
    TokenPrice,
    Workload,
)
from catalog.offers import refresh_offers
from catalog.prices import PriceFilter, offer_prices
from tests.catalog import hand_built

QUOTE_HEADER = "observed_on,offering,accelerator,count,price_per_hour,pricing_model,source\n"


def kinds(*modules: object) -> list[Kind]:
    return [kind for module in modules for kind in module.KINDS]  # type: ignore[attr-defined]


def only_itself(kind: Kind) -> Kind:
    """The kind without its references, so that a file can be read on its own."""
    return Kind(kind.name, kind.globs, kind.parse, kind.write)


def faults(root: Path, kind: Kind) -> list[str]:
    with pytest.raises(DataFilesError) as refused:
        load_files(root, kinds=[kind], write=False)
    return [str(problem) for problem in refused.value.problems]


def placed(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return root


def records(kind: Kind) -> list[Record]:
    """Every record of the kind's files; raises when one cannot be read."""
    problems = Problems()
    found = [
        record
        for glob in kind.globs
        for path in sorted(DATA.glob(glob))
        for record in kind.parse(DataFile(path, DATA), problems)
    ]
    problems.raise_if_any()
    return found


# ---- What the files hold -------------------------------------------------------------------------------


def test_at_least_ten_thousand_price_quotes() -> None:
    assert len(records(prices.KINDS[0])) >= 10_000


def test_at_least_three_thousand_token_prices() -> None:
    assert len(records(token_prices.KINDS[0])) >= 3_000


def test_every_figure_of_every_published_run() -> None:
    runs = [record.value for record in records(measurements.KINDS[0])]
    figures = sum(getattr(run, metric) is not None for run in runs for metric in measurements.METRICS)

    assert (len(runs), figures) == (6_285, 8_551)


def test_every_claim() -> None:
    assert len(records(claims.KINDS[0])) == 102


def test_chat_is_the_workload_used_most_and_every_workload_says_why() -> None:
    entries = [record.value for record in records(workloads.KINDS[0])]
    entries.sort(key=lambda entry: entry.position)

    assert [entry.slug for entry in entries] == [
        "chat",
        "rag",
        "code-agent",
        "reasoning",
        "summarising",
        "batch-extraction",
        "edge-assistant",
    ]
    assert all(row.reason for entry in entries for rows in entry.figures.values() for row in rows)


def test_the_length_of_reasoning_is_the_published_mean_of_deepseek_r1() -> None:
    reasoning = next(record.value for record in records(workloads.KINDS[0]) if record.key == "reasoning")

    (osl,) = reasoning.figures["osl"]
    assert (osl.value, osl.source) == (3886, "mlcommons-deepseek-r1-2025-09")


# ---- Faults --------------------------------------------------------------------------------------------


def test_a_fault_in_a_quote_names_file_line_field_value_and_what_is_accepted(tmp_path: Path) -> None:
    text = QUOTE_HEADER + "2026-01-01,vm,chip,1,2.50,on_demand,list\n2026-01-01,vm,chip,1,-3,on_demand,list\n"
    root = placed(tmp_path, "price_quotes/cloud.csv", text)

    (fault,) = faults(root, only_itself(prices.KINDS[0]))

    assert fault == "price_quotes/cloud.csv:3: price_per_hour: '-3' is not accepted; accepted: greater than 0"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("2026-02-30,vm,chip,1,2,on_demand,list", "observed_on"),
        ("2026-01-01,vm,chip,0,2,on_demand,list", "count"),
        ("2026-01-01,vm,chip,1,NaN,on_demand,list", "price_per_hour"),
        ("2026-01-01,vm,chip,1,Infinity,on_demand,list", "price_per_hour"),
        ("2026-01-01,vm,chip,1,2,sometimes,list", "pricing_model"),
        ("2026-01-01,vm,chip,1,2,on_demand,", "source"),
        ("2026-01-01,vm,chip,1,2,on_demand", "row"),
    ],
)
def test_each_broken_column_is_named(tmp_path: Path, row: str, field: str) -> None:
    root = placed(tmp_path, "price_quotes/cloud.csv", QUOTE_HEADER + row + "\n")

    (fault,) = faults(root, only_itself(prices.KINDS[0]))

    assert f"cloud.csv:2: {field}: " in fault


def test_the_same_quote_twice_is_a_fault_that_names_the_other_line(tmp_path: Path) -> None:
    row = "2026-01-01,vm,chip,1,2,on_demand,list\n"
    root = placed(tmp_path, "price_quotes/cloud.csv", QUOTE_HEADER + row + row)

    (fault,) = faults(root, only_itself(prices.KINDS[0]))

    assert "cloud.csv:3" in fault
    assert "cloud.csv:2 has it" in fault


def test_an_unknown_accelerator_is_a_fault_that_names_near_ones(tmp_path: Path) -> None:
    for folder in ("accelerators", "sources", "vendors.yaml", "providers.yaml"):
        (tmp_path / folder).symlink_to(DATA / folder)
    row = "2026-01-01,vm,nvidia-h100-smx,1,2,on_demand,gpuhunt-tpu-pricing\n"
    placed(tmp_path, "price_quotes/aws.csv", QUOTE_HEADER + row)
    wanted = {"vendors", "sources", "accelerators", "providers", "price_quotes"}

    with pytest.raises(DataFilesError) as refused:
        load_files(tmp_path, kinds=[kind for kind in all_kinds() if kind.name in wanted], write=False)

    (problem,) = refused.value.problems
    assert "accelerator: 'nvidia-h100-smx' is not accepted" in str(problem)
    assert "nvidia-h100-sxm" in problem.accepted


def test_a_run_without_a_metric_or_with_an_unknown_flag_is_a_fault(tmp_path: Path) -> None:
    header = "run_id,source,accelerator_as_printed,model,scenario,ttft_ms,flags\n"
    root = placed(
        tmp_path, "measurements/a.csv", header + "r1,s,H100,m,server,,\nr2,s,H100,m,server,5,fast\n"
    )

    found = faults(root, only_itself(measurements.KINDS[0]))

    assert ["a.csv:2: row" in found[0], "a.csv:3: flags: 'fast'" in found[1]] == [True, True]


def test_a_claim_needs_a_number_unless_it_asks(tmp_path: Path) -> None:
    text = "- {slug: a, subject: A, quantity: tpot, relation: eq, kind: vendor, source: s}\n"
    root = placed(tmp_path, "claims.yaml", text)

    (fault,) = faults(root, only_itself(claims.KINDS[0]))

    assert "value: None is not accepted; accepted: a number, or none with relation: ask" in fault


def test_a_workload_needs_lengths(tmp_path: Path) -> None:
    text = "- {slug: a, name: A, position: 1, reason: because, figures: {}}\n"
    root = placed(tmp_path, "workloads.yaml", text)

    missing_isl, missing_osl = faults(root, only_itself(workloads.KINDS[0]))

    assert "figures.isl: None is not accepted; accepted: one accepted figure" in missing_isl
    assert "figures.osl: None is not accepted; accepted: one accepted figure" in missing_osl


# ---- Suspects ------------------------------------------------------------------------------------------


def test_digests_tell_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(None) == digest("")


def test_the_report_says_which_quotes_are_not_used() -> None:
    facts = Facts()
    facts.add("price_quotes", records(prices.KINDS[0]), Problems())

    reviews = list(prices.review_quotes(facts))

    assert sum("spot above on demand" in line for line in reviews) == 3
    assert sum("against 42.765 in the other regions" in line for line in reviews) == 2


# ---- In the database -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_load_stores_all_of_it_and_a_second_changes_nothing() -> None:
    load_files()

    assert PriceQuote.objects.count() >= 10_000
    assert PriceQuote.objects.exclude(suspect="").count() >= 20
    assert TokenPrice.objects.count() >= 3_000
    assert TokenPrice.objects.exclude(language_model=None).count() >= 1_500
    assert (MeasurementRun.objects.count(), MeasuredValue.objects.count()) == (6_285, 8_551)
    assert PublishedClaim.objects.count() == 102
    assert PublishedClaim.objects.exclude(further_sources=None).distinct().count() >= 4
    assert Workload.objects.order_by("position").values_list("slug", flat=True)[0] == "chat"
    assert Workload.objects.get(slug="chat").figures.filter(accepted=True).count() == 5

    # Figures whose hardware is not listed, and whose model is none of the catalogue's.
    values = MeasuredValue.objects
    assert values.filter(run__accelerator=None).count() == 284
    assert values.filter(run__language_model=None).count() == 6

    # Systems of one shape share an offer, and no two offers have one shape.
    node = Offer.objects.get(slug="nvidia-h100-sxm-x8")
    assert node.systems.count() > 1
    assert not System.objects.filter(offer=None).exists()
    shapes = Offer.objects.values_list("accelerator", "count", "scale_up_gbs", "scale_up_domain")
    assert len(set(shapes)) == len(shapes) >= 250

    # The newest p5.48xlarge, cheapest region, as AWS lists eight H100 on 2026-07-20.
    used = offer_prices(PriceFilter(as_of=date(2026, 8, 1), providers=("aws",)))[node.pk]
    assert (used.offering, used.usd_per_hour) == ("p5.48xlarge", Decimal("55.04"))

    report = load_files()
    moved = {name: c for name, c in report.counts.items() if c.added or c.changed or c.removed}
    assert moved == {}
    assert refresh_offers().added == 0


def run_of(model_name: str) -> MeasurementRun:
    return MeasurementRun.objects.create(
        run_id=f"run of {model_name}",
        source=hand_built.source(),
        accelerator_as_printed="Chip",
        model_as_printed=model_name,
        serving="aggregated",
        scenario="server",
    )


@pytest.mark.django_db
def test_a_name_that_comes_to_mean_another_part_is_tied_to_it_though_the_run_is_append_only() -> None:
    run = run_of("some model")
    chip = hand_built.accelerator()
    row = {"run_id": run.run_id, "accelerator_id": chip.pk}

    with transaction.atomic():
        counts = append_missing(MeasurementRun, "run_id", [row], links=["accelerator_id"])

    assert (counts.added, counts.changed) == (0, 1)
    assert MeasurementRun.objects.get(pk=run.pk).accelerator == chip
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        MeasurementRun.objects.filter(pk=run.pk).update(notes="changed")


@pytest.mark.django_db
def test_measurements_and_token_prices_refuse_update_and_delete() -> None:
    run = run_of("some model")
    MeasuredValue.objects.create(run=run, metric="ttft_ms", value=100)
    TokenPrice.objects.create(
        key="0" * 64,
        provider=hand_built.provider(),
        source=hand_built.source(),
        model_name="some model",
        observed_on="2026-01",
    )

    for table in ("catalog_measuredvalue", "catalog_measurementrun", "catalog_tokenprice"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with (
                pytest.raises(ProgrammingError, match="Cannot update or delete"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)
    assert MeasuredValue.objects.get().value == 100
