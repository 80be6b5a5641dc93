"""`tfdsl completion`: the script that makes a shell complete the words of commands.

The scripts ask this module at each Tab, so a completion knows the options of the command, the params, data sets and
sessions of the program on the line, and everything that `tfdsl explain` knows. The answer has a word a line, with a tab
and what it is; the first line says whether the words are paths.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module

from . import COMMANDS
from .parser import CommandParser, declared

SHELLS = ("bash", "zsh", "fish")

_BASH = """\
_tfdsl() {
    local kind
    COMPREPLY=()
    { read -r kind; mapfile -t COMPREPLY; } \\
        < <("$1" completion --words bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    case $kind in
        paths) compopt -o filenames ;;
        open) compopt -o nospace ;;
    esac
}
complete -F _tfdsl tfdsl
"""
_ZSH = """\
#compdef tfdsl
_tfdsl() {
    local -a found words_found
    found=("${(@f)$("${words[1]}" completion --words zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    words_found=("${(@)found[2,-1]}")
    case $found[1] in
        paths) compadd -f -S '' -- "${(@)words_found:#}" ;;
        open) compadd -S '' -- "${(@)${(@)words_found:#}%%$'\\t'*}" ;;
        *) local -a described
           described=("${(@)${(@)${(@)words_found:#}//:/\\\\:}/$'\\t'/:}")
           _describe tfdsl described ;;
    esac
}
if [ "$funcstack[1]" = "_tfdsl" ]; then _tfdsl "$@"; else compdef _tfdsl tfdsl; fi
"""
_FISH = """\
function __tfdsl_words
    set -l given (commandline -opc) (commandline -ct)
    $given[1] completion --words fish -- $given[2..-1] 2>/dev/null | tail -n +2
end
complete -c tfdsl -f -a '(__tfdsl_words)'
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}

