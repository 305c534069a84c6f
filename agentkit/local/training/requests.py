"""What requests for fine-tuning jobs may hold, and what is kept of one that makes a job."""

from __future__ import annotations

import math
import re
import secrets
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from agentkit.local.checking import Shape, check
from agentkit.local.errors import ApiError
from agentkit.local.requests.fields import Metadata

__all__ = ["CheckpointsQuery", "EventsQuery", "JobRequest", "JobsQuery", "job_request", "jobs_query"]

_MAX_SEED = 2_147_483_647
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
"""What becomes a hyphen in the name of a model."""
_LONGEST_PAGE = 10_000
_EACH = ("n_epochs", "batch_size", "learning_rate_multiplier", "lora_rank", "max_length")
"""Hyperparameters of all methods."""
_OF_METHOD: dict[str, tuple[str, ...]] = {"supervised": _EACH, "dpo": (*_EACH, "beta")}


def _auto_or_number(value: Any) -> str:
    return "<auto>" if isinstance(value, str) else "<number>"


def _above_zero(value: float) -> float:
    if not (value > 0 and math.isfinite(value)):
        raise PydanticCustomError("above_zero", "expected a number > 0, but got {value} instead", {"value": value})
    return value


_Auto = Annotated[Literal["auto"], Tag("<auto>")]
_Epochs = Annotated[
    _Auto | Annotated[Annotated[int, Field(ge=1, le=50)], Tag("<number>")], Discriminator(_auto_or_number)
]
_Batch = Annotated[
    _Auto | Annotated[Annotated[int, Field(ge=1, le=256)], Tag("<number>")], Discriminator(_auto_or_number)
]
_Rate = Annotated[
    _Auto | Annotated[Annotated[float, AfterValidator(_above_zero)], Tag("<number>")], Discriminator(_auto_or_number)
]
_Beta = Annotated[
    _Auto | Annotated[Annotated[float, AfterValidator(_above_zero), Field(le=2.0)], Tag("<number>")],
    Discriminator(_auto_or_number),
]
_Rank = Annotated[
    _Auto | Annotated[Annotated[int, Field(ge=0, le=256)], Tag("<number>")], Discriminator(_auto_or_number)
]
_Length = Annotated[
    _Auto | Annotated[Annotated[int, Field(ge=16, le=1_048_576)], Tag("<number>")], Discriminator(_auto_or_number)
]


class OldHyperparameters(Shape):
    """Hyperparameters beside the method, where they were before there were methods."""

    n_epochs: _Epochs | None = None
    batch_size: _Batch | None = None
    learning_rate_multiplier: _Rate | None = None


class SupervisedHyperparameters(OldHyperparameters):
    """OpenAI's, and two of the embedded trainer."""

    lora_rank: _Rank | None = None
    """Rank of the adapters that are trained in place of the whole model; 0: the whole model."""
    max_length: _Length | None = None
    """Tokens after which an example is cut."""


class DpoHyperparameters(SupervisedHyperparameters):
    """Those of training on preferences."""

    beta: _Beta | None = None


class SupervisedMethod(Shape):
    """Training on answers."""

    hyperparameters: SupervisedHyperparameters | None = None


class DpoMethod(Shape):
    """Training on pairs of answers."""

    hyperparameters: DpoHyperparameters | None = None


class Method(Shape):
    """How is trained."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: SupervisedMethod | None = None
    dpo: DpoMethod | None = None
    reinforcement: dict[str, Any] | None = None


class Wandb(Shape):
    """Where a run of Weights & Biases goes."""

    project: Annotated[str, Field(min_length=1)]
    name: str | None = None
    entity: str | None = None
    tags: list[str] | None = None


class Integration(Shape):
    """What else is told of a job's metrics."""

    type: Literal["wandb"]
    wandb: Wandb


class JobRequest(Shape):
    """The body of `POST /v1/fine_tuning/jobs`."""

    model: Annotated[str, Field(min_length=1, max_length=4096)]
    training_file: str
    validation_file: str | None = None
    method: Method | None = None
    hyperparameters: OldHyperparameters | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, le=_MAX_SEED)] | None = None
    integrations: Annotated[list[Integration], Field(max_length=5)] | None = None
    metadata: Metadata | None = None


