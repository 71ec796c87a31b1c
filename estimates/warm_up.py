"""What a fresh web process loads before anybody asks: views, the calibration, the facts of every accelerator.

Without it the first answers of each process wait for seconds; where a new server shares the socket of an old
one, somebody's request does. Views are loaded before the process takes its first request, facts beside the
first ones: where the database is away that ends, and the first search reads what it needs by itself.
"""

from __future__ import annotations

import logging
import time
from threading import Thread

from django.db import Error, connection
from django.urls import get_resolver

log = logging.getLogger(__name__)


def load_views() -> None:
    """Import every view, with the core and the calibration that they import."""
    began = time.perf_counter()
    _ = get_resolver().url_patterns
    from estimates.method import method_version

    method_version()
    log.debug("views loaded after %.1f s", time.perf_counter() - began)


def warm_up_in_background() -> Thread:
    """Begin at once, in a thread that holds up neither requests nor the end of the process."""
    thread = Thread(target=warm_up, name="warm-up", daemon=True)
    thread.start()
    return thread


def warm_up() -> None:
    """Load it. Keeps its connection to the database no longer than that."""
    began = time.perf_counter()
    from catalog.models import Accelerator
    from estimates.search.machines import accelerators_of

    try:
        accelerators_of(set(Accelerator.objects.values_list("pk", flat=True)))
    except Error as error:
        log.warning("facts not loaded in advance: %s", " ".join(str(error).split()))
    finally:
        connection.close()
    log.debug("warm after %.1f s", time.perf_counter() - began)
