"""`tfdsl run --trace FILE`: when each node of one step ran, as a Chrome trace (chrome://tracing, ui.perfetto.dev).

The step is the second one of the first training, because the first step also sets things up. Without a training it is
the first execution of the graph.
"""

import json
from dataclasses import dataclass

from ...lowering.built import BuiltGraph
from ...lowering.tf import v1
from ...outputs import write_output

SETUP, OTHER, FIRST_STEP, STEP = range(4)  # kinds of executions, ordered by how well they serve as the trace


@dataclass(slots=True)
class Tracer:
    """Keeps the trace of the best execution so far."""

    best: int = SETUP
    built: BuiltGraph | None = None
    metadata: v1.RunMetadata | None = None

    def run(self, kind: int, built: BuiltGraph, session: v1.Session, fetches: list, feed_dict: dict) -> list:
        """Execute the graph, with a trace if this execution is better than the current one."""
        if kind <= self.best:
            return session.run(fetches, feed_dict)
        metadata = v1.RunMetadata()
        options = v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE)
        values = session.run(fetches, feed_dict, options, metadata)
        self.best, self.built, self.metadata = kind, built, metadata
        return values

    def write(self, path: str) -> None:
        """Write the trace: one line per device, one slice per node, with the node's line in the program."""
        write_output(path, json.dumps({"traceEvents": self._events(), "displayTimeUnit": "ms"}, indent=1))

    def _events(self) -> list[dict]:
        events: list[dict] = []
        if self.built is None or self.metadata is None:
            return events
        nodes = {op.name: (op, node) for op, node in self.built.owned()}
        for process, device in enumerate(self.metadata.step_stats.dev_stats):
            events.append({"ph": "M", "name": "process_name", "pid": process, "args": {"name": device.device}})
            for stats in device.node_stats:
                name = stats.node_name.partition(":")[0]
                name = self.built.originals.get(name, name)
                details = {}
                if name in nodes:
                    op, node = nodes[name]
                    details = {"op": op.type, "inputs": [t.name for t in op.inputs], "line": str(node.origin.span)}
                duration = max(stats.op_end_rel_micros - stats.op_start_rel_micros, 1)
                start = stats.all_start_micros + stats.op_start_rel_micros
                events.append({
                    "ph": "X", "name": stats.node_name, "cat": details.get("op", "runtime"), "pid": process,
                    "tid": stats.thread_id, "ts": start, "dur": duration, "args": details,
                })  # fmt: skip
        return events
