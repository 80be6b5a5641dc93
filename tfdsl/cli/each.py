"""`tfdsl run FILE --each fold=0..4 --each seed=1..10`: a run for each combination of values of params, in one process.

`ProgramRuns` is for all commands that run a program more than once: it compiles and runs it with the given params, and
a run that fails does not end the others.
"""

import argparse
import math
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, TfgError
from ..diagnostics.render import render_concise
from ..diagnostics.spelling import counted
from ..driver import Compiled, compile_source
from ..program import Evaluate, walk
from ..record import replace
from ..runtime.observer import RunObserver, RunStopped
from ..runtime.options import Options
from ..source import Source
from ..syntax import tree as t
from ..syntax.parse import parse_expression
from ..syntax.read import read
from . import tensorflow
from .options import GivenInputs, given
from .report import WrongUse, bug_found, errors, show, show_json, tell
from .shared_paths import overwritten
from .signals import interruptible, raise_asked
from .tables import show_table

if TYPE_CHECKING:
    from ..runtime.result import Result

_MOST = 10_000  # runs
_MANY = f"--each asks for more than {_MOST} runs"
_RANGE = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})\Z")
_LIKE_RANGE = re.compile(r"-?\d[\d.e+-]*\.\.|\.\.+-?\d[\d.]*\Z")  # what was meant to be one
_ALONE = ("--watch", "--verify-resume", "--async", "--trace", "--show-params")  # options that need a single run
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(slots=True)
class RunOutcome:
    """What came of one run with its params. `code` is its exit code. `evaluated` has the numbers of the session's
    names, of which an `evaluate` gives those in `averaged`; `record` is the folder of its record, if it has one."""

    params: Mapping[str, object]
    values: Mapping[str, object] = field(default_factory=dict)  # the params in their types, if it compiles
    result: "Result | None" = None
    code: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)
    evaluated: dict[str, float] = field(default_factory=dict)
    averaged: frozenset[str] = frozenset()
    is_stopped: bool = False  # by an observer

    @property
    def record(self) -> str | None:
        return self.result.records[0] if self.result is not None and self.result.records else None


class ProgramRuns:
    """Runs of one program in this process. `devices` are the fields of `Devices`; `origin` says in the records where
    the params of a run come from."""

    def __init__(self, path: str, extra: GivenInputs, origin: str, **devices: object):
        self._source = read(path, extra.limits)
        self._path, self._extra, self._origin, self._devices = path, extra, origin, devices

    def compiled(self, params: Mapping[str, object]) -> Compiled:
        """The program with these params, besides those that all runs have. Raises `TfgError`."""
        inputs = self._extra.inputs(self._path, tensorflow.foreign())
        inputs = replace(
            inputs, params={**inputs.params, **params},
            origins={**inputs.origins, **dict.fromkeys(params, self._origin)},
        )  # fmt: skip
        return compile_source(self._source, inputs).on(**self._devices)

    def run(
        self, params: Mapping[str, object], options: Options, session: str | None = None,
        compiled: Compiled | None = None,
    ) -> RunOutcome:  # fmt: skip
        """Compile and run the program with these params. Errors are in the outcome."""
        from ..runs.digests import described, texts  # imports NumPy
        from ..runs.listing import evaluated

        options = replace(options, observer=options.observer or RunObserver())
        outcome = RunOutcome(params)
        try:
            made = compiled or self.compiled(params)
            outcome.values = {one.name: one.value for one in made.program.params if one.name in params}
            result = made.run(session, options)
        except RunStopped:
            outcome.is_stopped = True
        except TfgError as error:
            outcome.code, outcome.diagnostics = 1, list(error.diagnostics)
        except Exception as error:
            raise_asked()
            outcome.code, outcome.diagnostics = 1, [bug_found(error)]
        else:
            outcome.result = result
            found = result.session_values
            values = evaluated({"evaluated": described(found), "texts": texts(found)})
            numbers = {name: value for name, value in values.items() if isinstance(value, (int, float))}
            outcome.evaluated = {name: float(value) for name, value in numbers.items()}
            statements = [one for session in made.program.sessions for one in walk(session.body)]
            outcome.averaged = frozenset(name for one in statements if isinstance(one, Evaluate) for name in one.names)
            if result.interrupted:
                outcome.code = 128 + (int(getattr(options.interrupted, "signal", 0)) or 2)
        return outcome


