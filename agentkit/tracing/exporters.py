"""Ways of sending traces somewhere else: to standard output, and to OpenAI. Neither is in use unless asked for."""

from __future__ import annotations

import functools
import os
import random
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentkit import _secrets
from agentkit._retry_after import retry_after_s
from agentkit.tracing.batching import BatchTraceProcessor
from agentkit.tracing.ingest import ingest_item
from agentkit.tracing.processors import TracingExporter
from agentkit.tracing.record import Trace
from agentkit.tracing.rows import loosely

if TYPE_CHECKING:
    import httpx2

    from agentkit.tracing.record import Span

__all__ = [
    "BackendSpanExporter",
    "ConsoleSpanExporter",
    "default_exporter",
    "default_processor",
    "set_tracing_export_api_key",
]

_ENDPOINT = "https://api.openai.com/v1/traces/ingest"
_PASSING = frozenset({408, 409, 429})

_export_key: str | None = None


class ConsoleSpanExporter(TracingExporter):
    """Prints traces that start and spans that end, to standard output.

    Keys are left out; so is all that spans hold where `OPENAI_AGENTS_DONT_LOG_MODEL_DATA` or
    `OPENAI_AGENTS_DONT_LOG_TOOL_DATA` is set to 1.
    """

    def export(self, items: Sequence[Trace | Span[Any]]) -> None:
        """Print `items`, a line each."""
        hidden = any(
            os.environ.get(f"OPENAI_AGENTS_DONT_LOG_{kind}_DATA", "").strip().lower() in ("1", "true", "yes", "on")
            for kind in ("MODEL", "TOOL")
        )
        clean = _secrets.Redactor().clean
        for item in items:
            if isinstance(item, Trace):
                print(f"[Exporter] Export trace_id={item.trace_id}, name={item.name}")
            elif hidden:
                print(f"[Exporter] Export span: {item.span_data.type} {item.span_id}")
            else:
                print(f"[Exporter] Export span: {clean(str(item.export()))}")


class BackendSpanExporter(TracingExporter):
    """Uploads traces and spans to OpenAI's dashboard, or to another server that takes the same.

    ```python
    add_trace_processor(BatchTraceProcessor(BackendSpanExporter()))
    ```

    Args:
        api_key: The key; that of the trace, of `set_tracing_export_api_key` or `OPENAI_API_KEY` when None.
        organization: The organization; `OPENAI_ORG_ID` when None.
        project: The project; `OPENAI_PROJECT_ID` when None.
        endpoint: Address that batches are posted to.
        max_retries: Attempts at a batch.
        base_delay: Seconds before the second; they double each time.
        max_delay: Most seconds before any.
        wait: Waits so many seconds, and returns whether to give up. For tests.
    """

    def __init__(
        self,
        api_key: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        endpoint: str = _ENDPOINT,
        max_retries: int = 3,
        base_delay: float = 1.0,
        max_delay: float = 30.0,
        *,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        _secrets.register(api_key)
        self._api_key = api_key
        self.organization = organization or os.environ.get("OPENAI_ORG_ID")
        self.project = project or os.environ.get("OPENAI_PROJECT_ID")
        self.endpoint = endpoint
        self.max_retries = max_retries
        self.base_delay = base_delay
        self.max_delay = max_delay
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._client: httpx2.Client | None = None
        self._told: set[str] = set()

    @property
    def api_key(self) -> str | None:
        """The key used for traces that bring none of their own."""
        return self._api_key or _export_key or os.environ.get("OPENAI_API_KEY") or None

    def set_api_key(self, api_key: str) -> None:
        """Use another key from now on."""
        _secrets.register(api_key)
        self._api_key = api_key

    def export(self, items: Sequence[Trace | Span[Any]]) -> None:
        """Upload `items`. What fails is logged, once for each kind of failure, and never raised."""
        by_key: dict[str | None, list[Trace | Span[Any]]] = {}
        for item in items:
            by_key.setdefault(item.tracing_api_key or self.api_key, []).append(item)
        for key, batch in by_key.items():
            if key is None:
                self._tell("There is no key to upload traces with: set OPENAI_API_KEY or set_tracing_export_api_key().")
            elif entries := [entry for item in batch if (entry := ingest_item(item)) is not None]:
                self._send(key, entries)

    def close(self) -> None:
        """Stop waiting for another attempt, and close the connections."""
        self._closed.set()
        if self._client is not None:
            self._client.close()
            self._client = None
        self._closed.clear()

    def _send(self, key: str, entries: list[dict[str, Any]]) -> None:
        import httpx2

        if self._client is None:
            self._client = httpx2.Client(timeout=httpx2.Timeout(60, connect=5))
        body = _secrets.Redactor().clean(loosely({"data": entries}).decode()).encode()
        delay = self.base_delay
        for attempt in range(1, self.max_retries + 1):
            asked: float | None = None
            try:
                response = self._client.post(self.endpoint, content=body, headers=self._headers(key))
            except httpx2.HTTPError as error:
                failure, passing = f"{type(error).__name__}: {error}", True
            else:
                if response.status_code < 300:
                    return
                failure = f"{response.status_code} {response.text[:200]}"
                passing = response.status_code in _PASSING or response.status_code >= 500
                passing = passing and response.headers.get("x-should-retry") != "false"
                asked = retry_after_s(response.headers)
            if not passing or attempt == self.max_retries:
                self._tell(f"Traces were not uploaded to {self.endpoint} ({failure}).")
                return
            pause = max(delay * random.uniform(1, 1.1), asked or 0)
            if self._wait(min(pause, self.max_delay)):
                return
            delay *= 2

    def _headers(self, key: str) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "OpenAI-Beta": "traces=v1",
        }
        if self.organization:
            headers["OpenAI-Organization"] = self.organization
        if self.project:
            headers["OpenAI-Project"] = self.project
        return headers

    def _tell(self, failure: str) -> None:
        if failure in self._told:
            return
        self._told.add(failure)
        from logging import getLogger

        text = _secrets.Redactor().clean(failure)
        getLogger("agentkit.tracing").warning("%s The run is not affected; this is said once.", text)


def set_tracing_export_api_key(api_key: str) -> None:
    """Set the key that `BackendSpanExporter` uploads traces with. It doesn't start uploading them."""
    global _export_key
    _secrets.register(api_key)
    _export_key = api_key or None


@functools.cache
def default_exporter() -> BackendSpanExporter:
    """Return the exporter to OpenAI that the whole process shares. It does nothing by itself."""
    return BackendSpanExporter()


@functools.cache
def default_processor() -> BatchTraceProcessor:
    """Return the processor that uploads to OpenAI, to be added by `add_trace_processor`."""
    return BatchTraceProcessor(default_exporter())
