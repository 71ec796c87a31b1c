"""All shipped data files together: they load, in the promised numbers, and a second load changes nothing."""

# ruff: noqa: E501

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from catalog.importing.load import Report, load_files
from catalog.models import Accelerator, LanguageModel, LoadedRow, Offer, System, Workload

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Report]:
    """The first load of everything, rolled back at the end of the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield load_files()
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("kind", "at_least"),
    [
        ("accelerators", 190), ("systems", 100), ("models", 240), ("price_quotes", 10_000), ("token_prices", 3_000),
        ("claims", 102), ("workloads", 7),
    ],
)  # fmt: skip
def test_the_catalogue_holds_what_it_promises(first: Report, kind: str, at_least: int) -> None:
    assert first.counts[kind].added >= at_least


def test_all_measured_figures_are_there(first: Report) -> None:
    assert first.counts["measured values"].added == 8551


def test_offers_are_derived_and_systems_point_at_them(first: Report) -> None:
    assert Offer.objects.filter(retired=False).count() > 200
    assert not System.objects.filter(offer=None).exists()


def test_a_second_load_changes_nothing_and_bumps_no_version(first: Report) -> None:
    def state() -> list[object]:
        rows = [list(model._default_manager.order_by("pk").values_list("pk", "version", "changed_at"))
                for model in (Accelerator, System, LanguageModel, Workload)]  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM catalog_figureevent")
            return [*rows, cursor.fetchone(), LoadedRow.objects.count(), Offer.objects.count()]

    before = state()
    second = load_files()
    assert state() == before
    moved = {name: row for name, row in second.counts.items() if row.added or row.changed or row.removed}
    assert moved == {}
