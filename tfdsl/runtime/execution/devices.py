"""Checks before the run that the devices named by `device` exist."""

from ...diagnostics import DEVICE_MISSING
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure
from ...lowering.tf import tf, v1


def check_devices(built: BuiltGraph, session: v1.Session) -> None:
    """Raise an error at the first node that the program places on a missing device."""
    present = [device.name for device in session.list_devices() if not device.device_type.startswith("XLA_")]
    known = [tf.DeviceSpec.from_string(name) for name in present]
    fits: dict[str, bool] = {"": True}
    for op, node in built.owned():
        if op.device not in fits:
            wanted = tf.DeviceSpec.from_string(op.device)
            fits[op.device] = any(_is(wanted, device) for device in known)
        if not fits[op.device]:
            raise failure(DEVICE_MISSING, node.origin, name=op.device, known=", ".join(present))


def _is(wanted: tf.DeviceSpec, device: tf.DeviceSpec) -> bool:
    """Whether a device matches a requested one. Omitted parts match anything."""
    parts = ("job", "replica", "task", "device_type", "device_index")
    return all(getattr(wanted, part) in (None, getattr(device, part)) for part in parts)
