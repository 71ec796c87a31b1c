"""Every table of facts has a history that the database keeps: bulk writes and raw SQL counted row by row."""

from datetime import date
from typing import Any

import pghistory
import pgtrigger
import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.history.events import change_named, histories
from catalog.history.origin import noted
from catalog.importing.load import load_files
from catalog.models import Accelerator, PriceQuote, Vendor
from tests.catalog.hand_built import accelerator, provider, quote, source, vendor
from tests.catalog.small_catalogue import SmallCatalogue

pytestmark = pytest.mark.django_db

#: Tables of the catalogue without a history, and why.
WITHOUT = {
    "LoadedRow": "no fact: what the files said at the last load, made anew by each",
    "FactMark": "no fact: marks of writes for caches, folded together all the time",
}


def events(resource: str, **columns: Any) -> Any:
    return histories()[resource].events._default_manager.filter(**columns)


def test_every_table_of_facts_is_tracked_or_named_with_a_reason() -> None:
    tracked = {history.model._meta.concrete_model for history in histories().values()}
    tables = [
        model
        for model in apps.get_app_config("catalog").get_models(include_auto_created=True)
        if not issubclass(model, pghistory.models.Event) and not model._meta.proxy
    ]
    assert {model.__name__ for model in tables if model not in tracked} == set(WITHOUT) & {
        model.__name__ for model in tables
    }


@pytest.mark.parametrize("resource", sorted(histories()))
def test_every_history_follows_insert_update_and_delete_by_statement(resource: str) -> None:
    table = histories()[resource].model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [table],
        )
        found = " ".join(row[0] for row in cursor.fetchall())
    for name in ("insert_insert", "update_update", "delete_delete"):
        assert f"pgtrigger_{name}" in found
    assert "FOR EACH STATEMENT" in found


def test_a_bulk_insert_of_quotes_is_one_statement_and_an_event_each() -> None:
    chip, cloud = accelerator(), provider()
    with pghistory.context(reason="new list", request_id="r1"), CaptureQueriesContext(connection) as queries:
        PriceQuote.objects.bulk_create(
            PriceQuote(
                key=f"k{n}",
                provider=cloud,
                offering="vm",
                accelerator=chip,
                accelerator_count=1,
                price_per_hour=n + 1,
                pricing_model="spot",
                observed_on=date(2026, 1, 1),
                source=source(),
            )
            for n in range(500)
        )
    assert len([q for q in queries if "INSERT INTO" in q["sql"] and "pricequote" in q["sql"]]) == 1
    made = events("price-quotes", accelerator_id=chip.pk)
    assert made.count() == 500
    assert set(made.values_list("pgh_context__metadata__reason", flat=True)) == {"new list"}
    assert set(made.values_list("pgh_context__metadata__request_id", flat=True)) == {"r1"}


def test_raw_sql_and_bulk_updates_leave_an_event_for_each_row_that_changed() -> None:
    Vendor.objects.bulk_create(Vendor(slug=f"v{n}", name=f"V{n}") for n in range(20))
    before = events("vendors").count()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_vendor SET makes_hardware = true WHERE slug < 'v15'")
        raw = cursor.rowcount
    bulk = Vendor.objects.filter(makes_hardware=False).update(publishes_models=True)
    assert (raw, bulk, events("vendors").count() - before) == (7, 13, 20)  # v0 v1 v10 to v14


def test_a_link_that_an_import_mends_past_the_append_only_rule_is_an_event() -> None:
    first, second = accelerator("one"), accelerator("two")
    price = quote(first, "2.00")
    with pgtrigger.ignore("catalog.PriceQuote:append_only"):
        PriceQuote.objects.filter(pk=price.pk).update(accelerator=second)
    last = events("price-quotes", pgh_obj_id=price.pk).order_by("-pgh_id").first()
    assert (last.pgh_label, last.accelerator_id) == ("update", second.pk)


def test_a_load_says_which_command_and_files(small: SmallCatalogue) -> None:
    load_files(small.root)
    chip = Accelerator.objects.get()
    change = change_named(f"accelerators-{events('accelerators', pgh_obj_id=chip.pk).first().pgh_id}")
    assert change is not None
    assert change.context["command"] == "load_catalog"
    assert change.context["reason"].startswith("load_catalog ")
    assert change.context["files"].endswith("data")


def test_the_outermost_reason_stays() -> None:
    with pghistory.context(reason="schedule prices"), noted("load_catalog", "load_catalog data"):
        row = vendor()
    change = change_named(f"vendors-{events('vendors', pgh_obj_id=row.pk).get().pgh_id}")
    assert change is not None
    assert (change.context["reason"], change.context["command"]) == ("schedule prices", "load_catalog")


def test_further_sources_and_aliases_are_whole_and_values_in_short() -> None:
    assert {"publishedclaim_id", "source_id"} <= set(histories()["further-sources"].columns)
    assert histories()["aliases"].is_whole
    assert not histories()["measured-values"].is_whole
