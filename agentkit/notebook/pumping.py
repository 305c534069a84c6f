"""What a widget says while a cell runs, on kernels that would keep it until the cell has ended.

ipykernel 7 hands the messages of widgets to a thread of their own. ipykernel 6 reads them into the queue of the one
shell channel, behind the cell that is running: so while a cell waits for a run, it takes them out of there itself.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["pump_widget_messages"]

_OURS = ("comm_msg", "comm_close")


def pump_widget_messages(shell: InteractiveShell) -> None:
    """Handle the widget messages that have come since the cell began; all others stay in their order.

    Does nothing on ipykernel 7, which needs no help, and in other threads than the kernel's.
    """
    kernel: Any = getattr(shell, "kernel", None)  # ipykernel's, which has no types
    queue = getattr(kernel, "msg_queue", None)
    if queue is None or threading.current_thread() is not threading.main_thread():
        return
    import zmq

    with contextlib.suppress(AttributeError, zmq.ZMQError):  # private ways of ipykernel 6, the same in all its releases
        kernel.shell_stream.flush(zmq.POLLIN)
    waiting = [queue.get_nowait() for _ in range(queue.qsize())]
    kept = [entry for entry in waiting if not _handled(kernel, entry)]
    for entry in kept:
        queue.put_nowait(entry)


def _handled(kernel: Any, entry: Any) -> bool:
    """Handle an entry of the kernel's queue if it is a widget's message, and tell whether it was."""
    message = entry[-1][0] if entry and entry[-1] else None
    if not isinstance(message, list):
        return False
    identities, parts = kernel.session.feed_identities(message, copy=False)
    parsed = kernel.session.deserialize(parts, content=True, copy=False)
    kernel.session.digest_history.clear()  # the kernel reads those that are left again
    kind = parsed["header"]["msg_type"]
    if kind not in _OURS:
        return False
    cell = kernel._parent_ident["shell"], kernel.get_parent("shell")
    kernel.set_parent(identities, parsed, "shell")
    kernel._publish_status("busy", "shell")
    try:
        getattr(kernel.comm_manager, kind)(kernel.shell_stream, identities, parsed)
    finally:
        kernel._publish_status("idle", "shell")
        kernel.set_parent(*cell, "shell")
    return True
