"""The admin: figures change only with their source, observed facts do not change, every page opens."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import Accelerator, Figure, PeakRate, Source
from estimates.jobs.lifecycle import start_job
from estimates.models import Calculation, CalculationRun
from estimates.runs import start_recalculation
from estimates.staleness import stale_calculations
from estimates.sweeper import sweep


@pytest.fixture
def editor(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("editor", "", "secret"))
    return client


def form_of(client: Client, row: Accelerator) -> tuple[str, dict[str, Any]]:
    """Address of the change form and what it would post unchanged, inlines included."""
    address = reverse("admin:catalog_accelerator_change", args=[row.pk])
    page = client.get(address)
    data: dict[str, Any] = {}
    for form in [page.context["adminform"].form, *_inline_forms(page)]:
        for field in form.visible_fields() + form.hidden_fields():
            value = field.value()
            data[field.html_name] = "" if value is None else value
    return address, {name: value for name, value in data.items() if value is not False}


def _inline_forms(page: Any) -> list[Any]:
    forms = []
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    return forms


def test_a_changed_figure_without_a_source_is_refused_and_nothing_changes(editor: Client, tiny: Any) -> None:
    address, data = form_of(editor, tiny.h100)
    answer = editor.post(address, data | {"memory_bandwidth_gbs": "4020"})
    assert answer.status_code == 200
    assert "needs its kind and its source" in str(answer.context["errors"])
    assert Accelerator.objects.get(pk=tiny.h100.pk).memory_bandwidth_gbs == 3350
    assert not Figure.objects.filter(quantity="memory_bandwidth_gbs").exists()


def test_a_vendor_claim_needs_a_source_and_an_assumption_does_not(editor: Client, tiny: Any) -> None:
    address, data = form_of(editor, tiny.h100)
    changed = data | {"memory_bandwidth_gbs": "4020", "figure_kind": "vendor_claim"}
    assert "needs a source" in editor.post(address, changed).content.decode()
    assert editor.post(address, changed | {"figure_kind": "assumed"}).status_code == 302
    assert Accelerator.objects.get(pk=tiny.h100.pk).memory_bandwidth_gbs == 4020


def test_a_changed_figure_is_accepted_with_its_new_source_and_makes_estimates_stale(
    editor: Client, tiny: Any
) -> None:
    start_recalculation("all", hint=False)
    sweep(float("inf"))
    assert not stale_calculations().exists()
    address, data = form_of(editor, tiny.h100)
    answer = editor.post(
        address,
        data
        | {
            "memory_bandwidth_gbs": "4020",
            "figure_kind": "vendor_claim",
            "new_source_title": "H100 datasheet, revision 2",
            "new_source_url": "https://example.com/h100.pdf",
            "change_reason": "new revision",
        },
    )
    assert answer.status_code == 302
    figure = Figure.objects.get(accelerator=tiny.h100, quantity="memory_bandwidth_gbs", accepted=True)
    assert (figure.value, figure.unit, figure.reason) == (4020, "GB/s", "new revision")
    assert figure.source is not None
    assert figure.source.title == "H100 datasheet, revision 2"
    stale = set(stale_calculations().values_list("accelerator__slug", flat=True))
    assert stale == {"nvidia-h100-sxm"}
    sweep(float("inf"))
    assert not stale_calculations().exists()


def test_a_changed_peak_rate_needs_a_source_too(editor: Client, tiny: Any) -> None:
    source = Source.objects.create(slug="datasheet", title="Datasheet")
    address, data = form_of(editor, tiny.h100)
    name = next(key for key, value in data.items() if key.endswith("-tera_ops") and value == 1979)
    refused = editor.post(address, data | {name: "2100"})
    assert refused.status_code == 200
    assert "needs its kind and its source" in str(refused.context["errors"])
    given = {"figure_kind": "vendor_claim", "figure_source": source.pk}
    assert editor.post(address, data | {name: "2100"} | given).status_code == 302
    changed = PeakRate.objects.get(accelerator=tiny.h100, tera_ops=2100)
    figure = Figure.objects.get(quantity=f"peak_rate:{changed.number_format}", accepted=True)
    assert (figure.value, figure.source) == (2100, source)


@pytest.mark.parametrize("value", ["-1", "0", "nan", "inf"])
def test_an_impossible_figure_is_refused(editor: Client, tiny: Any, value: str) -> None:
    address, data = form_of(editor, tiny.h100)
    answer = editor.post(address, data | {"memory_bandwidth_gbs": value, "figure_kind": "assumed"})
    assert answer.status_code == 200
    assert Accelerator.objects.get(pk=tiny.h100.pk).memory_bandwidth_gbs == 3350


def test_a_rival_can_be_accepted_and_the_former_figure_stays(editor: Client, tiny: Any) -> None:
    source = Source.objects.create(slug="datasheet", title="Datasheet")
    common = {"accelerator": tiny.h100, "quantity": "memory_bandwidth_gbs", "unit": "GB/s", "source": source}
    former = Figure.objects.create(**common, value=3350, kind="vendor_claim", accepted=True)
    rival = Figure.objects.create(**common, value=3352, kind="third_party", accepted=False)
    editor.post(
        reverse("admin:catalog_figure_changelist"), {"action": "accept", "_selected_action": [rival.pk]}
    )
    rival.refresh_from_db()
    former.refresh_from_db()
    assert (rival.accepted, former.accepted) == (True, False)
    assert Accelerator.objects.get(pk=tiny.h100.pk).memory_bandwidth_gbs == 3352


def test_the_recalculate_action_requests_a_run(editor: Client, tiny: Any) -> None:
    editor.post(
        reverse("admin:catalog_accelerator_changelist"),
        {"action": "recalculate", "_selected_action": [tiny.h100.pk]},
    )
    run = CalculationRun.objects.get()
    assert (run.scope, run.chunks) == ("accelerator:nvidia-h100-sxm", 3)  # one chunk for each of three models


def test_jobs_show_their_progress_and_are_cancelled(editor: Client, tiny: Any) -> None:
    question = {"model": "llama-3.1-8b-instruct", "demand": {"concurrency": [1, 2, 3]}}
    job = start_job("search", question, hint=False)
    page = editor.get(reverse("admin:estimates_job_changelist"))
    assert "0 of 3" in page.content.decode()
    assert editor.get(reverse("admin:estimates_job_change", args=[job.pk])).status_code == 200
    editor.post(
        reverse("admin:estimates_job_changelist"), {"action": "cancel_jobs", "_selected_action": [job.pk]}
    )
    job.refresh_from_db()
    assert job.state == "cancelled"


@pytest.mark.parametrize(
    "name",
    [
        "catalog_pricequote",
        "catalog_tokenprice",
        "catalog_measurementrun",
        "estimates_estimate",
        "catalog_figure",
    ],
)
def test_what_was_observed_or_calculated_cannot_be_added(editor: Client, db: None, name: str) -> None:
    assert editor.get(reverse(f"admin:{name}_add")).status_code == 403


def test_a_login_leads_to_the_front_page(client: Client, db: None) -> None:
    User.objects.create_superuser("editor", "", "secret")
    answer = client.post(reverse("admin:login"), {"username": "editor", "password": "secret"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


def test_every_list_and_the_front_page_open(editor: Client, quote: Any) -> None:
    start_recalculation("all", hint=False)
    sweep(float("inf"))
    assert editor.get(reverse("admin:index")).status_code == 200
    for model in admin.site._registry:
        answer = editor.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        assert answer.status_code == 200, model


def test_a_parked_calculation_is_found_with_its_traceback_and_tried_again(editor: Client, tiny: Any) -> None:
    sweep(float("inf"))
    cell = Calculation.objects.get(accelerator=tiny.h100, language_model=tiny.llama_8b)
    Calculation.objects.filter(pk=cell.pk).update(
        state="failed", attempts=3, error="ZeroDivisionError: poison", traceback="in poisonous_function"
    )
    address = reverse("admin:estimates_calculation_changelist")
    listed = editor.get(address, {"stale": "parked"})
    assert [row.pk for row in listed.context["cl"].result_list] == [cell.pk]
    one = editor.get(reverse("admin:estimates_calculation_change", args=[cell.pk])).content.decode()
    assert "in poisonous_function" in one
    answer = editor.post(address, {"action": "try_again", "_selected_action": [cell.pk]}, follow=True)
    assert "1 failed calculations will be tried again" in answer.content.decode()
    sweep(float("inf"))
    cell.refresh_from_db()
    assert (cell.state, cell.attempts, cell.traceback) == ("done", 0, "")


def test_what_moved_is_listed_with_names_and_ratios(editor: Client, tiny: Any) -> None:
    sweep(float("inf"))
    Accelerator.objects.filter(pk=tiny.h100.pk).update(memory_bandwidth_gbs=4020)
    sweep(float("inf"))
    listed = editor.get(reverse("admin:estimates_movement_changelist")).content.decode()
    assert "nvidia-h100-sxm" in listed
    assert "llama-3.1-8b-instruct" in listed