def run_each(arguments: argparse.Namespace) -> int:
    """Run the program for each combination, and show the mean and the spread of what `evaluate` gave."""
    for option in _ALONE:
        if getattr(arguments, {"--async": "asynchronous"}.get(option, option.strip("-").replace("-", "_"))):
            raise WrongUse(f"--each cannot be combined with {option}")
    axes = _axes(arguments.each)
    extra = given(arguments)
    if extra.cluster is not None:
        raise WrongUse("--each runs on this machine alone: leave 'cluster' out of the config file")
    twice = [name for name in axes if name in extra.params]
    if twice:
        raise WrongUse(f"the param {twice[0]} is given by {extra.origins[twice[0]]} and by --each: give it once")
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    runs = ProgramRuns(
        arguments.file, extra, "--each", soft_placement=arguments.soft_placement, towers=arguments.towers,
        placement=arguments.placement,
    )  # fmt: skip
    outcomes, first = _first(runs, combinations)
    codes = [_tell_failure(outcome) for outcome in outcomes]
    if first is None:
        return max(codes)
    if not arguments.quiet and first.diagnostics:
        errors(first.diagnostics)
    if arguments.session not in (None, *(one.name for one in first.program.sessions)) or not first.program.sessions:
        first.run(arguments.session)  # reports that there is nothing to run
    if not arguments.quiet:
        errors(overwritten(runs.compiled, first, combinations[len(outcomes)], axes, arguments.session))
    tensorflow.load()
    from ..runs.form import new_id

    started = time.time()
    id = new_id(started)
    failed = len(outcomes)
    with interruptible() as interrupted:
        for number, params in enumerate(combinations[failed:], failed + 1):
            about = {"each": id, "number": number, "of": len(combinations)}
            options = _options(arguments, extra, params, interrupted, about)
            compiled = first if number == failed + 1 else None
            outcome = runs.run(params, options, arguments.session, compiled)
            outcomes.append(outcome)
            _tell_failure(outcome)
            if interrupted():
                tell(f"tfdsl: interrupted in run {number} of {len(combinations)}, with {_label(params)}")
                break
        code = 128 + interrupted.signal if interrupted.signal else int(any(one.code for one in outcomes))
    summary = summarized(outcomes)
    options = _options(arguments, extra, {}, interrupted, {})
    _write_record(first, arguments.session, options, id, started, axes, outcomes, summary, code)
    if arguments.json:
        show_json(_json(outcomes, summary))
    else:
        _show(outcomes, summary, len(combinations))
    return code


def _first(runs: ProgramRuns, combinations: list[dict[str, str]]) -> tuple[list[RunOutcome], Compiled | None]:
    """The program with the first params that it takes, and what came of those before. Raises `TfgError` if two runs
    have the same errors, which are those of the program then."""
    failed: list[RunOutcome] = []
    for params in combinations:
        try:
            return failed, runs.compiled(params)
        except TfgError as error:
            outcome = RunOutcome(params, code=1, diagnostics=list(error.diagnostics))
        if failed and list(map(render_concise, failed[-1].diagnostics)) == list(
            map(render_concise, outcome.diagnostics)
        ):
            raise TfgError(outcome.diagnostics)
        failed.append(outcome)
    return failed, None


def _tell_failure(outcome: RunOutcome) -> int:
    """Show the errors of a run, if it has any. Returns the exit code."""
    if not outcome.diagnostics:
        return 0
    tell(f"tfdsl: the run with {_label(outcome.params)} has failed:")
    return errors(outcome.diagnostics)


def _axes(options: list[str]) -> dict[str, list[str]]:
    """The values of each param, as texts."""
    axes: dict[str, list[str]] = {}
    for option in options:
        name, equals, text = (part.strip() for part in option.partition("="))
        if not equals or not name:
            raise WrongUse(f"{option!r} is not of the form --each NAME=1..10 or --each NAME=0.1,0.2")
        values = _values(name, text)
        if name in axes:
            raise WrongUse(f"--each names the param {name} twice: write all its values in one")
        axes[name] = values
    if math.prod(map(len, axes.values())) > _MOST:
        raise WrongUse(_MANY)
    return axes


def _values(name: str, text: str) -> list[str]:
    found = _RANGE.match(text)
    if found is not None:
        first, last = int(found[1]), int(found[2])
        if last < first:
            raise WrongUse(f"--each {name}={text} is empty: the first number comes before the last, {last}..{first}")
        if last - first >= _MOST:
            raise WrongUse(_MANY)
        return [str(one) for one in range(first, last + 1)]
    written = list(_split(name, text))
    values = [_unquoted(one) for one in written]
    for one in written:
        if not one:
            raise WrongUse(f"--each {name}={text} has an empty value: write {name}=0.1,0.2")
        if dotted := re.fullmatch(r"(-?\d+)\.{3,}(-?\d+)", one):
            raise WrongUse(f"--each {name}={text}: a range has two dots: write {name}={dotted[1]}..{dotted[2]}")
        if _LIKE_RANGE.match(one):
            raise WrongUse(
                f"--each {name}={text}: {one!r} is no range, which has two whole numbers and stands alone, as in "
                f"{name}=1..10; list other values: {name}=1,5,10"
            )
    twice = next((one for at, one in enumerate(values) if one in values[:at]), None)
    if twice is not None:
        raise WrongUse(f"--each {name}={text} has the value {twice} twice: each run has other values")
    return values


