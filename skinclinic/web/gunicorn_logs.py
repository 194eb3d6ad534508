"""Gunicorn's logs without secrets: ``--logger-class skinclinic.web.gunicorn_logs.MaskingLogger``."""

import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from gunicorn.config import Config
from gunicorn.glogging import Logger

from skinclinic.web.logs import JsonFormatter, MaskingFormatter, masked


class MaskingLogger(Logger):
    """Masks lines of access, and addresses in the messages about requests that failed; with LOG_FORMAT=json each line
    is JSON."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
        is_json = settings.LOG_FORMAT == "json"
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            if (plain := handler.formatter) is not None:
                handler.setFormatter(
                    JsonFormatter() if is_json else MaskingFormatter(plain._fmt, plain.datefmt)
                )

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """The line of a request that was answered: never its query."""
        if not (self.cfg.accesslog or self.cfg.logconfig or self.cfg.logconfig_dict):
            return
        headers = {name.lower(): value for name, value in resp.headers}
        told = {
            "address": environ.get("REMOTE_ADDR", "-"),
            "method": environ["REQUEST_METHOD"],
            "path": masked(environ["PATH_INFO"]),
            "status": int(str(resp.status).split(None, 1)[0]),
            "bytes": getattr(resp, "sent", 0),
            "ms": round(request_time.total_seconds() * 1000),
            "request": headers.get("x-request-id", "-"),
        }
        line = "{address} {method} {path} {status} {bytes} bytes {ms} ms {request}".format(**told)
        # Not as the format: a path may hold percent signs.
        self.access_log.info("%s", line, extra={"told": told})
