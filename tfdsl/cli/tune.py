"""`tfdsl tune`: looks for the params with which a program gives the best value."""

import argparse
import hashlib
import json
import math
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..access import TRUSTED
from ..analysis.graph.params import is_no_value
from ..data.stage import written_whole
from ..diagnostics import PARAM_TYPE, PARAM_UNKNOWN, STUDY_BUSY, STUDY_FAILED, Diagnostic, TfgError
from ..diagnostics.spelling import counted, did_you_mean, listed
from ..driver import Compiled, check
from ..outputs import check_output, write_output
from ..program import ENGINES, Restore, known_text, walk
from ..record import replace
from ..runtime.files.lock import FolderInUse, Lock
from ..source import Source
from ..syntax.read import read
from ..tuning.best import with_params
from ..tuning.picture import picture
from ..tuning.space import FORMS, Axis, Choices, FloatRange, NoSpace, Space, axis, grid, written
from ..tuning.study import SAMPLERS, UNPRUNED, EndedTrial, Study, StudyPlan
from . import tensorflow
from .compiling import at_home, compile_given
from .each import ProgramRuns
from .objective import check_objective, keeps_of, other_kept
from .options import GivenInputs, add_program_options, given, given_limits, positive, seconds
from .parser import CommandParser
from .report import WrongUse, errors, needing, show, show_json, tell
from .signals import interruptible
from .tables import show_table, text
from .trials import Trials

if TYPE_CHECKING:
    from ..runs.file_digests import FileDigest
    from ..runs.inputs import RunInputs

_STUDIES = "studies"
# What the params of a type are, and an example of a choice where no range can stand.
_KINDS = {
    "int": ("a whole number", ""), "float": ("a number", ""), "bool": ("true or false", "true, false"),
    "str": ("a text", '"1", "2"'), "bytes": ("a text", '"1", "2"'), "list": ("a list", '"[1, 2]", "[3]"'),
}  # fmt: skip
_TUNED = "# tuned by tfdsl tune"
_SIGNED = re.compile(rf"({_TUNED}: .*) \(sha256 ([0-9a-f]{{16}})\)\n")


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
                        help=f"once {UNPRUNED} trials have run to their ends, end one whose best value so far is worse "
                             "than the median of what these had at the same step")  # fmt: skip
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
    extra, compiled = compile_given(arguments)
    if not compiled.program.sessions:
        compiled.run()  # reports that there is nothing to run
    _check(compiled, space)
    _check_values(arguments, extra, space)
    _check_output(output)
    objective: str = arguments.minimize or arguments.maximize
    check_objective(compiled.program, objective, arguments.session, arguments.prune)
    keeps = keeps_of(compiled.program, objective, arguments.session)
    if warning := other_kept(keeps, objective, arguments.maximize is not None):
        tell(f"tfdsl: {warning}")
    tensorflow.load()
    from ..runs.inputs import RunInputs  # imports TensorFlow

    inputs = RunInputs(compiled)
    for path in _restored(compiled):
        inputs.add_checkpoint(path)
    plan = StudyPlan(
        objective, arguments.maximize is not None, space, arguments.sampler,
        arguments.seed, arguments.prune, _common(compiled, arguments, inputs),
    )  # fmt: skip
    with needing("tfdsl tune", "'optuna>=5,<6'", "optuna"), _held(folder):
        study = Study(folder, plan)
        search = Trials(arguments, study, compiled.texts, inputs, bool(keeps) and not warning)
        with interruptible() as interrupted:
            left = arguments.trials - _run(arguments, study, search, interrupted)
        trials, best = study.ended(), study.best
        left = min(left, arguments.trials if study.most is None else study.most - len(trials))
    if interrupted():
        tell(f"tfdsl: interrupted; the same command goes on with the study: --trials {left} tries {left} more")
    elif best is None and trials:
        return errors([Diagnostic(STUDY_FAILED, None, {"reason": trials[-1].error or "it was pruned"})])
    try:
        if best is not None:
            _write_best(arguments, compiled, trials, best, output)
            write_output(os.path.join(folder, "search.svg"), picture(trials, plan))
    finally:
        _print(arguments, trials, best, space)
    return 128 + interrupted.signal if interrupted() else 0


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
            raise TfgError([Diagnostic(PARAM_UNKNOWN, None, {"name": name, "given": ""}, help=help)])
        if name in compiled.origins:
            raise WrongUse(f"{compiled.origins[name]} gives {name} a value, and --over tries others")
        _check_kind(name, space[name], known[name].type)
    for param in compiled.program.params:
        if param.name in compiled.origins and isinstance(param.value, float) and not math.isfinite(param.value):
            raise WrongUse(
                f"{compiled.origins[param.name]} gives {param.name} the value {param.value}, which the tuned program "
                "cannot have: give it a finite number"
            )


