"""Entries of the commands, from their page."""

import re
from collections.abc import Iterator

from .entry import ReferenceEntry
from .pages import sections

_PAGE = "commands.md"


def commands() -> Iterator[ReferenceEntry]:
    """The commands, in the order of the table at the top of their page."""
    found = sections(_PAGE)
    for call, text in found["Commands"].rows():
        if named := re.match(r"`tfdsl (\w+)", call):
            name = named[1]
            section = next((one for title, one in found.items() if name in title.split()), found["Commands"])
            body = section.body() if section.title != "Commands" else ""
            shown = [block.text for block in section.blocks() if block.kind == "console"]
            example = next((one.partition("\n")[0].removeprefix("$ ") for one in shown), "")
            doc = f"{text[0].upper()}{text[1:]}.\n\n{body}".strip()
            yield ReferenceEntry("command", name, call.strip("`"), doc, example, page=section.place)
