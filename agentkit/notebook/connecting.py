"""`%agentkit connect` and `%agentkit models`: which platform answers, whether it does, and what it offers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from agentkit import backend
from agentkit.exceptions import NoBackendError, UserError
from agentkit.notebook.display.listing import Listing
from agentkit.notebook.display.modes import somebody_is_there

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pandas
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.backend import Api, Backend
    from agentkit.notebook.display.run_view import Bundle
    from agentkit.pricing import Price

__all__ = ["ModelsTable", "connect", "offered_models", "url_mistake"]

T = TypeVar("T")

_TIMEOUT_S = 10.0


def connect(
    shell: InteractiveShell,
    platform: str,
    *,
    api: Api | None = None,
    key_env: str | None = None,
    model: str | None = None,
) -> str:
    """Choose the platform that answers from now on, once it has answered; and return a line on it.

    Where no variable has the key that it needs, the reader is asked for it, where there is one.

    Args:
        shell: The notebook's shell.
        platform: "embedded", "openai", "auto" or an address.
        api: By which API it is asked; when None, by the one that it has.
        key_env: Name of the variable that holds the key.
        model: Model of agents that name none.

    Raises:
        UserError: It doesn't answer, or there is no such platform; what was connected before stays so.
    """
    key = _key_of(key_env)
    try:
        made = backend.prepare(platform, api_key=key, model=model, api=api)
    except NoBackendError:
        made = backend.prepare(platform, api_key=_asked_key(shell, platform), model=model, api=api)
    made, models = _answered(shell, made, api, model, key_is_named=key_env is not None)
    note = ""
    if api is None and made.is_server and not _run(made.has_api("responses")):
        if not _run(made.has_api("chat_completions")):
            text = f"{made.plan.shown_url} has models, but neither the Responses nor the Chat Completions API."
            raise UserError(text, hint="Is this the address of an API, with its /v1?")
        made = backend.prepare(platform, api_key=made.plan.api_key, model=model, api="chat_completions")
        note = " It has no Responses API, so it is asked by Chat Completions (--api chat_completions)."
    backend.choose(made)
    names = [each.name for each in models]
    if made.known_model is None and names:
        made.set_model(names[0])
    offer = _offer(names, made)
    return f"Connected: {backend.describe()}{offer}{'' if offer.endswith(('.', '?')) else '.'}{note}"


def _answered(
    shell: InteractiveShell, made: Backend, api: Api | None, model: str | None, *, key_is_named: bool
) -> tuple[Backend, list[backend.ModelInfo]]:
    """Return the platform, with a key that was asked for where it wants one, and its models."""
    try:
        return made, _run(made.list_models(timeout_s=_TIMEOUT_S))
    except UserError as error:
        status = getattr(error.__cause__, "status_code", None)
        if status == 401 and not key_is_named and somebody_is_there(shell):
            key = _asked_key(shell, made.plan.shown_url, refused=bool(made.plan.api_key))
            platform = "openai" if made.name == "openai" else made.plan.base_url
            with_key = backend.prepare(platform, api_key=key, model=model, api=api)
            return with_key, _run(with_key.list_models(timeout_s=_TIMEOUT_S))
        if status in (401, 403):
            text = error.message if made.plan.api_key else f"{made.plan.shown_url} wants a key, and got none."
            raise UserError(text, hint="Name the variable that holds one: --key-env NAME.") from error
        if status == 404 and (better := _with_v1(made)) is not None:
            text = f"{made.plan.shown_url} answers 404: there is no list of models."
            raise UserError(text, hint=f"{better} has one: %agentkit connect {better}") from error
        raise


def _with_v1(made: Backend) -> str | None:
    """Return the address with /v1 at its end, where that answers."""
    url = made.plan.base_url
    if urlsplit(url).path.rstrip("/").endswith("/v1"):
        return None
    other = backend.prepare(f"{url}/v1", api_key=made.plan.api_key)
    try:
        _run(other.list_models(timeout_s=3))
    except UserError:
        return None
    return other.plan.shown_url


def _offer(names: list[str], made: Backend) -> str:
    wanted = made.known_model
    if not names:
        return "; it lists no models: name one by --model NAME"
    if doubt := backend.model_doubt(made):
        return f". {doubt}"
    if wanted not in names and made.name != "embedded":
        from agentkit.notebook.options import closest

        return f", which is not among the {len(names)} that it lists.{closest(str(wanted), names)} See %agentkit models"
    return f" · {len(names)} models: %agentkit models" if len(names) > 1 else ""


def _key_of(variable: str | None) -> str | None:
    if variable is None:
        return None
    if key := os.environ.get(variable, "").strip():
        return key
    from agentkit.notebook.options import closest

    near = closest(variable, [name for name in os.environ if "KEY" in name or "TOKEN" in name])
    text = f"There is no variable {variable} in the kernel's environment, or it is empty.{near}"
    raise UserError(text, hint="Set it before Jupyter starts; or leave --key-env out, and be asked for the key.")


def _asked_key(shell: InteractiveShell, who: str, *, refused: bool = False) -> str:
    """Return the key that the reader types, unseen and unsaved.

    Args:
        shell: The notebook's shell.
        who: Wants it.
        refused: Whether it has refused another.

    Raises:
        NoBackendError: Nobody is there, or nothing was typed.
    """
    hint = "Set OPENAI_API_KEY before Jupyter starts, or name the variable that holds the key: --key-env NAME."
    if not somebody_is_there(shell):
        raise NoBackendError(f"{who} needs a key, and nobody is there to be asked for it.", hint=hint)
    from getpass import getpass

    another = "Another key" if refused else "Key"
    key = getpass(f"{another} for {who} (not shown, not saved): ").strip()
    if not key:
        raise NoBackendError(f"{who} needs a key, and none was typed.", hint=hint)
    return key


def url_mistake(word: str) -> str | None:
    """Return what is wrong with an address before anything is sent to it; None where nothing is."""
    if "://" not in word:
        return None
    try:
        parts = urlsplit(word)
        port_is_wrong = parts.port == 0
    except ValueError:
        return "Its port has to be a number of 1 to 65535."
    if parts.scheme not in ("http", "https"):
        return "It has to begin with http:// or https://."
    if parts.password or parts.username:
        return "There is a key or password in it, which would be saved with the notebook: use --key-env NAME instead."
    if not parts.hostname or port_is_wrong:
        return "It has no host." if not parts.hostname else "Its port has to be a number of 1 to 65535."
    return None


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    from agentkit.runtime.background import run_blocking

    return run_blocking(coroutine)


@dataclass(frozen=True, slots=True)
class ModelsTable:
    """The models that a platform offers; the value of `%agentkit models`."""

    platform: str
    """Which platform it is, in words."""
    models: tuple[backend.ModelInfo, ...]
    """The models, in the platform's order."""
    default: str | None
    """The one of agents that name none."""

    def frame(self) -> pandas.DataFrame:
        """Return them as a dataframe: one row for each, prices in US dollars for 1,000,000 tokens."""
        import pandas

        prices = [_price(model.name) for model in self.models]
        return pandas.DataFrame(
            {
                "model": pandas.Series([model.name for model in self.models], dtype="string"),
                "default": pandas.Series([model.name == self.default for model in self.models], dtype="bool"),
                "input_usd": pandas.Series([price.input if price else None for price in prices], dtype="Float64"),
                "cached_input_usd": pandas.Series(
                    [price.cached_input if price else None for price in prices], dtype="Float64"
                ),
                "output_usd": pandas.Series([price.output if price else None for price in prices], dtype="Float64"),
                "owned_by": pandas.Series([model.owned_by for model in self.models], dtype="string"),
            }
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return self._listing()._repr_mimebundle_()

    def plain(self) -> str:
        """Return it for a terminal."""
        return self._listing().plain()

    def _listing(self) -> Listing:
        rows = [self._row(model) for model in self.models]
        count = f"{len(rows)} model{'' if len(rows) == 1 else 's'}"
        note = "Prices in US dollars for 1,000,000 tokens, as far as they are known. Change the default: "
        note += "%agentkit config model=NAME. As a dataframe: _.frame()"
        if self.default is not None and self.default not in [model.name for model in self.models]:
            note = f"The default, {self.default}, is not among them. {note}"
        head = ("", "model", "in", "cached", "out", "owner")
        return Listing(f"{self.platform}: {count}", rows, head, code=frozenset({1}), note=note)

    def _row(self, model: backend.ModelInfo) -> tuple[str, ...]:
        price = _price(model.name)
        paid = (None,) * 3 if price is None else (price.input, price.cached_input, price.output)
        return ("● default" if model.name == self.default else "", model.name, *map(_dollars, paid), model.owned_by)


def _price(name: str) -> Price | None:
    from agentkit import pricing

    return pricing.price_of(name)


def _dollars(price: float | None) -> str:
    return "" if price is None else f"{price:.2f}" if price >= 0.1 or price == 0 else f"{price:g}"


def offered_models() -> ModelsTable:
    """Return the models that the connected platform offers; it is asked now.

    Raises:
        UserError: Nothing is connected, or it doesn't answer, refuses the key, or lists no models.
    """
    current = backend.current_backend()
    models = _run(current.list_models(timeout_s=_TIMEOUT_S))
    default = current.known_model or (models[0].name if models else None)
    return ModelsTable(backend.describe().split(" · ")[0], tuple(models), default)