def _check_values(arguments: argparse.Namespace, extra: GivenInputs, space: Space) -> None:
    """Refuse values that are outside the dtype of their param, by the error that their trial would have."""
    source, inputs = read(arguments.file, extra.limits), extra.inputs(arguments.file, tensorflow.foreign())
    for name, one in space.items():
        origins = {**inputs.origins, name: f"--over {name}={one.text()}"}
        for value in one.options if isinstance(one, Choices) else (one.low, one.high):
            _, found = check(source, replace(inputs, params={**inputs.params, name: value}, origins=origins))
            if wrong := [error for error in found if error.message is PARAM_TYPE]:
                raise TfgError(wrong)


def _check_kind(name: str, one: Axis, wanted: str) -> None:
    """Refuse values that the param cannot have."""
    space = f"--over {name}={one.text()}"
    if isinstance(one, FloatRange) and wanted == "int":
        low, high = math.ceil(one.low), math.floor(one.high)
        way = f"write int({low}, {high})" if low < high else "write int(LOW, HIGH)"
        raise WrongUse(f"{space}: {name} is a whole number: {way}")
    what, examples = _KINDS.get(wanted, ("", ""))
    if not isinstance(one, Choices):
        if examples:
            raise WrongUse(f"{space}: {name} is {what}: write choice({examples})")
        return
    wrong = next((value for value in one.options if is_no_value(value, wanted)), None)
    if wrong is not None:
        way = f": write choice({examples})" if examples else ""
        raise WrongUse(f"{space}: {name} is {what}, and {written(wrong)} is not{way}")
    endless = next((value for value in one.options if wanted == "float" and not math.isfinite(float(value))), None)
    if endless is not None:
        raise WrongUse(f"{space}: {written(endless)} is not a finite number, and a program cannot have it as a param")


def _check_output(path: str) -> None:
    """Refuse a missing folder, and to replace what this command has not written."""
    if not path.endswith(".tfg"):
        raise WrongUse(f"{path} is not the name of a program: choose one that ends in .tfg with --output")
    check_output(path)
    if os.path.exists(path) and not _tuned(path):
        raise WrongUse(
            f"{path} exists, and tfdsl tune has not written it, or it was changed since: choose another file with "
            "--output"
        )


def _tuned(path: str) -> str:
    """The comment in a file as this command has written it. "" for another file, and for one that was changed since."""
    if os.path.isfile(path):
        with suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8", newline="") as file:
            text = file.read()
            found = _SIGNED.search(text)
            if found is not None and signed(text.replace(found[0], f"{found[1]}\n", 1), found[1]) == text:
                return found[1]
    return ""


def signed(program: str, comment: str) -> str:
    """A program whose line with a comment says its digest, so that a change is noticed."""
    return program.replace(comment, f"{comment} (sha256 {_digest(program)})", 1)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _common(compiled: Compiled, arguments: argparse.Namespace, inputs: "RunInputs") -> dict[str, str]:
    """What all trials have in common, by what messages call it: the texts, what options give, and the files of data."""
    from ..runs.inputs import texts  # imports TensorFlow

    found: dict[str, str] = {}
    for path, content in texts(compiled).items():
        name = f"the text of {os.path.basename(path)}"  # which several files may have
        found[name] = ", ".join(filter(None, (found.get(name), f"sha256 {_digest(content)}")))
    found |= {
        f"--set {param.name}": written_whole(param.value) for param in compiled.program.params
        if param.name in compiled.origins
    }  # fmt: skip
    found |= {} if arguments.session is None else {"--session": shlex.quote(arguments.session)}
    found |= {"--engine": arguments.engine} if arguments.engine else {}
    found |= {f"data {name}": _files(about["files"]) for name, about in inputs.data().items() if about["files"]}
    return found | {os.path.basename(name): _files(files) for name, files in inputs.others().items() if files}


