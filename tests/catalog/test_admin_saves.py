"""A change form writes what was changed on it, not the whole row as it was when the form was read."""

from typing import Any

import hand_built
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.forms.models import model_to_dict
from django.test import RequestFactory

from catalog.models import Accelerator, PeakRate

pytestmark = pytest.mark.django_db


def request_of_an_administrator() -> Any:
    request = RequestFactory().post("/")
    request.user = User(is_active=True, is_superuser=True)
    return request


def form_of(row: Accelerator, **changed: Any) -> Any:
    """The admin's form for the row as it was read, filled in with changes."""
    form_class = admin.site._registry[Accelerator].get_form(request_of_an_administrator(), row, change=True)
    shown = {
        name: "" if v is None else v
        for name, v in model_to_dict(row).items()
        if name in form_class.base_fields
    }
    form = form_class(shown | changed, instance=row)
    assert form.is_valid(), form.errors
    form.save(commit=False)
    return form


def save(form: Any) -> None:
    admin.site._registry[Accelerator].save_model(request_of_an_administrator(), form.instance, form, True)


def test_a_version_raised_meanwhile_is_not_set_back() -> None:
    """Otherwise the next change would be given a version that estimates were already made from."""
    pk = hand_built.accelerator("chip").pk
    PeakRate.objects.create(accelerator_id=pk, number_format="fp8", tera_ops=100)
    read = Accelerator.objects.get(pk=pk)
    form = form_of(read)
    PeakRate.objects.filter(accelerator_id=pk).update(tera_ops=200)
    save(form)
    assert Accelerator.objects.get(pk=pk).version == read.version + 1


def test_another_column_changed_meanwhile_stands() -> None:
    pk = hand_built.accelerator("chip").pk
    form = form_of(Accelerator.objects.get(pk=pk), family="Family")
    Accelerator.objects.filter(pk=pk).update(generation="Generation")
    save(form)
    row = Accelerator.objects.get(pk=pk)
    assert (row.family, row.generation) == ("Family", "Generation")
