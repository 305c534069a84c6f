"""Hosted tools: those that the platform runs itself, and those that it knows by type and has run here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Protocol, runtime_checkable

from typing_extensions import TypedDict

from agentkit import _secrets
from agentkit._repr import fields_repr
from agentkit.exceptions import UserError
from agentkit.tooling.computer import AsyncComputer, Computer
from agentkit.tooling.context import RunContextWrapper
from agentkit.tooling.file_filters import Condition, filter_json
from agentkit.tooling.file_ranking import ranking_json
from agentkit.tooling.tool import FunctionTool

if TYPE_CHECKING:
    from openai.types.responses import ResponseComputerToolCall
    from openai.types.responses.response_computer_tool_call import PendingSafetyCheck
    from openai.types.responses.response_output_item import LocalShellCall, McpApprovalRequest

__all__ = [
    "HOSTED_TOOLS",
    "CodeInterpreterTool",
    "ComputerSafetyCheckFunction",
    "ComputerTool",
    "ComputerToolSafetyCheckData",
    "FileSearchTool",
    "HostedMCPTool",
    "ImageGenerationTool",
    "LocalShellCommandRequest",
    "LocalShellExecutor",
    "LocalShellTool",
    "MCPToolApprovalFunction",
    "MCPToolApprovalFunctionResult",
    "MCPToolApprovalRequest",
    "SearchableStore",
    "Tool",
    "WebSearchTool",
]


@dataclass
class WebSearchTool:
    """Lets the model search the web."""

    __repr__ = fields_repr

    user_location: Mapping[str, Any] | None = None
    """Where the user is, roughly: `{"type": "approximate", "country": "NO", "city": "Oslo"}`, with `region` and
    `timezone` where wanted."""
    filters: Mapping[str, Any] | None = None
    """What may be found: `{"allowed_domains": ["who.int"]}`, subdomains included."""
    search_context_size: Literal["low", "medium", "high"] = "medium"
    """How much of what is found the model reads, and how much the search costs."""
    external_web_access: bool | None = None
    """False searches only what the platform has stored; the platform's default is True."""
    search_content_types: list[Literal["text", "image"]] | None = None
    """What to look for; text when None."""
    image_settings: Mapping[str, Any] | None = None
    """How pictures are searched for, as the platform takes it."""

    @property
    def name(self) -> str:
        """Its name."""
        return "web_search"


@runtime_checkable
class SearchableStore(Protocol):
    """What may stand for a vector store's id: an `agentkit.VectorStore`, which is made of a layer above."""

    @property
    def vector_store_id(self) -> str:
        """The store's id."""
        ...

    @property
    def name(self) -> str:
        """What the store is called."""
        ...


