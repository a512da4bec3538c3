"""Traces: where OpenTelemetry's variables ask for them, calls say in which trace they are, and the last spans of a
process are sent before it ends.
"""

import logging
import os
import sys
from multiprocessing.util import Finalize
from typing import Optional, Tuple

from headwater import _headwater

log = logging.getLogger("headwater")

#: A traceparent, and a tracestate where there is one, as the W3C's Trace Context has them.
Caller = Tuple[str, Optional[str]]

#: The process whose last spans are sent.
_process = 0


def caller() -> Optional[Caller]:
    """Where this process stands, if a span of OpenTelemetry's own package is active. The package is not imported for
    that: whoever has not imported it has no span.
    """
    _send_at_the_end()
    current = getattr(sys.modules.get("opentelemetry.trace"), "get_current_span", None)
    if current is None:
        return None
    context = current().get_span_context()
    if not context.is_valid:
        return None
    parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags) & 1:02x}"
    return parent, context.trace_state.to_header() or None


def _send_at_the_end() -> None:
    """Has the last spans of this process be sent when it ends: also where it is a worker, which runs no atexit."""
    global _process
    if _process == os.getpid() or not _are_sent():
        return
    _process = os.getpid()
    Finalize(None, _send, exitpriority=0)


def _are_sent() -> bool:
    try:
        return _headwater.traces()
    except ValueError:
        # A variable that is not taken, of which the dataset has warned.
        return False


def _send() -> None:
    lost = _headwater.flush_traces()
    if lost is None:
        log.warning("the last spans of traces were not sent in time")
    elif lost:
        log.warning("%d spans of traces have not come to their collector", lost)
