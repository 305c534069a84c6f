"""`%vector_store`: files that agents can search: made, filled, searched and deleted."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.modes import somebody_is_there
from agentkit.notebook.magics.base import Magic, filled, variable_name
from agentkit.notebook.options import Arguments, Command, Option, Subject, kind_of, usage_error
from agentkit.notebook.stores import as_typed, attributes_of, condition_of, find_store, sources_of, stores_in

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.files.store import VectorStore

__all__ = ["VECTOR_STORE"]

_STORE = Subject("STORE", "A variable that holds a vector store, or the name of one.", values="stores")
_OUT = Option("--out", "Variable that holds it; the store's name without.", "NAME")
_REPORT_OUT = Option("--out", "Variable that gets what became of each file, besides _.", "NAME")
_CHUNKS = (
    Option("--chunk-tokens", "Most tokens of a passage, 100 to 4,096.", "COUNT", convert=int),
    Option("--overlap-tokens", "Tokens that passages share, at most half of that.", "COUNT", convert=int),
)
_SET = Option(
    "--set",
    "What is known of the files, to filter by: year=2026, draft=false. Numbers, true and false are such; all else is "
    "text, dates too: when=2024-01-31 is found by when >= '2024-01-01'.",
    "NAME=VALUE",
    many=True,
)
_JOINED = re.compile(r"(?:and|or)\s+(?:not\s+)?[^\W\d]\w*\s*(?:[<>]|[=!]=)|(?:[<>]=?|[=!]=)\s")
"""How a question begins that is the rest of a condition without quotes."""
_LIST = Command(name="vector_store list", summary="List the vector stores of the platform.", kinds=("line",))
_CREATE = Command(
    name="vector_store create",
    summary="Make a vector store, or open the one of that name.",
    kinds=("line",),
    subject=Subject("NAME", "What it is called. A name in quotes may be any text."),
    options=(
        _OUT,
        Option("--new", "Make another one, even where there is one of that name."),
        Option("--expires-after", "Days without use after which it is gone, 1 to 365.", "DAYS", convert=int),
    ),
    examples="""
%vector_store create handbook
%vector_store create "Team handbook" --out handbook --expires-after 30
""",
)
_OPEN = Command(
    name="vector_store open",
    summary="Open a vector store that there is.",
    kinds=("line",),
    subject=Subject("NAME", "Its name or id.", values="stores"),
    options=(_OUT,),
)
_ADD = Command(
    name="vector_store add",
    summary="Put files into a store. Those that are there and haven't changed are left alone.",
    kinds=("line",),
    subject=_STORE,
    words=Subject(
        "FILE …",
        "Paths, folders, patterns such as docs/**/*.pdf, addresses; variables, also as {{name}}: dataframes, lists.",
        values="sources",
    ),
    options=(_SET, *_CHUNKS, _REPORT_OUT),
    examples="""
%vector_store add handbook docs/**/*.md --set lang=en --set year=2026
%vector_store add handbook "Annual report.pdf" https://example.org/notes.html
%vector_store add handbook {{df}}
""",
)
_SYNC = Command(
    name="vector_store sync",
    summary="Make a store have what folders or patterns have: what is gone from there is removed.",
    kinds=("line",),
    subject=_STORE,
    words=Subject("FOLDER …", "Folders or patterns such as docs/**/*.md.", values="sources"),
    options=(_SET, *_CHUNKS, _REPORT_OUT),
    examples="""
%vector_store sync handbook docs
""",
)
_SEARCH = Command(
    name="vector_store search",
    summary="Find the passages that answer a question.",
    kinds=("line",),
    subject=_STORE,
    options=(
        Option("--limit", "Most passages, 1 to 50; 10 unless told.", "COUNT", convert=int),
        Option(
            "--where",
            "Which files, by their attributes, as Python writes it and in quotes: \"year >= 2024 and lang == 'en'\". "
            "{{name}} is a variable's value.",
            "CONDITION",
        ),
        Option("--threshold", "Only passages with at least this score, 0 to 1.", "SCORE", convert=float),
        Option("--rewrite", "Let the platform make a better query of the question first."),
        Option("--out", "Variable that gets what was found, besides _.", "NAME"),
    ),
    takes_rest=True,
    options_anywhere=True,
    rest_metavar="question …",
    examples="""
