"""SIGKILL at random moments of trainings whose sessions have all that sessions have.

That is values, evaluations, best values, branches, written files, and runs beside that of a training. Besides the
conditions of `kills`: once all is done, the same files are there as after the undisturbed run, with the same content.
Of event files, that is the values of each curve. The graph beside a checkpoint (`.meta`), and so the manifest, may
differ: it also has what the run has added to execute it.
"""

import argparse
import hashlib
import logging
import random
import shutil
from pathlib import Path

from .common import Report, main, work_folder
from .forks import REPORT
from .kills import chains, chosen, configure
from .models import STATEMENTS

_MOST = 10  # kills of one training
_GRAPHS = (".meta", ".manifest")
logging.getLogger("tensorboard").setLevel("ERROR")  # it reports when there is more than one file


def files(folder: Path) -> dict[str, object]:
    """What a run has left: the digests of its files, and the curves of each folder with event files."""
    found: dict[str, object] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if name in (REPORT, "stderr"):
            continue
        if "tfevents" in path.name:
            found[f"curves of {path.parent.relative_to(folder)}"] = curves(path.parent)
        else:
            found[name] = path.suffix in _GRAPHS or hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    loaded = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    loaded.Reload()
    return {tag: [(one.step, one.value) for one in loaded.Scalars(tag)] for tag in loaded.Tags()["scalars"]}


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    with work_folder() as work:
        for chain in chains(chosen(STATEMENTS, arguments), work, arguments.count, draw, report, _MOST):
            about = chain.about
            found, wanted = files(chain.folder), files(about.folder)
            report.count("files compared", len(wanted))
            for name in sorted(found.keys() | wanted.keys()):
                if found.get(name) != wanted.get(name):
                    report.fault(f"{about.model.name} on {about.engine}, after {chain.kills} kills: {name} differs")
            shutil.rmtree(chain.folder)


if __name__ == "__main__":
    main("statements", 200, measure, configure)
