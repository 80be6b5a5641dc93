"""`tfdsl run`: runs the sessions of a program. Printed lines go to standard output, everything else to standard
error."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from ..diagnostics.spelling import counted
from ..driver import Compiled
from ..outputs import check_output
from ..program import ENGINES, Data, LogTo, known_text, walk
from ..record import replace
from ..source import Source, Span
from ..syntax import tree as t
from ..syntax.parse import parse_anyway
from . import tensorflow
from .compiling import compile_given
from .options import GivenInputs, add_program_options, add_record_option, positive, seconds
from .parser import CommandParser
from .report import WrongUse, colour, errors, refuse_program, show, show_json, tell
from .signals import StopSignal, interruptible, tell_interrupted

if TYPE_CHECKING:
    from ..runtime.checkpoint.store import CheckpointStore
    from ..runtime.result import Result
    from .workers import Workers

_Statement = TypeVar("_Statement", t.Data, t.LogTo)
_MOST_TOWERS = 100


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Compile a program and run its sessions in order. An interrupted training with checkpoints resumes where "
        "it stopped. Ctrl-C or SIGTERM finishes the step, writes a checkpoint and exits with 130 or 143. "
        "A second one ends the run at once."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    add_program_options(parser)
    parser.advice["--resume"] = "a run goes on from its last checkpoint without it; --fresh begins again"
    parser.add_argument("--session", metavar="NAME", help="run only this session")
    parser.add_argument("--logdir", metavar="DIR", help="write event files here instead of the program's folders")
    add_record_option(parser)
    parser.add_argument("--fresh", action="store_true", help="forget the checkpoints of interrupted trainings")
    parser.add_argument("--overwrite", action="store_true", help="let 'write' replace files that it has not made")
    parser.add_argument("--resume-anyway", action="store_true",
                        help="resume from a checkpoint of another program, other data or another machine, "
                             "with the variables that still fit")  # fmt: skip
    parser.add_argument("--verify-resume", action="store_true",
                        help="prove that trainings resume exactly: train undisturbed, train again with a kill "
                             "halfway, resume, and compare every bit; nothing is written here")  # fmt: skip
    parser.add_argument("--engine", choices=ENGINES, default="",
                        help="how trainings take their steps: one execution of the graph each (step), many in one "
                             "(loop, the default), compiled (xla), or compiled if it pays (auto)")  # fmt: skip
    parser.add_argument("--towers", metavar="N", type=positive, default=1,
                        help="split the batch of optimizer steps into N parts, with the same bits as a "
                             "cluster of N workers")  # fmt: skip
    parser.add_argument("--async", action="store_true", dest="asynchronous",
                        help="on a cluster, let each worker train independently, in a separate process: faster if "
                             "workers wait for each other, but not reproducible")  # fmt: skip
    parser.add_argument("--part", help=argparse.SUPPRESS)  # of a process of --async: NUMBER:OF:BOARD
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, default=60.0,
                        help="time limit for a call of a cluster's servers, and for the return of a lost "
                             "server (default: 60)")  # fmt: skip
    parser.add_argument("--placement", choices=("round-robin", "size", "workers"), default="round-robin",
                        help="how to distribute variables: over the parameter servers, in turn or the largest first "
                             "to the server with the least data, or over the workers by size, so that a step sends "
                             "fewer")  # fmt: skip
    parser.add_argument("--trace", metavar="FILE",
                        help="write a Chrome trace of one step, with the program's nodes, to this file")  # fmt: skip
    parser.add_argument("--soft-placement", action="store_true",
                        help="use an available device if the program's device is missing")  # fmt: skip
    parser.add_argument("--show-params", action="store_true",
                        help="print the params, the data and the log folders with where each comes from, and run "
                             "nothing")  # fmt: skip
    parser.add_argument("--each", metavar="NAME=VALUES", action="append", default=[],
                        help="run once for each value of a param, such as seed=1..10 or rate=0.1,0.2, in one process, "
                             "and show the mean and the spread of each evaluate; can be repeated, for all "
                             "combinations")  # fmt: skip
    parser.add_argument("--watch", action="store_true",
                        help="run again whenever the program, an import or data changes, until Ctrl-C")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="print one JSON object with lines, values, history and record of the run")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no warnings and no progress on standard error")
    parser.add_argument("-v", "--verbose", action="store_true", help="report progress on standard error in detail")


def command(arguments: argparse.Namespace) -> int:
    if arguments.each:
        from .each import run_each

        return run_each(arguments)
    if arguments.watch:
        from .rerun import watch

        watch(arguments)
    if arguments.verify_resume:
        from .verify import verify

        return verify(arguments)
    extra, compiled = compile_given(arguments)
    compiled = compiled.on(
        towers=arguments.towers, placement=arguments.placement, cluster=extra.cluster,
        worker=0 if arguments.asynchronous else None,
    )  # fmt: skip
    if arguments.show_params:
        _show_given(compiled, extra, arguments)
        return 0
    if extra.cluster is not None and arguments.towers > 1:
        raise WrongUse("--towers is for one machine: a cluster has a tower for each worker")
    if arguments.towers > _MOST_TOWERS:
        raise WrongUse(f"--towers is at most {_MOST_TOWERS}: each is a copy of what an optimizer computes")
    if arguments.asynchronous and extra.cluster is None:
        raise WrongUse("--async needs a cluster: name one with --config, or use tfdsl launch")
    if arguments.asynchronous and arguments.placement == "workers":
        raise WrongUse("--async needs its variables on the parameter servers: leave out --placement workers")
    if arguments.trace is not None:
        refuse_program(arguments.trace)
        check_output(arguments.trace)
    if arguments.part is not None:
        from .workers import follow

        return follow(arguments, compiled)

    def say(line: str) -> None:
        if arguments.verbose:
            tell(f"tfdsl: {line}")

    if not arguments.quiet and compiled.diagnostics:
        errors(compiled.diagnostics)
    nodes = sum(len(graph.nodes) for graph in compiled.program.graphs)
    say(f"checked {arguments.file}: {counted(nodes, 'node')}, {counted(len(compiled.program.sessions), 'session')}")
    if not compiled.program.sessions:
        compiled.run()  # reports that there is nothing to run
    from ..runtime.checkpoint.store import open_stores

    compiled.prepare(arguments.session)
    with (
        open_stores(compiled.program, arguments.session, compiled.access) as stores,
        _workers(arguments, compiled) as workers,
    ):
        tensorflow.load(lambda: [one.close() for one in stores.values()])
        say("imported TensorFlow")
        with interruptible() as interrupted:
            result = _run(arguments, compiled, extra.logdir, stores, interrupted, workers)
    if arguments.json:
        show_json(result.to_json())
    for folder in result.logdirs:
        say(f"logged to {folder}")
    for folder in result.records:
        say(f"recorded in {folder}")
    say(f"ran {counted(result.steps, 'step')} and met {counted(result.expectations, 'expectation')}")
    if result.interrupted:
        tell_interrupted()
        return 128 + interrupted.signal
    return 0


def _show_given(compiled: Compiled, extra: GivenInputs, arguments: argparse.Namespace) -> None:
    """Print the effective params, the data and the log folders, and where each comes from."""
    from ..data.stage import written_whole
    from .tables import show_table

    program, sessions = compiled.program, compiled.chosen(arguments.session)
    params = [(one, compiled.origins.get(one.name, "default")) for one in program.params]
    data = [
        (one.name, str(extra.data[one.name]), extra.origins[f"data {one.name}"])
        if one.name in extra.data
        else (one.name, _source(one), "program")
        for one in program.data
    ]
    logs = [one for session in sessions for one in walk(session.body) if isinstance(one, LogTo)]
    logdir = arguments.logdir or extra.logdir
    folders = [(one, "program") for one in dict.fromkeys(map(_folder, logs))]
    if logs and logdir:
        folders = [(str(logdir), "--logdir" if arguments.logdir else extra.origins["log folder"])]
    if arguments.json:
        show_json({
            "params": {one.name: {"value": one.value, "type": one.type, "from": origin} for one, origin in params},
            "data": {name: {"source": source, "from": origin} for name, source, origin in data},
            "logs": [{"folder": folder, "from": origin} for folder, origin in folders],
        })  # fmt: skip
        return
    if params:
        rows = [(one.name, written_whole(one.value), one.type, origin) for one, origin in params]
        show_table(("param", "value", "type", "from"), rows)
    else:
        show("no params")
    for header, rows in ((("data", "source", "from"), data), (("log folder", "from"), folders)):
        if rows:
            show("")
            show_table(header, rows)


def _source(data: Data) -> str:
    """The source of a `data` declaration, as the program writes it."""
    (stage,) = [one.stages[0] for one in _statements(data.origin.span.source, t.Data) if one.span == data.origin.span]
    return f"{stage.name}({', '.join(_code(one.span) for one in stage.arguments)})"


def _folder(log: LogTo) -> str:
    """The folder of a `log to`: as it is in every run, or else as the program writes it."""
    (path,) = [one.path for one in _statements(log.origin.span.source, t.LogTo) if one.span == log.origin.span]
    if isinstance(path, t.Constant):
        return str(path.value)
    return known_text(log.path) or _code(path.span)


def _code(span: Span) -> str:
    return span.one_line if "\n" in span.text else span.text


def _statements(source: Source, kind: type[_Statement]) -> list[_Statement]:
    return [one for one in t.trees(parse_anyway(source)) if isinstance(one, kind)]


def _workers(arguments: argparse.Namespace, compiled: Compiled) -> "AbstractContextManager[Workers | None]":
    """The processes of the other workers in an asynchronous training."""
    if not arguments.asynchronous:
        return nullcontext()
    from .workers import Workers

    return Workers(arguments, compiled)


def _run(
    arguments: argparse.Namespace, compiled: Compiled, logdir: str | None, stores: "Mapping[str, CheckpointStore]",
    interrupted: StopSignal, workers: "Workers | None",
) -> "Result":  # fmt: skip
    from ..runtime.options import Options

    def write(line: str) -> None:
        if not arguments.json:
            show(line)

    def note(line: str) -> None:
        # Also with --quiet: resuming from a checkpoint or using other data changes the meaning of a run.
        tell(f"tfdsl: {line}" if "\n" not in line else line)

    options = Options(write=write, note=note, logdir=arguments.logdir or logdir, fresh=arguments.fresh, stores=stores,
                      record=arguments.record, overwrite=arguments.overwrite,
                      resume_anyway=arguments.resume_anyway, interrupted=interrupted, keep_variables=False,
                      engine=arguments.engine, deterministic=True, timeout=arguments.timeout)  # fmt: skip
    if workers is not None:
        options = replace(options, part=workers.part, check=workers.check)
    if not arguments.quiet and sys.stderr.isatty():
        from .progress import bar

        options = replace(options, progress=bar(colour(sys.stderr)))
    if arguments.trace is None:
        return compiled.run(arguments.session, options)
    from ..runtime.execution.trace import Tracer

    tracer = Tracer()
    result = compiled.run(arguments.session, replace(options, tracer=tracer))
    tracer.write(arguments.trace)
    return result
