"""`tfdsl schema`: prints the JSON schema of config files, with which editors complete and check them."""

import argparse
import os

from .parser import CommandParser

PATH = os.path.join(os.path.dirname(__file__), "config.schema.json")


def configure(parser: CommandParser) -> None:
    parser.description = "Print the JSON schema of config files (--config), for editors that check YAML files."


def command(arguments: argparse.Namespace) -> int:
    with open(PATH, encoding="utf-8") as file:
        print(file.read(), end="")
    return 0
