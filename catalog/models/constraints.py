"""Database constraints that several fact tables share: positive, finite, share of one."""

from django.db import models
from django.db.models import Q

#: Nothing real is larger, in any unit used here; Postgres sorts infinity and NaN above it.
LARGEST = 10**15


def positive(*fields: str) -> list[models.BaseConstraint]:
    """Each named column is null or above zero and finite."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gt": 0, f"{name}__lt": LARGEST}),
            name=f"%(app_label)s_%(class)s_{name}_positive",
            violation_error_message=f"{name} must be a finite number above 0",
        )
        for name in fields
    ]


def not_negative(*fields: str) -> list[models.BaseConstraint]:
    """Each named column is null or at least zero and finite."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0, f"{name}__lt": LARGEST}),
            name=f"%(app_label)s_%(class)s_{name}_not_negative",
            violation_error_message=f"{name} must be a finite number of at least 0",
        )
        for name in fields
    ]


def share(*fields: str) -> list[models.BaseConstraint]:
    """Each named column is null or within 0 to 1."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0, f"{name}__lte": 1}),
            name=f"%(app_label)s_%(class)s_{name}_share",
            violation_error_message=f"{name} must lie within 0 and 1",
        )
        for name in fields
    ]
