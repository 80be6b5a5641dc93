"""The engine `step`: it executes the graph once for every statement of every step. It is the reference."""

from ...program import Checkpoint, EngineName, Every, If, Statement, Stop, StopAfter
from ..execution import evaluate
from ..execution.best import improved, since
from ..execution.branches import chosen
from ..statements import execute
from .engine import Checkpointer, Stopped
from .loop import TrainingLoop


def is_after(statement: Statement) -> bool:
    """Whether a statement of a training's body runs after its steps."""
    return isinstance(statement, Every) and statement.after


class StepEngine:
    """One execution of the graph per statement."""

    name: EngineName = "step"

    def __init__(self, loop: TrainingLoop, checkpointer: Checkpointer | None = None, first_statement: int = 0):
        """`first_statement` is the index of the statement with which the next step begins."""
        self.loop, self.checkpointer, self._run = loop, checkpointer, loop.run
        self._first_statement = first_statement

    def begin(self) -> None:
        self.loop.open_stream()

    def advance(self) -> None:
        """Take one step."""
        loop, body = self.loop, self.loop.plan.body
        loop.begin_step()
        part = self._run.options.part
        for at in range(self._first_statement, len(body)):
            if part is not None and not part.takes(loop.step, body[at]):
                continue
            if is_after(body[at]):
                continue
            if isinstance(body[at], Checkpoint):
                if self.checkpointer is not None:
                    self.checkpointer.save_if_due(at + 1)
            elif isinstance(body[at], Every):
                self._statement(body[at])
            else:
                self._run.session.expect(loop.total)
                try:
                    self._statement(body[at])
                finally:
                    self._run.session.expect(1)
        self._first_statement = 0
        self._run.result.steps += 1
        self.end_step()

    def end_step(self) -> None:
        """Run the `after every` blocks that are due after the current step, and go on to the next."""
        loop, part = self.loop, self._run.options.part
        try:
            for one in loop.plan.body:
                if is_after(one) and (part is None or part.takes(loop.step, one)):
                    self._statement(one)
        finally:
            loop.step += 1

    def flush(self) -> None:
        pass

    def close(self) -> None:
        if self.loop.stream is not None:
            self.loop.stream.close()

    @property
    def is_inside_step(self) -> bool:
        """Whether the next step has begun before a checkpoint."""
        return self._first_statement > 0

    def _statement(self, statement: Statement) -> None:
        run = self._run
        match statement:
            case Every():
                if self.loop.is_due(statement):
                    for inner in statement.body:
                        self._statement(inner)
            case Stop():
                fetched = run.fetch(statement.uses().values, statement.feeds, statement.origin)
                if evaluate.truth(run.value(statement.condition, fetched, statement.origin)):
                    raise Stopped
            case If():
                for inner in chosen(run, statement):
                    self._statement(inner)
            case StopAfter():
                is_better = improved(run, statement, statement.by)
                if not is_better and self.loop.passed(statement, since(run, statement)) >= statement.count:
                    raise Stopped
            case _:
                execute(run, statement)
