"""The backend proper, under the name that Django looks for."""

from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import OperationalError

from config import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """Starts the private Postgres and creates the database, once in a process; else Django's own."""

    _prepared: set[str] = set()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        name = str(conn_params.get("dbname") or "postgres")
        if name not in self._prepared:
            try:
                embedded.ensure_postgres()
                if name == self.settings_dict["NAME"] and not name.startswith("test_"):
                    embedded.ensure_database(name)
            except embedded.ServiceError as error:
                raise OperationalError(str(error)) from error
            self._prepared.add(name)
        return super().get_new_connection(conn_params)
