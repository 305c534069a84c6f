"""What a training will cost: tokens, a price with its date, or hours on this machine; "unknown" where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit._repr import brief
from agentkit.backend import Backend, current_backend
from agentkit.exceptions import NoBackendError, UserError
from agentkit.finetuning.hosted import training_price
from agentkit.finetuning.probing import Probe, probe
from agentkit.finetuning.requested import checked_hyperparameters, checked_method, chosen_model
from agentkit.finetuning.tokens import encoding_of, max_example_tokens, tokens_of

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["Estimate", "assumed_epochs", "estimate"]


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """What a training will cost, as far as it can be known before."""

    model: str
    """The model to start from."""
    method: str
    """"sft" or "dpo"."""
    examples: int
    """Examples to train on."""
    epochs: int | None
    """How often each is seen; None where that isn't known."""
    epochs_assumed: bool
    """Whether that is a guess: nobody has said it, and the platform chooses in a way of its own."""
    tokens: int | None
    """Tokens of an epoch: all that is read, examples that are too long cut."""
    trained_tokens: int | None
    """Those among them that are learnt; None where they weren't counted."""
    vocabulary: str
    """What was counted with: a vocabulary such as "o200k_base", "the model's own", or "" for nothing."""
    usd_per_million: float | None = None
    """Price of 1,000,000 tokens, for each epoch; None where it isn't known, or nobody asks for one."""
    price_date: str = ""
    """When that was written down, as YYYY-MM-DD."""
    price_source: str = ""
    """Where it is from."""
    steps: int | None = None
    """Steps in all, where they are known."""
    seconds_per_step: float | None = None
    """How long a step took, where some were made to see."""
    start_s: float | None = None
    """How long it takes until the first step."""
    device: str = ""
    """What the steps were made on: "cpu", or a GPU's name."""
    parameters: int | None = None
    """Weights of the model, where it was loaded."""
    note: str = ""
    """Why something isn't known."""

    @property
    def total_tokens(self) -> int | None:
        """Tokens of all epochs."""
        return None if self.tokens is None or self.epochs is None else self.tokens * self.epochs

    @property
    def cost_usd(self) -> float | None:
        """What it costs in US dollars; None where that isn't known."""
        if self.usd_per_million is None or self.total_tokens is None:
            return None
        return self.total_tokens * self.usd_per_million / 1_000_000

    @property
    def seconds(self) -> float | None:
        """How long it takes; None where that isn't known."""
        if self.seconds_per_step is None or self.steps is None:
            return None
        return (self.start_s or 0.0) + self.seconds_per_step * self.steps

    @property
    def hours(self) -> float | None:
        """The same in hours."""
        return None if self.seconds is None else self.seconds / 3600

    def lines(self) -> list[tuple[str, str]]:
        """Return what it says, each with what it is about: what a view of it shows."""
        assumed = " (assumed)" if self.epochs_assumed and self.epochs is not None else ""
        epochs = "unknown" if self.epochs is None else f"{self.epochs}{assumed}"
        told = [("examples", f"{self.examples:,}"), ("epochs", epochs), ("tokens", self._tokens())]
        told.append(("price", self._price()))
        told.append(("time", self._time()))
        return [*told, ("note", self.note)] if self.note else told

    def _tokens(self) -> str:
        if self.tokens is None:
            return "unknown"
        text = f"{self.tokens:,} an epoch"
        text += f", {self.trained_tokens:,} of them learnt" if self.trained_tokens is not None else ""
        text += f"; {self.total_tokens:,} in all" if self.total_tokens is not None else ""
        return f"{text} ({self.vocabulary})"

    def _price(self) -> str:
        if self.cost_usd is not None:
            return (
                f"about ${self.cost_usd:,.2f} (${self.usd_per_million:,.2f} for 1,000,000, list of {self.price_date})"
            )
        return "none: it is this machine's work" if self.device else "unknown"

    def _time(self) -> str:
        if self.seconds is None:
            return "unknown"
        each = f"{self.seconds_per_step:.2g} s a step" if self.seconds_per_step else ""
        return f"about {_duration(self.seconds)} ({self.steps:,} steps, {each}, {self.device})"

    def __repr__(self) -> str:
        told = "\n".join(f"  {name + ':':<10}{text}" for name, text in self.lines())
        return f"Estimate for {self.method.upper()} of {brief(self.model)}\n{told}"


