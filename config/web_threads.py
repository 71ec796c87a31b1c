"""The threads of a web process, made at once.

Left to itself a pool makes one whenever more requests than ever before come together, and each brings a
connection: memory would grow by steps for hours, and the first rush of requests would wait for them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

WITHIN_SECONDS: Final = 10.0


def make_threads(pool: ThreadPoolExecutor, count: int) -> None:
    """Make as many threads as the pool may have: each waits until all are there, then for requests."""
    together = Barrier(count)
    for _ in range(count):
        pool.submit(together.wait, WITHIN_SECONDS)
