"""`tfdsl tune`: looks for the params with which a program gives the best value."""

import argparse
import hashlib
import json
import math
import os
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..access import TRUSTED
from ..diagnostics import PARAM_UNKNOWN, STUDY_BUSY, STUDY_FAILED, STUDY_VALUE, Diagnostic, TfgError
from ..diagnostics.spelling import counted, did_you_mean, listed
from ..driver import Compiled
from ..outputs import write_output
from ..program import ENGINES, Evaluate, names_given, walk
from ..runtime.files.lock import FolderInUse, Lock
from ..source import Source
from ..tuning.best import with_params
from ..tuning.picture import picture
from ..tuning.space import FORMS, Axis, Choices, FloatRange, NoSpace, Space, axis, grid
from ..tuning.study import SAMPLERS, EndedTrial, Study, StudyPlan
from .compiling import at_home, compile_given
from .each import ProgramRuns
from .options import add_program_options, given, given_limits, positive, seconds
from .parser import CommandParser
from .report import WrongUse, errors, needing, show, tell
from .tables import show_table, text
from .trials import Trials

_STUDIES = "studies"
_TUNED = "# tuned by tfdsl tune"
_LONGEST = 10_000  # characters of its first lines
_UNNAMED = "name one with evaluate, or log it"


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Run a program with one set of values for its params after the other, and look for the set with the least or "
        "the largest value of an evaluate, of a name of the session, or of a logged number. The trials are kept: the "
        "same command with --trials N tries N more, also after an interruption. Each trial works in a folder of its "
        "own below that of the study, and leaves a record."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("--over", metavar="NAME=SPACE", action="append", default=[], required=True,
                        help=f"a param, and what to try for it: {FORMS}; can be repeated")  # fmt: skip
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--minimize", metavar="VALUE", help="the value that is to be small, such as test.mse")
    which.add_argument("--maximize", metavar="VALUE", help="the value that is to be large, such as test.accuracy")
    parser.add_argument("--trials", metavar="N", type=positive, default=20, help="try N more (default: 20)")
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe",
                        help="how values are chosen: from what the trials so far gave (tpe, the default), at random, "
                             "or all combinations in order (grid)")  # fmt: skip
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="the seed of the choice (default: 0)")
    parser.add_argument("--prune", action="store_true",
                        help="end a trial early whose value is worse than the median of the others at the same "
                             "step")  # fmt: skip
    parser.add_argument("--jobs", metavar="N", type=positive, default=1, help="run N trials at a time (default: 1)")
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, help="begin no trial after so many seconds")
    parser.add_argument("--study", metavar="DIR",
                        help=f"the folder of the study (default: {_STUDIES}/ and the name of the program)")  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="write the program with the best params here (default: beside the program, with -tuned in "
                             "its name)")  # fmt: skip
    add_program_options(parser)
    parser.add_argument("--session", metavar="NAME", help="run only this session")
    parser.add_argument("--engine", choices=ENGINES, default="", help="how trainings take their steps")
    parser.add_argument("--json", action="store_true", help="print one JSON object with the trials")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line for each trial on standard error")


def command(arguments: argparse.Namespace) -> int:
    space = _space(arguments.over)
    if arguments.sampler == "grid":
        try:
            grid(space)
        except NoSpace as error:
            raise WrongUse(str(error)) from None
    at_home(arguments)
    arguments.soft_placement = False
    stem = os.path.splitext(os.path.basename(arguments.file))[0]
    folder = os.path.abspath(arguments.study or os.path.join(_STUDIES, stem))
    output = os.path.abspath(arguments.output) if arguments.output else f"{arguments.file[:-4]}-tuned.tfg"
    _, compiled = compile_given(arguments)
    if not compiled.program.sessions:
        compiled.run()  # reports that there is nothing to run
    _check(compiled, space)
    _check_output(output)
    objective: str = arguments.minimize or arguments.maximize
    _check_objective(compiled, objective, arguments.session)
    plan = StudyPlan(
        objective, arguments.maximize is not None, space, arguments.sampler,
        arguments.seed, arguments.prune, _digest(compiled, arguments),
    )  # fmt: skip
    with needing("tfdsl tune", "'optuna>=5,<6'", "optuna"), _held(folder):
        study = Study(folder, plan)
        _run(arguments, study, compiled)
        trials, best = study.ended(), study.best
    if best is None and trials:
        return errors([Diagnostic(STUDY_FAILED, None, {"reason": trials[-1].error or "it was pruned"})])
    if best is not None:
        _write_best(arguments, compiled, best, output)
        write_output(os.path.join(folder, "search.svg"), picture(trials, plan))
    _print(arguments, trials, best, space)
    return 0