class EventsQuery(BaseModel):
    """The query of a list of events; its values arrive as text."""

    model_config = ConfigDict(extra="ignore")

    after: str | None = None
    limit: int = Field(20, ge=1, le=_LONGEST_PAGE)


class CheckpointsQuery(EventsQuery):
    """The query of a list of checkpoints."""

    limit: int = Field(10, ge=1, le=_LONGEST_PAGE)


class JobsQuery(EventsQuery):
    """The query of a list of jobs."""

    metadata: dict[str, str] | Literal["null"] | None = None
    """What jobs have to have among their metadata; "null": none at all."""


def jobs_query(params: list[tuple[str, str]]) -> JobsQuery:
    """Return the query of a list of jobs; `metadata[key]=value` may be there several times.

    Raises:
        ApiError: It doesn't fit.
    """
    value: dict[str, Any] = {}
    wanted: dict[str, str] = {}
    for name, text in params:
        if name.startswith("metadata[") and name.endswith("]"):
            wanted[name[len("metadata[") : -1]] = text
        else:
            value[name] = text
    if wanted and "metadata" in value:
        message = "Invalid 'metadata': ask for 'metadata[key]=value' or for 'metadata=null', not for both."
        raise ApiError(message, param="metadata", code="invalid_value")
    if value.get("metadata", "null") != "null":
        message = (
            f"Invalid 'metadata': expected 'metadata[key]=value' or 'metadata=null', but got {value['metadata']!r}."
        )
        raise ApiError(message, param="metadata", code="invalid_value")
    return check(JobsQuery, {**value, "metadata": wanted} if wanted else value)


def job_request(request: JobRequest) -> dict[str, Any]:
    """Return what is kept of a request: as `Job.request` says.

    Raises:
        ApiError: Parts of it don't go together, or nothing here trains so.
    """
    if request.integrations is not None and len(request.integrations) > 1:
        message = "Invalid 'integrations': a job's metrics go to one project, but got several."
        raise ApiError(message, param="integrations", code="invalid_value")
    if request.validation_file == request.training_file:
        message = (
            "Invalid 'validation_file': the same file as 'training_file'. A model knows what it was trained on: "
            "validate with other examples, such as dataset.split() gives."
        )
        raise ApiError(message, param="validation_file", code="invalid_value")
    return {
        "model": request.model,
        "training_file": request.training_file,
        "validation_file": request.validation_file,
        "method": _method(request),
        "suffix": None if request.suffix is None else _NO_NAME.sub("-", request.suffix).strip("-"),
        "given_suffix": request.suffix,
        "seed": secrets.randbelow(_MAX_SEED + 1) if request.seed is None else request.seed,
        "integrations": [each.model_dump(exclude_none=True) for each in request.integrations or ()],
        "metadata": request.metadata,
    }


def _method(request: JobRequest) -> dict[str, Any]:
    """Return the method with all of its hyperparameters: "auto" where none is given."""
    method = request.method or Method(type="supervised")
    _check_method(method)
    of_method = method.dpo if method.type == "dpo" else method.supervised
    given = None if of_method is None else of_method.hyperparameters
    if given is not None and request.hyperparameters is not None:
        message = (
            f"'hyperparameters' can't be given beside 'method.{method.type}.hyperparameters': put all of them there."
        )
        raise ApiError(message, param="hyperparameters", code="invalid_value")
    values = (given or request.hyperparameters or OldHyperparameters()).model_dump(exclude_none=True)
    hyperparameters = {name: values.get(name, "auto") for name in _OF_METHOD[method.type]}
    return {"type": method.type, method.type: {"hyperparameters": hyperparameters}}


def _check_method(method: Method) -> None:
    if method.type == "reinforcement":
        message = (
            "Invalid 'method.type': the embedded platform doesn't train by reinforcement. Score answers with your "
            "grader, and train with 'dpo' on pairs of a better and a worse one, or with 'supervised' on the best ones."
        )
        raise ApiError(message, param="method.type", code="unsupported_method")
    for other in ("supervised", "dpo", "reinforcement"):
        if other != method.type and getattr(method, other) is not None:
            message = f"'method.{other}' can't be given where 'method.type' is '{method.type}'."
            raise ApiError(message, param=f"method.{other}", code="invalid_value")
