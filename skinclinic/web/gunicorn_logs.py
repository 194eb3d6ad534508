"""Gunicorn's logs without secrets: ``--logger-class skinclinic.web.gunicorn_logs.MaskingLogger``."""

from gunicorn.config import Config
from gunicorn.glogging import Logger

from skinclinic.web.logs import MaskingFormatter


class MaskingLogger(Logger):
    """Masks lines of access, and addresses in the messages about requests that failed."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            if (plain := handler.formatter) is not None:
                handler.setFormatter(MaskingFormatter(plain._fmt, plain.datefmt))
