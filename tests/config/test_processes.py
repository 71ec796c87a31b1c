"""The supervisor's children: their lines are passed on, they end for certain, a killed run is cleaned up."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from config import leftovers, supervisor
from config.processes import Child, end_all
from config.supervisor import StartError, listen_address, take_the_lock

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)"
)
PARENT = (
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print(child.pid, flush=True); time.sleep(60)"
)


@pytest.fixture(autouse=True)
def local_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_LOCAL_DIR", str(tmp_path))
    return tmp_path


def python(code: str, **options) -> Child:
    return Child("child", [sys.executable, "-c", code], {}, **options)


def lines_of(child: Child, count: int) -> list[str]:
    """The first lines that a child prints."""
    lines: list[str] = []
    deadline = time.monotonic() + 20
    while len(lines) < count and time.monotonic() < deadline:
        child.forward(lambda name, line: lines.append(line))
        time.sleep(0.02)
    return lines


def test_lines_are_passed_on_whole_and_the_last_one_without_its_newline():
    child = python("import sys; sys.stdout.write('one\\ntwo')")
    child.start()
    assert lines_of(child, 2) == ["one", "two"]


def test_a_child_that_ignores_its_signal_is_killed_after_its_time():
    child = python(STUBBORN, endings=((signal.SIGTERM, 0.3),))
    child.start()
    assert lines_of(child, 1) == ["deaf"]
    started = time.monotonic()
    end_all([child], lambda name, line: None)
    assert 0.3 <= time.monotonic() - started < 5
    assert not child.running


def test_ending_a_child_ends_what_it_started():
    child = python(PARENT)
    child.start()
    grandchild = int(lines_of(child, 1)[0])
    end_all([child], lambda name, line: None)
    psutil.wait_procs([psutil.Process(grandchild)] if psutil.pid_exists(grandchild) else [], timeout=5)
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE


def test_what_a_killed_supervisor_left_is_ended_with_its_children(local_directory):
    left = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert left.stdout is not None
    grandchild = int(left.stdout.readline())
    created = psutil.Process(left.pid).create_time()
    leftovers.state_file().write_text(json.dumps([["web", left.pid, created]]))
    assert leftovers.end_leftovers() == 2
    assert not psutil.pid_exists(left.pid)
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE


def test_a_pid_that_now_belongs_to_a_stranger_is_left_alone(local_directory):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        leftovers.state_file().write_text(json.dumps([["web", stranger.pid, 1.0]]))
        assert leftovers.end_leftovers() == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("text", ["", "{", "[[1]]"])
def test_a_damaged_note_counts_as_none(local_directory, text):
    leftovers.state_file().write_text(text)
    assert leftovers.recorded_processes() == []


def test_a_second_supervisor_of_the_clone_is_refused(local_directory):
    with take_the_lock():
        leftovers.record_processes([])
        with pytest.raises(
            StartError, match=rf"Already running here \(process {os.getpid()}\); `make stop` ends it"
        ):
            take_the_lock()


def test_an_occupied_port_is_named_with_another_to_try(monkeypatch):
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(StartError, match=rf"127\.0\.0\.1:{port} cannot be used .*PORT=\d+ make run"):
            listen_address()


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(StartError, match="not a port number"):
        listen_address()


def test_a_child_that_keeps_dying_ends_the_service(monkeypatch):
    service = supervisor.Supervisor("127.0.0.1", 1)
    child = python("raise SystemExit(3)")
    monkeypatch.setattr(supervisor, "write", lambda name, line: None)
    child.quick_failures = supervisor.QUICK_FAILURES - 1
    child.start()
    assert child.process is not None
    child.process.wait(20)
    with pytest.raises(StartError, match="child has ended 5 times in a row"):
        service.bring_back(child)


def test_a_child_that_died_is_started_again(monkeypatch):
    service = supervisor.Supervisor("127.0.0.1", 1)
    monkeypatch.setattr(supervisor, "write", lambda name, line: None)
    child = python("raise SystemExit(3)")
    service.launch(child)
    assert child.process is not None
    first = child.process.pid
    child.process.wait(20)
    deadline = time.monotonic() + 10
    while child.process.pid == first and time.monotonic() < deadline:
        service.bring_back(child)
        time.sleep(0.05)
    assert child.process.pid != first
    child.process.wait(20)