%vector_store search handbook How many days of leave do I get?
%vector_store search handbook --limit 3 --where "year >= 2024" Who books flights?
%vector_store search handbook Who books flights? --limit 3
""",
)
_FILES = Command(
    name="vector_store files",
    summary="Show a store's files as a dataframe. store.files has all columns.",
    kinds=("line",),
    subject=_STORE,
)
_FILE = Subject("FILE", "The file: its path, name or id.", values="store files")
_CHUNKS_OF = Command(
    name="vector_store chunks",
    summary="Show the passages that a file was cut into, as a dataframe.",
    kinds=("line",),
    subject=_STORE,
    words=_FILE,
)
_REMOVE = Command(
    name="vector_store remove",
    summary="Take a file out of a store.",
    kinds=("line",),
    subject=_STORE,
    words=_FILE,
)
_BROWSE = Command(
    name="vector_store browse",
    summary="Show a store to drop files on, to search in and to delete files from. store.browse() does the same.",
    kinds=("line",),
    subject=_STORE,
)
_DELETE = Command(
    name="vector_store delete",
    summary="Delete a store, with the files that agentkit has uploaded for it. You are asked first.",
    kinds=("line",),
    subject=_STORE,
    options=(
        Option("--yes", "Don't ask. Without it nothing is deleted where nobody is there to be asked."),
        Option("--keep-files", "Leave the uploaded files on the platform."),
    ),
)
_COMMAND = Command(
    name="vector_store",
    summary="Files that agents can search: make stores, fill, search and delete them.",
    kinds=("line",),
    subcommands=(_LIST, _CREATE, _OPEN, _ADD, _SYNC, _SEARCH, _FILES, _CHUNKS_OF, _BROWSE, _REMOVE, _DELETE),
    examples="""
