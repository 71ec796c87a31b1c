"""What a fresh web process loads before anybody asks: views, the calibration, the facts of every accelerator.

Without it the first search of each process waits for seconds. It runs beside the first requests; where the
database is away it ends, and the first search reads what it needs by itself.
"""

from __future__ import annotations

import logging
import time
from threading import Thread

from django.db import Error, connection
from django.urls import get_resolver

log = logging.getLogger(__name__)


def warm_up_in_background() -> Thread:
    """Begin at once, in a thread that holds up neither requests nor the end of the process."""
    thread = Thread(target=warm_up, name="warm-up", daemon=True)
    thread.start()
    return thread


def warm_up() -> None:
    """Load it. Keeps its connection to the database no longer than that."""
    began = time.perf_counter()
    _ = get_resolver().url_patterns  # imports every view
    from catalog.models import Accelerator
    from estimates.method import method_version
    from estimates.search.machines import accelerators_of

    method_version()
    try:
        accelerators_of(set(Accelerator.objects.values_list("pk", flat=True)))
    except Error as error:
        log.warning("facts not loaded in advance: %s", " ".join(str(error).split()))
    finally:
        connection.close()
    log.debug("warm after %.1f s", time.perf_counter() - began)
