"""Exported models in a process that has TensorFlow and no tfdsl.

`values` calls models in such a process: it is this file as a program. Its input is `request.json` and `inputs.npz` in the
working folder, its output a file of arrays for each model.
"""

import json
import sys
from pathlib import Path

import numpy as np


def values(folder, models, inputs):
    """The outputs of models for the same inputs, each a mapping. A model has a name and a path below the folder; for a
    frozen graph, also the names of its outputs and of the op that prepares it."""
    import forked

    (folder / "request.json").write_text(json.dumps(models))
    np.savez(folder / "inputs.npz", **inputs)
    done = forked.run([sys.executable, __file__], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name: dict(np.load(folder / f"{name}.npz")) for name in models}


def main():
    for name in [name for name in sys.modules if name.partition(".")[0] == "tfdsl"]:
        del sys.modules[name]
    sys.modules["tfdsl"] = None
    import tensorflow as tf

    v1 = tf.compat.v1
    inputs = dict(np.load("inputs.npz"))
    for name, model in json.loads(Path("request.json").read_text()).items():
        if "outputs" in model:
            definition = v1.GraphDef.FromString(Path(model["path"]).read_bytes())
            with tf.Graph().as_default(), v1.Session() as session:
                tf.import_graph_def(definition, name="")
                if model.get("prepare"):
                    session.run(model["prepare"])
                fed = {f"{one}:0": value for one, value in inputs.items()}
                found = session.run({one: f"{one}:0" for one in model["outputs"]}, fed)
        else:
            served = tf.saved_model.load(model["path"]).signatures["serving_default"]
            found = served(**{one: tf.constant(value) for one, value in inputs.items()})
        arrays = {one: np.asarray(value) for one, value in found.items()}
        np.savez(f"{name}.npz", **{one: as_text(value) for one, value in arrays.items()})


def as_text(array):
    """An array without objects, which `np.load` does not read."""
    if array.dtype != object:
        return array
    return np.array([one.decode() for one in array.ravel()]).reshape(array.shape)


if __name__ == "__main__":
    main()
