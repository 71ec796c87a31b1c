"""The accounts of a trial notice what they are there to notice: nothing passes because nobody looked."""

import pytest
from django.db import connection

from catalog.models import Accelerator, PeakRate
from estimates import sweeper
from estimates.models import Calculation, Estimate
from tests.estimates.conftest import TinyCatalogue, build
from tests.faults import accounting
from tests.faults.ledger import Ledger, Outcome, Write
from tests.faults.plan import Edit

pytestmark = pytest.mark.django_db
EDIT = Edit(1, "sql", "accelerator", ("nvidia-l40s",), "tdp_w", 351.5)


@pytest.fixture
def tiny(db: None) -> TinyCatalogue:
    return build()


def acknowledged(write: Write, *, outcome: Outcome = Outcome.ACKNOWLEDGED, request_id: str = "") -> Ledger:
    ledger = Ledger()
    ledger.end(EDIT, outcome, (write,), request_id=request_id, reason="why" if request_id else "")
    return ledger


def test_an_edit_that_stands_is_not_lost_and_one_that_does_not_is(tiny: TinyCatalogue) -> None:
    write = Write("accelerator", tiny.l40s.pk, "tdp_w", 351.5)
    assert len(accounting.lost_edits(acknowledged(write))) == 1
    Accelerator.objects.filter(pk=tiny.l40s.pk).update(tdp_w=351.5)
    assert accounting.lost_edits(acknowledged(write)) == []


def test_an_edit_of_unknown_fate_may_stand_or_not(tiny: TinyCatalogue) -> None:
    first = Write("accelerator", tiny.l40s.pk, "tdp_w", 351.5)
    second = Write("accelerator", tiny.l40s.pk, "tdp_w", 352.5)
    ledger = acknowledged(first)
    ledger.end(EDIT, Outcome.UNKNOWN, (second,))
    for stands, lost in ((351.5, 0), (352.5, 0), (353.5, 1)):
        Accelerator.objects.filter(pk=tiny.l40s.pk).update(tdp_w=stands)
        assert len(accounting.lost_edits(ledger)) == lost


def test_history_is_asked_for_who_why_and_which_request(tiny: TinyCatalogue) -> None:
    write = Write("accelerator", tiny.l40s.pk, "tdp_w", 351.5)
    assert len(accounting.missing_history(acknowledged(write))) == 1
    Accelerator.objects.filter(pk=tiny.l40s.pk).update(tdp_w=351.5)
    assert accounting.missing_history(acknowledged(write)) == []
    (problem,) = accounting.missing_history(acknowledged(write, request_id="r-1"))
    assert problem.endswith("the event lacks request_id, reason, user")


def test_a_value_that_comes_a_second_time_is_doubled(tiny: TinyCatalogue) -> None:
    rate = PeakRate.objects.get(accelerator=tiny.l40s, number_format="fp8")
    write = Write("peakrate", rate.pk, "tera_ops", 800.0)
    for value in (800.0, 700.0):
        PeakRate.objects.filter(pk=rate.pk).update(tera_ops=value)
    assert accounting.doubled_edits(acknowledged(write)) == []
    PeakRate.objects.filter(pk=rate.pk).update(tera_ops=800.0)
    assert len(accounting.doubled_edits(acknowledged(write))) == 1


def test_fresh_estimates_equal_stored_ones_and_a_forged_one_is_found(tiny: TinyCatalogue) -> None:
    sweeper.sweep()
    problems, rows = accounting.wrong_estimates()
    assert (problems, rows) == ([], Estimate.objects.count())
    assert rows > 0
    forged = Estimate.objects.exclude(tpot_ms=None).order_by("pk").first()
    assert forged is not None
    Estimate.objects.filter(pk=forged.pk).update(tpot_ms=1.25)
    (problem,) = accounting.wrong_estimates()[0]
    assert "tpot_ms: 1.25 is" in problem
    Estimate.objects.filter(pk=forged.pk).delete()
    assert "missing" in accounting.wrong_estimates()[0][0]


def test_an_estimate_that_only_looks_fresh_is_found(tiny: TinyCatalogue) -> None:
    """A calculation whose versions agree, though the facts under them have changed."""
    sweeper.sweep()
    assert accounting.stale_estimates() == []
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalog_peakrate SET tera_ops = tera_ops * 2 WHERE accelerator_id = %s", [tiny.h100.pk]
        )
    assert len(accounting.stale_estimates()) == Calculation.objects.filter(accelerator=tiny.h100).count()
    Calculation.objects.filter(accelerator=tiny.h100).update(
        accelerator_version=Accelerator.objects.get(pk=tiny.h100.pk).version
    )
    assert accounting.stale_estimates() == []
    assert accounting.wrong_estimates()[0] != []
