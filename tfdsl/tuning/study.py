"""A study: its trials, kept in the journal of Optuna, and which values the next one tries.

Each trial has a number, and its values follow from the seed of the study, that number, and for `tpe` from the trials
before it. So a study that was interrupted goes on with the trials that it would have had, and several processes try
what one alone would try, except with `tpe` and with pruning, which depend on the trials that have ended.
"""

import hashlib
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from ..diagnostics import STUDY_DIFFERS, Diagnostic, TfgError
from ..record import Record
from .space import Space, Value, grid

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

SamplerName: TypeAlias = Literal["tpe", "random", "grid"]
UNPRUNED = 5  # trials that have run to their ends before others are pruned
SAMPLERS: tuple[SamplerName, ...] = ("tpe", "random", "grid")
_NAME = "tfdsl"
_PLAN, _NUMBER, _ERROR = "plan", "number", "error"
_ABSENT = "not given"


class StudyPlan(Record):
    """What makes a study: it cannot change between its trials. `common` is what they have in common besides, by what
    messages call it, such as `--set units` or `the text of p.tfg`."""

    objective: str
    maximize: bool
    space: Space
    sampler: SamplerName
    seed: int
    prune: bool
    common: Mapping[str, str]

    def to_json(self) -> dict[str, str]:
        """The parts as texts, by what messages call them. The order of the space counts: trials follow from it."""
        return {
            "--maximize" if self.maximize else "--minimize": self.objective,
            "--over": ", ".join(f"{name}={axis.text()}" for name, axis in self.space.items()),
            "--sampler": self.sampler, "--seed": str(self.seed), **({"--prune": "given"} if self.prune else {}),
            **self.common,
        }  # fmt: skip


@dataclass(frozen=True)
class EndedTrial:
    """A trial that is over. `status` is done, pruned or failed."""

    number: int
    status: str
    params: dict[str, Value]
    value: float | None
    error: str
    record: str

    def to_json(self) -> dict[str, object]:
        return {
            "trial": self.number, "status": self.status, "value": self.value, "params": self.params,
            "error": self.error, "record": self.record,
        }  # fmt: skip


class Study:
    """The study in a folder, which this process holds.

    Raises `TfgError` if the folder has one with another plan, or if its journal is damaged or lacks a trial.
    """

    def __init__(self, folder: str, plan: StudyPlan):
        import optuna

        from .journal import storage

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        os.makedirs(folder, exist_ok=True)
        self.folder, self.plan = folder, plan
        self._grid = grid(plan.space) if plan.sampler == "grid" else []
        pruner = optuna.pruners.MedianPruner(UNPRUNED) if plan.prune else optuna.pruners.NopPruner()
        self._study = optuna.create_study(
            storage=storage(folder, _NAME, _NUMBER), study_name=_NAME, load_if_exists=True, pruner=pruner,
            direction="maximize" if plan.maximize else "minimize",
        )  # fmt: skip
        self._check()
        self._running: dict[int, Trial] = {}
        self._left = self._interrupted()

    def _check(self) -> None:
        """Compare the plan with the one that the study was begun with."""
        ours = self.plan.to_json()
        known: dict[str, str] | None = self._study.user_attrs.get(_PLAN)
        if known is None:
            self._study.set_user_attr(_PLAN, ours)
        elif ours != known:
            differing = "; ".join(
                f"{name} was {known.get(name, _ABSENT)}, and is {ours.get(name, _ABSENT)} now"
                for name in dict.fromkeys([*known, *ours]) if known.get(name) != ours.get(name)
            )  # fmt: skip
            raise TfgError([Diagnostic(STUDY_DIFFERS, None, {"path": self.folder, "what": differing})])

    def _interrupted(self) -> list[int]:
        """The numbers of trials that were running when a process ended. They are tried again."""
        from optuna.trial import TrialState

        found = [one for one in self._study.get_trials(deepcopy=False) if one.state == TrialState.RUNNING]
        for one in found:
            self._study.tell(one.number, state=TrialState.FAIL)
        ended = {one.number for one in self.ended()}
        return sorted(set(range(max(ended, default=-1) + 1)) - ended)

    # --- trials ---------------------------------------------------------------------------

    def ended(self) -> list[EndedTrial]:
        """The trials that are over, by their numbers."""
        found = map(_ended, self._study.get_trials(deepcopy=False))
        return sorted((one for one in found if one is not None), key=lambda one: one.number)

    @property
    def best(self) -> EndedTrial | None:
        """The trial with the best value, the first of several."""
        done = [one for one in self.ended() if one.status == "done" and one.value is not None]
        sign = -1 if self.plan.maximize else 1
        return min(done, key=lambda one: sign * (one.value or 0.0), default=None)

    @property
    def most(self) -> int | None:
        """The number of different trials, if it is limited."""
        return len(self._grid) if self.plan.sampler == "grid" else None

    def begin(self) -> tuple[int, dict[str, Value]] | None:
        """Begin the next trial: its number and its values. None if a grid has no more."""
        taken = {one.number for one in self.ended()} | set(self._running)
        number = self._left.pop(0) if self._left else max(taken, default=-1) + 1
        if self.most is not None and number >= self.most:
            return None
        self._study.sampler = self._sampler(number)
        trial = self._study.ask()
        trial.set_user_attr(_NUMBER, number)
        values = {name: axis.suggest(trial, name) for name, axis in self.plan.space.items()}
        self._running[number] = trial
        return number, values

    def report(self, number: int, value: float, step: int) -> bool:
        """Record a value of a running trial. Returns whether the trial is to be pruned."""
        if not self.plan.prune:
            return False
        self._running[number].report(value, step)
        return self._running[number].should_prune()

    def end(self, number: int, value: float | None, record: str, error: str = "") -> None:
        """A trial is over. Without a value it has failed, and without an error too it was pruned."""
        from optuna.trial import TrialState

        trial = self._running.pop(number)
        trial.set_user_attr("record", record)
        if value is not None:
            self._study.tell(trial, value)
        elif error:
            trial.set_user_attr(_ERROR, error)
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, state=TrialState.PRUNED)

    def _sampler(self, number: int) -> "BaseSampler":
        """The sampler of one trial. It is seeded anew for each, so that no trial depends on how many there were in
        this process."""
        from optuna import samplers

        text = f"{self.plan.seed} {number}".encode()
        seed = int.from_bytes(hashlib.sha256(text).digest()[:4], "little")
        match self.plan.sampler:
            case "random":
                return samplers.RandomSampler(seed=seed)
            case "tpe":
                return samplers.TPESampler(seed=seed, multivariate=len(self.plan.space) > 1)
            case "grid":
                return samplers.PartialFixedSampler(self._grid[number], samplers.RandomSampler(seed=seed))
            case _:
                assert_never(self.plan.sampler)


def _ended(trial: "FrozenTrial") -> EndedTrial | None:
    from optuna.trial import TrialState

    attributes = trial.user_attrs
    status = {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned"}.get(trial.state)
    if trial.state == TrialState.FAIL and _ERROR in attributes:
        status = "failed"
    if status is None or _NUMBER not in attributes:
        return None
    value = trial.value if status == "done" else None
    return EndedTrial(
        attributes[_NUMBER], status, dict(trial.params), value, attributes.get(_ERROR, ""), attributes.get("record", "")
    )