def _restored(compiled: Compiled) -> set[str]:
    """The checkpoints that all trials restore: those with full paths, unless the program writes them itself. A trial
    has a folder of its own for other paths."""
    statements = [one for session in compiled.program.sessions for one in walk(session.body)]
    read, written = set[str](), set[str]()
    for one in statements:
        path = one.uses().path
        text = None if path is None else known_text(path)
        if text is not None and os.path.isabs(text):
            (read if isinstance(one, Restore) else written).add(text)
    return read - written


def _files(files: "list[FileDigest]") -> str:
    """Some files as a text that says whether they have changed, wherever they are."""
    folder = os.path.commonpath([os.path.dirname(one["path"]) for one in files])
    digests = {os.path.relpath(one["path"], folder): one["sha256"] for one in files}
    if len(digests) == 1:
        ((name, digest),) = digests.items()
        return f"{name} ({'not readable' if digest is None else f'sha256 {digest[:16]}'})"
    return f"{len(digests)} files (sha256 {_digest(json.dumps(digests, sort_keys=True))})"


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


def _run(arguments: argparse.Namespace, study: Study, search: Trials, interrupted: Callable[[], bool]) -> int:
    """Run the trials, with a line for each. Returns how many are over."""
    before, until = study.best, math.inf if arguments.timeout is None else time.monotonic() + arguments.timeout
    best = None if before is None else before.value
    over = 0
    for trial, outcome in search.run(arguments.trials, arguments.jobs, until, interrupted):
        over += 1
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
    return over


def _comment(objective: str, trial: EndedTrial) -> str:
    """The comment in the program with the params of a trial."""
    return f"{_TUNED}: trial {trial.number} has {objective} {trial.value!r}"


def _write_best(
    arguments: argparse.Namespace, compiled: Compiled, trials: list[EndedTrial], best: EndedTrial, output: str
) -> None:
    """Write the program with the params of the best trial, and with those that the command line gave to all trials. Say
    so if the file had the best trial of another study."""
    source: Source = compiled.program.sessions[0].origin.span.source
    found = ProgramRuns(arguments.file, given(arguments), "tfdsl tune").compiled(best.params)
    params = {one.name: one.value for one in found.program.params if one.name in found.origins}
    objective = arguments.minimize or arguments.maximize
    comment = _comment(objective, best)
    program, others = with_params(source, params, comment.removeprefix("# "))
    _check_output(output)  # it may have changed while the trials ran
    before = _tuned(output)
    try:
        write_output(output, signed(program, comment))
    except TfgError as error:
        help = "the trials are kept: the same command with --output FILE writes another file"
        raise TfgError([replace(one, help=help) for one in error.diagnostics]) from None
    is_ours = before in ("", *(_comment(objective, one) for one in trials))
    replaced = "" if is_ours else f" in place of the best of another study, {before.removeprefix(_TUNED)[2:]}"
    tell(f"tfdsl: wrote {os.path.relpath(output)}{replaced}")
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
        show_json(found)
        return
    head = ["trial", "status", arguments.minimize or arguments.maximize, *space]
    sign = 1 if arguments.maximize is None else -1
    ordered = sorted(trials, key=lambda one: (one.value is None, sign * (one.value or 0.0)))
    rows = [[one.number, one.status, one.value, *(one.params.get(name) for name in space)] for one in ordered[:10]]
    show_table(head, rows, right=[2])
    if len(trials) > len(rows):
        show(f"the best {len(rows)} of {counted(len(trials), 'trial')}")
