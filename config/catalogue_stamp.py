"""Whether this database was loaded from the catalogue files as they are, so that a restart skips the loading.

The stamp lies beside the private servers and names the database by its cluster and its object id: a database
made anew is loaded anew.
"""

import hashlib
from pathlib import Path

from django.conf import settings
from django.db import connection

from config import embedded


def _stamp_file() -> Path:
    return embedded.local_dir() / f"catalogue.{connection.settings_dict['NAME']}.stamp"


def _current() -> str:
    """A digest of the database's identity, the catalogue's files and the modules that read them."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (pg_control_system()).system_identifier::text, oid::text FROM pg_database "
            "WHERE datname = current_database()"
        )
        digest.update(repr(cursor.fetchone()).encode())
    catalog = settings.BASE_DIR / "catalog"
    files = [p for folder in ("data", "importing") for p in (catalog / folder).rglob("*") if p.is_file()]
    for path in sorted(p for p in files if p.suffix != ".pyc"):
        digest.update(str(path.relative_to(catalog)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def catalogue_is_loaded() -> bool:
    try:
        return _stamp_file().read_text() == _current()
    except FileNotFoundError:
        return False


def note_catalogue() -> None:
    """Remember that the files as they are now have been loaded into this database."""
    _stamp_file().write_text(_current())
