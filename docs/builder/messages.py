"""A page for each code of a message."""

import re
from collections.abc import Mapping
from importlib import import_module
from itertools import groupby
from pkgutil import iter_modules

from tfdsl.diagnostics import CATALOGUE, catalogue
from tfdsl.diagnostics.message import Message
from tfdsl.reference.explanations import Explanation, explanation, messages

from .markdown import UNSEARCHED, block, code, table

_BACK = "[All messages](../messages.md)\n"


def message_pages(folder: str) -> dict[str, str]:
    """The pages of all codes in a folder, and their list beside it: an index.md would be the page of its section."""
    found = {name: (CATALOGUE[name], explanation(name)) for name in sorted(CATALOGUE)}
    return {f"{folder}.md": _index(found)} | {f"{folder}/{name}.md": _page(*both) for name, both in found.items()}


def _hundreds() -> dict[str, str]:
    """The topics of the codes by their first digit, from the files of the catalogue."""
    modules = (import_module(f"{catalogue.__name__}.{one.name}") for one in iter_modules(catalogue.__path__))
    found = (re.match(r"(\d)xx: ([^.:]+)", module.__doc__ or "") for module in modules)
    return {one[1]: one[2] for one in found if one}


def _title(message: Message, page: Explanation | None) -> str:
    """The title of a page; without one, the message, with the names of the values in it."""
    shown = re.sub(r"'?\{(\w+)[^}]*\}'?", lambda value: code(value[1]), message.headline)
    return page.title if page else shown.replace("``", "` `")


def _page(message: Message, page: Explanation | None) -> str:
    head = f"# {message.code}: {_title(message, page)}\n\n"
    if page is None:
        help_line = f"  = help: {message.help}" if message.help else ""
        shown = block("text", f"{message.severity}[{message.code}]: {message.headline}\n{help_line}")
        return f"{head}The message, with the names of its values in braces:\n\n{shown}\n{_BACK}"
    parts: list[str] = []
    for part in page.parts():
        parts.append(part if isinstance(part, str) else f"<!-- {part.note} -->\n{block(part.kind, part.text)}")
        if part == page.wrong and (said := messages(page)):
            parts.append(block("output", said))
    return head + "\n\n".join([*(part.rstrip() for part in parts), _BACK])


def _index(found: Mapping[str, tuple[Message, Explanation | None]]) -> str:
    parts = [
        UNSEARCHED,
        "# Messages\n",
        "Each error and warning has a code. `tfdsl explain TFG201` shows the page of a code in the terminal.\n",
    ]
    titles = _hundreds()
    for digit, names in groupby(found, key=lambda name: name[3]):
        codes = ((f"[{code(name)}](messages/{name}.md)", *found[name]) for name in names)
        rows = ([link, message.severity, _title(message, page)] for link, message, page in codes)
        parts += [f"## {titles[digit]}\n", table(["code", "kind", "meaning"], rows)]
    return "\n".join(parts)
