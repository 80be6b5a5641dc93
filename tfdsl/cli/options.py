"""Options shared by several commands: params, data and the config file."""

import argparse
import os
import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from ..access import Access, AccessRefused, Confined
from ..cluster import Cluster, cluster
from ..diagnostics import CLUSTER_MISSING, CONFIG_FORM, CONFIG_KEY, FILE_MISSING, Diagnostic, TfgError
from ..diagnostics.spelling import did_you_mean
from ..inputs import CompileInputs, Foreign
from ..limits import Limits
from ..record import State, field
from ..syntax.read import similar
from .parser import CommandParser
from .report import WrongUse

if TYPE_CHECKING:
    import yaml

CONFIG_KEYS = ("params", "data", "logdir", "cluster")
_MAX_CONFIG, _MAX_NESTED = 100_000, 50  # characters; nesting depth of lists and mappings


def add_program_options(parser: CommandParser) -> argparse.Action:
    """Add the options of a program; return its `--data` option."""
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="params",
                        help="give a param a value; can be repeated")  # fmt: skip
    data = parser.add_argument("--data", metavar="NAME=PATH", action="append", default=[])
    parser.late_help(data, _data_help)
    parser.add_argument("--config", metavar="FILE.yaml", action="append", default=[], dest="configs",
                        help="a YAML file with params, data, logdir and cluster; --set and --data take precedence, and "
                             "later files over earlier ones")  # fmt: skip
    parser.add_argument("--allow-path", metavar="DIR", action="append", default=[], dest="allowed",
                        help="let the program read and write below DIR too, not only below its own folder and the "
                             "working folder; can be repeated")  # fmt: skip
    add_limit_options(parser, *LIMITS)
    return data


def _data_help() -> str:
    from ..data.sources import suffixes

    return f"read the data NAME from a {suffixes()} file instead of its source"


def add_cluster_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE.yaml", required=True,
                        help="the config file that describes the cluster, the same on all machines")  # fmt: skip


def cluster_of(arguments: argparse.Namespace) -> Cluster:
    """The cluster of a command that requires one."""
    found = config(arguments.config).cluster
    if found is None:
        raise TfgError([Diagnostic(CLUSTER_MISSING, None, {"path": arguments.config})])
    return found


# The options that set a limit, by the name of the limit.
LIMITS = {
    "unroll": ("--max-unroll", "repeat graph code, and call functions, up to N times while compiling"),
    "depth": ("--max-depth", "allow brackets and calls to be nested N deep, and blocks N / 50 deep"),
    "constant": ("--max-constant", "allow up to N elements or characters in a value known while compiling"),
    "file": ("--max-file-size", "read programs of up to N bytes"),
    "imports": ("--max-imports", "allow up to N files to import each other"),
    "tensor": ("--max-tensor", "allow up to N billion elements in a tensor of known size"),
    "errors": ("--max-errors", "report up to N errors and warnings"),
    "seconds": ("--max-seconds", "stop a check after N seconds of processor time"),
}


def add_limit_options(parser: argparse.ArgumentParser, *limits: str) -> None:
    for limit in limits:
        option, help = LIMITS[limit]
        help = f"{help} (default: {int(getattr(Limits(), limit))})"
        parser.add_argument(option, metavar="N", type=positive, dest=f"max_{limit}", help=help)


def limits(arguments: argparse.Namespace) -> Limits:
    """The limits of a command line."""
    named = {limit: getattr(arguments, f"max_{limit}", None) for limit in LIMITS}
    return Limits(**{limit: value for limit, value in named.items() if value is not None})


def given_limits(arguments: argparse.Namespace) -> list[tuple[str, int]]:
    """The options of a command line that set limits, with their values."""
    found = [(option, getattr(arguments, f"max_{limit}", None)) for limit, (option, _) in LIMITS.items()]
    return [(option, value) for option, value in found if value is not None]


RECORDS = "runs"  # the folder of records, unless another is given


def add_record_option(parser: CommandParser) -> None:
    parser.add_argument("--record", metavar="DIR", nargs="?", const=RECORDS, type=_record_folder,
                        help=f"leave a record of the run in DIR (default: {RECORDS}); a run that logs leaves one in "
                             "the folder of its log")  # fmt: skip


def _record_folder(text: str) -> str:
    if text.endswith(".tfg"):
        raise argparse.ArgumentTypeError(f"{text!r} is a program: write FILE --record, or --record=DIR FILE")
    return text


def positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999999999")
    return number


def seconds(text: str) -> float:
    """A time limit in seconds, from an option."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.1 <= number <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 86400")
    return number


def names(text: str | None) -> list[str] | None:
    """Names with commas between them."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise WrongUse(f"{text!r} is not a list of different names with commas between them")
    return names


class GivenInputs(State):
    """The inputs of a program from the command line and the config file."""

    params: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)  # of params, `data NAME` and `log folder`: the option or file
    data: dict[str, str] = field(default_factory=dict)
    logdir: str | None = None
    cluster: Cluster | None = None
    limits: Limits = Limits()
    allowed: list[str] = field(default_factory=list)

    def access(self, path: str) -> Access:
        """What the program of a file can access."""
        return Access(path, self.allowed)

    def inputs(self, path: str, foreign: Foreign | None = None) -> CompileInputs:
        """The compile inputs for the program of a file."""
        return CompileInputs(
            self.params, self.data, self.limits, foreign=foreign, access=self.access(path), origins=self.origins
        )

    def add(self, other: "GivenInputs") -> None:
        """Add the values of another object. They take precedence over the values of this one."""
        self.params |= other.params
        self.origins |= other.origins
        self.data |= other.data
        self.logdir = self.logdir if other.logdir is None else other.logdir
        self.cluster = other.cluster or self.cluster

    def confine(self, path: str, allowed: list[str], home: str) -> None:
        """Limit the paths of a config file to those that a program in its folder can use. Data are below `home`, or
        below the working folder if it is empty."""
        access = Access(path, allowed)
        self.data = {name: Confined(os.path.join(home, file), access) for name, file in self.data.items()}
        if self.logdir is not None:
            self.logdir = Confined(self.logdir, access)
            try:
                access.check(self.logdir)
            except AccessRefused as error:
                raise TfgError([Diagnostic(error.message, None, error.details)]) from None