Words = dict[str, str]  # with what each is


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Print the script that makes a shell complete commands, options, files and names. For bash, add to ~/.bashrc: "
        'eval "$(tfdsl completion bash)". For zsh, add to ~/.zshrc, after compinit: eval "$(tfdsl completion zsh)". '
        "For fish, add to ~/.config/fish/config.fish: tfdsl completion fish | source"
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")
    # What the scripts ask for: the words of a line after the command.
    parser.add_argument("--words", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("line", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def command(arguments: argparse.Namespace) -> int:
    print(answer(arguments.shell, arguments.line) if arguments.words else _SCRIPTS[arguments.shell], end="")
    return 0


def answer(shell: str, words: list[str]) -> str:
    """What the script of a shell reads. The last word is the one to complete."""
    if shell == "bash":
        words = _joined(words)
    kind, found = complete([word.replace("\\ ", " ") for word in words])
    if shell == "bash":  # which ends words at = and shows no texts
        before = words[-1].rpartition("=")[0]
        found = {word.removeprefix(f"{before}=") if before else word: "" for word in found}
        if kind == "paths":
            found = {word.rstrip("/"): "" for word in found}  # it adds the sign itself
    lines = [word + (f"\t{text}" if text else "") for word, text in found.items()]
    return "\n".join([kind, *lines]) + "\n"


def _joined(words: list[str]) -> list[str]:
    """The words of a line of bash, which has parted them at =."""
    found: list[str] = []
    glue = False
    for word in words:
        if found and (glue or word == "="):
            found[-1] += word
        else:
            found.append(word)
        glue = word == "="
    return found


def complete(words: list[str]) -> tuple[str, Words]:
    """The completions of the last of the words after `tfdsl`. They are paths, words to go on with (`open`), or whole
    words."""
    *before, last = words
    name = next((word for word in before if not word.startswith("-")), None)
    if name not in COMMANDS:
        options = {"--help": "list the commands", "--version": "print the version"}
        return "words", _beginning(last, {} if name else {**COMMANDS, **options})
    parser = CommandParser()
    import_module(f"{__package__}.{name}").configure(parser)
    option, equals, value = last.partition("=")
    options = {one: action for action in parser.shown for one in action.option_strings}
    if equals and option in options and _takes_value(options[option]):
        kind, found = _values(name, options[option], value, before)
        return kind, {f"{option}={word}": text for word, text in found.items()}
    if before[-1] in options and _takes_value(options[before[-1]], last):
        return _values(name, options[before[-1]], last, before)
    if last.startswith("-"):
        others = _options_of(before[before.index(name) + 1 :]) if parser.takes_options_of_others else {}
        return "words", _beginning(last, others | {one: action.help or "" for one, action in options.items()})
    positional = _positional(parser, options, before[before.index(name) + 1 :])
    return _values(name, positional, last, before) if positional else ("words", {})


def _takes_value(action: argparse.Action, following: str = "") -> bool:
    """Whether an option takes the word after it as its value. If it need not have a value, another option follows."""
    is_optional = action.nargs == "?" and following.startswith("-")
    return bool(action.option_strings) and action.nargs != 0 and not is_optional


def _positional(
    parser: CommandParser, options: dict[str, argparse.Action], before: list[str]
) -> argparse.Action | None:
    """The argument that is next after these words."""
    given, is_value = 0, False
    for word in before:
        if is_value and not word.startswith("-"):
            is_value = False
        elif word.startswith("-"):
            is_value = word in options and _takes_value(options[word])
        else:
            given += 1
    arguments = [action for action in parser.shown if not action.option_strings]
    if arguments and arguments[-1].nargs == "+":
        given = min(given, len(arguments) - 1)
    return arguments[given] if given < len(arguments) else None


def _values(name: str, action: argparse.Action, word: str, before: list[str]) -> tuple[str, Words]:
    """The completions of a value of an option or an argument of a command."""
    if action.choices:
        return "words", _beginning(word, action.choices)
    head, equals, tail = word.partition("=")
    match action.metavar:
        case "NAME=VALUE" | "NAME=VALUES" | "X=VALUE" | "NAME=PATH" if not equals:
            kind = {"NAME=VALUE": "param", "NAME=VALUES": "param", "X=VALUE": "placeholder"}.get(action.metavar, "data")
            return "open", _beginning(word, [f"{one}=" for one in declared(before, kind)])
        case "NAME=PATH":
            return "paths", {f"{head}={path}": "" for path in _paths(tail, ())}
        case "FILE.yaml":
            return "paths", _paths(word, (".yaml", ".yml"))
        case "FILE" if name != "data" and not action.option_strings:
            return "paths", _paths(word, (".tfg",))
        case "FILE" | "OUT" | "CHECKPOINT" | "GRAPH" | "A" | "B":
            return "paths", _paths(word, ())
        case "DIR":
            return "paths", _paths(word, None)
        case "PARTS":
            from ..lift.options import DROPS

            *given, last = word.split(",")
            left = [one for one in DROPS if one not in given]
            return "words", {",".join((*given, one)): "" for one in left if one.startswith(last)}
        case _:
            names = _NAMES.get((name, action.dest)) or _NAMES.get(("", action.dest), _none)
            return "words", _beginning(word, names(before))


def _none(before: list[str]) -> Iterable[str]:
    return ()


def _explained(before: list[str]) -> Words:
    """The names of the reference, with what they are."""
    from ..reference import entries
    from ..reference.markdown import KINDS

    return {one.name: one.group if one.kind == "code" else KINDS[one.kind] for one in reversed(entries())}


def _options_of(command: list[str]) -> Words:
    """The options of all commands, or of one, with what they do."""
    from .option_entries import names_of, option_entries, taken_by

    return {
        name: one.doc.partition("\n")[0]
        for one in option_entries()
        if not command or " ".join(command) in taken_by(one)
        for name in names_of(one.signature)
    }


def _called(before: list[str]) -> Words:
    from ..reference.calls import calls

    return {one.name: one.group for one in calls()}


def _programs(before: list[str]) -> Words:
    from .new import examples

    return {one.name: one.summary() for one in examples().values()}


_NAMES: dict[tuple[str, str], Callable[[list[str]], Iterable[str]]] = {  # by command and argument
    ("explain", "name"): _explained,
    ("ops", "name"): _called,
    ("new", "example"): _programs,
    ("", "session"): lambda before: declared(before, "session"),
    ("", "graph"): lambda before: declared(before, "graph"),
}


def _beginning(word: str, known: Iterable[str]) -> Words:
    """The known words that begin with a word."""
    texts = known if isinstance(known, dict) else dict.fromkeys(known, "")
    return {one: " ".join(text.split()) for one, text in texts.items() if one.startswith(word)}


def _paths(word: str, suffixes: tuple[str, ...] | None) -> Words:
    """The paths that begin with a word: folders, and files with one of the suffixes, () for all and None for none."""
    folder, name = os.path.split(word)
    found: Words = {}
    with suppress(OSError, ValueError), os.scandir(os.path.expanduser(folder) or ".") as inside:
        for one in inside:
            if one.name.startswith(name) and (name or not one.name.startswith(".")):
                if one.is_dir():
                    found[os.path.join(folder, one.name, "")] = ""
                elif suffixes is not None and one.name.endswith(suffixes or ""):
                    found[os.path.join(folder, one.name)] = ""
    return dict(sorted(found.items()))
