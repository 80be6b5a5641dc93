"""The parser of the command line."""

import argparse
import re
from collections.abc import Callable
from typing import NoReturn

from ..diagnostics.spelling import did_you_mean, visible_lines

_NAMES = {"FILE": "file", "FILE.yaml": "file", "OUT": "file", "DIR": "folder"}  # the arguments that are paths


class Parser(argparse.ArgumentParser):
    """An argument parser that suggests corrections. Its messages cannot control a terminal, although they may quote
    any file name."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._late: list[tuple[argparse.Action, Callable[[], str]]] = []

    def late_help(self, action: argparse.Action, text: Callable[[], str]) -> None:
        """Give an option a help text that is only computed on demand, because it costs imports."""
        self._late.append((action, text))

    def format_help(self) -> str:
        for action, text in self._late:
            action.help = text()
        return super().format_help()

    def _print_message(self, message: str, file=None) -> None:
        super()._print_message(visible_lines(message), file)

    def error(self, message: str) -> NoReturn:
        """Report an error with a suggestion and exit with the code for wrong use."""
        choice = re.match(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if choice:
            known = re.findall(r"'([^']*)'", choice[2]) or choice[2].split(", ")
            near = did_you_mean(choice[1], known)
            super().error(f"there is no command '{choice[1]}': {near or 'the commands are ' + ', '.join(known)}")
        super().error(message)

    def refuse_empty(self, given: argparse.Namespace) -> None:
        """Refuse an empty file or folder name, which would mean no file or the working folder."""
        for action in self._actions:
            value = getattr(given, action.dest, None)
            if action.metavar in _NAMES and "" in (value if isinstance(value, list) else [value]):
                named = action.option_strings[-1] if action.option_strings else action.metavar
                self.error(f"{named} needs the name of a {_NAMES[action.metavar]}, but it is empty")

    def unknown(self, words: list[str]) -> NoReturn:
        """Refuse words that are neither options nor arguments."""
        word = words[0].partition("=")[0]
        if not word.startswith("-"):
            self.error(f"'{word}' is one argument too many")
        options = [one for action in self._actions for one in action.option_strings if one.startswith("--")]
        near = did_you_mean(word, options)
        if not near and "--set" in options and word.startswith("--"):
            name = word.strip("-").replace("-", "_")
            near = f"a param of the program is set with --set {name}=VALUE"
        self.error(f"there is no option {word}: {near or self.prog + ' --help lists them'}")