def given(arguments: argparse.Namespace) -> GivenInputs:
    """The params and data of a command line. Raises `WrongUse` for an option without `=`."""
    Access("", arguments.allowed)  # reports a missing folder, whatever the command reads
    result = GivenInputs(allowed=arguments.allowed)
    configs: list[str] = arguments.configs
    for path in configs:
        one = config(path)
        named = [f"data {name}" for name in one.data] + ["log folder"] * (one.logdir is not None)
        one.origins = dict.fromkeys((*one.params, *named), path)
        one.confine(path, arguments.allowed, getattr(arguments, "home", ""))
        result.add(one)
    pairs = _pairs(arguments.params, "--set NAME=VALUE", "param")
    result.params |= pairs
    result.origins |= dict.fromkeys(pairs, "--set")
    paths = _pairs(arguments.data, "--data NAME=PATH", "data")
    result.data |= paths
    result.origins |= {f"data {name}": "--data" for name in paths}
    result.limits = limits(arguments)
    return result


def _pairs(options: list[str], form: str, kind: str) -> dict[str, str]:
    """The options of a form by their names, which are those of a kind in the program."""
    result: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.strip():
            raise WrongUse(f"{option!r} is not of the form {form}, where NAME is the name of the {kind} in the program")
        result[name.strip()] = value
    return result


def config(path: str) -> GivenInputs:
    """A validated config file. Unknown keys and wrong forms are errors."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_MAX_CONFIG + 1)
    except UnicodeDecodeError:
        raise _form(path, "it is not UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        reason = getattr(error, "strerror", None) or str(error)
        details = {"path": path, "reason": reason.lower()}
        raise TfgError([Diagnostic(FILE_MISSING, None, details, help=similar(path, error))]) from None
    if len(text) > _MAX_CONFIG:
        raise _form(path, f"a config file has at most {_MAX_CONFIG} characters")
    loader = _loader()
    try:
        _check_events(path, yaml.parse(text, loader))
        twice = _twice(yaml.compose(text, loader))
        if twice:
            raise _form(path, f"line {twice.start_mark.line + 1}: the key '{twice.value}' is there twice")
        data = yaml.load(text, loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        raise _form(path, f"{place}{getattr(error, 'problem', None) or 'it is not YAML'}") from None
    if data is None:
        return GivenInputs()
    if not isinstance(data, dict):
        raise _form(path, "it must have keys: " + ", ".join(CONFIG_KEYS))
    for key in data:
        if key not in CONFIG_KEYS:
            details = {"path": path, "name": key, "known": ", ".join(CONFIG_KEYS)}
            raise TfgError([Diagnostic(CONFIG_KEY, None, details, help=did_you_mean(str(key), CONFIG_KEYS))])
    for key in ("params", "data"):
        if data.get(key) is not None and not isinstance(data[key], dict):
            raise _form(path, f"'{key}' must be a mapping of names to values")
    logdir = data.get("logdir")
    if logdir is not None and not (isinstance(logdir, str) and logdir):
        raise _form(path, "'logdir' must be the name of a folder")
    files = {str(name): value for name, value in (data.get("data") or {}).items()}
    for name, value in files.items():
        if not isinstance(value, str):
            raise _form(path, f"data '{name}' must be a path")
    params = {str(name): value for name, value in (data.get("params") or {}).items()}
    described = cluster(data["cluster"], path) if "cluster" in data else None
    return GivenInputs(params, data=files, logdir=logdir, cluster=described)


@cache
def _loader() -> type:
    """A YAML 1.2 loader: `no`, `on` and `12:30` are text, only `true` and `false` are bools."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {}
    for tag, pattern, first in (
        ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
        ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("int", "[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), list(first))
    return Loader


def _check_events(path: str, events: Iterable) -> None:
    """Refuse YAML features that expand a file or change its meaning, before anything is built from it."""
    import yaml

    depth = 0
    for event in events:
        line = f"line {event.start_mark.line + 1}: "
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _form(path, f"{line}YAML aliases (*name) and anchors (&name) are not allowed")
        if getattr(event, "tag", None):
            raise _form(path, f"{line}YAML tags (!name) are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_NESTED:
            raise _form(path, f"{line}lists and mappings are nested more than {_MAX_NESTED} deep")


def _twice(node: "yaml.Node | None") -> "yaml.Node | None":
    """A duplicate key of a mapping. YAML would silently use the last one."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return None
    keys: set[str] = set()
    for key, value in node.value:
        if isinstance(key.value, str) and key.value in keys:
            return key
        keys.add(str(key.value))
        found = _twice(value)
        if found:
            return found
    return None


def _form(path: str, reason: str) -> TfgError:
    return TfgError([Diagnostic(CONFIG_FORM, None, {"path": path, "reason": reason})])
