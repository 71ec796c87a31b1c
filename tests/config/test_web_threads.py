"""Threads of a web process: all there from the start."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from config.web_threads import make_threads


def test_all_threads_are_made_before_the_first_request() -> None:
    with ThreadPoolExecutor(4, thread_name_prefix="own") as pool:
        make_threads(pool, 4)
        assert pool.submit(int).result() == 0
        alive = [thread for thread in threading.enumerate() if thread.name.startswith("own")]
        assert len(alive) == 4