def estimate(
    dataset: FineTuningDataset, model: Any, epochs: Any, method: Any, hyperparameters: Mapping[str, Any] | None
) -> Estimate:
    """Return what training on a data set will cost; see `FineTuningDataset.estimate`.

    Raises:
        UserError: An argument makes no sense, or no model is named and none goes without saying.
    """
    if not len(dataset):
        raise UserError("There are no examples to estimate.", hint="Look at the data set first: it is empty.")
    backend = _backend()
    how = checked_method(method, dataset.kind)
    name = chosen_model(backend, model)
    hosted = training_price(name) is not None or backend is None or backend.name != "embedded"
    given = checked_hyperparameters(hyperparameters, how, hosted=hosted)
    if epochs is not None:
        given |= checked_hyperparameters({"n_epochs": epochs}, how, hosted=hosted)
    if hosted:
        return _priced(dataset, name, how, given)
    return _probed(dataset, name, how, given, probe(dataset, name, how, given))


def _backend() -> Backend | None:
    try:
        return current_backend()
    except NoBackendError:
        return None


def _priced(dataset: FineTuningDataset, model: str, method: str, given: Mapping[str, Any]) -> Estimate:
    """Return what a training elsewhere costs: by its tokens and the list price, where there is one."""
    encoding, most = encoding_of(model), max_example_tokens(model)
    tokens = trained = 0
    for value in dataset.values():
        if value is not None:
            counted = tokens_of(value, encoding)
            tokens += counted.tokens if most is None else min(counted.tokens, most)
            trained += counted.trained
    price = training_price(model)
    given_epochs = given.get("n_epochs", "auto")
    assumed = given_epochs == "auto"
    return Estimate(
        model=model,
        method=method,
        examples=len(dataset),
        epochs=assumed_epochs(len(dataset)) if assumed else int(given_epochs),
        epochs_assumed=assumed,
        tokens=tokens,
        trained_tokens=min(trained, tokens),
        vocabulary=encoding,
        usd_per_million=None if price is None else price.usd_per_million,
        price_date="" if price is None else price.date,
        price_source="" if price is None else price.source,
        note="" if price is not None else f"No training price of {brief(model)} is known.",
    )


def assumed_epochs(examples: int) -> int:
    """Return how many epochs are taken where nobody says: 3, more of few examples, fewer of very many.

    Source: "Data preparation and analysis for chat model fine-tuning", OpenAI Cookbook.
    """
    if examples * 3 < 100:
        return min(25, 100 // examples)
    return max(1, 25_000 // examples) if examples * 3 > 25_000 else 3


def _probed(
    dataset: FineTuningDataset, model: str, method: str, given: Mapping[str, Any], found: Probe | str
) -> Estimate:
    """Return what a training on this machine takes, by the steps that were made to see."""
    given_epochs = given.get("n_epochs", "auto")
    if isinstance(found, str):
        return Estimate(
            model=model,
            method=method,
            examples=len(dataset),
            epochs=None if given_epochs == "auto" else int(given_epochs),
            epochs_assumed=False,
            tokens=None,
            trained_tokens=None,
            vocabulary="",
            note=found,
        )
    epochs = found.epochs if given_epochs == "auto" else int(given_epochs)
    return Estimate(
        model=model,
        method=method,
        examples=len(dataset),
        epochs=epochs,
        epochs_assumed=False,
        tokens=found.tokens,
        trained_tokens=None,
        vocabulary="the model's own",
        steps=found.steps_per_epoch * epochs,
        seconds_per_step=found.seconds_per_step,
        start_s=found.start_s,
        device=found.device,
        parameters=found.parameters,
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
