"""Gunicorn's log lines, through the same handlers and in the same format as all others."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from config.request_id import NONE


class WebServerLog(Logger):  # type: ignore[misc]
    """Hands every line on to the root logger; a request's figures are fields of their own."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers = []
            log.propagate = True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        headers = {str(name).lower(): value for name, value in resp.headers}
        seconds = request_time.total_seconds()
        status = int(str(resp.status).split()[0])
        target = f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}"
        self.access_log.info(
            "%s %d %s bytes %.0f ms",
            target,
            status,
            resp.sent,
            seconds * 1000,
            extra={
                "request_id": headers.get("x-request-id", NONE),
                "method": environ["REQUEST_METHOD"],
                "path": environ.get("PATH_INFO"),
                "status": status,
                "bytes": resp.sent,
                "seconds": round(seconds, 6),
                "address": environ.get("REMOTE_ADDR") or None,
            },
        )
