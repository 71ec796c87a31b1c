"""How gunicorn serves: metrics shared by its processes, one log format, no wait for the first answers.

`gunicorn --config=python:config.gunicorn config.wsgi`, with the address and the number of processes on the
command line. Gunicorn reads this file before it loads the application, so the directory of the metrics is
known when `prometheus_client` is imported.
"""

import os
import shutil
import tempfile
from logging.config import dictConfig
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
PREFIX: Final = "inference-atlas-metrics-"

worker_class = "gthread"
threads = 8
timeout = 60
keepalive = 5
control_socket_disable = True
loglevel = "warning"
accesslog = "-"
logger_class = "config.access_log.WebServerLog"


def own_directory() -> Path:
    """Where the processes of this server keep their metrics unless `PROMETHEUS_MULTIPROC_DIR` says."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}"


os.environ.setdefault(VARIABLE, str(own_directory()))


def is_upgrade() -> bool:
    """Whether this server takes over from a running one (USR2), whose processes share its directory."""
    return "GUNICORN_PID" in os.environ


def is_running(pid: str) -> bool:
    """Whether a process of this number lives; what is no number counts as one that does."""
    if not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def on_starting(server: Any) -> None:
    """An empty directory for the metrics; those of servers that were killed are removed."""
    from django.conf import settings

    dictConfig(settings.LOGGING)  # no more of the application: each process loads it for itself
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if left.stat().st_uid == os.getuid() and not is_running(left.name.removeprefix(PREFIX)):
            shutil.rmtree(left, ignore_errors=True)
    directory = Path(os.environ[VARIABLE])
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_upgrade():
        for file in directory.glob("*.db"):
            file.unlink()


def child_exit(server: Any, worker: Any) -> None:
    """What a process counted stays; what it was doing at its end is done with."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """The directory goes with the server, unless a newer one has taken it over."""
    if not server.reexec_pid and os.environ[VARIABLE] == str(own_directory()):
        shutil.rmtree(own_directory(), ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """Load what the first answers need: views before the first request, facts beside the first ones."""
    from config.web_threads import make_threads
    from estimates.warm_up import load_views, warm_up_in_background

    load_views()
    make_threads(worker.tpool, worker.cfg.threads)
    warm_up_in_background()
