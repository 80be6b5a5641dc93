"""Warnings about side effects: changes of variables that never happen or happen too often, and logs that no session
writes or that two trainings write to.

Input: the finished program. Output: warnings.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

from ...diagnostics import BRANCH_OUTSIDE, LOG_AGAIN, NEVER_RUNS, UNUSED_VALUE, Diagnostic, Note
from ...program import (
    Enter,
    Exit,
    Graph,
    If,
    Init,
    Item,
    Log,
    LogTo,
    Node,
    Program,
    Ref,
    Restore,
    Statement,
    Train,
    known_text,
    refs_of,
    walk,
)
from ...source import Span
from ...syntax import tree as t
from ..context import Analysis

Place = tuple[tuple[int, int], ...]  # the regions around a node, outermost first: their owners and indices


def warn_effects(ctx: Analysis, graph: Graph, fetched: set[int]) -> set[int]:
    """Warn of changes of variables in and around the regions of a graph, and return the nodes that never run.
    `fetched` has the nodes that sessions fetch."""
    dead = set()
    if not any(node.regions for node in graph.nodes.values()):
        return dead
    places: dict[int, Place] = {}
    uses: dict[int, list[tuple[Place, bool]]] = {}  # the places that use a node, and whether they only wait
    _locate(graph.items, (), places, uses)
    for id, place in places.items():
        node = graph.nodes[id]
        ctx.spend(1, node.origin.span)
        if node.is_write:
            _doubt_outside(ctx, graph, node, place, [] if id in fetched else uses.get(id, []))
    for node in graph.nodes.values():
        for region in node.regions:
            live = set(graph.needed(region))
            for item in region.items:
                for one in _writes(item) if isinstance(item, Node) and item.id not in live else ():
                    if one.id not in dead:
                        dead.add(one.id)
                        ctx.warn(NEVER_RUNS, one.origin, op=one.op, word=_word(node))
    return dead


def _writes(node: Node) -> Iterator[Node]:
    """The nodes in and including this one that change a variable."""
    if node.is_write:
        yield node
    for region in node.regions:
        for item in region.items:
            if isinstance(item, Node):
                yield from _writes(item)


def _word(owner: Node) -> str:
    return "if" if owner.is_branch else owner.op


def _locate(
    items: Iterable[Item], place: Place, places: dict[int, Place], uses: dict[int, list[tuple[Place, bool]]]
) -> None:
    """Record the place and the uses of each node."""
    for item in items:
        match item:
            case Enter():
                for ref in item.refs:
                    uses.setdefault(ref.node, []).append((place, True))
            case Exit():
                pass
            case Node():
                places[item.id] = place
                for ref in (ref for arg in item.args.values() for ref in refs_of(arg)):
                    uses.setdefault(ref.node, []).append((place, False))
                for at, region in enumerate(item.regions):
                    inside = (*place, (item.id, at))
                    for ref in (ref for arg in region.results for ref in refs_of(arg)):
                        uses.setdefault(ref.node, []).append((inside, False))
                    _locate(region.items, inside, places, uses)
            case _:
                assert_never(item)


def _doubt_outside(ctx: Analysis, graph: Graph, node: Node, place: Place, uses: list[tuple[Place, bool]]) -> None:
    """Warn of a change that is made once before an `if` for one of its branches, or before a `while` for each
    iteration."""
    depth = len(place)
    if not uses or any(len(where) <= depth for where, _ in uses):
        return
    owners = {where[depth][0] for where, _ in uses}
    owner = graph.nodes[min(owners)]
    branches = {where[depth][1] for where, _ in uses}
    if len(owners) > 1 or (owner.is_branch and len(branches) > 1):
        return
    if not owner.is_branch and not all(waits for _, waits in uses):
        return
    what = "whatever the branch" if owner.is_branch else "once instead of in every iteration"
    inside = "the branch" if owner.is_branch else "the loop's body" if owner.is_loop else "the function"
    note = Note(f"the '{_word(owner)}' is on line {{line}}", owner.origin.span)
    ctx.warn(BRANCH_OUTSIDE, node.origin, note, name=node.name or node.op, what=what, inside=inside)


def bodies_of(program: Program, graph: Graph) -> list[tuple[Statement, ...]]:
    """The bodies of the sessions of a graph. Sessions that only give variables their values are left out, because such
    a session, as in a lifted program, is only the beginning of one."""
    bodies = [session.body for session in program.sessions if session.graph == graph.name]
    return [body for body in bodies if not all(isinstance(one, (Init, Restore)) for one in body)]


# --- logs -------------------------------------------------------------------------------------


def warn_logs(ctx: Analysis, program: Program, sessions: Iterable[t.Session]) -> None:
    """Warn of summaries that no session writes, and of logs in which steps start at 0 twice."""
    logging = {
        s.graph.id if s.graph else "" for s in sessions if any(isinstance(one, t.Log) for one in _within(s.body))
    }
    for graph in program.graphs:
        for node in graph.summaries() if bodies_of(program, graph) and graph.name not in logging else ():
            help = 'write it with: log to "tf_logs/run-{now}" in a session, and in its training: every 10 steps: log'
            found = Diagnostic(UNUSED_VALUE, node.origin.span, {}, help=help, chain=node.origin.chain)
            ctx.bag.add(found.outside_libraries())
    folders: dict[str, Span] = {}
    for session in program.sessions:
        _doubt_logs(ctx, session.body, folders, {})


def _within(statements: t.Block) -> Iterator[t.Statement]:
    for statement in statements:
        yield statement
        match statement:
            case t.Train(body=body) | t.Every(body=body) | t.For(body=body):
                yield from _within(body)
            case t.If(branches=branches):
                for _, body in branches:
                    yield from _within(body)


def _doubt_logs(
    ctx: Analysis, body: tuple[Statement, ...], folders: dict[str, Span], logged: Mapping[Ref, Span]
) -> dict[Ref, Span]:
    """The summaries in the open log once the statements are done, each with the training that writes it. `logged` are
    those before."""
    logged = dict(logged)
    for statement in body:
        match statement:
            case LogTo():
                logged = {}
                folder = known_text(statement.path)
                first = folders.get(folder) if folder is not None else None
                if first is not None:
                    earlier = f"the session that logs there on line {first.line}"
                    _again(ctx, statement.origin.span, "this session", earlier, first)
                elif folder is not None:
                    folders[folder] = statement.origin.span
            case If():
                branches = statement.then, statement.otherwise
                after = [_doubt_logs(ctx, branch, folders, logged) for branch in branches]
                logged = {ref: span for branch in after for ref, span in branch.items()}
            case Train():
                own = [ref for one in walk(statement.body) if isinstance(one, Log) for ref in one.summaries]
                first = next((logged[ref] for ref in own if ref in logged), None)
                if first is not None:
                    _again(ctx, statement.origin.span, "this training", f"the training on line {first.line}", first)
                logged |= dict.fromkeys(own, statement.origin.span)
    return logged


def _again(ctx: Analysis, span: Span, what: str, first: str, at: Span) -> None:
    ctx.report(LOG_AGAIN, span, (Note("the first is on line {line}", at),), what=what, first=first)
