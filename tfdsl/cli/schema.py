"""`tfdsl schema`: prints the JSON schema of config files, with which editors complete and check them."""

import argparse
import os

from ..outputs import write_output
from .parser import CommandParser
from .report import tell

PATH = os.path.join(os.path.dirname(__file__), "config.schema.json")


def configure(parser: CommandParser) -> None:
    parser.description = "Print the JSON schema of config files (--config), for editors that check YAML files."
    parser.add_argument("-o", "--output", metavar="OUT", help="write it to a file instead")


def command(arguments: argparse.Namespace) -> int:
    with open(PATH, encoding="utf-8") as file:
        text = file.read()
    if arguments.output is None:
        print(text, end="")
    else:
        write_output(arguments.output, text)
        tell(f"tfdsl: wrote {arguments.output}")
    return 0
