"""What a supervisor notes about its processes, and how the next one ends what a killed one left behind."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from config import embedded
from config.processes import Child


def state_file() -> Path:
    return embedded.local_dir() / "supervisor.json"


def recorded_processes() -> list[tuple[str, int, float]]:
    """Name, pid and start time of the processes that the last supervisor noted; none after a clean end."""
    try:
        return [(str(n), int(p), float(t)) for n, p, t in json.loads(state_file().read_text())]
    except (OSError, ValueError, TypeError):
        return []


def record_processes(children: list[Child]) -> None:
    """Note this supervisor and its children for the next start and for `make stop`."""
    import psutil

    entries = [("supervisor", os.getpid(), psutil.Process().create_time())]
    for child in children:
        if child.process is not None and child.running:
            try:
                entries.append(
                    (child.name, child.process.pid, psutil.Process(child.process.pid).create_time())
                )
            except psutil.NoSuchProcess:
                continue
    partial = state_file().with_suffix(".partial")
    partial.write_text(json.dumps(entries))
    partial.replace(state_file())


def end_leftovers() -> int:
    """End the processes that a killed supervisor left behind, and their children; how many there were."""
    import psutil

    found = []
    for _, pid, created in recorded_processes():
        try:
            process = psutil.Process(pid)
            if pid != os.getpid() and abs(process.create_time() - created) < 1:
                found += [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    for process in found:
        _ignore_gone(process.terminate)
    _, alive = psutil.wait_procs(found, timeout=4)
    for process in alive:
        _ignore_gone(process.kill)
    psutil.wait_procs(alive, timeout=4)
    return len(found)


def _ignore_gone(action: Callable[[], None]) -> None:
    import psutil

    try:
        action()
    except psutil.NoSuchProcess:
        return
