from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside reads and writes; an attempt that was broken off is begun again by hand (see operations)."""

    atomic = False
    dependencies = [("estimates", "0007_convergence")]

    operations = [
        ValidateConstraint(model_name="estimate", name="estimates_estimate_tier_check"),  # of 0002
        AddIndexConcurrently(
            model_name="calculation",
            index=models.Index(
                fields=["accelerator", "accelerator_version"], name="estimates_calculation_chip"
            ),
        ),
        AddIndexConcurrently(
            model_name="calculation",
            index=models.Index(
                fields=["language_model", "model_version"], name="estimates_calculation_model"
            ),
        ),
        AddIndexConcurrently(
            model_name="calculation",
            index=models.Index(
                fields=["method_version", "workloads_digest"], name="estimates_calculation_method"
            ),
        ),
        AddIndexConcurrently(
            model_name="calculation",
            index=models.Index(
                condition=models.Q(("state", "done"), _negated=True),
                fields=["state"],
                name="estimates_calculation_not_done",
            ),
        ),
        RemoveIndexConcurrently(model_name="calculation", name="estimates_c_acceler_4e6230_idx"),
    ]
