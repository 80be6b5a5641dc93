"""Programs on a real cluster of 1 ps and 2 workers: same lines and bits as in one process that splits its batches."""

import glob
import os
from pathlib import Path

import pytest
from client import Job, differences, run, same

pytestmark = pytest.mark.loops

MODELS = {path.stem: path for path in sorted((Path(__file__).resolve().parents[3] / "models").glob("*.tfg"))}
ALONE = [name for name in MODELS if not name.startswith("cluster_")]
SOME = ["moons", "one_or_two_executions", "restore_renamed", "shared_outside"]
STEP = ["housing", "moons", "digits"]
SHORT = {"housing": 1, "logistic_regression": 20}  # epochs for long trainings


def checkpoints(folder):
    """Every variable of every checkpoint below a folder, by file and name."""
    from tensorflow import train

    found = {}
    for path in sorted(glob.glob(f"{folder}/**/*.index", recursive=True)):
        reader = train.load_checkpoint(path.removesuffix(".index"))
        for name in reader.get_variable_to_shape_map():
            found[os.path.relpath(path, folder), name] = reader.get_tensor(name)
    return found


@pytest.mark.long
@pytest.mark.parametrize(
    "every",
    [
        [(name, "") for name in SOME],
        pytest.param([(name, "") for name in ALONE] + [(name, "step") for name in STEP], marks=pytest.mark.long),
    ],
    ids=["some", "all"],
)
def test_models_have_the_same_bits_as_two_towers_in_one_process(cluster, tmp_path, every):
    jobs = []
    for name, engine in every:
        params = {"n_epochs": SHORT[name]} if name in SHORT else {}
        for where, options in (("cluster", {"cluster": cluster.config}), ("here", {"towers": 2})):
            folder = tmp_path / f"{name}-{engine}" / where
            jobs.append(Job(MODELS[name], folder, engine=engine, params=params, **options))
    outcomes = run(tmp_path, jobs)
    different = {}
    for (name, engine), ours, theirs in zip(every, outcomes[::2], outcomes[1::2], strict=True):
        assert ours.printed and not ours.errors, (name, ours.errors)
        # A variable that a session does not initialise has no value in one process, but an earlier session's on
        # servers.
        ours.variables = {key: value for key, value in ours.variables.items() if key in theirs.variables}
        found = differences(ours, theirs)
        first, second = (checkpoints(tmp_path / f"{name}-{engine}" / where) for where in ("cluster", "here"))
        found += ["files"] * (first.keys() != second.keys())
        found += [str(key) for key in first if key in second and not same(first[key], second[key])]
        if found:
            different[name, engine] = found
    assert not different
