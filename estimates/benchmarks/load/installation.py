"""A service of its own for a benchmark: its code, Python, private servers and data, and its processes.

Nothing is shared with the service of this clone: Postgres, Valkey, sockets and keys lie in a directory of
their own. Whatever is started ends with the process that started it; the kernel sees to it where that is
killed (all but the two servers, which `end` stops).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

import psutil

from config import embedded
from config.probe import status_of
from config.processes import follow_parent_into_death

HOST: Final = "127.0.0.1"
DATABASE: Final = "inference_atlas"
#: Nothing of the caller's own installation reaches the one that is measured.
NOT_INHERITED: Final = (
    "DATABASE_",
    "BROKER_",
    "ATLAS_",
    "DJANGO_",
    "CELERY_",
    "SECRET_KEY",
    "PYTEST_",
    "PROMETHEUS_",
)
RATE: Final = "1000000/min"  # readers come from one address
READY_SECONDS: Final = 300.0
PROBE_SECONDS: Final = 20.0


class TrialError(Exception):
    """The service of the benchmark cannot be set up or started; the message is one line for the terminal."""


@dataclass(slots=True)
class Running:
    """A started process and how it is asked to end: each signal with the seconds it is given."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    endings: tuple[tuple[signal.Signals, float], ...]

    @property
    def pid(self) -> int:
        return self.process.pid

    def end(self) -> float:
        """Ask it to end, kill what does not; seconds that took."""
        began = time.monotonic()
        for number, seconds in self.endings:
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what of its session outlived it
        self.process.wait()
        return time.monotonic() - began

    def last_lines(self, count: int = 5) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-count:]) or "it printed nothing"


#: What a version's own supervisor starts, asked of that version.
COMMANDS: Final = (
    "import json; from config.supervisor import children_of_the_service; "
    "found = children_of_the_service('127.0.0.1', 1); "
    "print(json.dumps({name: [child.command, child.environment] for name, child in found.items()}))"
)


@dataclass(slots=True)
class Code:
    """One version of the product: where it lies and the Python that runs it."""

    root: Path
    python: str = sys.executable
    name: str = "this version"


@dataclass(frozen=True, slots=True)
class Started:
    """How a version's supervisor starts a process: the command and what it adds to the environment."""

    command: list[str]
    environment: dict[str, str]


