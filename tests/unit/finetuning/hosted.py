"""A platform that trains as OpenAI does, by its documented shapes: what it answers is made here, nothing is trained."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import openai

Answer = Callable[[httpx2.Request], httpx2.Response | None]


class Hosted(httpx2.AsyncBaseTransport):
    """Answers a client from what it holds, and notes what it was asked.

    `answers` may answer a request in its place, or raise; it returns None to let it through. A request that is `held`
    is never answered; one that is `late` is done, which `has_come` tells, and answered when it `may_go`.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.checkpoints: dict[str, list[dict[str, Any]]] = {}
        self.models: set[str] = set()
        self.requests: list[tuple[str, str, Any]] = []
        self.answers: Answer = lambda request: None
        self.held: Callable[[httpx2.Request], bool] = lambda request: False
        self.late: Callable[[httpx2.Request], bool] = lambda request: False
        self.has_come, self.may_go = asyncio.Event(), asyncio.Event()

    def client(self, *, host: str = "api.openai.com") -> openai.AsyncOpenAI:
        """Return a client of it."""
        http = openai.DefaultAsyncHttpx2Client(transport=self)
        return openai.AsyncOpenAI(base_url=f"https://{host}/v1", api_key="sk-test", http_client=http, max_retries=0)

    def count(self, method: str, path: str) -> int:
        """Return how many requests there were of a method, to a path or paths that begin with it."""
        return sum(verb == method and asked.startswith(path) for verb, asked, _ in self.requests)

    def job(self, job_id: str = "ftjob-1", **changes: Any) -> dict[str, Any]:
        """Make or change a job."""
        self.jobs[job_id] = self.jobs.get(job_id, new_job(job_id)) | changes
        return self.jobs[job_id]

    def tell(self, job_id: str, message: str, *, at: int = 1_000, **data: Any) -> None:
        """Add an event; numbers make it one of metrics."""
        events = self.events.setdefault(job_id, [])
        events.append(
            {
                "id": f"ftevent-{job_id}-{len(events)}", "object": "fine_tuning.job.event", "created_at": at,
                "level": "info", "message": message, "type": "metrics" if data else "message", "data": data,
            }
        )  # fmt: skip

    def keep(self, job_id: str, step: int, **metrics: float) -> None:
        """Add a checkpoint."""
        name = f"ft:gpt-4.1-mini-2025-04-14:org:try:abc:ckpt-step-{step}"
        self.models.add(name)
        self.checkpoints.setdefault(job_id, []).append(
            {
                "id": f"ftckpt_{step}", "object": "fine_tuning.job.checkpoint", "created_at": 1_000 + step,
                "fine_tuned_model_checkpoint": name, "fine_tuning_job_id": job_id, "step_number": step,
                "metrics": {"step": step, **metrics},
            }
        )  # fmt: skip

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request."""
        body = await request.aread()
        is_json = request.headers.get("content-type", "") == "application/json"
        path = request.url.path.removeprefix("/v1")
        told = json.loads(body) if is_json and body else None
        self.requests.append((request.method, path, told))
        if (answer := self.answers(request)) is not None:
            return answer
        if self.held(request):
            await asyncio.Event().wait()
        done = self._done(request, path, told, body)
        if self.late(request):
            self.has_come.set()
            await self.may_go.wait()
        return done

    def _done(self, request: httpx2.Request, path: str, told: Any, body: bytes) -> httpx2.Response:
        query = dict(request.url.params)
        match [request.method, *path.strip("/").split("/")]:
            case ["GET", "files"]:
                return page(list(self.files.values())[::-1], query)
            case ["POST", "files"]:
                return httpx2.Response(200, json=self._keep_file(request, body))
            case ["DELETE", "files", file_id]:
                self.files.pop(file_id)
                return httpx2.Response(200, json={"id": file_id, "object": "file", "deleted": True})
            case ["GET", "files", file_id, "content"]:
                return httpx2.Response(200, content=self.contents[file_id])
            case ["DELETE", "models", *name]:
                if (model := "/".join(name)) not in self.models:
                    return refusal(404, "no such model")
                self.models.remove(model)
                return httpx2.Response(200, json={"id": model, "object": "model", "deleted": True})
            case ["GET", "fine_tuning", "jobs"]:
                return page(list(self.jobs.values())[::-1], query)
            case ["POST", "fine_tuning", "jobs"]:
                return httpx2.Response(200, json=self.job(f"ftjob-{len(self.jobs) + 1}", **told))
            case [_, "fine_tuning", "jobs", job_id, *rest] if job_id in self.jobs:
                return self._of_job(job_id, rest, query)
        return refusal(404, f"nothing at {path}")

    def _of_job(self, job_id: str, rest: list[str], query: dict[str, str]) -> httpx2.Response:
        match rest:
            case []:
                return httpx2.Response(200, json=self.jobs[job_id])
            case ["events"]:
                return page(self.events.get(job_id, [])[::-1], query)
            case ["checkpoints"]:
                return page(self.checkpoints.get(job_id, [])[::-1], query)
            case ["cancel" | "pause" | "resume" as action]:
                status = {"cancel": "cancelled", "pause": "paused", "resume": "queued"}[action]
                return httpx2.Response(200, json=self.job(job_id, status=status))
        return refusal(404, "nothing there")

    def _keep_file(self, request: httpx2.Request, body: bytes) -> dict[str, Any]:
        head = body.split(b'filename="', 1)[1]
        name = head.split(b'"', 1)[0].decode()
        assert b'name="purpose"\r\n\r\nfine-tune' in body
        file_id = f"file-{len(self.requests)}"
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        self.contents[file_id] = head.split(b"\r\n\r\n", 1)[1].split(b"\r\n--" + boundary, 1)[0]
        self.files[file_id] = {
            "id": file_id, "object": "file", "bytes": len(self.contents[file_id]), "created_at": 1, "filename": name,
            "purpose": "fine-tune", "status": "processed",
        }  # fmt: skip
        return self.files[file_id]


def new_job(job_id: str) -> dict[str, Any]:
    """Return a job as the API gives it."""
    return {
        "id": job_id, "object": "fine_tuning.job", "created_at": 1_000, "model": "gpt-4.1-mini-2025-04-14",
        "organization_id": "org-1", "status": "queued", "fine_tuned_model": None, "finished_at": None,
        "hyperparameters": {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"},
        "training_file": "file-1", "validation_file": None, "result_files": [], "trained_tokens": None,
        "error": {}, "seed": 7, "estimated_finish": None, "integrations": [], "user_provided_suffix": None,
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}}, "metadata": None,
    }  # fmt: skip


def page(rows: list[dict[str, Any]], query: dict[str, str]) -> httpx2.Response:
    """Return a page of a list."""
    after, limit = query.get("after"), int(query.get("limit", 20))
    start = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
    data = rows[start : start + limit]
    return httpx2.Response(200, json={"object": "list", "data": data, "has_more": start + limit < len(rows)})


def refusal(status: int, message: str, code: str | None = None) -> httpx2.Response:
    """Return an error as the API sends it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return httpx2.Response(status, json={"error": error})
