"""The process that runs models, run as a program: `python -m agentkit.local.engines.trained.server [idle seconds]`.

Each request is a line of JSON on the standard input: `{"id": n, "do": "answer" | "count" | "hello" | "cancel", …}`. It
is answered by lines of JSON on the standard output: `{"id": n, "text": …, "tokens": k}`, `{"id": n, "call": {…}, …}`,
and as the last one `{"id": n, "done": {…}}` or `{"id": n, "error": {…}}`. After a while without a request there is an
`{"idle": true}`; the process may then be told to end, which it does with its input, or with the process above it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from typing import Any

__all__ = ["main"]

_LOOK_EVERY_S = 1.0


class _Answers:
    """Writes lines, from any thread."""

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "wb")
        self._lock = threading.Lock()
        os.dup2(2, 1)  # what a library prints is no answer

    def write(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                self._file.write(line)
                self._file.flush()
        except OSError:  # nobody reads them any more
            os._exit(0)


def main() -> None:
    """Answer requests until the input ends."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the notebook
    idle_s = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    requests, answers = sys.stdin.buffer, _Answers()
    from agentkit.local.engines.trained.serving import Serving

    serving = Serving(answers.write)
    threading.Thread(target=_watch, args=(serving, answers, idle_s, os.getppid()), daemon=True).start()
    for line in requests:
        request = json.loads(line)
        if request["do"] == "cancel":
            serving.cancel(request["id"])
        elif request["do"] == "hello":
            answers.write({"id": request["id"], "done": {}})
        else:
            serving.take(request)
    os._exit(0)  # whatever is being computed: nobody waits for it


def _watch(serving: Any, answers: _Answers, idle_s: float, parent: int) -> None:
    """End with the parent, and say so where nothing is asked."""
    while True:
        time.sleep(min(_LOOK_EVERY_S, idle_s / 2))
        if os.getppid() != parent:
            os._exit(0)
        if serving.idle_for_s() >= idle_s:
            answers.write({"idle": True})


if __name__ == "__main__":
    main()