def _split(name: str, text: str) -> Iterator[str]:
    """The parts between commas. A list and a text in quotation marks may have commas of their own. Raises `WrongUse` if
    one has no end."""
    at = 0
    while at >= 0:
        comma = text.find(",", _literal_end(name, text, at))
        yield text[at : comma if comma >= 0 else len(text)].strip()
        at = comma + 1 or -1


def _literal_end(name: str, text: str, at: int) -> int:
    """The end of the list or of the text in quotation marks that begins at a position, if one does."""
    begin = at = len(text) - len(text[at:].lstrip())
    if text[begin : begin + 1] not in ('"', "["):
        return begin
    depth = 0
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        if quoted is None and text[at] == '"':
            break
        depth += {"[": 1, "]": -1}.get(text[at], 0)
        at = at + 1 if quoted is None else quoted.end()
        if depth == 0:
            return at
    closing = '"' if text[at : at + 1] == '"' else "]"
    raise WrongUse(f"--each {name}={text}: {text[begin:]} has no closing {closing}")


def _unquoted(value: str) -> str:
    """A value without the quotation marks around the whole of it."""
    if not _QUOTED.fullmatch(value):
        return value
    literal = parse_expression(Source("--each", value, is_argument=True))
    assert isinstance(literal, t.Constant)
    return str(literal.value)


def _options(
    arguments: argparse.Namespace, extra: GivenInputs, params: Mapping[str, object], interrupted: Callable[[], bool],
    about: Mapping[str, object],
) -> Options:  # fmt: skip
    label = _label(params)

    def write(line: str) -> None:
        if not arguments.json:
            show(f"[{label}] {line}")

    def note(line: str) -> None:
        tell(f"tfdsl: [{label}] {line}" if "\n" not in line else line)

    return Options(
        write=write, note=note, logdir=arguments.logdir or extra.logdir, record=arguments.record,
        overwrite=arguments.overwrite, fresh=arguments.fresh, resume_anyway=arguments.resume_anyway,
        interrupted=interrupted, keep_variables=False, engine=arguments.engine, deterministic=True,
        timeout=arguments.timeout, about=about,
    )  # fmt: skip


def _label(params: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in params.items())


# --- what came of all -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of a value over runs, its standard deviation (of a sample; None for one run), and the number of runs."""

    mean: float
    sd: float | None
    n: int


def summarized(outcomes: list[RunOutcome]) -> dict[str, Spread]:
    """Mean and spread of every value of an `evaluate`, over the runs that succeeded."""
    found: dict[str, list[float]] = {}
    for one in outcomes:
        if one.code == 0:
            for name, value in one.evaluated.items():
                if name.partition(".")[0] in one.averaged:
                    found.setdefault(name, []).append(value)
    return {name: _spread(values) for name, values in found.items()}


def _spread(values: list[float]) -> Spread:
    if not all(map(math.isfinite, values)):
        return Spread(math.nan, math.nan, len(values))
    return Spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


def _show(outcomes: list[RunOutcome], summary: dict[str, Spread], wanted: int) -> None:
    done = sum(one.code == 0 for one in outcomes)
    if summary:
        show("")
        rows = [(name, one.mean, one.sd, one.n) for name, one in summary.items()]
        show_table(("value", "mean", "sd", "n"), rows, right=(1, 2, 3))
    if done < wanted:
        show(f"{counted(done, 'run')} of {wanted} succeeded")


def _json(outcomes: list[RunOutcome], summary: dict[str, Spread]) -> dict[str, object]:
    from ..runtime.result import plain

    return {
        "runs": [
            {
                "params": {**one.params, **{name: plain(value) for name, value in one.values.items()}},
                "exit_code": one.code, "record": one.record,
                "evaluated": plain(one.evaluated), "errors": [error.headline for error in one.diagnostics],
                "printed": [] if one.result is None else one.result.printed,
            }
            for one in outcomes
        ],
        "summary": {name: plain({"mean": one.mean, "sd": one.sd, "n": one.n}) for name, one in summary.items()},
    }  # fmt: skip


def _write_record(
    compiled: Compiled, session: str | None, options: Options, id: str, started: float, axes: Mapping[str, list[str]],
    outcomes: list[RunOutcome], summary: dict[str, Spread], code: int,
) -> None:  # fmt: skip
    """Add a record of all runs beside that of the first, if there is one."""
    from ..runs.recording import write_summary

    records = [one.record for one in outcomes if one.record is not None]
    if records:
        values = {name: {"mean": one.mean, "sd": one.sd, "n": one.n} for name, one in summary.items()}
        about = {"kind": "each", "each": id, "values": dict(axes), "runs": list(map(os.path.basename, records))}
        options = replace(options, record=os.path.dirname(records[0]), about=about)
        write_summary(compiled, session, options, id, started, axes, values, code)
