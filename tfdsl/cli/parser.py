"""The parser of the command line."""

import argparse
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from ..diagnostics.spelling import alternatives, did_you_mean, nearest, visible_lines

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_NAMES = {
    "FILE": "file",
    "GRAPH": "file",
    "A": "file",
    "B": "file",
    "FILE.yaml": "file",
    "OUT": "file",
    "DIR": "folder",
}  # arguments that are paths


class _Formatter(argparse.HelpFormatter):
    """Lays out help. argparse makes a formatter for every option, and would import `shutil` for the width."""

    def __init__(self, prog: str):
        super().__init__(prog, width=columns() - 2)


def columns() -> int:
    """The width of the terminal, 80 if there is none."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    with suppress(OSError, ValueError):  # standard output is no terminal, or closed
        return (sys.__stdout__ and os.get_terminal_size(sys.__stdout__.fileno()).columns) or 80
    return 80


# Commands of other tools.
_ALIKE = {
    "train": "run", "fit": "run", "start": "run", "lint": "check", "validate": "check", "format": "fmt",
    "draw": "graph", "plot": "graph", "init": "new", "create": "new", "docs": "explain", "man": "explain",
}  # fmt: skip
# What users of other tools expect as an option, and programs say.
SAID = {
    "epochs": "train 20 epochs", "steps": "train 1000 steps", "batch_size": "in batches of 32", "seed": "seed 42",
    "learning_rate": "adam(learning_rate=0.01)", "lr": "adam(learning_rate=0.01)",
}  # fmt: skip


def _instead(word: str) -> str:
    """What to type instead of a word that is no command, if it says what is meant."""
    if word.endswith(".tfg"):
        return f"did you mean 'tfdsl run {word}'?"
    if re.fullmatch(r"TFG\d+", word):
        return f"did you mean 'tfdsl explain {word}'?"
    if word == "help":
        return "did you mean 'tfdsl --help'?"
    return f"did you mean '{_ALIKE[word]}'?" if word in _ALIKE else ""


class CommandParser(argparse.ArgumentParser):
    """An argument parser that suggests corrections. Its messages cannot control a terminal, although they may quote
    any file name."""

    def __init__(self, *arguments: Any, **keywords: Any):  # of `argparse.ArgumentParser`
        super().__init__(*arguments, **{"formatter_class": _Formatter} | keywords)
        self.advice: dict[str, str] = {}  # for options that users expect and do not need
        self.takes_options_of_others = False  # options of other commands are taken as words
        self.given: list[str] = []  # the words of the command line, for errors
        self._late: list[tuple[argparse.Action, Callable[[], str]]] = []

    @property
    def shown(self) -> list[argparse.Action]:
        """The options and arguments that the help shows."""
        return [action for action in self._actions if action.help != argparse.SUPPRESS]

    def late_help(self, action: argparse.Action, text: Callable[[], str]) -> None:
        """Give an option a help text that is only computed on demand, because it costs imports."""
        self._late.append((action, text))

    def format_help(self) -> str:
        for action, text in self._late:
            action.help = text()
        return super().format_help()

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        super()._print_message(visible_lines(message), file)

    @property
    def _options(self) -> list[str]:
        return [one for action in self._actions for one in action.option_strings]

    def error(self, message: str) -> NoReturn:
        """Report an error with a suggestion and exit with the code for wrong use."""
        choice = re.match(r"argument (\S+): invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if choice is not None:
            name, word, listed = choice.groups()
            known = re.findall(r"'([^']*)'", listed) or listed.split(", ")
            near = did_you_mean(word, known)
            if name == "COMMAND":
                way = _instead(word) or near or "the commands are " + ", ".join(known)
                message = f"there is no command '{word}': {way}"
            else:
                message = f"{name.split('/')[-1]} is {alternatives(known)}, not '{word}'{near and ': ' + near}"
        if "required" in message:
            misspelt = [one for one in self.given if one[:2] == "--" and one.partition("=")[0] not in self._options]
            if misspelt:
                self.unknown(misspelt[:1], self.given)
            message += f": {self.prog} --help describes them"
        self.exit(2, f"{self.prog}: error: {message}\n")

    def _parse_optional(self, arg_string: str) -> Any:  # the stubs have no private methods
        """Called by argparse for each word. None if the word is not an option."""
        if self.takes_options_of_others and arg_string not in self._option_string_actions:
            return None
        return super()._parse_optional(arg_string)

    def refuse_empty(self, given: argparse.Namespace) -> None:
        """Refuse an empty file or folder name, which would mean no file or the working folder."""
        for action in self._actions:
            value = getattr(given, action.dest, None)
            if action.metavar in _NAMES and "" in (value if isinstance(value, list) else [value]):
                named = action.option_strings[-1] if action.option_strings else action.metavar
                self.error(f"{named} needs the name of a {_NAMES[action.metavar]}, but it is empty")

    def unknown(self, words: list[str], given: list[str]) -> NoReturn:
        """Refuse words that are neither options nor arguments. `given` is the whole command line."""
        self._refuse_spaces(given)
        word, equals, value = words[0].partition("=")
        options = [one for one in self._options if one.startswith("--")]
        if not word.startswith("-"):
            is_data = not word.endswith(".tfg") and os.path.isfile(word)
            way = ""
            if equals and word.isidentifier() and "--set" in options:
                way = f"; to set a param, write --set {words[0]}"
            elif is_data and "--data" in options and any(one.endswith(".tfg") for one in given):
                name = (declared(given, "data") or ["NAME"])[0]
                way = f"; to read it as data of the program, write --data {name}={word}"
            elif is_data:  # as if the shell had expanded a pattern
                way = "; put a pattern of files in quotes"
            self.error(f"'{words[0]}' is one argument too many{way}")
        params = declared(given, "param") if "--set" in options else []
        name = word.strip("-").replace("-", "_")
        if name in params:
            value = value or next((two for one, two in pairwise(given) if one == word and two[:1] != "-"), "VALUE")
            self.error(f"there is no option {word}: to set the param of the program, write --set {name}={value}")
        bare = [one.strip("-") for one in options]  # dashes would make all of them alike
        close = nearest(word.strip("-"), [*bare, *params])
        near = self.advice.get(word) or (close in bare and f"did you mean '--{close}'?")
        if not near and name in SAID and "--set" in options and close not in params:
            near = f"the program sets it, as in '{SAID[name]}'; if it has a param for this, write --set PARAM=VALUE"
            if params:
                near += f", where PARAM is {alternatives(params)}"
        if not near and "--set" in options and word.startswith("--"):
            near = f"a param of the program is set with --set {close or name}=VALUE"
            if params:
                near += f"; its params are {', '.join(params)}"

        self.error(f"there is no option {word}: {near or self.prog + ' --help lists them'}")

    def _refuse_spaces(self, given: list[str]) -> None:
        """Refuse spaces around the = of an option such as --set NAME=VALUE, or in its place."""
        pairs = {
            one for action in self._actions if "=" in str(action.metavar) for one in action.option_strings
        }  # fmt: skip
        for at, option in enumerate(given):
            name, *rest = given[at + 1 : at + 4] if option in pairs else [""]
            bare, equals, value = name.partition("=")
            is_alone = bare.isidentifier() and rest and not rest[0].endswith(".tfg")
            if not rest or value or rest[0].startswith("--") or not (equals or is_alone):
                continue
            value = rest[0].removeprefix("=") or (rest[1] if len(rest) > 1 else "VALUE")
            self.error(f"write it without spaces: {option} {bare}={value}")


def declared(given: list[str], word: str) -> list[str]:
    """The names after a word such as `param`, in the program on a command line, as far as it can be read."""
    for one in given:
        if one.endswith(".tfg") and os.path.isfile(one):
            with suppress(OSError, ValueError), open(one, encoding="utf-8") as file:
                return re.findall(rf"^{word}[ \t]+(\w+)", file.read(1_000_000), re.MULTILINE)
    return []
