"""The paths below `/v1/fine_tuning/jobs`."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit.local.checking import check, read_json
from agentkit.local.errors import ApiError
from agentkit.local.files.store import FileStore
from agentkit.local.replies import json_reply
from agentkit.local.training.bases import UnknownBaseError, resolve
from agentkit.local.training.launching import Launcher
from agentkit.local.training.models import check_unneeded
from agentkit.local.training.objects import checkpoint_object, event_object, job_object
from agentkit.local.training.records import OVER, Job, Wanted
from agentkit.local.training.requests import (
    CheckpointsQuery,
    EventsQuery,
    JobRequest,
    JobsQuery,
    job_request,
    jobs_query,
)
from agentkit.local.training.requirements import check_training, check_wandb
from agentkit.local.training.store import JobStore
from agentkit.local.training.tending import Tending

__all__ = ["FineTuningRoutes"]

_OPENAIS_MODEL = re.compile(r"(?:ft:)?(?:gpt-|chatgpt-|o[1-9](?![0-9])|babbage-|davinci-|text-|omni-)[A-Za-z0-9._:-]*")
_STOP_S = 3.0
"""How long an answer waits for a worker that was asked to stop. It looks at each step."""
_END_S = 10.0
"""How long the one that has paused a job may take to end, before another one is started."""
_LOOK_S = 0.05


class FineTuningRoutes:
    """Answers requests about fine-tuning jobs.

    Args:
        jobs: The jobs.
        files: The uploaded files.
        launcher: Starts workers.
        clock: Tells the Unix time in seconds.
    """

    def __init__(
        self, jobs: JobStore, files: FileStore, launcher: Launcher, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._jobs = jobs
        self._files = files
        self._tending = Tending(jobs, launcher, clock=clock)

    def routes(self) -> list[Route]:
        """Return the paths."""
        every, one = "/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs/{job_id}"
        return [
            Route(every, self.create, methods=["POST"]),
            Route(every, self.list_jobs, methods=["GET"]),
            Route(one, self.retrieve, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
            Route(f"{one}/pause", self.pause, methods=["POST"]),
            Route(f"{one}/resume", self.resume, methods=["POST"]),
            Route(f"{one}/events", self.list_events, methods=["GET"]),
            Route(f"{one}/checkpoints", self.list_checkpoints, methods=["GET"]),
        ]

    async def create(self, http: Request) -> Response:
        """Make a job, and start it."""
        request = check(JobRequest, read_json(await http.body()))
        return json_reply(await asyncio.to_thread(self._create, request))

    async def list_jobs(self, http: Request) -> Response:
        """Return a page of jobs, newest first."""
        query = jobs_query(http.query_params.multi_items())
        return json_reply(await asyncio.to_thread(self._list, query))

    async def retrieve(self, http: Request) -> Response:
        """Return a job."""
        return json_reply(job_object(await self._tended(http)))

    async def delete(self, http: Request) -> Response:
        """Forget a job that is over, with its models. OpenAI has no such path."""
        job = await self._tended(http)
        await asyncio.to_thread(self._delete, job)
        return json_reply({"id": job.id, "object": "fine_tuning.job.deleted", "deleted": True})

    async def cancel(self, http: Request) -> Response:
        """Stop a job for good. What it has trained so far stays."""
        job = await asyncio.to_thread(self._ask, await self._tended(http), "cancel")
        job = await self._stopped(job, "cancel")
        while job.status not in OVER:  # its worker is in the middle of something long: it will see when it is through
            await asyncio.to_thread(self._tending.settle, job, "cancel")
            job = await asyncio.to_thread(self._found, job.id)
        return json_reply(job_object(job))

    async def pause(self, http: Request) -> Response:
        """Ask the worker of a job to keep what it has, and to stop; where that takes long, it is told before."""
        job = await asyncio.to_thread(self._ask, await self._tended(http), "pause")
        return json_reply(job_object(await self._stopped(job, "pause")))

    async def resume(self, http: Request) -> Response:
        """Let a paused job go on."""
        job = _in_status(await self._tended(http), "paused", to="resumed")
        await self._until(lambda: not job.worker or self._jobs.is_lost(job), _END_S)
        await asyncio.to_thread(self._tending.resume, job)
        return json_reply(job_object(await asyncio.to_thread(self._found, job.id)))

    async def list_events(self, http: Request) -> Response:
        """Return a page of events, newest first."""
        query = check(EventsQuery, dict(http.query_params))
        job = await self._tended(http)
        return json_reply(await asyncio.to_thread(self._events, job.id, query))

    async def list_checkpoints(self, http: Request) -> Response:
        """Return a page of checkpoints, newest first."""
        query = check(CheckpointsQuery, dict(http.query_params))
        job = await self._tended(http)
        found = await asyncio.to_thread(self._jobs.checkpoints, job.id)
        page = _page([checkpoint_object(each) for each in found], query, "checkpoint")
        data = page["data"]
        ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
        return json_reply({**page, **ends})

    async def _tended(self, http: Request) -> Job:
        """Return the job that is asked for, with a worker if it should have one."""
        return await asyncio.to_thread(self._look_after, http.path_params["job_id"])

    async def _stopped(self, job: Job, wanted: Wanted) -> Job:
        """Return a job when its worker has done what is wanted of it, or as it is when that takes too long."""
        if job.status == "paused" or not job.worker or self._jobs.is_lost(job):
            await asyncio.to_thread(self._tending.settle, job, wanted)
        else:
            await self._until(lambda: self._found(job.id).status in ("paused", *OVER), _STOP_S)
        return await asyncio.to_thread(self._found, job.id)

    async def _until(self, holds: Callable[[], bool], patience_s: float) -> None:
        end = time.monotonic() + patience_s
        while not await asyncio.to_thread(holds):
            if time.monotonic() >= end:
                return
            await asyncio.sleep(_LOOK_S)  # it is another process that makes it hold

    # -- in a thread --------------------------------------------------------------------------------------------------

    def _create(self, request: JobRequest) -> dict[str, Any]:
        kept = job_request(request)
        kept["model"] = self._trainable(request.model)
        for param in ("training_file", "validation_file"):
            if kept[param] is not None:
                self._check_file(kept[param], param)
        check_training()
        if kept["integrations"]:
            check_wandb()
        job = self._jobs.create(kept)
        self._jobs.tell(job.id, f"Created fine-tuning job: {job.id}")
        self._tending.look_after(job)
        return job_object(self._found(job.id))

    def _trainable(self, name: str) -> str:
        """Return the model to train, as the worker, whose working folder is another one, understands it.

        Raises:
            ApiError: There is none of that name, or none that could be trained.
        """
        try:
            base = resolve(name, self._jobs.home)
        except UnknownBaseError as error:
            message = str(error)
            if _OPENAIS_MODEL.fullmatch(name):
                message = (
                    f"'{name}' can't be trained here: the weights of OpenAI's models are OpenAI's own. Train 'tiny-1' "
                    "(small, made on the spot), a Hugging Face model by its folder or as 'organisation/name', or a "
                    "model that was trained here ('ft:…')."
                )
            raise ApiError(message, param="model", code="model_not_available") from None
        return str(base.folder) if base.kind == "folder" else name

    def _check_file(self, file_id: str, param: str) -> None:
        entry = self._files.get(file_id)
        if entry is None:
            message = f"Invalid '{param}': there is no file '{file_id}'. Upload it with purpose 'fine-tune'."
        elif entry.purpose != "fine-tune":
            message = (
                f"Invalid '{param}': '{file_id}' ('{entry.filename}') was uploaded with purpose '{entry.purpose}'. "
                "Upload it with purpose 'fine-tune'."
            )
        elif not entry.filename.lower().endswith(".jsonl"):
            message = (
                f"Invalid '{param}': '{file_id}' is called '{entry.filename}'. Upload a JSONL file: one example a "
                "line, with a name that ends in .jsonl."
            )
        else:
            self._files.checked_path(entry)
            return
        raise ApiError(message, param=param, code="invalid_file")

    def _list(self, query: JobsQuery) -> dict[str, Any]:
        if not self._jobs.exists:
            return _page([], query, "fine-tuning job")
        self._tending.look_after_all()
        wanted = query.metadata
        jobs = [job for job in self._jobs.jobs() if _matches(job, wanted) or job.id == query.after]
        page = _page(jobs, query, "fine-tuning job")
        return {**page, "data": [job_object(job) for job in page["data"]]}

    def _found(self, job_id: str) -> Job:
        job = self._jobs.get(job_id) if self._jobs.exists else None
        if job is None:
            message = f"Could not find fine tune: {job_id}"
            raise ApiError(message, status=404, param="fine_tune_id", code="fine_tune_not_found")
        return job

    def _look_after(self, job_id: str) -> Job:
        self._found(job_id)
        self._tending.look_after_all()  # one that waits for its turn waits for the workers of others
        return self._found(job_id)

    def _ask(self, job: Job, wanted: Wanted) -> Job:
        """Note what is wanted of a job, and return it as it is then."""
        while True:
            if wanted == "pause":
                _in_status(job, "validating_files", "queued", "running", to="paused")
            elif job.status in OVER:
                raise _wrong_status(job, "cancelled")
            if job.wanted == wanted or self._jobs.update_if(job, wanted=wanted):
                return self._found(job.id)
            job = self._found(job.id)

    def _events(self, job_id: str, query: EventsQuery) -> dict[str, Any]:
        try:
            found = self._jobs.latest_events(job_id, limit=query.limit, after=query.after)
        except KeyError:
            raise _no_cursor(query.after, "event") from None
        data = [event_object(event) for event in found[: query.limit]]
        return {"object": "list", "data": data, "has_more": len(found) > query.limit}

    def _delete(self, job: Job) -> None:
        if job.status not in OVER:
            raise _wrong_status(job, "deleted", "Cancel it first.")
        check_unneeded(self._jobs, [model for model in self._jobs.models() if model.job_id == job.id])
        self._jobs.delete(job.id)


def _page(found: list[Any], query: EventsQuery, kind: str) -> dict[str, Any]:
    """Return the part of a list that is asked for."""
    start = 0
    if query.after is not None:
        ids = [each["id"] if isinstance(each, dict) else each.id for each in found]
        if query.after not in ids:
            raise _no_cursor(query.after, kind)
        start = ids.index(query.after) + 1
    end = start + query.limit
    return {"object": "list", "data": found[start:end], "has_more": len(found) > end}


def _no_cursor(after: str | None, kind: str) -> ApiError:
    return ApiError(f"No {kind} with id '{after}' in this list.", param="after", code="invalid_value")


def _matches(job: Job, wanted: dict[str, str] | str | None) -> bool:
    metadata = job.request["metadata"]
    if isinstance(wanted, dict):
        return all((metadata or {}).get(name) == value for name, value in wanted.items())
    return wanted is None or metadata is None


def _in_status(job: Job, *statuses: str, to: str) -> Job:
    if job.status not in statuses:
        raise _wrong_status(job, to)
    return job


def _wrong_status(job: Job, to: str, hint: str = "") -> ApiError:
    """Return the error for a job whose status doesn't allow what was asked."""
    if job.wanted == "pause" and job.status != "paused" and to == "resumed":
        hint = "It is being paused: ask again when its status is 'paused'."
    what = "Job has already completed" if job.status in OVER else "Job is in another status"
    message = f"{what}: {job.id} has status '{job.status}' and can't be {to}.{hint and ' '}{hint}"
    return ApiError(message, code="invalid_status")
