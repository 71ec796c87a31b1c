from django.db import migrations, models


class Migration(migrations.Migration):
    """The check is added unvalidated, for no look at every row under an exclusive lock; 0008 validates it."""

    dependencies = [
        ("estimates", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    [
                        'ALTER TABLE "estimates_estimate" ADD COLUMN "tier" smallint NULL',
                        'ALTER TABLE "estimates_estimate" ADD CONSTRAINT "estimates_estimate_tier_check" '
                        'CHECK ("tier" >= 0) NOT VALID',
                    ],
                    ['ALTER TABLE "estimates_estimate" DROP COLUMN "tier"'],
                )
            ],
            state_operations=[
                migrations.AddField(
                    model_name="estimate",
                    name="tier",
                    field=models.PositiveSmallIntegerField(
                        choices=[(1, "measured"), (2, "kin"), (3, "none")],
                        help_text="what the calibration has seen: the group, kin of it, or neither",
                        null=True,
                    ),
                ),
            ],
        ),
    ]