@dataclass
class FileSearchTool:
    """Lets the model search the files in vector stores."""

    __repr__ = fields_repr

    vector_store_ids: Sequence[str | SearchableStore] | SearchableStore
    """The vector stores to search: ids, or `agentkit.VectorStore`s; a list of ids once the tool is made."""
    max_num_results: int | None = None
    """Most passages to find, 1 to 50."""
    include_search_results: bool = False
    """Whether the answer holds the passages that were found, and not only what the model made of them."""
    ranking_options: Mapping[str, Any] | None = None
    """How passages are ranked, such as `{"ranker": "auto", "score_threshold": 0.5}`."""
    filters: Mapping[str, Any] | Condition | None = None
    """Which files are searched, by their attributes: `attr("year") >= 2026`, or the API's dictionary, such as
    `{"type": "eq", "key": "year", "value": 2026}`; that once the tool is made."""
    score_threshold: float | None = None
    """Only passages with at least this score, 0 to 1: an entry of `ranking_options` with a name of its own."""
    embedding_weight: float | None = None
    """How much meaning counts in the ranking; 1 where only `text_weight` is given. 0 leaves it out."""
    text_weight: float | None = None
    """How much the words count; 1 where only `embedding_weight` is given. 0 leaves them out."""
    store_names: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())
    """What those of the stores are called that were given as `agentkit.VectorStore`s."""

    def __post_init__(self) -> None:
        """Check what it was given, and write it as the API has it.

        Raises:
            UserError: A text stands where a list of ids is meant, which would be taken for one id a letter; or an
                option can't be used.
        """
        ids, given = self.store_ids, self.vector_store_ids
        stores = [given] if isinstance(given, SearchableStore) else given
        self.store_names = tuple(store.name for store in stores if isinstance(store, SearchableStore))
        self.vector_store_ids = ids
        self.filters = filter_json(self.filters, name="FileSearchTool's filters")
        most = self.max_num_results
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= 50):
            raise UserError(f"FileSearchTool's max_num_results can't be {most!r}.", hint="It is 1 to 50.")
        self._own_ranking()

    @property
    def name(self) -> str:
        """Its name."""
        return "file_search"

    @property
    def store_ids(self) -> list[str]:
        """The ids of the stores, as the API takes them.

        Raises:
            UserError: Something else is among them.
        """
        given: Any = self.vector_store_ids
        if isinstance(given, str):
            as_store = f'Pass the store, agentkit.VectorStore({given!r}), or a list of ids: ["vs_…"].'
            hint = f"Pass a list: [{given!r}]." if given.startswith("vs_") else as_store
            raise UserError(f"FileSearchTool got the text {given!r} as vector_store_ids.", hint=hint)
        alone = isinstance(given, SearchableStore) or not isinstance(given, Iterable)
        return [_store_id(store) for store in ([given] if alone else given)]

    @property
    def ranking(self) -> Mapping[str, Any] | None:
        """Its ranking options as the API takes them, with those that have names of their own; None where none is set.

        Where one is set in both places, the name of its own goes before.
        """
        return {**(_plain(self.ranking_options) or {}), **self._own_ranking()} or None

    def _own_ranking(self) -> dict[str, Any]:
        return ranking_json(
            score_threshold=self.score_threshold, embedding_weight=self.embedding_weight, text_weight=self.text_weight,
            whose="FileSearchTool",
        )  # fmt: skip


def _store_id(store: object) -> str:
    if isinstance(store, str) and store:
        return store
    if isinstance(store, SearchableStore):
        return store.vector_store_id
    raise UserError(
        f"FileSearchTool can't search {type(store).__name__} {store!r:.60}.",
        hint='Pass ids of vector stores ("vs_…"), or agentkit.VectorStore("…").',
    )


def _plain(value: Any) -> Any:  # a mapping, or one of the client's objects
    return value.model_dump(exclude_unset=True) if hasattr(value, "model_dump") else value


@dataclass
class CodeInterpreterTool:
    """Lets the model run Python in a container of the platform's."""

    __repr__ = fields_repr

    tool_config: Mapping[str, Any] = field(default_factory=dict)
    """The tool as the platform takes it. What is left out is filled in: `{"type": "code_interpreter", "container":
    {"type": "auto"}}`."""

    @property
    def name(self) -> str:
        """Its name."""
        return "code_interpreter"


@dataclass
class ImageGenerationTool:
    """Lets the model make pictures."""

    __repr__ = fields_repr

    tool_config: Mapping[str, Any] = field(default_factory=dict)
    """The tool as the platform takes it, such as `{"type": "image_generation", "size": "1024x1024"}`; the type may be
    left out."""

    @property
    def name(self) -> str:
        """Its name."""
        return "image_generation"


@dataclass
class MCPToolApprovalRequest:
    """Asks whether the platform may call a tool of an MCP server."""

    __repr__ = fields_repr

    ctx_wrapper: RunContextWrapper[Any]
    """The run's context."""
    data: McpApprovalRequest
    """What the model wants to call: `server_label`, `name`, `arguments` (JSON text) and `id`."""


class MCPToolApprovalFunctionResult(TypedDict):
    """The answer to such a request."""

    approve: bool
    """Whether the call may be made."""
    reason: NotRequired[str]
    """Why not, for the model."""


MCPToolApprovalFunction = Callable[
    [MCPToolApprovalRequest], MCPToolApprovalFunctionResult | Awaitable[MCPToolApprovalFunctionResult]
]
"""Decides on such requests, sync or async."""


