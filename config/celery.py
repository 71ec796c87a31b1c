"""The Celery application: tasks are hints that speed convergence up, Postgres holds the truth."""

import os
from typing import Any

from celery import Celery, Task
from kombu.exceptions import OperationalError

from config import request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class AtlasTask(Task):
    """A task whose changes of facts are noted with its name, its id and the request that sent it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        import pghistory

        if request_id.task_request() is None:  # called as a function
            return super().__call__(*args, **kwargs)
        noted = {"task": self.name, "task_id": self.request.id}
        if (sender := request_id.current_request_id()) != request_id.NONE:
            noted["request_id"] = sender
        with pghistory.context(**noted):
            return super().__call__(*args, **kwargs)


class AtlasCelery(Celery):
    """Celery that starts the private Valkey before its first connection where no BROKER_URL is set.

    Every message carries the id of the request, or of the task's request, that sent it.
    """

    task_cls: Any = AtlasTask
    amqp_cls = "config.broker_connection:SteadyAMQP"

    def send_task(self, name: str, *arguments: Any, **options: Any) -> Any:  # type: ignore[override]
        if (sender := request_id.current_request_id()) != request_id.NONE:
            options["headers"] = {request_id.TASK_HEADER: sender, **(options.get("headers") or {})}
        return super().send_task(name, *arguments, **options)

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
app.steps["consumer"].add("estimates.convergence.idle:IdleSweep")
