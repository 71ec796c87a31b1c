"""Slugs: the natural keys of the catalogue, lower-case product or repository names that never change."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import models

SLUG_RULE = "Lower-case letters, digits, dots, hyphens and underscores; a letter or digit at both ends."


class CatalogueSlugField(models.SlugField):
    """A unique slug that, unlike Django's, may hold dots: `llama-3.1-70b-instruct`."""

    default_validators = [RegexValidator(r"\A[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\Z", SLUG_RULE)]

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        return models.CharField.formfield(self, **kwargs)
