"""The pages of docs/reference/, which are made from the tables of the language."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from tfdsl.reference import entries
from tfdsl.reference.entry import Kind, ReferenceEntry
from tfdsl.reference.pages import anchor

from .api import api_page
from .commands import options_page, settings_page
from .markdown import UNSEARCHED, block, code, rebased
from .messages import message_pages

FOLDER = "docs/reference"

# The kinds of words, with their titles.
_WORDS: dict[Kind, str] = {
    "declaration": "Statements of the graph",
    "statement": "Statements of sessions",
    "clause": "Words of statements and expressions",
    "setting": "Settings of statements",
    "name": "Names that every program has",
    "function": "Built-in functions",
    "field": "Fields of data",
}
# The kinds of things that programs call. Each has a page with a name, a title and a first sentence.
_CALLS: dict[Kind, tuple[str, str, str]] = {
    "optimizer": (
        "optimizers",
        "Optimizers",
        "`optimize LOSS with OPTIMIZER(...)` takes one of these. "
        "See [gradients and optimizers](../language.md#gradients-and-optimizers).",
    ),
    "schedule": (
        "schedules",
        "Schedules",
        "These give a learning rate that changes with the steps. See [schedules](../language.md#schedules).",
    ),
    "initializer": (
        "initializers",
        "Initializers",
        "These give variables their initial values. See [variables](../language.md#variable).",
    ),
    "source": (
        "sources",
        "Sources of data",
        "A `data` declaration begins with one of these. See [sources](../language.md#sources).",
    ),
    "transform": (
        "transforms",
        "Transforms of data",
        "These follow the source in a `data` declaration. See [transforms](../language.md#transforms).",
    ),
}


def reference_pages() -> dict[str, str]:
    """The generated pages by their paths."""
    every = list(entries())
    pages = {f"{FOLDER}/words.md": _words(every), f"{FOLDER}/options.md": options_page(),
             f"{FOLDER}/settings.md": settings_page(every), f"{FOLDER}/api.md": api_page()}  # fmt: skip
    for kind, (name, title, head) in _CALLS.items():
        pages[f"{FOLDER}/{name}.md"] = _calls(title, head, [one for one in every if one.kind == kind], FOLDER)
    ops = sorted((one for one in every if one.kind == "op"), key=lambda one: (one.group, one.name))
    groups = {name: list(ones) for name, ones in groupby(ops, key=lambda one: one.group)}
    for name, ones in groups.items():
        head = "These are ops that expressions call. See [calls](../../language.md#calls)."
        pages[op_page(name)] = _calls(f"{name[0].upper()}{name[1:]}", head, ones, f"{FOLDER}/ops")
    pages[f"{FOLDER}/ops/index.md"] = _ops(groups)
    pages |= message_pages(f"{FOLDER}/messages")
    pages[f"{FOLDER}/index.md"] = _index(every)
    return pages


def op_page(group: str) -> str:
    return f"{FOLDER}/ops/{anchor(group)}.md"


def place(entry: ReferenceEntry) -> str:
    """The page of an entry, with its anchor."""
    match entry.kind:
        case "op":
            return f"{op_page(entry.group)}#{anchor(entry.name)}"
        case "code":
            return f"{FOLDER}/messages/{entry.name}.md"
        case "command":
            return f"{FOLDER}/options.md#tfdsl-{anchor(entry.name)}"
        case "function" if "." in entry.name:
            return f"docs/{entry.page}"
        case "type":
            return f"docs/{entry.page}"
        case kind if kind in _WORDS:
            return f"{FOLDER}/words.md#{anchor(_heading(entry))}"
        case kind:
            return f"{FOLDER}/{_CALLS[kind][0]}.md#{anchor(entry.name)}"


def _heading(entry: ReferenceEntry) -> str:
    """The heading of a word. A field is shown after data, because some statements and functions have the same name."""
    return f"d.{entry.name}" if entry.kind == "field" else entry.name


def _from_docs(entry: ReferenceEntry, folder: str) -> str:
    """What an entry says, as Markdown of a page in a folder."""
    return rebased(entry.doc, f"docs/{entry.page.partition('#')[0]}", folder)


def _described(entry: ReferenceEntry, folder: str) -> str:
    """The section of something that programs call."""
    signature = entry.call if "(" in entry.call else f"{entry.name}({entry.call})"
    lines = [f"{name} is {kinds}" for name, kinds in entry.limits.items()]
    others = [f"{where}: {code(name)}" for where, name in entry.elsewhere]
    return "\n".join(
        part
        for part in (
            f"## {code(entry.name)}\n",
            block("text", signature),
            _from_docs(entry, folder) + "\n",
            f"{'; '.join(lines)}.\n" if lines else "",
            f"{'; '.join(others)}.\n" if others else "",
            block("tfg", entry.example) if entry.example else "",
        )
        if part
    )


def _calls(title: str, head: str, found: Iterable[ReferenceEntry], folder: str) -> str:
    return "\n".join([f"# {title}\n", f"{head}\n", *(_described(one, folder) for one in found)])


def _words(every: Iterable[ReferenceEntry]) -> str:
    """The words of the language, with a program for each."""
    parts = [
        "# Words\n",
        "The words of the language, each with a program that uses it. [Language](../language.md) explains them.\n",
    ]
    for kind, title in _WORDS.items():
        parts.append(f"## {title}\n")
        for entry in every:
            if entry.kind != kind or "." in entry.name:
                continue
            parts.append(f"### {code(_heading(entry))}\n")
            if kind in ("declaration", "statement"):
                parts.append(block("text", entry.signature))
            else:
                parts.append(f"{_from_docs(entry, FOLDER)}\n")
            heading = entry.page.partition("#")[2].replace("-", " ")
            parts.append(f"See [{heading}](../{entry.page}).\n")
            if entry.example:
                parts.append(block("tfg", entry.example))
    return "\n".join(parts)


def _ops(groups: Mapping[str, Iterable[ReferenceEntry]]) -> str:
    parts = [
        UNSEARCHED,
        "# Ops\n",
        "Ops are functions of tensors. `tfdsl ops NAME` describes one in the terminal. Any other op of TensorFlow is\n"
        "called by its own name, as in `raw.Roll(...)`.\n",
    ]
    for name, ones in groups.items():
        links = (f"[{code(one.name)}]({anchor(name)}.md#{anchor(one.name)})" for one in ones)
        parts.append(f"## {name[0].upper()}{name[1:]}\n\n{' '.join(links)}\n")
    return "\n".join(parts)


def _index(every: Iterable[ReferenceEntry]) -> str:
    """All names, from A to Z."""
    parts = [
        UNSEARCHED,
        "# All names\n",
        "Everything that has a name in the language or on the command line. `tfdsl explain NAME` describes it in the\n"
        "terminal. The codes of [messages](messages.md) have their own list.\n",
    ]
    named = sorted((one for one in every if one.kind != "code"), key=lambda one: (one.name.lower(), one.kind))
    for letter, ones in groupby(named, key=lambda one: one.name[0].upper()):
        links = (f"[{code(one.name)}]({_relative(place(one))}) {one.kind}" for one in ones)
        parts.append(f"## {letter}\n\n{'; '.join(links)}\n")
    return "\n".join(parts)


def _relative(to: str) -> str:
    return rebased(f"]({to.removeprefix('docs/')})", "docs/language.md", FOLDER)[2:-1]
