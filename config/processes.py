"""Child processes of the supervisor: each in a session of its own, read by lines, ended for certain."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1


def follow_parent_into_death(number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to signal this process when its parent dies; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


@dataclass
class Child:
    """One process to keep running: what to start, how to ask it to end, and what it has been doing.

    `endings` are the signals that ask it to end, each with the seconds it is given; a kill follows the last.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    endings: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 8.0),)
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_failures: int = 0
    restart_at: float | None = None
    _pending: bytes = field(default=b"", repr=False)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the others in order
            preexec_fn=follow_parent_into_death,
        )
        os.set_blocking(self._pipe(), False)
        self.started_at = time.monotonic()
        self.restart_at = None

    def _pipe(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def forward(self, write: Callable[[str, str], None]) -> None:
        """Write the complete lines it has printed since the last call; at its end, the incomplete one too."""
        if self.process is None or self.process.stdout is None or self.process.stdout.closed:
            return
        ended = self.process.poll() is not None
        while True:
            try:
                data = os.read(self._pipe(), 65536)
            except BlockingIOError:
                break
            if not data:
                break
            self._pending += data
        *lines, self._pending = self._pending.split(b"\n")
        if ended and self._pending:
            lines, self._pending = [*lines, self._pending], b""
        for line in lines:
            write(self.name, line.decode(errors="replace").rstrip("\r"))
        if ended:
            self.process.stdout.close()

    def signal_group(self, number: signal.Signals) -> None:
        """Signal the process and all that it started; one that has ended already is no error."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


def end_all(children: list[Child], write: Callable[[str, str], None]) -> None:
    """End the children side by side, each by its own signals, and kill what remains of their sessions."""
    now = time.monotonic()
    deadlines: dict[str, list[tuple[float, signal.Signals]]] = {}
    for child in children:
        at = now
        deadlines[child.name] = []
        for number, seconds in child.endings:
            deadlines[child.name].append((at, number))
            at += seconds
        deadlines[child.name].append((at, signal.SIGKILL))
    while remaining := [child for child in children if child.running]:
        for child in remaining:
            due = deadlines[child.name]
            while due and time.monotonic() >= due[0][0]:
                number = due.pop(0)[1]
                if number == signal.SIGKILL:
                    child.signal_group(number)
                elif child.process is not None:
                    child.process.send_signal(number)
            child.forward(write)
        time.sleep(0.05)
    for child in children:
        child.signal_group(signal.SIGKILL)  # whatever of its session outlived it
        child.forward(write)
