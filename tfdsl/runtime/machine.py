from ..lowering.tf import tf


def machine():
    return {"tensorflow": tf.__version__}
