"""The service under trial: the supervisor's processes on private servers, brought back when they are killed.

The commands and the environment are those of `config.supervisor`; only the pause before a restart is shorter,
since a trial kills more often in a minute than a machine does in a year. Each process tells Postgres who it
is (`PGAPPNAME`), so that a backend can be chosen by whom it serves.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from config import embedded
from config.probe import status_of
from config.supervisor import children_of_the_service

RESTART_AFTER_SECONDS = 0.3
READY_SECONDS = 120.0


@dataclass
class Member:
    """One process of the service: how it starts, and the process that runs now."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    ended_at: float | None = None
    starts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=embedded.BASE_DIR,
                env={**os.environ, **self.environment, "PGAPPNAME": self.name},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.starts += 1
        self.ended_at = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def children(self) -> list[psutil.Process]:
        """What the process has started: pool children of a worker, workers of a web server."""
        if self.process is None:
            return []
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.Error:
            return []

    def kill(self) -> bool:
        """SIGKILL of the process alone, as the kernel's when memory is short; whether there was one."""
        if not self.running or self.process is None:
            return False
        self.process.kill()
        return True

    def kill_session(self) -> None:
        """SIGKILL of whatever of its session is left."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """Web server, worker groups and beat with their keeper; a context that ends all of it."""

    def __init__(self, directory: Path, groups: int = 1) -> None:
        self.port = free_port()
        self.directory = directory
        self.members: dict[str, Member] = {}
        self.ended_by_themselves: list[str] = []  # what nobody killed
        self.broker_down = threading.Event()  # a kill of the broker holds it down for a while
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        started = children_of_the_service("127.0.0.1", self.port)
        for name in ("web", "beat"):
            self._add(name, started[name].command, started[name].environment)
        for number in range(groups):
            name = "worker" if groups == 1 else f"worker-{number + 1}"
            command = [*started["worker"].command, f"--hostname={name}@%h"]
            self._add(name, command, started["worker"].environment)

    def _add(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.members[name] = Member(name, command, environment, self.directory / f"{name}.log")

    @property
    def workers(self) -> list[Member]:
        return [member for name, member in self.members.items() if name.startswith("worker")]

    def __enter__(self) -> "Service":
        for member in self.members.values():
            member.start()
        self._keeper.start()
        try:
            self.wait_until_serving()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._keeper.join(10)
        for member in self.members.values():
            member.kill_session()
        for member in self.members.values():
            if member.process is not None:
                member.process.wait()

    def wait_until_serving(self) -> None:
        """Raises TimeoutError with the last lines of the web server's log."""
        deadline = time.monotonic() + READY_SECONDS
        while status_of(f"http://127.0.0.1:{self.port}/healthz") != 200:
            if time.monotonic() > deadline:
                log = self.members["web"].log.read_text(errors="replace")
                raise TimeoutError(f"the web server does not answer: {log[-2000:]}")
            time.sleep(0.1)

    def _keep(self) -> None:
        """Bring back what has ended, as the supervisor does: the rest of its session first."""
        while not self._stop.wait(0.05):
            now = time.monotonic()
            for member in self.members.values():
                if member.running:
                    continue
                if member.ended_at is None:
                    code = member.process.returncode if member.process else 0
                    if code != -signal.SIGKILL:
                        self.ended_by_themselves.append(f"{member.name} with exit code {code}")
                    member.kill_session()
                    member.ended_at = now
                elif now - member.ended_at >= RESTART_AFTER_SECONDS:
                    member.start()
            if not self.broker_down.is_set() and not embedded.valkey_is_running():
                with suppress(embedded.ServiceError):  # the next round tries again
                    embedded.ensure_valkey()
            if (
                not embedded.postgres_is_running()
                and embedded._postmaster(embedded.postgres_data_dir()) is None
            ):
                with suppress(embedded.ServiceError):
                    embedded.ensure_postgres()

    def whole(self) -> bool:
        """Whether every process and both servers run."""
        return (
            all(member.running for member in self.members.values())
            and embedded.valkey_is_running()
            and embedded.postgres_is_running()
        )

    def kill_broker(self, *, with_its_data: bool, down_seconds: float) -> bool:
        """SIGKILL of Valkey, which stays down for a while; without its data it comes back empty."""
        process = embedded._valkey_process()
        if process is None or not embedded.valkey_is_running():
            return False
        self.broker_down.set()
        try:
            process.kill()
            psutil.wait_procs([process], timeout=5)
            if with_its_data:
                for path in embedded.valkey_data_dir().glob("appendonly*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                for path in embedded.valkey_data_dir().glob("*.rdb"):
                    path.unlink()
            self._stop.wait(down_seconds)
        finally:
            self.broker_down.clear()
        return True
