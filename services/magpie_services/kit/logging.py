"""Logs: one JSON object a line on stderr, an event name with fields, the request id bound."""

import logging
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor

from magpie_services.kit import context


def _bind_request_id(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if identity := context.request_id.get():
        event.setdefault("request_id", identity)
    return event


def configure(service: str, level: str = "info") -> None:
    """Set up the logs of this process, those of libraries included. Call once, at the start."""
    number = logging.getLevelNamesMapping()[level.upper()]

    def bind_service(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _bind_request_id,
        bind_service,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.dict_tracebacks,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    # Libraries speak up only when something is wrong; their debug output is not ours to carry.
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
