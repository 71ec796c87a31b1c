"""`make run`: sets the service up, keeps its processes running, prints their logs as one, and ends all of it.

Order: private servers, migrations, catalogue, login; then the web server, and once it answers the worker, the
beat and the first calculation. `python -m config.supervisor stop` ends a running service and private servers.
"""

import fcntl
import os
import signal
import socket
import sys
import time
from types import FrameType
from typing import IO

from config import embedded
from config.leftovers import end_leftovers, record_processes, recorded_processes, state_file
from config.probe import status_of
from config.processes import Child, end_all, follow_parent_into_death

PREFIX_WIDTH = 8
COLOURS = {"setup": 36, "web": 32, "worker": 34, "beat": 35, "first": 33, "atlas": 1}
QUICK_SECONDS = 15
QUICK_FAILURES = 5
READY_SECONDS = 90
GUARD_SECONDS = 3


class StartError(Exception):
    """The service cannot start; the message is one line for the terminal."""


def write(name: str, line: str) -> None:
    """Print one line under the name of the process it came from."""
    prefix = f"{name:<{PREFIX_WIDTH}} | "
    if sys.stdout.isatty():
        prefix = f"\x1b[{COLOURS.get(name, 0)}m{prefix}\x1b[0m"
    try:
        print(prefix + line, flush=True)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the reader is gone, the service goes on