def _space(options: list[str]) -> Space:
    found: dict[str, Axis] = {}
    for option in options:
        name, equals, form = option.partition("=")
        name = name.strip()
        try:
            if not equals or not name:
                raise NoSpace(f"write NAME={FORMS.partition(',')[0]}")
            if name in found:
                raise NoSpace("it is there twice")
            found[name] = axis(form)
        except NoSpace as error:
            raise WrongUse(f"--over {option}: {error}") from None
    return found


def _check(compiled: Compiled, space: Space) -> None:
    """Check that the program has the params, and that nothing else gives them a value."""
    known = {param.name: param for param in compiled.program.params}
    for name in space:
        if name not in known:
            help = did_you_mean(name, known) or (f"the params are {listed(known)}" if known else "")
            raise TfgError([Diagnostic(PARAM_UNKNOWN, None, {"name": name}, help=help)])
        if name in compiled.origins:
            raise WrongUse(f"{compiled.origins[name]} gives {name} a value, and --over tries others")
        _check_kind(name, space[name], known[name].type)


def _check_kind(name: str, one: Axis, wanted: str) -> None:
    """Refuse values that the param cannot have."""
    if isinstance(one, FloatRange) and wanted == "int":
        low, high = math.ceil(one.low), math.floor(one.high)
        way = f"write int({low}, {high})" if low < high else "write int(LOW, HIGH)"
        raise WrongUse(f"--over {name}={one.text()}: {name} is a whole number: {way}")
    if not isinstance(one, Choices) and wanted in ("bool", "str"):
        what = "true or false" if wanted == "bool" else "a text"
        raise WrongUse(f"--over {name}={one.text()}: {name} is {what}: write choice(...)")
    if isinstance(one, Choices) and wanted in ("int", "float"):
        wrong = next((value for value in one.options if isinstance(value, (bool, str))), None)
        if wrong is not None:
            raise WrongUse(f"--over {name}={one.text()}: {name} is a number, and {text(wrong)} is none")


def _check_objective(compiled: Compiled, objective: str, session: str | None) -> None:
    """Check that a run of the program gives the value that is to be the best."""
    program = compiled.program
    statements = walk(one for own in program.sessions if session in (None, own.name) for one in own.body)
    evaluates = [one for one in statements if isinstance(one, Evaluate) and len(one.names) == 1 and len(one.items) > 1]
    fields = [f"{one.names[0]}.{item.field}" for one in evaluates for item in one.items]
    names = sorted(names_given(statements) - {one.names[0] for one in evaluates})
    tags = [node.text("tag") for graph in program.graphs for node in graph.summaries() if node.text("kind") == "scalar"]
    # A scope comes before the tag of its summaries, and a number after a tag that is there twice.
    is_tag = any(re.fullmatch(rf"(.*/)?{re.escape(tag)}(_\d+)?", objective) for tag in tags)
    known = [*fields, *names, *tags]
    if objective not in known and not is_tag:
        way = did_you_mean(objective, known) or (f"its values are {listed(known)}" if known else _UNNAMED)
        raise TfgError([Diagnostic(STUDY_VALUE, None, {"name": objective, "known": way})])


def _check_output(path: str) -> None:
    """Refuse to replace what this command has not written."""
    if not os.path.exists(path):
        return
    is_ours = False
    if os.path.isfile(path):
        with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            is_ours = any(file.readline(_LONGEST).startswith(_TUNED) for _ in range(2))
    if not is_ours:
        raise WrongUse(f"{path} exists, and tfdsl tune has not written it: choose another file with --output")


