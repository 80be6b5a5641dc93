"""The parser of the command line."""

import argparse

from ..suggest import visible_lines


class Parser(argparse.ArgumentParser):
    """One whose messages cannot act on a terminal: what they quote may be the name of any file."""

    def _print_message(self, message: str, file=None) -> None:
        super()._print_message(visible_lines(message), file)
