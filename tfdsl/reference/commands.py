"""Entries of the commands, from their page."""

import re
from collections.abc import Iterator

from .entry import ReferenceEntry
from .pages import page, sections, sentence

_PAGE = "commands.md"


def commands() -> Iterator[ReferenceEntry]:
    """The commands, in the order of the table at the top of their page."""
    found = sections(_PAGE)
    for call, text in found["Commands"].rows():
        if named := re.match(r"`tfdsl (\w+)", call):
            name = named[1]
            section = next((one for title, one in found.items() if name in title.split()), found["Commands"])
            body = section.body() if section.title != "Commands" else ""
            doc = f"{sentence(text)}\n\n{body}".strip()
            yield ReferenceEntry("command", name, call.strip("`"), doc, _example(name, body), page=section.place)


def _example(name: str, section: str) -> str:
    """A call of a command in its section, or else on the pages that show commands."""
    call = re.compile(rf"^ *(?:\$ )?(tfdsl {name} .*?)(?: +#.*)?$", re.M)
    found = map(call.search, (section, page(_PAGE), page("clusters.md")))
    return next((one[1] for one in found if one), "")
