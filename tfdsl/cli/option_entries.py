"""Entries of command-line options. Their texts come from `--help` and from the pages that mention them."""

import argparse
import re
from functools import cache
from importlib import import_module

from ..reference.entry import ReferenceEntry
from ..reference.pages import Section, page, sections, sentence
from . import COMMANDS
from .parser import CommandParser

_COMMANDS_PAGE = "commands.md"
_PAGES = ("survival.md", "engines.md", "clusters.md", "limits.md")


def parser_of(command: str, formatter: type[argparse.HelpFormatter] | None = None) -> CommandParser:
    """The parser of a command, with the help of all its options."""
    keywords = {} if formatter is None else {"formatter_class": formatter}
    parser = CommandParser(prog=f"tfdsl {command}", **keywords)
    import_module(f"{__package__}.{command}").configure(parser)
    parser.format_help()  # computes the texts that need imports
    return parser


def spellings(action: argparse.Action) -> list[str]:
    """How an option or an argument is written, with its value."""
    names = action.metavar or (action.choices and "{" + ",".join(map(str, action.choices)) + "}") or action.dest.upper()
    value = "" if action.nargs == 0 else " ".join(names) if isinstance(names, tuple) else str(names)
    return [f"{one} {value}".strip() for one in action.option_strings] or [value]


def help_of(action: argparse.Action, parser: CommandParser) -> str:
    return (action.help or "") % {"default": action.default, "prog": parser.prog}


@cache
def option_entries() -> tuple[ReferenceEntry, ...]:
    """An entry for each option. An option that differs between commands has one entry per meaning."""
    commands: dict[tuple[str, str, str], list[str]] = {}
    for command in COMMANDS:
        parser = parser_of(command)
        for action in parser.shown:
            if action.option_strings and "--help" not in action.option_strings:
                form = ", ".join(spellings(action))
                commands.setdefault((action.option_strings[-1], form, help_of(action, parser)), []).append(command)
    return tuple(_entry(name, form, text, taken_by) for (name, form, text), taken_by in commands.items())


def options_named(words: list[str]) -> list[ReferenceEntry]:
    """The entries of an option, named as `-q`, `--towers`, `towers`, or with its command as `run --towers`."""
    *before, last = words
    name = last.partition("=")[0]
    found = [one for one in option_entries() if name in names_of(one.signature)]
    if not found and not name.startswith("-"):
        found = [one for one in option_entries() if one.name == f"--{name.replace('_', '-')}"]
    return [one for one in found if not before or " ".join(before) in taken_by(one)]


def names_of(form: str) -> list[str]:
    """The names of an option, as in `-o OUT, --output OUT`."""
    return re.findall(r"(?<!\S)--?[\w-]+", form)


def taken_by(entry: ReferenceEntry) -> list[str]:
    """The commands that take an option."""
    return entry.group.split(", ")


def _entry(name: str, form: str, text: str, commands: list[str]) -> ReferenceEntry:
    named = re.compile(rf"(?<![\w-])(?:{'|'.join(names_of(form))})(?![\w-])")
    own = _sections(commands[0])
    found = [(section, one) for section in own for one in section.passages() if named.search(one)]
    taken = ", ".join(f"`tfdsl {one}`" for one in commands)
    doc = "\n\n".join([sentence(text), *(one for _, one in found), f"Taken by {taken}."])
    example = next((one for one in _shown() if one.split()[1] in commands and named.search(one)), "")
    place = (found[0][0] if found else own[0]).place
    return ReferenceEntry("option", name, form, doc, example, ", ".join(commands), page=place)


def _sections(command: str) -> list[Section]:
    """The sections that may describe an option of a command: its own, and all that belong to no command."""
    titled = [(set(title.split()), section) for title, section in sections(_COMMANDS_PAGE).items()]
    own = [section for words, section in titled if command in words]
    others = [section for words, section in titled if not words & {*COMMANDS, "Commands"}]
    return [*own, *others, *(section for name in _PAGES for section in sections(name).values())]


@cache
def _shown() -> tuple[str, ...]:
    """The command lines in the examples of the pages."""
    shown = re.compile(r"^ *(?:\$ )?(tfdsl .*?)(?: +#.*)?$", re.M)
    return tuple(one for name in (_COMMANDS_PAGE, *_PAGES) for one in shown.findall(page(name)))
