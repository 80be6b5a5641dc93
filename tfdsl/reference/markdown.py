"""Entries as Markdown, for a terminal with colours, an editor or a page."""

import re

from .entry import Kind, ReferenceEntry

KINDS: dict[Kind, str] = {
    "declaration": "a statement of the graph half",
    "statement": "a statement of sessions",
    "clause": "a word of statements and expressions",
    "name": "a name that programs have",
    "setting": "a setting of a statement",
    "type": "a dtype",
    "op": "an op",
    "initializer": "an initializer",
    "schedule": "a schedule",
    "optimizer": "an optimizer",
    "function": "a function",
    "source": "a source of data",
    "transform": "a transform of data",
    "field": "a field of data",
    "command": "a command",
    "option": "an option of commands",
    "code": "a message",
}


def heading(entry: ReferenceEntry) -> str:
    """The name with what it is."""
    what = f"{KINDS[entry.kind]} of the {entry.group.partition(' (')[0]}" if "." in entry.name else KINDS[entry.kind]
    return f"{entry.name}: {entry.group if entry.kind == 'code' else what}"


def as_markdown(entry: ReferenceEntry) -> str:
    """An entry as Markdown without a heading."""
    kind = "sh" if entry.kind in ("command", "option") else "text" if entry.kind == "code" else "tfg"
    found = [_block(kind, entry.call)] if entry.kind != "code" else []
    found += [captioned(entry.doc)] if entry.doc else []
    if entry.limits:
        found.append("\n".join(f"- `{name}` is {words}" for name, words in entry.limits.items()))
    if entry.elsewhere:
        found.append(", ".join(f"{where}: `{name}`" for where, name in entry.elsewhere))
    if entry.example and entry.example not in entry.doc:
        found += ["Example:", _block(kind, entry.example)]
    return "\n\n".join(found)


def captioned(markdown: str) -> str:
    """Markdown with words in place of the comments above blocks."""
    captions = {"wrong": "Wrong:", "wrong: run": "Wrong, as a run shows:", "mended": "Corrected:"}

    def caption(found: re.Match[str]) -> str:
        note = found[1]
        return f"{captions.get(note) or note.replace('file: ', '') + ':'}\n\n"

    text = re.sub(r"^<!-- (.*?) -->\n", caption, markdown, flags=re.M)
    return re.sub(r"^```output\n", "It prints:\n\n```text\n", text, flags=re.M)


def _block(kind: str, text: str) -> str:
    return f"```{kind}\n{text.rstrip()}\n```"