%vector_store create handbook
%vector_store add handbook docs/**/*.md
%vector_store search handbook How many days of leave do I get?
%vector_store files handbook
%vector_store delete handbook
""",
)
_MOST_DAYS = 365
_SHOWN = ("name", "status", "error", "usage_bytes")
_HIDDEN = ("filename", "error_code", "created_at", "file_id")


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import AgentsException

    part = arguments.subcommand or "list"
    command = _COMMAND.subcommand(part) or _COMMAND
    try:
        match part:
            case "list":
                return _list()
            case "create" | "open":
                return _bound(command, shell, arguments)
            case "add" | "sync":
                return _fill(command, shell, arguments)
        store = find_store(command, shell.user_ns, str(arguments.subject))
        match part:
            case "search":
                return _search(shell, store, arguments)
            case "files":
                return _files(store)
            case "browse":
                return store.browse()
            case "chunks":
                return store.chunks(_file(command, arguments))
            case "remove":
                return _remove(store, _file(command, arguments))
        return _delete(shell, store, arguments)
    except AgentsException as error:
        raise usage_error(command, as_typed(error, arguments.subject)) from None


def _list() -> Any:
    from agentkit.files.store import VectorStore
    from agentkit.notebook.display.listing import Listing
    from agentkit.notebook.display.store_view import store_rows

    stores = VectorStore.list()
    if not stores:
        return Listing("No vector stores yet.", [], note="Make one: %vector_store create NAME.")
    told = [store_rows(store) for store in stores]
    columns = [name for name in ("files", "size", "found by", "expires") if any(name in row for row in told)]
    rows = [
        [store.name + (" (expired)" if store.status == "expired" else ""), *(row.get(name, "") for name in columns)]
        for store, row in zip(stores, told, strict=True)
    ]
    count = f"{len(rows):,} vector store{'' if len(rows) == 1 else 's'}"
    return Listing(count, rows, ("name", *columns), frozenset({0}))


def _bound(command: Command, shell: InteractiveShell, arguments: Arguments) -> VectorStore:
    """Make or open a store, and bind it to a variable."""
    from agentkit.files.store import VectorStore

    name = str(arguments.subject)
    variable = variable_name(command, arguments["out"] or _variable_for(name))
    _refuse_taken(command, shell, variable, arguments)
    days = arguments["expires_after"]
    if days is not None and not 1 <= days <= _MOST_DAYS:  # before the store is made
        raise usage_error(command, f"--expires-after can't be {days}. It is 1 to {_MOST_DAYS}.")
    if arguments.subcommand == "open":
        store = VectorStore.open(name)
    elif arguments["new"]:
        store = VectorStore.create(name, expires_after_days=days)
    else:
        store = VectorStore(name)
        if days is not None and store.info.expires_after_days != days:
            store.update(expires_after_days=days)
    shell.user_ns[variable] = store
    if variable != name:
        from agentkit.notebook.display.text import clean

        print(f"{clean(store.name)!r} is in the variable {variable}.")
    return store


def _variable_for(name: str) -> str:
    """Return the variable for a store: its name as far as it can be one. No keyword, and no builtin is hidden by it."""
    made = name if name.isidentifier() else re.sub(r"\W+", "_", name).strip("_").lower()
    if not made:
        return "store"
    taken = keyword.iskeyword(made) or hasattr(builtins, made)
    return made if made.isidentifier() and not taken else f"store_{made}"


def _refuse_taken(command: Command, shell: InteractiveShell, variable: str, arguments: Arguments) -> None:
    """Refuse to put a store in the place of a variable that holds something else."""
    from agentkit.files.store import VectorStore

    if variable not in shell.user_ns or isinstance(shell.user_ns[variable], VectorStore):
        return
    kind = kind_of(shell.user_ns[variable])
    name = str(arguments.subject)
    typed = name if re.fullmatch(r"[\w-]+", name) else f'"{name}"'
    raise usage_error(
        command,
        f"{variable} is {kind} here, and would be lost. Name another variable: "
        f"%{command.name} {typed} --out {variable}_store.",
    )


def _fill(command: Command, shell: InteractiveShell, arguments: Arguments) -> Any:
    out = variable_name(command, arguments["out"]) if arguments["out"] else None
    sources = sources_of(command, shell.user_ns, arguments.words)
    store = find_store(command, shell.user_ns, str(arguments.subject))
    options = {name: arguments[name] for name in ("chunk_tokens", "overlap_tokens") if arguments[name] is not None}
    fill = store.sync if arguments.subcommand == "sync" else store.add
    report = fill(*sources, attributes=attributes_of(command, arguments["set"] or []), **options)
    if out is not None:
        shell.user_ns[out] = report
    return report


def _search(shell: InteractiveShell, store: VectorStore, arguments: Arguments) -> Any:
    question = filled(_SEARCH, shell, arguments.rest)
    if not question:
        raise usage_error(_SEARCH, "There is nothing to search for: write the question after the store.")
    where = arguments["where"]
    if where is not None and not re.search(r"\s", where) and _JOINED.match(question):
        raise usage_error(
            _SEARCH,
            f"--where {where} goes on in the question, {question!r:.60}: quotes are missing. A condition with spaces "
            'stands in quotes: --where "year >= 2024".',
        )
    found = store.search(
        question,
        limit=arguments["limit"] if arguments["limit"] is not None else 10,
        filters=None if where is None else condition_of(_SEARCH, where, shell.user_ns),
        score_threshold=arguments["threshold"],
        rewrite=bool(arguments["rewrite"]),
    )
    if arguments["out"]:
        shell.user_ns[variable_name(_SEARCH, arguments["out"])] = found
    return found


def _files(store: VectorStore) -> pd.DataFrame:
    frame = store.files
    shown = [*_SHOWN, *(name for name in frame.columns if name not in (*_SHOWN, *_HIDDEN))]
    if frame["error"].isna().all():
        shown.remove("error")
    return frame[shown]


def _file(command: Command, arguments: Arguments) -> str:
    if len(arguments.words) > 1:
        raise usage_error(command, f"{arguments.words[1]!r} is one file too many. A name with spaces stands in quotes.")
    return arguments.words[0]


def _remove(store: VectorStore, name: str) -> None:
    from agentkit.notebook.display.text import clean

    store.remove(name)
    print(f"Removed {clean(name)!r} from {clean(store.name)!r}.")


def _delete(shell: InteractiveShell, store: VectorStore, arguments: Arguments) -> None:
    from agentkit.notebook.display.text import clean

    name, count = clean(store.name), f"{len(store):,} file{'' if len(store) == 1 else 's'}"
    if not arguments["yes"]:
        if not somebody_is_there(shell):
            raise usage_error(
                _DELETE, f"Nobody is there to be asked whether {name!r} with {count} may be deleted: add --yes."
            )
        said = input(f"Delete the vector store {name!r} with {count}, for good? [y]es, [n]o: ")
        if said.strip().lower() not in ("y", "yes"):
            print(f"{name!r} was not deleted.")
            return
    store.delete(files=not arguments["keep_files"])
    for variable in [key for key, value in stores_in(shell.user_ns).items() if value.id == store.id]:
        del shell.user_ns[variable]
    print(f"Deleted {name!r} with {count}.")


VECTOR_STORE = Magic(_COMMAND, _run)
