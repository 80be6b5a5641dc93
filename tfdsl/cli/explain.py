"""`tfdsl explain`: what a code of a message means, and anything else that has a name."""

import argparse
import re
import sys
from typing import NoReturn

from ..diagnostics import CATALOGUE
from ..diagnostics.spelling import did_you_mean, listed
from ..reference import ReferenceEntry, entries, find, names
from ..reference.entry import as_json
from ..reference.explanations import explanation, messages
from ..reference.markdown import as_markdown, captioned, heading
from ..reference.other_names import instead
from ..reference.pages import parts
from ..reference.plain import described, plain
from . import COMMANDS
from .option_entries import names_of, option_entries, options_named, parser_of
from .parser import SAID, CommandParser
from .report import WrongUse, colour, show, show_json, wrong_use


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Explain the code of a message, with a wrong program and the corrected one, or anything that has a name: a "
        "statement, a word in a statement, an op, a layer, an optimizer, a source, transform or field of data, a "
        "setting, a command, or a command-line option. Names from TensorFlow and Keras lead to their counterparts here."
    )
    parser.add_argument("name", metavar="NAME", nargs="*",
                        help="such as TFG201, train, matmul, nn.dense, tf.nn.relu or --towers; "
                             "without it, all kinds of names are listed")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="as a JSON array")
    parser.takes_options_of_others = True


def command(arguments: argparse.Namespace) -> int:
    if not arguments.name:
        return _list(arguments.json)
    words = " ".join(arguments.name).removeprefix("tfdsl ").split()
    name = " ".join(words)
    if not name.strip("."):
        raise WrongUse("name what to explain, as in: tfdsl explain train")
    code = re.fullmatch(r"(?:error|warning)?\[?(TFG\d+)\]?:?", name, re.I)
    found = find(code[1].upper() if code else name.removeprefix(".")) or options_named(words)
    if not found:
        if words[-1].startswith("-"):
            _unknown_option(words)
        return wrong_use(_unknown(code[1].upper() if code else name))
    if arguments.json:
        show_json([as_json(entry) for entry in found])
    elif colour(sys.stdout):
        _print_coloured(found)
    else:
        print("\n".join(map(_text, found)), end="")
    return 0


_SHOWN = 6  # names of a kind


def _list(as_json: bool) -> int:
    """List the names that can be explained: all of them as JSON, a few of each kind as text."""
    kinds: dict[str, dict[str, None]] = {}  # the names of each, once and in order
    for entry in entries():
        kinds.setdefault(entry.kind, {})[entry.name] = None
    if as_json:
        show_json([{"kind": kind, "names": list(known)} for kind, known in kinds.items()])
        return 0
    show("tfdsl explain NAME explains what has a name, such as:\n")
    width = max(map(len, kinds))
    for kind, known in sorted(kinds.items()):
        more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        show(f"  {kind:{width}}  {', '.join(list(known)[:_SHOWN])}{more}")
    show("\ntfdsl explain --json lists all of them; names of TensorFlow and Keras lead to those here.")
    return 0


def _unknown_option(words: list[str]) -> NoReturn:
    """Refuse an unknown option with the message of its command, or of `tfdsl run` if no command is named."""
    *before, last = words
    command = " ".join(before)
    near = did_you_mean(last, [name for one in option_entries() for name in names_of(one.signature)])
    if not before and near and last.strip("-").replace("-", "_") not in SAID:
        raise WrongUse(f"no command has the option {last}: {near}")
    if command and command not in COMMANDS:
        raise WrongUse(_unknown(command))
    parser_of(command or "run").unknown([last], [])


def _unknown(name: str) -> str:
    if re.fullmatch(r"TFG\d*", name):
        return f"there is no message with the code {name}; codes are {min(CATALOGUE)} to {max(CATALOGUE)}, with gaps"
    near = instead(name) or _of_module(name) or _in_words(name) or _argument(name) or did_you_mean(name, names())
    return f"there is nothing called '{name}'{near and ': ' + near}"


def _of_module(name: str) -> str:
    """Where to look for a word of the language that is written after a module of TensorFlow or a session of it."""
    module, _, last = name.rpartition(".")
    is_of_tensorflow = module.partition(".")[0] in ("tf", "tensorflow", "keras", "sess", "session")
    return f"see: tfdsl explain {last}" if is_of_tensorflow and find(last) else ""


def _in_words(name: str) -> str:
    """Where to look for several words, such as a statement with one of its clauses: what as many of them as possible
    are called."""
    words, known = name.split(), list[str]()
    while len(words) + len(known) > 1 and words:
        size = next((size for size in range(len(words), 0, -1) if find(" ".join(words[:size]))), 0)
        known += [" ".join(words[:size])] * (size > 0)
        words = words[size or 1 :]
    return f"see: {' and '.join(f'tfdsl explain {one}' for one in dict.fromkeys(known))}" if known else ""


def _argument(name: str) -> str:
    """Where to look for the name of an argument of functions. "" for other names."""
    is_there = re.compile(rf"[(,]\s*\**{re.escape(name)}\s*[:=,)]")
    wanted = entries() if len(name) > 2 else []  # shorter names are those of operands
    of = list(dict.fromkeys(one.name for one in wanted if is_there.search(one.signature)))
    return f"it is an argument of {listed(of, 3)}; see: tfdsl explain {of[0]}" if of else ""


def _text(entry: ReferenceEntry) -> str:
    title = heading(entry)
    body = plain(_with_messages(entry)) if entry.kind == "code" else described(entry).rstrip()
    return f"{title}\n{'-' * len(title)}\n\n{body}\n"


def _with_messages(entry: ReferenceEntry) -> str:
    """The page of a code, with what the check says of its wrong program below that."""
    page = explanation(entry.name)
    if page is None:
        return f"```text\n{entry.signature}\n```\n\n{entry.doc}"
    shown: list[str] = []
    for part in parts(page.body):
        if isinstance(part, str):
            shown.append(part)
            continue
        note = f"<!-- {part.note} -->\n" if part.note else ""
        shown.append(f"{note}```{part.kind}\n{part.text}```")
        if part == page.wrong and (said := messages(page)):
            shown += ["The check says:", f"```text\n{said.rstrip()}\n```"]
    return "\n\n".join(shown)


def _print_coloured(entries: list[ReferenceEntry]) -> None:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    console = Console(theme=Theme({"markdown.code": "cyan", "markdown.code_block": "none"}))
    for entry in entries:
        body = captioned(_with_messages(entry)) if entry.kind == "code" else as_markdown(entry)
        console.print(heading(entry), style="bold", markup=False, highlight=False)
        console.print()
        console.print(Markdown(body, code_theme="ansi_dark", hyperlinks=False))
        console.print()
