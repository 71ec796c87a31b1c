"""The private servers: started by whoever needs them, shared, recovered after a kill, stopped for certain."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from config import embedded

START_BOTH = "from config import embedded; embedded.ensure_postgres(); embedded.ensure_valkey()"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A local directory of its own, whose servers end with the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATLAS_LOCAL_DIR", str(tmp_path_factory.mktemp("clone") / "local"))
        patch.delenv(embedded.MANAGED, raising=False)
        yield embedded.local_dir()
        embedded.stop_valkey()
        embedded.stop_postgres()


def query(sql: str) -> str:
    with psycopg.connect(host=str(embedded.socket_dir()), user="postgres", dbname="postgres") as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return str(row[0])


def postmaster_pid() -> int:
    return int((embedded.postgres_data_dir() / "postmaster.pid").read_text().splitlines()[0])


def valkey_pid() -> int:
    return int((embedded.valkey_data_dir() / "valkey.pid").read_text())


def gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_commands_that_start_at_once_share_one_server_of_each_kind(clone):
    started = [subprocess.Popen([sys.executable, "-c", START_BOTH], cwd=embedded.BASE_DIR) for _ in range(3)]
    assert [process.wait(90) for process in started] == [0, 0, 0]
    assert query("SHOW server_version").startswith("18.")
    for name in ("postgres", "valkey-server"):
        serving = [
            process.pid
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] == name and str(clone) in " ".join(process.info["cmdline"] or [])
        ]
        assert len(serving) == 1, name


def test_the_servers_outlive_the_process_that_started_them_and_listen_on_no_port(clone):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    assert query("SHOW listen_addresses") == ""
    for pid in (postmaster_pid(), valkey_pid()):
        assert [
            c for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN
        ] == []


def test_the_sockets_lie_where_no_other_user_can_enter(clone):
    embedded.ensure_postgres()
    assert embedded.socket_dir().stat().st_mode & 0o077 == 0


def test_the_broker_keeps_its_tasks_and_evicts_none(clone):
    embedded.ensure_valkey()
    settings = (embedded.valkey_data_dir() / "valkey.conf").read_text().splitlines()
    assert "appendonly yes" in settings
    assert "maxmemory-policy noeviction" in settings


def test_a_killed_postgres_comes_back_with_its_data(clone):
    embedded.ensure_postgres()
    with psycopg.connect(host=str(embedded.socket_dir()), user="postgres", dbname="postgres") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    killed = postmaster_pid()
    os.kill(killed, signal.SIGKILL)
    assert gone(killed)
    embedded.ensure_postgres()
    assert postmaster_pid() != killed
    assert query("SELECT answer FROM kept") == "42"


def test_pid_files_that_name_a_living_stranger_are_stale(clone):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    for pid in (postmaster_pid(), valkey_pid()):
        os.kill(pid, signal.SIGKILL)
        assert gone(pid)
    stranger = str(os.getpid())
    for path in (
        embedded.postgres_data_dir() / "postmaster.pid",
        embedded.socket_dir() / ".s.PGSQL.5432.lock",
    ):
        lines = path.read_text().splitlines() if path.exists() else [""]
        path.write_text("\n".join([stranger, *lines[1:]]) + "\n")
    (embedded.valkey_data_dir() / "valkey.pid").write_text(stranger)
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    assert query("SELECT 1") == "1"
    assert embedded.valkey_is_running()


def test_a_start_interrupted_during_initdb_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_LOCAL_DIR", str(tmp_path / "local"))
    embedded.postgres_data_dir().mkdir(parents=True)
    (embedded.postgres_data_dir() / "PG_VERSION").write_text("18\n")
    (embedded.local_dir() / "postgres.incomplete").touch()
    embedded.ensure_postgres()
    try:
        assert query("SELECT 1") == "1"
    finally:
        assert embedded.stop_postgres()


def test_data_of_another_major_version_is_refused_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_LOCAL_DIR", str(tmp_path / "local"))
    embedded.postgres_data_dir().mkdir(parents=True)
    (embedded.postgres_data_dir() / "PG_VERSION").write_text("17\n")
    with pytest.raises(
        embedded.ServiceError, match=r"made by Postgres 17, this is 18: dump it, or `make clean`"
    ):
        embedded.ensure_postgres()


def test_a_broker_that_ends_as_it_starts_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.setattr(embedded, "START_SECONDS", 3600)
    written = embedded.valkey_data_dir() / "appendonlydir" / "appendonly.aof.manifest"
    written.parent.mkdir(parents=True)
    written.write_text("no manifest\n")
    with pytest.raises(embedded.ServiceError, match=r"did not start: .*manifest"):
        embedded.ensure_valkey()


def test_a_database_is_created_once(clone):
    embedded.ensure_postgres()
    embedded.ensure_database("made-for-a-test")
    embedded.ensure_database("made-for-a-test")
    assert query("SELECT count(*) FROM pg_database WHERE datname = 'made-for-a-test'") == "1"


def test_children_of_the_supervisor_start_nothing_themselves(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.setenv(embedded.MANAGED, "1")
    with pytest.raises(embedded.ServiceError, match="stopped"):
        embedded.ensure_postgres()
    with pytest.raises(embedded.ServiceError, match="stopped"):
        embedded.ensure_valkey()
    assert not embedded.postgres_data_dir().exists()


def test_a_path_too_long_for_a_socket_moves_the_sockets_alone(monkeypatch):
    monkeypatch.setenv("ATLAS_LOCAL_DIR", "/" + "long/" * 30)
    assert len(os.fsencode(embedded.socket_dir() / ".s.PGSQL.5432.lock")) <= embedded.SOCKET_PATH_LIMIT
    assert embedded.postgres_data_dir() == Path("/" + "long/" * 30) / "postgres"


def test_stopping_ends_both_and_says_when_there_was_nothing_to_stop(clone):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    pids = postmaster_pid(), valkey_pid()
    assert embedded.stop_valkey()
    assert embedded.stop_postgres()
    assert all(gone(pid) for pid in pids)
    assert not embedded.stop_valkey()
    assert not embedded.stop_postgres()