@dataclass
class HostedMCPTool:
    """Lets the model use the tools of an MCP server that the platform can reach; the calls don't come through here."""

    __repr__ = fields_repr

    tool_config: Mapping[str, Any]
    """The server as the platform takes it: `server_label`, one of `server_url`, `connector_id` and `tunnel_id`, and
    where wanted `authorization`, `headers`, `allowed_tools` and `require_approval` ("always", the platform's default,
    "never", or an object)."""
    on_approval_request: MCPToolApprovalFunction | None = None
    """Decides on each call that needs approval. Without one the run stops and hands the request to the caller."""

    def __post_init__(self) -> None:
        """Check that the configuration names a server, and remember its keys so that no trace shows them.

        Raises:
            UserError: The label or the server is missing.
        """
        if not self.tool_config.get("server_label"):
            raise UserError("HostedMCPTool needs a server_label.", hint='For instance {"server_label": "docs", …}.')
        if not any(self.tool_config.get(key) for key in ("server_url", "connector_id", "tunnel_id")):
            raise UserError(
                f"HostedMCPTool {self.server_label!r} names no server.",
                hint="Give it one of server_url, connector_id and tunnel_id.",
            )
        _secrets.register(self.tool_config.get("authorization"))
        for value in (self.tool_config.get("headers") or {}).values():
            _secrets.register(str(value).rpartition(" ")[2])  # "Bearer …": the key is the last word

    @property
    def name(self) -> str:
        """Its name: the same for all of them, as their calls are told apart by `server_label`."""
        return "hosted_mcp"

    @property
    def server_label(self) -> str:
        """The label under which the model knows the server."""
        return str(self.tool_config["server_label"])


@dataclass
class ComputerToolSafetyCheckData:
    """Asks whether a step at the computer may be taken that the platform has doubts about."""

    __repr__ = fields_repr

    ctx_wrapper: RunContextWrapper[Any]
    """The run's context."""
    agent: Any  # an Agent, which lives two layers up
    """The agent that the step is for; None where the caller names none."""
    tool_call: ResponseComputerToolCall
    """The step: its actions."""
    safety_check: PendingSafetyCheck
    """The doubt: `id`, and where the platform gives them `code` and `message`."""


ComputerSafetyCheckFunction = Callable[[ComputerToolSafetyCheckData], bool | Awaitable[bool]]
"""Says whether the step may be taken, sync or async."""


@dataclass
class ComputerTool:
    """Lets the model use a computer: it looks at screenshots and asks for clicks and keys, which are done here."""

    __repr__ = fields_repr

    computer: Computer | AsyncComputer
    """The computer."""
    on_safety_check: ComputerSafetyCheckFunction | None = None
    """Asked about each doubt of the platform's before anything is done. Without it, or where it says no, the run stops
    with an error."""

    def __post_init__(self) -> None:
        """Check that there is a computer.

        Raises:
            UserError: It is something else.
        """
        if not isinstance(self.computer, (Computer, AsyncComputer)):
            raise UserError(
                f"ComputerTool got {type(self.computer).__name__} as its computer.",
                hint="Pass an object of a subclass of Computer or AsyncComputer.",
            )

    @property
    def name(self) -> str:
        """Its name."""
        return "computer"


@dataclass
class LocalShellCommandRequest:
    """Asks for a command to be run."""

    __repr__ = fields_repr

    ctx_wrapper: RunContextWrapper[Any]
    """The run's context."""
    data: LocalShellCall
    """The call: `action.command` (a list), `action.env`, `action.timeout_ms`, `action.working_directory`."""


LocalShellExecutor = Callable[[LocalShellCommandRequest], str | Awaitable[str]]
"""Runs a command, sync or async, and returns what it wrote."""


@dataclass
class LocalShellTool:
    """Lets models that were trained for it run commands on this machine."""

    __repr__ = fields_repr

    executor: LocalShellExecutor
    """Runs them."""

    @property
    def name(self) -> str:
        """Its name."""
        return "local_shell"


HOSTED_TOOLS = (
    CodeInterpreterTool,
    ComputerTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    WebSearchTool,
)
"""The classes of hosted tools, for `isinstance`."""

Tool = (
    FunctionTool
    | CodeInterpreterTool
    | ComputerTool
    | FileSearchTool
    | HostedMCPTool
    | ImageGenerationTool
    | LocalShellTool
    | WebSearchTool
    | SearchableStore
)
"""Any tool that an agent may have; a store becomes a `FileSearchTool`."""
