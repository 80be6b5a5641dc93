"""The options of all commands, and all other settings, from the parsers and the tables."""

import argparse
import re
from collections.abc import Iterable, Iterator

from tfdsl.cli import COMMANDS
from tfdsl.cli.option_entries import help_of, parser_of, spellings
from tfdsl.cli.options import CONFIG_KEYS, LIMITS
from tfdsl.cli.parser import CommandParser
from tfdsl.limits import Limits
from tfdsl.reference.entry import ReferenceEntry

from .markdown import block, code, rebased, table


def options_page() -> str:
    """Each command with all its options, as its `--help` says."""
    parts = [
        "# Options of the commands\n",
        "The options that `tfdsl COMMAND --help` lists. [Commands](../commands.md) explains them, with examples.\n",
    ]
    for name, purpose in COMMANDS.items():
        parser = parser_of(name, _Wide)
        usage = re.sub(r"^(usage: |       )", "", parser.format_usage(), flags=re.M)
        parts += [f"## tfdsl {name}\n", f"{purpose[0].upper()}{purpose[1:]}.\n", block("text", usage)]
        parts.append(table(["option", "effect"], _options(parser)))
    return "\n".join(parts)


class _Wide(argparse.HelpFormatter):
    """Help of the same width in every terminal."""

    def __init__(self, prog: str):
        super().__init__(prog, width=100)


def _options(parser: CommandParser) -> Iterator[tuple[str, str]]:
    """The spelling of each option and argument, and what it does."""
    for action in parser.shown:
        yield ", ".join(map(code, spellings(action))), help_of(action, parser)


def settings_page(every: Iterable[ReferenceEntry]) -> str:
    """The settings in a program, around a program, and of the compiler."""
    parts = ["# Settings\n", "## In a program\n"]
    for entry in every:
        if entry.kind == "setting":
            doc = rebased(entry.doc, f"docs/{entry.page.partition('#')[0]}", "docs/reference")
            parts += [
                f"### {code(entry.name)}\n",
                f"{doc}\n",
                f"See [language](../{entry.page}).\n",
                block("tfg", entry.example),
            ]
    keys = ", ".join(map(code, CONFIG_KEYS))
    parts += [
        "## Values from outside\n",
        f"Params, data and the folder of logs can be given by options, in a file (`--config FILE.yaml`, with the keys\n"
        f"{keys}), or in Python. See [config files](../commands.md#config-files) and\n"
        "[compiling](../python.md#compiling).\n",
    ]
    limits = ((code(option), code(f"Limits({name}=N)"), help, str(int(getattr(Limits(), name))))
              for name, (option, help) in LIMITS.items())  # fmt: skip
    parts += ["## Limits\n", "The resources that the compiler may use. See [limits](../limits.md).\n",
              table(["option", "in Python", "effect", "default"], limits)]  # fmt: skip
    parts += ["## Environment\n", table(["variable", "effect"], [
        (code("TFDSL_TRACEBACK=1"), "unexpected errors of the compiler show a Python traceback"),
        (code("NO_COLOR"), "messages have no colours, as on a terminal without them"),
    ])]  # fmt: skip
    return "\n".join(parts)