def _digest(compiled: Compiled, arguments: argparse.Namespace) -> str:
    """The digest of what all trials have in common: the texts, and what options give."""
    main = compiled.program.sessions[0].origin.span.source.text
    given = [main, *sorted(compiled.texts.values()), *sorted(arguments.params), arguments.session, arguments.engine]
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]


@contextmanager
def _held(folder: str) -> Iterator[None]:
    """Keep other processes from the study."""
    with TRUSTED.folder(folder, create=True) as opened:
        try:
            lock = Lock(opened)
        except FolderInUse as error:
            raise TfgError([Diagnostic(STUDY_BUSY, None, {"path": folder, "holder": str(error)})]) from None
        try:
            yield
        finally:
            lock.release()


def _run(arguments: argparse.Namespace, study: Study, compiled: Compiled) -> None:
    """Run the trials, with a line for each."""
    before, until = study.best, math.inf if arguments.timeout is None else time.monotonic() + arguments.timeout
    best = None if before is None else before.value
    for trial, outcome in Trials(arguments, study, compiled.texts).run(arguments.trials, arguments.jobs, until):
        if arguments.quiet:
            continue
        said = (
            f"{study.plan.objective} {text(outcome.value)}" if outcome.value is not None else outcome.error or "pruned"
        )
        is_better = outcome.value is not None and (
            best is None or (outcome.value > best if study.plan.maximize else outcome.value < best)
        )
        best = outcome.value if is_better else best
        values = " ".join(f"{name}={text(value)}" for name, value in trial.values.items())
        tell(f"trial {trial.number}: {said} with {values}{', the best so far' if is_better else ''}")


def _write_best(arguments: argparse.Namespace, compiled: Compiled, best: EndedTrial, output: str) -> None:
    """Write the program with the params of the best trial, and with those that the command line gave to all trials."""
    source: Source = compiled.program.sessions[0].origin.span.source
    found = ProgramRuns(arguments.file, given(arguments), "tfdsl tune").compiled(best.params)
    params = {one.name: one.value for one in found.program.params if one.name in found.origins}
    objective = arguments.minimize or arguments.maximize
    comment = f"{_TUNED[2:]}: trial {best.number} has {objective} {best.value!r}"
    written, others = with_params(source, params, comment)
    write_output(output, written)
    tell(f"tfdsl: wrote {os.path.relpath(output)}")
    if others:
        tell(f"tfdsl: {listed(others)} {'is a param' if len(others) == 1 else 'are params'} of an import: use --set")
    options = [f"--data {shlex.quote(one)}" for one in arguments.data]
    options += [f"--config {shlex.quote(one)}" for one in arguments.configs]
    options += [
        f"--{name} {shlex.quote(value)}" for name in ("session", "engine") if (value := getattr(arguments, name))
    ]
    options += [f"--allow-path {shlex.quote(one)}" for one in arguments.allowed]
    options += [f"{option} {value}" for option, value in given_limits(arguments)]
    if options:
        tell(f"tfdsl: the trials ran with {' '.join(options)}, which is not in the file")
    if os.path.dirname(output) != os.path.dirname(os.path.abspath(arguments.file)) and (
        compiled.texts or found.program.data
    ):
        tell("tfdsl: paths in it are relative to its folder, as they were to that of the program")


def _print(arguments: argparse.Namespace, trials: list[EndedTrial], best: EndedTrial | None, space: Space) -> None:
    if arguments.json:
        found = {"best": best and best.to_json(), "trials": [one.to_json() for one in trials]}
        print(json.dumps(found, indent=2, allow_nan=False))
        return
    head = ["trial", "status", arguments.minimize or arguments.maximize, *space]
    sign = 1 if arguments.maximize is None else -1
    ordered = sorted(trials, key=lambda one: (one.value is None, sign * (one.value or 0.0)))
    rows = [[one.number, one.status, one.value, *(one.params.get(name) for name in space)] for one in ordered[:10]]
    show_table(head, rows, right=[2])
    if len(trials) > len(rows):
        show(f"the best {len(rows)} of {counted(len(trials), 'trial')}")
