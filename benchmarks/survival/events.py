"""SIGKILL at random moments of trainings that log each step and are restarted until they are done.

Condition: in each of TensorBoard's loaders, each step occurs once, with the value in the event files of the undisturbed
run. The loaders are the slow one in Python (`EventAccumulator`), the one in Python that TensorBoard itself uses
(`PluginEventAccumulator`), and the fast one, its data server, if installed.
"""

import argparse
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

from .common import Report, main, work_folder
from .kills import Chain, chains
from .models import LOGGING

Curve = list[tuple[int, float]]
_TAG = "MSE"
_MOST = 8  # kills of one training
logging.getLogger("tensorboard").setLevel("ERROR")  # it reports when there is more than one file


def slow(folder: Path) -> Curve:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    loaded = EventAccumulator(str(folder), size_guidance={"scalars": 0}, purge_orphaned_data=True)
    loaded.Reload()
    return [(event.step, event.value) for event in loaded.Scalars(_TAG)] if _TAG in loaded.Tags()["scalars"] else []


def plugin(folder: Path) -> Curve:
    from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    loaded = EventAccumulator(str(folder), tensor_size_guidance={"scalars": 0}, purge_orphaned_data=True)
    loaded.Reload()
    tags = loaded.Tags()["tensors"]
    return [(e.step, make_ndarray(e.tensor_proto).item()) for e in loaded.Tensors(_TAG)] if _TAG in tags else []


def fast(folders: dict[str, Path], work: Path) -> dict[str, Curve] | None:
    """All curves at once, loaded by the data server. None if it is not installed."""
    try:
        import tensorboard_data_server
    except ImportError:
        return None
    from tensorboard.context import RequestContext
    from tensorboard.data.server_ingester import ServerBinary, SubprocessServerDataIngester
    from tensorboard.util.grpc_util import ChannelCredsType

    path = work / "all"
    path.mkdir()
    for name, folder in folders.items():
        (path / name).symlink_to(folder, target_is_directory=True)
    server = SubprocessServerDataIngester(
        server_binary=ServerBinary(tensorboard_data_server.server_binary(), tensorboard_data_server.__version__),
        logdir=str(path), reload_interval=0, channel_creds_type=ChannelCredsType.LOCAL,
        samples_per_plugin={"scalars": 0},
    )  # fmt: skip
    server.start()
    provider, context = server.data_provider, RequestContext()
    # It answers while it still loads: wait until two answers are the same.
    before: dict[str, Curve] = {}
    while True:
        read = provider.read_scalars(context, experiment_id="", plugin_name="scalars", downsample=10**6)
        now = {run: [(p.step, p.value) for p in tags[_TAG]] for run, tags in read.items() if _TAG in tags}
        if now == before and len(now) == len(folders):
            return now
        before = now
        time.sleep(1)


def compare(name: str, loader: str, found: Curve, wanted: Curve, report: Report) -> None:
    steps = [step for step, _ in found]
    doubled = len(steps) - len(set(steps))
    lost = len({step for step, _ in wanted} - set(steps))
    report.most("records lost, at most", lost)
    report.most("points doubled, at most", doubled)
    if found == wanted:
        report.count(f"curves that are right ({loader})")
    else:
        odd = [pair for pair in found if pair not in wanted][:3]
        report.fault(f"{name}: the {loader} loader has {doubled} points doubled, {lost} lost, and wrong ones: {odd}")


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    loaders: dict[str, Callable[[Path], Curve]] = {"slow": slow, "plugin": plugin}
    with work_folder() as work:
        done: dict[str, tuple[Chain, Path]] = {}
        for chain in chains(LOGGING, work, arguments.count, draw, report, _MOST):
            done[chain.folder.name] = chain, chain.folder / "logs"
        wanted: dict[Path, Curve] = {}
        for chain, _ in done.values():
            folder = chain.about.folder
            if folder not in wanted:
                wanted[folder] = slow(folder / "logs")
                if [step for step, _ in wanted[folder]] != list(range(chain.about.model.steps)):
                    report.fault(f"{chain.about.model.name}: the undisturbed run logs {len(wanted[folder])} points")
        for name, (chain, logs) in done.items():
            for loader, load in loaders.items():
                label = f"{name}, {chain.about.model.name} on {chain.about.engine}"
                compare(label, loader, load(logs), wanted[chain.about.folder], report)
        curves = fast({name: logs for name, (_, logs) in done.items()}, work)
        for name, (chain, _) in done.items() if curves is not None else ():
            compare(name, "fast", curves.get(name, []), wanted[chain.about.folder], report)
        if curves is None:
            report.figures["fast loader"] = "not installed"


if __name__ == "__main__":
    main("events", 200, measure)
