"""Structured logs: one JSON object a line. A log holds codes, ids and durations, and no value that a caller sent.

``shared.logs.fields`` declares the fields of a line. Libraries and the interpreter log the same way, without their
text. Such text may quote a body, a parameter or a row.
"""

import errno
import logging
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

import structlog

from shared.logs.fields import only_declared

ROOT = Path(__file__).resolve().parents[2]
log = structlog.get_logger()


def configure_logs(level: str, to: TextIO | None = None) -> None:
    """Set up structlog once for this process. Lines go to ``to``, or to the current standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_declared,
            structlog.processors.JSONRenderer(ensure_ascii=True),  # so that no character can control a terminal
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(to or sys.stderr),
        cache_logger_on_first_use=False,
    )


def silence_others() -> None:
    """From now on, messages of libraries, warnings and the interpreter are logged without their text.

    Only for a process that runs a service; a test process keeps its messages.
    """
    logging.captureWarnings(True)  # a warning of a serializer quotes the value
    logging.raiseExceptions = False
    logging.basicConfig(handlers=[_Wordless()], level=logging.WARNING, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # uvicorn has given them handlers of their own
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(
            logging.ERROR
        )  # ``shared.http.connection`` logs more about bytes that are no HTTP
    sys.excepthook = lambda _, error, __: _tell(error)
    sys.unraisablehook = lambda raised: _tell(raised.exc_value)
    threading.excepthook = lambda raised: _tell(raised.exc_value)


def places_of(error: BaseException) -> list[str]:
    """The last six places that an error went through: file and line, without the folders before ours or the
    library's."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{_short(frame.filename)}:{frame.lineno}" for frame in frames if not frame.filename.startswith("<")]


def about(error: BaseException) -> dict[str, Any]:
    """The loggable facts of an error: class, places, and ``reason`` and ``settings`` where the error has them."""
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
    """Logs which library wrote a record, and the class of the error; never the message."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it."""
        error = record.exc_info[1] if record.exc_info else record.msg
        level = min(record.levelno // 10 * 10, logging.CRITICAL)  # a level that structlog knows
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
