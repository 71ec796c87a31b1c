"""The Celery application: tasks are hints that speed convergence up, Postgres holds the truth."""

import os
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class AtlasCelery(Celery):
    """Celery that starts the private Valkey before its first connection where no BROKER_URL is set."""

    def _prepare(self) -> None:
        from django.conf import settings

        from config import embedded

        if settings.BROKER_IS_PRIVATE and not os.environ.get(embedded.MANAGED):
            try:
                embedded.ensure_valkey()
            except embedded.ServiceError as error:
                raise OperationalError(str(error)) from error

    def connection_for_read(self, url: str | None = None, **options: Any) -> Any:
        self._prepare()
        return super().connection_for_read(url, **options)

    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        self._prepare()
        return super().connection_for_write(url, **options)


app = AtlasCelery("inference_atlas")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
