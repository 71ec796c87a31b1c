"""Whatever an estimate reads makes it stale when it changes, and a note does not.

Every column of every table behind an estimate is changed by raw SQL, one at a time. Where the facts that the
core is given come out otherwise, the calculations must be stale; nobody keeps a list of columns up to date.
"""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction

from catalog.figures import accept_figure
from catalog.models import (
    Accelerator,
    Figure,
    LanguageModel,
    Link,
    MemoryTier,
    Offer,
    PeakRate,
    Source,
    Vendor,
    Workload,
)
from estimates.from_catalog import FactCache, digest_of, read_workloads
from estimates.method import method_version
from estimates.models import CalculationState
from estimates.staleness import create_missing_calculations, stale_calculations
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db

#: Other values than the tiny catalogue's that the constraints admit.
OTHER: dict[str, Any] = {
    "kind": "assumed",
    "segment": "edge",
    "status": "discontinued",
    "role": "encoder",
    "scope": "host",
    "number_format": "int8",
    "confidence": "low",
    "native_format": "fp8",
    "quantity": "tdp_w",
    "origin": "file",
    "percentile": 90,
    "prefix_share": 0.25,
}
#: Read under a version, by table: the least that the search below has to find.
READ = {
    "catalog_accelerator": {
        "slug",
        "kind",
        "generation",
        "segment",
        "memory_bandwidth_gbs",
        "tdp_w",
        "vendor_id",
    },
    "catalog_vendor": {"slug"},
    "catalog_peakrate": {"number_format", "tera_ops", "accelerator_id"},
    "catalog_link": {"scope", "bandwidth_gbs", "domain_size", "accelerator_id"},
    "catalog_memorytier": {"role", "capacity_gb", "bandwidth_gbs", "accelerator_id"},
    "catalog_offer": {"slug", "count", "retired", "scale_up_gbs", "accelerator_id"},
    "catalog_figure": {"kind", "accepted", "quantity", "accelerator_id"},
    "catalog_languagemodel": {"slug", "role", "architecture", "native_format"},
    "catalog_workload": {"slug", "isl", "osl", "ttft_limit_ms", "tpot_limit_ms", "prefix_share", "edge_only"},
}


def facts() -> str:
    """Everything that the estimates of the catalogue are made from, read anew."""
    cache = FactCache()
    accelerators = cache.accelerators(list(Accelerator.objects.values_list("pk", flat=True)))
    language_models = cache.models(list(LanguageModel.objects.values_list("pk", flat=True)))
    return digest_of(
        [(a.digest, a.problem, a.segment) for a in accelerators],
        [(m.digest, m.problem) for m in language_models],
        read_workloads().digest,
    )


def settle() -> None:
    """Mark every calculation as made from the facts as they are."""
    create_missing_calculations()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE estimates_calculation c SET state = %s, model_version = m.version, "
            "accelerator_version = a.version, workloads_digest = %s, method_version = %s, attempts = 0 "
            "FROM catalog_languagemodel m, catalog_accelerator a "
            "WHERE m.id = c.language_model_id AND a.id = c.accelerator_id",
            [CalculationState.DONE, read_workloads().digest, method_version()],
        )
    assert not stale_calculations().exists()


@pytest.fixture
def settled(tiny: TinyCatalogue) -> TinyCatalogue:
    chip = tiny.h100
    for quantity, kind in (("memory_bandwidth_gbs", "measured"), ("memory_gb", "assumed")):
        accept_figure(chip, quantity, getattr(chip, quantity), kind=kind, source=_source())
    for tier, capacity in (
        ("memory_tier:second:capacity_gb", 480),
        ("memory_tier:second:bandwidth_gbs", 500),
    ):
        accept_figure(chip, tier, capacity, kind="measured", source=_source())
    settle()
    return tiny


def _source() -> Source:
    return Source.objects.get_or_create(slug="datasheet", defaults={"title": "Datasheet"})[0]


def other_value(field: Any, row: Any, tiny: TinyCatalogue) -> Any:
    """Another value for a column of a row, fit for its constraints where that is easy."""
    value = getattr(row, field.attname)
    if isinstance(field, models.ForeignKey):
        if field.related_model is Accelerator:
            return tiny.mystery.pk
        if field.related_model is Vendor:
            return Vendor.objects.get_or_create(slug="other", defaults={"name": "Other"})[0].pk
        return None
    if field.name in OTHER and value != OTHER[field.name]:
        return OTHER[field.name]
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.JSONField):
        return json.dumps({**(value or {}), "hidden": 1024, "attention": "bf16"})
    if isinstance(field, models.IntegerField | models.FloatField | models.DecimalField):
        return 2 if value is None else value * 2
    if isinstance(field, models.CharField | models.TextField):
        if field.choices:
            return next(word for word, _ in field.flatchoices if word != value)
        return f"{value}x"[: field.max_length]
    return None


@pytest.mark.parametrize(
    "model", [Accelerator, Vendor, PeakRate, Link, MemoryTier, Offer, Figure, LanguageModel, Workload]
)
def test_raw_sql_to_any_column_that_is_read_makes_stale(model: Any, settled: TinyCatalogue) -> None:
    before, table, read = facts(), model._meta.db_table, set()
    for row in model._default_manager.all():
        for field in model._meta.concrete_fields:
            if field.primary_key or field.name in ("version", "changed_at"):
                continue
            value = other_value(field, row, settled)
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(f'UPDATE {table} SET "{field.column}" = %s WHERE id = %s', [value, row.pk])
                    if facts() != before:
                        read.add(field.attname)
                        assert stale_calculations().exists(), f"{table}.{field.attname}: nothing is stale"
                    transaction.set_rollback(True)
            except DatabaseError:
                continue  # a value that no row can have
    assert READ[table] <= read


@pytest.mark.parametrize("model", [PeakRate, Link, MemoryTier, Offer, Figure, Workload])
def test_a_deleted_row_that_is_read_makes_stale(model: Any, settled: TinyCatalogue) -> None:
    before = facts()
    which = "WHERE kind = 'assumed' AND accepted" if model is Figure else ""  # the weakest decides
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} {which}")
    assert facts() != before
    assert stale_calculations().exists()


@pytest.mark.parametrize("model", [Accelerator, LanguageModel])
def test_a_note_is_stamped_and_makes_nothing_stale(model: Any, settled: TinyCatalogue) -> None:
    row = model._default_manager.first()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET notes = 'seen' WHERE id = %s", [row.pk])
    now = model._default_manager.get(pk=row.pk)
    assert (now.version, now.changed_at > row.changed_at) == (row.version, True)
    assert not stale_calculations().exists()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET notes = 'too', slug = slug || 'x' WHERE id = %s", [row.pk]
        )
    assert model._default_manager.get(pk=row.pk).version == row.version + 1
    assert stale_calculations().exists()
