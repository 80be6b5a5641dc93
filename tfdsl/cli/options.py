"""Options that several commands share: params, data and the config file."""

import argparse
from dataclasses import dataclass, field

from ..diagnostics import CONFIG_FORM, CONFIG_KEY, FILE_MISSING, Diagnostic, TfgError
from ..suggest import did_you_mean

CONFIG_KEYS = ("params", "data", "logdir")


class WrongUse(Exception):
    """The command line says something that cannot be."""


def add_program_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="params",
                        help="give a param a value; can be repeated")  # fmt: skip
    parser.add_argument("--data", metavar="NAME=PATH", action="append", default=[],
                        help="read the data NAME from a .csv or .npz file instead of its source")  # fmt: skip
    parser.add_argument("--config", metavar="FILE.yaml",
                        help="a YAML file with params, data and logdir; --set and --data go before it")  # fmt: skip


@dataclass(slots=True)
class Given:
    """What the command line and the config file give a program."""

    params: dict[str, object] = field(default_factory=dict)
    data: dict[str, object] = field(default_factory=dict)
    logdir: str | None = None


def given(arguments: argparse.Namespace) -> Given:
    """The params and data of a command line. `WrongUse` where an option has no `=`."""
    result = config(arguments.config) if arguments.config else Given()
    result.params |= _pairs(arguments.params, "--set NAME=VALUE")
    result.data |= _pairs(arguments.data, "--data NAME=PATH")
    return result


def _pairs(options: list[str], form: str) -> dict[str, object]:
    result: dict[str, object] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.strip():
            raise WrongUse(f"{option!r} is not of the form {form}")
        result[name.strip()] = value
    return result


def config(path: str) -> Given:
    """A config file, checked: unknown keys and wrong forms are errors."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TfgError([Diagnostic(FILE_MISSING, None, {"path": path, "reason": reason.lower()})]) from None
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise _form(path, "YAML aliases (*name) are not allowed")
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        raise _form(path, f"{place}{getattr(error, 'problem', None) or 'it is not YAML'}") from None
    if data is None:
        return Given()
    if not isinstance(data, dict):
        raise _form(path, "it must have keys: " + ", ".join(CONFIG_KEYS))
    for key in data:
        if key not in CONFIG_KEYS:
            details = {"path": path, "name": key, "known": ", ".join(CONFIG_KEYS)}
            raise TfgError([Diagnostic(CONFIG_KEY, None, details, help=did_you_mean(str(key), CONFIG_KEYS))])
    for key in ("params", "data"):
        if not isinstance(data.get(key) or {}, dict):
            raise _form(path, f"'{key}' must be a mapping of names to values")
    logdir = data.get("logdir")
    if logdir is not None and not isinstance(logdir, str):
        raise _form(path, "'logdir' must be a string")
    files = {str(name): value for name, value in (data.get("data") or {}).items()}
    for name, value in files.items():
        if not isinstance(value, str):
            raise _form(path, f"data '{name}' must be a path")
    return Given({str(name): value for name, value in (data.get("params") or {}).items()}, files, logdir)


def _form(path: str, reason: str) -> TfgError:
    return TfgError([Diagnostic(CONFIG_FORM, None, {"path": path, "reason": reason})])