@dataclass(slots=True)
class Installation:
    """Private servers, data and processes in one directory. Use as a context: leaving it ends everything."""

    directory: Path
    keep: bool = False
    listener: socket.socket | None = None
    running: list[Running] = field(default_factory=list)
    port: int = 0

    @classmethod
    def at(cls, directory: str | None, prefix: str) -> Installation:
        """In the directory given, which is kept and may be used again, else in one that goes in the end."""
        if directory is None:
            return cls(Path(tempfile.mkdtemp(prefix=prefix)))
        path = Path(directory).absolute()
        path.mkdir(parents=True, exist_ok=True)
        return cls(path, keep=True)

    def __enter__(self) -> Installation:
        signal.signal(signal.SIGTERM, _leave)
        # Open before any process starts: every version accepts from this one socket.
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((HOST, 0))
        self.listener.listen(512)
        self.port = int(self.listener.getsockname()[1])
        return self

    def __exit__(self, *exception: object) -> None:
        ended_by = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, signal.SIG_IGN) for number in ended_by]  # no ending is broken off
        try:
            for one in reversed(self.running):
                one.end()
            if self.listener is not None:
                self.listener.close()
            self._stop_servers()
            if not self.keep:
                shutil.rmtree(self.directory, ignore_errors=True)
        finally:
            for number, handler in zip(ended_by, before, strict=True):
                signal.signal(number, handler if number == signal.SIGINT else signal.SIG_DFL)

    @property
    def local_dir(self) -> Path:
        return self.directory / "local"

    def environment(self, **extra: str) -> dict[str, str]:
        """Variables of every process of the installation."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        return own | {
            "ATLAS_ENV": "development",
            "ATLAS_LOCAL_DIR": str(self.local_dir),
            "ATLAS_RATE_ANONYMOUS": RATE,
            "ATLAS_RATE_TOKEN": RATE,
            "DATABASE_NAME": DATABASE,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": "",
            **extra,
        }

    def manage(
        self, code: Code, *arguments: str, timeout: float = 1200.0, check: bool = True, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end. Raises TrialError with its last lines where it fails."""
        command = [code.python, str(code.root / "manage.py"), *arguments]
        done = subprocess.run(
            command,
            cwd=code.root,
            env=self.environment(**extra),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            preexec_fn=follow_parent_into_death,
        )
        if check and done.returncode:
            said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            raise TrialError(f"manage.py {' '.join(arguments)} of {code.name} failed: {said}")
        return done

    def prepare(self, code: Code) -> str:
        """Servers, migrations, the catalogue, a login; a token that may write facts and prices."""
        self.manage(code, "prepare", "--login")
        scopes = ("--scope", "write_facts", "--scope", "write_prices")
        return self.manage(code, "create_token", "admin", *scopes).stdout.strip()

    def start(
        self,
        name: str,
        code: Code,
        started: Started,
        endings: tuple[tuple[signal.Signals, float], ...],
        pass_fds: tuple[int, ...] = (),
    ) -> Running:
        """Start a process that the installation ends; what it prints goes into a file of its name."""
        logs = self.directory / "logs"
        logs.mkdir(exist_ok=True)
        path = logs / f"{name}-{len(self.running)}.log"
        log: IO[bytes]
        with path.open("wb") as log:
            process = subprocess.Popen(
                started.command,
                cwd=code.root,
                env=self.environment(**started.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the benchmark alone, which ends the others in order
                preexec_fn=follow_parent_into_death,
                pass_fds=pass_fds,
            )
        running = Running(name, process, path, endings)
        self.running.append(running)
        return running

    def start_web(
        self, code: Code, *, name: str = "web", workers: int | None = None, also: socket.socket | None = None
    ) -> Running:
        """The web server as the supervisor starts it, but on the listening socket of this installation.

        `workers` in place of the supervisor's number of processes; `also` a socket that it alone listens on.
        """
        assert self.listener is not None
        sockets = [self.listener, *([also] if also is not None else [])]
        numbers = tuple(one.fileno() for one in sockets)
        own = self.started_by_supervisor(code, "web")
        command = [part for part in own.command if not part.startswith("--bind=")]
        if workers is not None:
            command = [part for part in command if not part.startswith("--workers=")]
            command.append(f"--workers={workers}")
        command += [f"--bind=fd://{number}" for number in numbers]
        return self.start(name, code, Started(command, own.environment), ((signal.SIGTERM, 15.0),), numbers)

    def start_worker(self, code: Code) -> Running:
        """The worker group as the supervisor starts it; a second signal hands unfinished tasks back."""
        endings = ((signal.SIGTERM, 30.0), (signal.SIGQUIT, 5.0))
        return self.start("worker", code, self.started_by_supervisor(code, "worker"), endings)

    def start_beat(self, code: Code) -> Running:
        return self.start("beat", code, self.started_by_supervisor(code, "beat"), ((signal.SIGTERM, 10.0),))

    def started_by_supervisor(self, code: Code, name: str) -> Started:
        """The command of that version's own supervisor. Raises TrialError where it cannot be asked."""
        done = subprocess.run(
            [code.python, "-c", COMMANDS],
            cwd=code.root,
            env=self.environment(PYTHONPATH=str(code.root)),
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise TrialError(f"{code.name} does not say how it starts: {done.stderr.strip()[-300:]}")
        command, environment = json.loads(done.stdout)[name]
        return Started(command, environment)

    def stop_one(self, one: Running) -> float:
        """End one process; seconds that took."""
        seconds = one.end()
        self.running.remove(one)
        return seconds

    def wait_until_ready(self, web: Running, path: str = "/readyz", port: int | None = None) -> float:
        """Seconds until the address answers 200. Raises TrialError where it does not in time."""
        began = time.monotonic()
        while status_of(f"http://{HOST}:{port or self.port}{path}", PROBE_SECONDS) != 200:
            if web.process.poll() is not None:
                raise TrialError(f"the web server ended before it answered: {web.last_lines()}")
            if time.monotonic() - began > READY_SECONDS:
                raise TrialError(f"{path} has not answered 200 for {READY_SECONDS:.0f} s: {web.last_lines()}")
            time.sleep(0.1)
        return time.monotonic() - began

    def dead(self) -> list[str]:
        """What has ended by itself, with its last words."""
        return [
            f"{one.name} ended with {one.process.returncode}: {one.last_lines()}"
            for one in self.running
            if one.process.poll() is not None
        ]

    def connection(self) -> dict[str, Any]:
        """Parameters of a connection to the installation's database."""
        return {"host": str(self._run_dir()), "user": embedded.POSTGRES_USER, "dbname": DATABASE}

    def postgres_pid(self) -> int:
        return int((self.local_dir / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])

    def _run_dir(self) -> Path:
        """Where the sockets lie; a directory too long for a socket's name is refused."""
        path = self.local_dir / "run"
        if len(os.fsencode(path / (embedded.SOCKET_NAME + ".lock"))) > embedded.SOCKET_PATH_LIMIT:
            raise TrialError(f"{self.directory} is too long a path for a socket; choose a shorter one")
        return path

    def _stop_servers(self) -> None:
        if not self.local_dir.exists():
            return
        code = Code(embedded.BASE_DIR)
        try:
            self.manage(code, "services", "stop", check=False, timeout=120)
        except (subprocess.TimeoutExpired, OSError):
            for name in ("postgres/postmaster.pid", "valkey/valkey.pid"):
                _kill_by_file(self.local_dir / name)


def _leave(number: int, frame: FrameType | None) -> None:
    """On SIGTERM end as on Ctrl-C: by leaving the context."""
    raise KeyboardInterrupt


def _kill_by_file(path: Path) -> None:
    """Last resort for a server that does not stop when asked."""
    try:
        psutil.Process(int(path.read_text().split("\n", 1)[0])).kill()
    except (OSError, ValueError, psutil.Error):
        return
