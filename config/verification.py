"""`make test`: every check of the project, all of them run, a summary at the end, and what was left out."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from config import embedded

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PYTHON = sys.executable
MANAGE = [PYTHON, "manage.py"]


@dataclass
class Check:
    """One command of the run, and how it ended."""

    name: str
    command: list[str]
    passed: bool = False
    seconds: float = 0.0

    def run(self) -> None:
        """What it says goes to the terminal as it comes."""
        print(f"\n==> {self.name}", flush=True)
        self._run(None)

    def run_aside(self) -> None:
        """What it says is printed when it has ended, so that several can run at once."""
        said = self._run(subprocess.PIPE)
        print(f"\n==> {self.name}\n{said}", end="", flush=True)

    def _run(self, output: int | None) -> str:
        started = time.monotonic()
        ended = subprocess.run(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            text=True,
        )
        self.seconds = time.monotonic() - started
        self.passed = ended.returncode == 0
        return ended.stdout or ""


def browser() -> str | None:
    """The browser that the browser tests would drive: `ATLAS_BROWSER`, or the first known one on the path."""
    named = os.environ.get("ATLAS_BROWSER")
    return named or next((found for name in BROWSERS if (found := shutil.which(name))), None)


def skipped_tests(report: Path) -> list[tuple[str, str]]:
    """Name and reason of each test that a JUnit report counts as skipped."""
    skipped = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        for element in case.iter("skipped"):
            skipped.append((f"{case.get('classname')}::{case.get('name')}", element.get("message", "")))
    return skipped


def checks(report: Path, pytest_arguments: list[str]) -> list[Check]:
    """The checks in the order they run: those without a database of their own together, the longest first."""
    # A file's tests stay together, each process has a database of its own.
    tests = [PYTHON, "-m", "pytest", "-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
    return [
        Check("types", [PYTHON, "-m", "mypy"]),
        Check("ruff check", [PYTHON, "-m", "ruff", "check", "."]),
        Check("ruff format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
        Check("system checks", [*MANAGE, "check", "--fail-level", "WARNING"]),
        Check("migrations", [*MANAGE, "makemigrations", "--check", "--dry-run"]),
        Check("migrations' SQL", [*MANAGE, "lint_migrations"]),
        Check("API schema", [*MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull]),
        Check("tests", [*tests, f"--junit-xml={report}", "--create-db", *pytest_arguments]),
    ]


def main(pytest_arguments: list[str]) -> int:
    os.chdir(embedded.BASE_DIR)
    report = embedded.local_dir() / "test-report.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    all_checks = checks(report, pytest_arguments)
    *aside, tests = all_checks
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(Check.run_aside, aside))
    tests.run()
    print("\n==> summary")
    for check in all_checks:
        print(f"{'passed' if check.passed else 'FAILED'}  {check.name:<16} {check.seconds:6.1f} s")
    skipped = skipped_tests(report) if report.exists() else []
    if browser() is None:
        print("left out: the browser tests, because no Chromium is installed (Debian: apt install chromium)")
    for name, reason in skipped:
        print(f"left out: {name} ({reason})")
    if os.environ.get("ATLAS_REQUIRE_BROWSER") and any("browser" in name for name, _ in skipped):
        print("FAILED  browser tests were left out, which ATLAS_REQUIRE_BROWSER forbids")
        return 1
    return 0 if all(check.passed for check in all_checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
