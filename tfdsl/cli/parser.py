"""The parser of the command line."""

import argparse
import re
from typing import NoReturn

from ..suggest import did_you_mean, visible_lines


class Parser(argparse.ArgumentParser):
    """One whose messages cannot act on a terminal, since what they quote may be the name of any file, and that says
    what may be meant."""

    def _print_message(self, message: str, file=None) -> None:
        super()._print_message(visible_lines(message), file)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, with what may be meant instead, and end with the exit code of wrong use."""
        choice = re.match(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if choice:
            known = re.findall(r"'([^']*)'", choice[2]) or choice[2].split(", ")
            near = did_you_mean(choice[1], known)
            super().error(f"there is no command '{choice[1]}': {near or 'the commands are ' + ', '.join(known)}")
        super().error(message)

    def unknown(self, words: list[str]) -> NoReturn:
        """Refuse words that no option or argument takes."""
        word = words[0].partition("=")[0]
        if not word.startswith("-"):
            self.error(f"'{word}' is one argument too many")
        options = [one for action in self._actions for one in action.option_strings if one.startswith("--")]
        near = did_you_mean(word, options)
        if not near and "--set" in options and word.startswith("--"):
            name = word.strip("-").replace("-", "_")
            near = f"a param of the program is set with --set {name}=VALUE"
        self.error(f"there is no option {word}: {near or self.prog + ' --help lists them'}")
