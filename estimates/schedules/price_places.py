"""Where prices may be imported from: a directory and hosts that the settings name, and nothing else."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from catalog.importing import prices, token_prices
from catalog.importing.kinds import Kind
from estimates.schedules.kinds import InvalidParameters, Refused

KINDS: Final[list[Kind]] = [*prices.KINDS, *token_prices.KINDS]
#: Bytes of all files of one import.
LARGEST_IMPORT: Final = 50_000_000
MOST_FILES: Final = 2_000
FETCH_SECONDS: Final = 60.0
_BLOCK: Final = 65_536


def import_directory() -> Path | None:
    """The directory that imports may read, or None where the settings name none."""
    return Path(settings.ATLAS_PRICE_IMPORT_DIR).resolve() if settings.ATLAS_PRICE_IMPORT_DIR else None


def check_path(path: str) -> Path:
    """The directory that a path below the import directory means. Raises InvalidParameters."""
    root = import_directory()
    if root is None:
        raise InvalidParameters(("path",), path, "no path while ATLAS_PRICE_IMPORT_DIR is not set")
    pure = PurePosixPath(path)
    if not path or "\x00" in path or pure.is_absolute() or ".." in pure.parts:
        raise InvalidParameters(
            ("path",), path, "a directory below ATLAS_PRICE_IMPORT_DIR, such as . or daily"
        )
    place = (root / path).resolve()
    if not place.is_relative_to(root):
        raise InvalidParameters(("path",), path, "a directory that lies below ATLAS_PRICE_IMPORT_DIR itself")
    return place


def check_address(url: str) -> None:
    """Raises InvalidParameters unless it is https on an allowed host."""
    hosts = settings.ATLAS_PRICE_IMPORT_HOSTS
    rule = (
        f"an https address on {', '.join(hosts)}"
        if hosts
        else "no url while ATLAS_PRICE_IMPORT_HOSTS is empty"
    )
    if not allowed(url):
        raise InvalidParameters(("url",), url, rule)


def allowed(url: str) -> bool:
    """Whether an address is https, on a listed host (with its port unless 443), without a login in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or not url.isprintable():
        return False
    host = parts.hostname if port in (None, 443) else f"{parts.hostname}:{port}"
    return " " not in url and host in {name.lower() for name in settings.ATLAS_PRICE_IMPORT_HOSTS}


def check_file_name(name: str | None) -> str:
    """The name under which an address's content is read. Raises InvalidParameters."""
    pure = PurePosixPath(name or "")
    known = any(
        pure.match(glob) and len(pure.parts) == glob.count("/") + 1 for kind in KINDS for glob in kind.globs
    )
    if not known or pure.is_absolute() or ".." in pure.parts or "\x00" in str(name):
        accepted = "price_quotes/PROVIDER.csv, token_prices/SOURCE.csv or purchase_prices.csv"
        raise InvalidParameters(("file",), name, accepted)
    return str(pure)


def copy_directory(place: Path, to: Path) -> list[str]:
    """Copy the price files of a directory; their names, sorted. Raises Refused.

    What is digested, checked and written is the copy: a file that changes meanwhile counts the next time.
    """
    root = import_directory()
    if root is None or not place.is_dir():
        raise Refused(f"{place.name or place} is no directory below ATLAS_PRICE_IMPORT_DIR")
    names, size = [], 0
    for path in sorted({path for kind in KINDS for glob in kind.globs for path in place.glob(glob)}):
        name = path.relative_to(place).as_posix()
        if not path.resolve().is_relative_to(root) or not path.is_file():
            raise Refused(f"{name} leads out of ATLAS_PRICE_IMPORT_DIR or is no file")
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("rb") as source, target.open("wb") as copy:
                while block := source.read(_BLOCK):
                    size += len(block)
                    if size > LARGEST_IMPORT:
                        raise Refused(f"the files hold more than {LARGEST_IMPORT:,} bytes")
                    copy.write(block)
        except OSError as error:
            raise Refused(f"{name} cannot be read: {error.strerror}") from None
        names.append(name)
        if len(names) > MOST_FILES:
            raise Refused(f"there are more than {MOST_FILES:,} files")
    return names


class _SameHosts(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to an address that could have been asked for."""

    max_redirections = 3

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not allowed(newurl):
            raise Refused(f"{req.full_url} redirects to {newurl[:200]}, which no setting allows")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str, to: Path, context: ssl.SSLContext | None = None) -> int:
    """Store what an address answers; its bytes. Raises Refused; URLError where it cannot be reached now."""
    if not allowed(url):
        raise Refused(f"{url[:200]} is on no host that ATLAS_PRICE_IMPORT_HOSTS lists")
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SameHosts(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(
        url, headers={"User-Agent": "inference-atlas", "Accept": "text/csv, */*"}
    )
    try:
        with opener.open(request, timeout=20) as response, to.open("wb") as copy:
            size = 0
            for block in _blocks(response):
                size += len(block)
                if size > LARGEST_IMPORT:
                    raise Refused(f"{url} answers more than {LARGEST_IMPORT:,} bytes")
                copy.write(block)
    except urllib.error.HTTPError as error:
        if 400 <= error.code < 500 and error.code not in (408, 425, 429):
            raise Refused(f"{url} answers {error.code} {error.reason}") from None
        raise
    return size


def _blocks(response: Any) -> Iterator[bytes]:
    began = time.monotonic()
    while block := response.read1(_BLOCK):
        if time.monotonic() - began > FETCH_SECONDS:
            raise TimeoutError(f"the answer took longer than {FETCH_SECONDS:.0f} s")
        yield block
