"""Health probe of containers and the supervisor: `python -m config.probe URL`, or `--fresh GLOB SECONDS`.

Exit code 0 means healthy. The address is asked with the first of ALLOWED_HOSTS as its host and as if over
TLS, so that the answer is the application's own and no redirect.
"""

import glob
import os
import sys
import time
import urllib.error
import urllib.request


def status_of(url: str, timeout_seconds: float = 3.0) -> int | None:
    """The HTTP status of an address, or None where nothing answers."""
    host = next(
        (word.strip() for word in os.environ.get("ALLOWED_HOSTS", "").split(",") if word.strip(" *.")), None
    )
    headers = {"Host": (host or "localhost").lstrip("."), "X-Forwarded-Proto": "https"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=timeout_seconds
        ) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def is_fresh(pattern: str, seconds: float) -> bool:
    """Whether a file of the pattern was written within the time: what beat does with its schedule."""
    return any(time.time() - os.path.getmtime(path) < seconds for path in glob.glob(pattern))


def main(arguments: list[str]) -> int:
    match arguments:
        case ["--fresh", pattern, seconds]:
            return 0 if is_fresh(pattern, float(seconds)) else 1
        case [url]:
            return 0 if status_of(url) == 200 else 1
    print("usage: python -m config.probe URL | --fresh GLOB SECONDS", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
