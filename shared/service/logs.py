"""Structured logs: one JSON object a line. Nothing that a caller sent is logged, only codes, ids and durations.

What a line may hold is declared in ``log_fields``. What libraries and the interpreter itself would print goes the same
way, without their words: those may repeat a body, a parameter or a row.
"""

import errno
import logging
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

import structlog

from shared.service.log_fields import only_declared

ROOT = Path(__file__).resolve().parents[2]
log = structlog.get_logger()


def configure_logs(level: str, to: TextIO | None = None) -> None:
    """Set up structlog once for this process; lines go to ``to``, or to the standard error of now."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_declared,
            structlog.processors.JSONRenderer(ensure_ascii=True),  # so that no character can steer a terminal
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(to or sys.stderr),
        cache_logger_on_first_use=False,
    )


def silence_others() -> None:
    """From now on libraries, warnings and the interpreter say in this process's log that something happened, not what.

    For a process that is a service, not for one that tests it.
    """
    logging.captureWarnings(True)  # a warning of a serializer quotes the value
    logging.raiseExceptions = False
    logging.basicConfig(handlers=[_Wordless()], level=logging.WARNING, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # uvicorn has given them handlers of their own
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.ERROR)  # of what is not HTTP ``connection`` says more
    sys.excepthook = lambda _, error, __: _tell(error)
    sys.unraisablehook = lambda raised: _tell(raised.exc_value)
    threading.excepthook = lambda raised: _tell(raised.exc_value)


def places_of(error: BaseException) -> list[str]:
    """The last places that an error went through: files and lines of ours and of libraries, without folders before."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{_short(frame.filename)}:{frame.lineno}" for frame in frames if not frame.filename.startswith("<")]


def about(error: BaseException) -> dict[str, Any]:
    """What may be said of an error: its class, its places, and its ``reason`` and ``settings`` where it has them."""
    said: dict[str, Any] = {"error": type(error).__name__, "places": places_of(error)}
    reason = getattr(error, "reason", None)
    if reason is None and isinstance(error, OSError):
        reason = errno.errorcode.get(error.errno or 0)
    if isinstance(reason, str):
        said["reason"] = reason.lower().replace("_", "-").replace(" ", "-")
    if (settings := getattr(error, "settings", None)) is not None:
        said["settings"] = list(settings)
    return said


class _Wordless(logging.Handler):
    """Logs of a record which library spoke and of which class the error was."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it."""
        error = record.exc_info[1] if record.exc_info else record.msg
        level = min(record.levelno // 10 * 10, logging.CRITICAL)  # one of those that structlog knows
        if isinstance(error, BaseException):
            log.log(level, "library.spoke", logger=record.name, **about(error))
        else:
            log.log(level, "library.spoke", logger=record.name)


def _tell(error: BaseException | None) -> None:
    if error is not None:
        log.critical("process.fault", **about(error))


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).as_posix()
    parts = path.parts
    start = parts.index("site-packages") + 1 if "site-packages" in parts else -2
    return "/".join(parts[start:])