def take_the_lock() -> IO[str]:
    """The lock that one supervisor of a clone holds for its life; a killed one's is freed by the kernel.

    Raises:
        StartError: another supervisor of this clone is running.
    """
    embedded.local_dir().mkdir(parents=True, exist_ok=True)
    handle = (embedded.local_dir() / "supervisor.lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = next((pid for name, pid, _ in recorded_processes() if name == "supervisor"), "unknown")
        raise StartError(f"Already running here (process {pid}); `make stop` ends it.") from None
    return handle


def listen_address() -> tuple[str, int]:
    """HOST and PORT from the environment, 127.0.0.1:8000 by default.

    Raises:
        StartError: PORT is no port number, or another program listens on it.
    """
    host, given = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not given.isdecimal() or not 1 <= int(given) <= 65535:
        raise StartError(f"PORT={given!r} is not a port number from 1 to 65535.")
    port = int(given)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        hint = f"PORT={port + 1 if port < 65535 else port - 1} make run"
        raise StartError(f"{host}:{port} cannot be used ({error.strerror}); choose another: {hint}") from None
    return host, port


def children_of_the_service(host: str, port: int) -> dict[str, Child]:
    """Web server, worker, beat and the first calculation."""
    cores = os.cpu_count() or 1
    python = [sys.executable, "-W", "ignore::UserWarning", "-m"]
    environment = {
        embedded.MANAGED: "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",
        "OPENBLAS_NUM_THREADS": "1",  # a process a core: threads of small matrix products only get in the way
        "MALLOC_ARENA_MAX": "1",  # else threads keep what the largest search of each once took
    }
    web = Child(
        "web",
        [
            *(
                *python,
                "gunicorn",
                "--config=python:config.gunicorn",
                "config.wsgi",
                f"--bind={'[' + host + ']' if ':' in host else host}:{port}",
            ),
            *(f"--workers={min(2, cores)}", "--graceful-timeout=5"),
        ],
        environment,
    )
    celery = [*python, "celery", "--app=config", "--quiet"]
    worker = Child(
        "worker",
        [
            *(*celery, "worker", f"--concurrency={min(2, cores)}", "--loglevel=WARNING"),
            *("--without-gossip", "--without-mingle"),
        ],
        environment,
        # A second signal makes Celery give its unfinished tasks back to the broker.
        endings=((signal.SIGTERM, 2.0), (signal.SIGQUIT, 3.0)),
    )
    beat = Child(
        "beat",
        [*celery, "beat", "--scheduler=celery.beat:Scheduler", "--loglevel=WARNING", "--pidfile="],
        environment,
    )
    first = Child(
        "first",
        [sys.executable, "manage.py", "recalculate", "--if-empty", "--enqueue"],
        environment,
        once=True,
    )
    return {child.name: child for child in (web, worker, beat, first)}


class Supervisor:
    """Starts the processes, restarts what dies, and ends everything on a signal."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.children: list[Child] = []
        self.stopping = False
        self.hurry = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self.hurry = self.stopping
        self.stopping = True

    def launch(self, child: Child) -> None:
        child.start()
        if child not in self.children:
            self.children.append(child)
        record_processes(self.children)

    def run_to_end(self, child: Child) -> bool:
        """Run one child to its end; whether it succeeded."""
        self.launch(child)
        while child.running and not self.stopping:
            child.forward(write)
            time.sleep(0.05)
        if self.stopping:
            return False
        child.forward(write)
        self.children.remove(child)
        return child.process is not None and child.process.returncode == 0

    def answers(self) -> bool:
        """Whether the web server answers its probe."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host
        url = f"http://{'[' + host + ']' if ':' in host else host}:{self.port}/healthz"
        return status_of(url) is not None  # what it answers is for its own log to say

    def wait_until_serving(self, web: Child) -> None:
        """Return once the web server answers.

        Raises:
            StartError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not self.stopping and not self.answers():
            web.forward(write)
            if not web.running:
                raise StartError("The web server ended before it answered; its last lines are above.")
            if time.monotonic() > deadline:
                raise StartError(f"The web server has not answered for {READY_SECONDS} s.")
            time.sleep(0.1)

    def keep(self) -> None:
        """Forward logs and restart what dies until a signal comes.

        Raises:
            StartError: a process keeps dying soon after its start.
        """
        guard_at = time.monotonic()
        while not self.stopping:
            for child in list(self.children):
                child.forward(write)
                if not child.running:
                    self.bring_back(child)
            if time.monotonic() >= guard_at:
                self.guard_servers()
                guard_at = time.monotonic() + GUARD_SECONDS
            time.sleep(0.1)

    def bring_back(self, child: Child) -> None:
        """Restart a process that has ended, after a pause that grows while it keeps failing."""
        assert child.process is not None
        now = time.monotonic()
        if child.once:
            if child.process.returncode:
                write("atlas", f"{child.name} ended with exit code {child.process.returncode}")
            self.children.remove(child)
            return
        if child.restart_at is None:
            quick = now - child.started_at < QUICK_SECONDS
            child.quick_failures = child.quick_failures + 1 if quick else 1
            if child.quick_failures >= QUICK_FAILURES:
                raise StartError(
                    f"{child.name} has ended {QUICK_FAILURES} times in a row soon after its start."
                )
            child.signal_group(signal.SIGKILL)
            child.restart_at = now + child.quick_failures
            code = child.process.returncode
            write(
                "atlas", f"{child.name} ended (exit code {code}), starting again in {child.quick_failures} s"
            )
        elif now >= child.restart_at:
            self.launch(child)

    def guard_servers(self) -> None:
        """Start a private server again that died; a failure is reported and tried again."""
        from django.conf import settings

        for name, private, running, ensure in (
            (
                "Postgres",
                settings.DATABASE_IS_PRIVATE,
                embedded.postgres_is_running,
                embedded.ensure_postgres,
            ),
            ("Valkey", settings.BROKER_IS_PRIVATE, embedded.valkey_is_running, embedded.ensure_valkey),
        ):
            if private and not running():
                try:
                    ensure()
                    write("atlas", f"the private {name} had died and runs again")
                except embedded.ServiceError as error:
                    write("atlas", str(error))

    def run(self) -> None:
        """The life of the service from set-up to its end."""
        started = time.monotonic()
        prepare = Child(
            "setup", [sys.executable, "manage.py", "prepare", "--login"], {"PYTHONUNBUFFERED": "1"}, once=True
        )
        if not self.run_to_end(prepare):
            if self.stopping:
                return
            raise StartError("The set-up failed; its message is above.")
        login = login_line()
        service = children_of_the_service(self.host, self.port)
        self.launch(service["web"])
        self.wait_until_serving(service["web"])
        if self.stopping:
            return
        announce(self.host, self.port, login, time.monotonic() - started)
        self.launch(service["worker"])
        self.launch(service["beat"])
        self.launch(service["first"])
        self.keep()

    def end(self) -> None:
        """End the processes in order, then the private servers."""
        write("atlas", "stopping")
        for child in self.children:
            if self.hurry:
                child.endings = ()
        end_all(self.children, write)
        for stop in (embedded.stop_valkey, embedded.stop_postgres):
            try:
                stop()
            except embedded.ServiceError as error:
                write("atlas", str(error))
        state_file().unlink(missing_ok=True)
        write("atlas", "stopped; the data is kept under .local/")


def login_line() -> str:
    """What the set-up said about the login, left for this process alone."""
    path = embedded.local_dir() / "login"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
    finally:
        path.unlink(missing_ok=True)


def announce(host: str, port: int, login: str, seconds: float) -> None:
    """Print the addresses and the login once the service answers."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host
    base = f"http://{'[' + shown + ']' if ':' in shown else shown}:{port}"
    for line in (
        "",
        f"Inference Atlas answers after {seconds:.1f} s",
        f"  explorer   {base}/",
        f"  API docs   {base}/api/docs/",
        f"  admin      {base}/admin/   {login}",
        "  Ctrl-C stops everything; the data is kept",
        "",
    ):
        write("atlas", line)


def stop() -> None:
    """End a running service, whether its supervisor lives or was killed, and the private servers."""
    import psutil

    for name, pid, created in recorded_processes():
        if name != "supervisor":
            continue
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1:
                process.terminate()
                process.wait(60)
        except psutil.NoSuchProcess:
            continue
        except psutil.TimeoutExpired:
            process.kill()
    end_leftovers()
    state_file().unlink(missing_ok=True)
    embedded.stop_valkey()
    embedded.stop_postgres()


def main(arguments: list[str]) -> int:
    os.chdir(embedded.BASE_DIR)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.commandline import one_line_errors

    with one_line_errors(arguments):
        if arguments == ["stop"]:
            stop()
            return 0
        return serve()


def serve() -> int:
    try:
        lock = take_the_lock()
        if count := end_leftovers():
            write("atlas", f"ended {count} processes that a killed run had left behind")
        supervisor = Supervisor(*listen_address())
    except StartError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, supervisor.on_signal)
    if os.environ.get("ATLAS_UNDER_MAKE"):
        follow_parent_into_death()
    code = 0
    try:
        record_processes([])
        supervisor.run()
    except StartError as error:
        write("atlas", str(error))
        code = 1
    finally:
        supervisor.end()
        lock.close()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
