"""`make chaos`: edits from all sides while everything is killed at random, then rest, then the accounts.

    python -m tests.faults.chaos --seeds 30 --first-seed 1 --edits 500 [--groups N] [--json]

Works on a Postgres and a Valkey of its own in a temporary directory. Exit code 1 when anything is lost,
stale, wrong, missing, doubled or stuck, 2 when the trial cannot begin.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Any


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=30, help="number of seeds")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--edits", type=int, default=500, help="edits of a seed")
    parser.add_argument("--groups", type=int, default=1, help="worker groups, of two processes each")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--keep", action="store_true", help="leave the directory with data and logs")
    found = parser.parse_args(given)
    for name in ("seeds", "edits", "groups"):
        if getattr(found, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more")
    return found


def temporary_directory() -> str | None:
    """In memory where TMPDIR names no other place: a SIGKILL takes no written page with it, on either."""
    memory = Path("/dev/shm")
    if os.environ.get("TMPDIR") or not os.access(memory, os.W_OK):
        return None
    return str(memory) if shutil.disk_usage(memory).free > 2_000_000_000 else None


def prepare_environment(directory: Path) -> None:
    """Servers of our own, whatever the caller's environment names."""
    for name in ("DATABASE_URL", "BROKER_URL", "TEST_DATABASE_NAME", "ATLAS_SERVICES_MANAGED"):
        os.environ.pop(name, None)
    os.environ.update(
        {
            "ATLAS_LOCAL_DIR": str(directory / "local"),
            "ATLAS_ENV": "development",
            "DATABASE_NAME": "chaos",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PGAPPNAME": "editor",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
        }
    )


def main(given: list[str]) -> int:
    options = arguments(given)
    directory = Path(tempfile.mkdtemp(prefix="atlas-chaos-", dir=temporary_directory()))
    prepare_environment(directory)
    signal.signal(signal.SIGTERM, _end)
    import django

    django.setup()
    from config import embedded

    passed = False
    try:
        passed = trial(options, directory)
    except (embedded.ServiceError, TimeoutError) as error:
        print(f"make chaos: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("make chaos: interrupted", file=sys.stderr)
        return 130
    finally:
        embedded.stop_valkey()
        embedded.stop_postgres()
        if options.keep or not passed:
            print(f"data and logs: {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return 0 if passed else 1


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def trial(options: argparse.Namespace, directory: Path) -> bool:
    """All seeds on one service; whether every one of them passed."""
    import logging

    import orjson
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from config import embedded
    from config.access.tokens import create_token
    from tests.faults.editors import THREADS
    from tests.faults.http_client import Client
    from tests.faults.report import SeedResult, as_json, table
    from tests.faults.service import Service
    from tests.faults.trial import run_seed

    logging.disable(logging.WARNING)  # this process's own: the service writes to its logs
    began = time.monotonic()
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    call_command("migrate", verbosity=0, interactive=False)
    user = User.objects.create_superuser("chaos", password="chaos")
    token, _ = create_token(user, ["write_facts"])
    lease: Any = getattr(settings, "ATLAS_CLAIM_LEASE_SECONDS", None)
    results: list[SeedResult] = []
    with Service(directory, options.groups) as service:
        sessions = [Client(service.port) for _ in range(THREADS)]
        for session in sessions:
            session.log_in("chaos", "chaos")
        print(f"servers, migrations and service: {time.monotonic() - began:.1f} s", file=sys.stderr)
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            results.append(run_seed(seed, options.edits, service, token, sessions, directory / "files"))
            print(results[-1].line(), file=sys.stderr, flush=True)
    if options.json:
        print(orjson.dumps(as_json(results, lease), option=orjson.OPT_INDENT_2).decode())
    else:
        print(table(results, lease))
    return bool(results) and all(result.passed for result in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
