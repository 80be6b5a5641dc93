"""`tfdsl lsp` in a real session of edits, over standard input and output."""

import asyncio
import gc
import sys
from pathlib import Path

import pytest
from edited_programs import LAYERS, NETWORK
from language_client import Client, Refused, edited, place

from tfdsl.editor import server as server_of_editors
from tfdsl.editor.server import make_server

DATA = "moons(100, noise=0.1, seed=4) | split(test=0.2)"
MAIN = (
    NETWORK.replace("DATA", DATA)
    + """cost = reduce_mean(sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
optimize cost with adam(learning_rate=rate)

session:
    train 3 epochs on d.train in batches of 20 as b:
        feed X = b.features, y = b.target
    print cost with X = d.test.features, y = d.test.target
"""
)


@pytest.fixture
def server(tmp_path):
    """Starts a server by a command."""
    started = []

    def start(*command):
        started.append(Client(tmp_path, *([command] if command else [])))
        return started[-1]

    yield start
    for made in started:
        made.process.kill()
        made.process.wait()
        for stream in (made.process.stdin, made.process.stdout, made.process.stderr):
            stream.close()


@pytest.fixture
def client(server):
    return server()


def test_a_session(client, tmp_path):
    (tmp_path / "layers.tfg").write_text(LAYERS)
    can = client.start()
    assert can["textDocumentSync"]["change"] == 2
    assert can["positionEncoding"] == "utf-16"

    # Errors are reported while typing, even in a file that was never saved.
    client.open("main.tfg", MAIN)
    assert client.diagnostics("main.tfg") == []
    begin = place(MAIN, "learning_rate=rate", 14)
    end = {**begin, "character": begin["character"] + 4}
    client.change("main.tfg", (begin, end, "rte"))
    (wrong,) = client.diagnostics("main.tfg")
    assert (wrong["code"], wrong["severity"], wrong["range"]["start"]) == ("TFG301", 1, begin)
    assert "did you mean 'rate'?" in wrong["message"]

    # A quick fix mends it.
    context = {"diagnostics": [wrong]}
    around = {"textDocument": client.document("main.tfg"), "range": wrong["range"], "context": context}
    (fix,) = client.ask("textDocument/codeAction", around)
    (change,) = fix["edit"]["changes"][client.uri("main.tfg")]
    assert change["newText"] == "rate"
    client.change("main.tfg", (change["range"]["start"], change["range"]["end"], change["newText"]))
    assert client.diagnostics("main.tfg") == []

    # An imported file is open, too: its text counts, not its file, and the program that imports it is checked again.
    client.open("layers.tfg", LAYERS)
    assert client.diagnostics("layers.tfg") == []
    client.change("layers.tfg", LAYERS.replace("X * factor", "X @ [factor]"))
    assert client.diagnostics("layers.tfg") == []  # nothing calls it there
    (wrong,) = client.diagnostics("main.tfg", count=1)
    assert wrong["range"]["start"] == place(MAIN, "layers.half(h")
    assert wrong["relatedInformation"][0]["location"]["uri"] == client.uri("layers.tfg")
    client.change("layers.tfg", LAYERS)
    assert client.diagnostics("main.tfg", count=0) == []

    # Hover, completion, signatures.
    shown = client.ask("textDocument/hover", client.at("main.tfg", place(MAIN, "logits = nn")))
    assert "logits: float32[batch, 1]" in shown["contents"]["value"]
    shown = client.ask("textDocument/hover", client.at("main.tfg", place(MAIN, "reduce_mean(")))
    assert "The mean." in shown["contents"]["value"]
    found = client.ask("textDocument/completion", client.at("main.tfg", place(MAIN, "b.features", 2)))
    assert {"features", "target", "x0"} <= {one["label"] for one in found["items"]}
    given = client.ask("textDocument/signatureHelp", client.at("main.tfg", place(MAIN, "factor=0.5", 7)))
    assert given["signatures"][0]["label"] == "layers.half(X, factor=0.5)"
    assert given["activeParameter"] == 1

    # Definitions and references across files.
    where = client.ask("textDocument/definition", client.at("main.tfg", place(MAIN, "half(h")))
    assert (where["uri"], where["range"]["start"]) == (client.uri("layers.tfg"), place(LAYERS, "half(X"))
    uses = client.ask(
        "textDocument/references",
        client.at("layers.tfg", place(LAYERS, "half(X"), context={"includeDeclaration": False}),
    )
    assert [one["uri"] for one in uses] == [client.uri("main.tfg")]

    # Renaming across both files, and where it would clash.
    changes = client.ask("textDocument/rename", client.at("main.tfg", place(MAIN, "factor=0.5"), newName="share"))
    assert edited(LAYERS, changes["changes"][client.uri("layers.tfg")]) == LAYERS.replace("factor", "share")
    assert edited(MAIN, changes["changes"][client.uri("main.tfg")]) == MAIN.replace("factor", "share")
    with pytest.raises(Refused, match="line 12 has the name 'logits' already"):
        client.ask("textDocument/rename", client.at("main.tfg", place(MAIN, "cost with"), newName="logits"))
    with pytest.raises(Refused, match="'relu' is a name of the language"):
        client.ask("textDocument/prepareRename", client.at("main.tfg", place(MAIN, "relu)")))

    # The outline, hints, colours and folds.
    parts = client.ask("textDocument/documentSymbol", {"textDocument": client.document("main.tfg")})
    scope = next(one for one in parts if one["name"] == "dnn")
    assert [one["name"] for one in scope["children"]] == ["h", "h", "logits"]
    begun, ended = MAIN[: MAIN.index("scope dnn")].count("\n"), MAIN[: MAIN.index("logits =")].count("\n")
    assert scope["selectionRange"] == {
        name: {"line": begun, "character": at} for name, at in (("start", 6), ("end", 9))
    }
    assert (scope["range"]["start"]["line"], scope["range"]["end"]["line"]) == (begun, ended) and scope["kind"] == 3
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    hints = client.ask("textDocument/inlayHint", {"textDocument": client.document("main.tfg"), "range": whole})
    assert ": float32[batch, 4]" in [one["label"] for one in hints]
    colours = client.ask("textDocument/semanticTokens/full", {"textDocument": client.document("main.tfg")})
    assert len(colours["data"]) % 5 == 0
    folded = client.ask("textDocument/foldingRange", {"textDocument": client.document("main.tfg")})
    assert (8, 11) in [(one["startLine"], one["endLine"]) for one in folded]

    # Formatting, and a text with a syntax error, which has none.
    options = {"textDocument": client.document("main.tfg"), "options": {"tabSize": 4, "insertSpaces": True}}
    assert client.ask("textDocument/formatting", options) == []
    client.change("main.tfg", MAIN.replace("param rate = 0.01", "param  rate=0.01"))
    assert (
        edited(MAIN.replace("param rate = 0.01", "param  rate=0.01"), client.ask("textDocument/formatting", options))
        == MAIN
    )
    client.change("main.tfg", MAIN + "    print (\n")
    assert [one["code"] for one in client.diagnostics("main.tfg")] == ["TFG108"]
    assert client.ask("textDocument/formatting", options) is None

    # A document that is closed has no diagnostics. The file counts again.
    client.close("layers.tfg")
    assert client.diagnostics("layers.tfg") == []
    client.change("main.tfg", MAIN)
    assert client.diagnostics("main.tfg") == []
    if sys.platform == "linux":  # nothing was imported that takes seconds
        assert "tensorflow" not in Path(f"/proc/{client.process.pid}/maps").read_text()
    assert client.end() == 0


@pytest.mark.long
def test_garbage_is_collected_when_the_client_pauses(monkeypatch):
    collected = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(1))

    async def session():
        made = make_server()
        monkeypatch.setattr(server_of_editors, "_REST", 3600)
        made.check_soon()
        first = made._waiting
        await asyncio.sleep(0.05)
        monkeypatch.setattr(server_of_editors, "_REST", 0)
        made.check_soon()  # a change before the pause is over
        await made._waiting
        assert first.cancelled() and collected == [1]

    asyncio.run(session())


def test_errors_of_requests_are_answers(client):
    """A document that cannot be read is empty. An unknown request gets an error, and the server goes on."""
    client.start()
    position = {"line": 0, "character": 0}
    for name in ("nowhere.tfg", ""):  # the latter is a folder
        assert client.ask("textDocument/hover", client.at(name, position)) is None
        assert client.ask("textDocument/documentSymbol", client.at(name, position)) == []
    web = {"textDocument": {"uri": "http://localhost/a.tfg"}, "position": position}
    assert client.ask("textDocument/hover", web) is None
    with pytest.raises(Refused, match="Method Not Found"):
        client.ask("textDocument/unheardOf", {})
    client.open("a.tfg", "x = 1\n")
    assert client.diagnostics("a.tfg") == []
    assert client.end() == 0


def test_edits_are_never_waited_for(client):
    """Many changes at once, with requests between them, each of which cancels the analysis of the text before it."""
    client.start()
    text = "w0 = constant(1.0)\n"
    client.open("a.tfg", text)
    asked = []
    for number in range(1, 40):
        line = f"w{number} = w{number - 1} + 1.0\n"
        end = {"line": number, "character": 0}
        client.change("a.tfg", (end, end, line))
        asked.append(client.begin("textDocument/hover", client.at("a.tfg", {"line": number - 1, "character": 0})))
    answers = [client.answer(number) for number in asked]
    assert all(f"w{at}: float32" in one["contents"]["value"] for at, one in enumerate(answers))
    client.change("a.tfg", (end, end, "w = \n"))
    assert len(client.diagnostics("a.tfg")) == 1
    assert client.end() == 0


def test_a_request_that_cannot_be_answered_is_answered_with_an_error(tmp_path, server):
    """And the log has a line for it, not a traceback."""
    fails = "import tfdsl.editor.server as s, tfdsl.cli as c; s.definition = lambda *_: 1 / 0; c.main(['lsp'])"
    client = server(sys.executable, "-c", fails)
    client.start()
    at = client.at("a.tfg", {"line": 0, "character": 0})

    def error(method, params):
        with pytest.raises(Refused) as refused:
            client.ask(method, params)
        return refused.value.code

    positions = {"line": 0, "character": -1}, {"line": "a", "character": 0}, {"line": 0}, None
    wrong = {}, [1], None, 5, *({**at, "position": one} for one in positions)
    assert {error("textDocument/hover", one) for one in wrong} == {-32602}
    assert error("textDocument/rename", at) == -32602  # the new name is missing
    assert error("textDocument/unheardOf", None) == -32601
    assert error("textDocument/definition", at) == -32603
    client.note("textDocument/didOpen", {})  # has no answer
    for text, code in ((b"{", -32700), (b"\xff", -32700), (b"[]", -32600), (b"{}", -32600)):
        client.write(text)
        with pytest.raises(Refused) as refused:
            client.answer(None)
        assert refused.value.code == code
    assert client.ask("textDocument/hover", at) is None
    assert client.end() == 0
    log = client.process.stderr.read().decode().splitlines()
    assert len(log) == 16 and all(line.startswith("tfdsl lsp: ") for line in log)
    assert "tfdsl lsp: ZeroDivisionError: division by zero" in log


def test_a_request_after_shutdown_is_refused(client):
    client.start()
    assert client.ask("shutdown", None) is None
    with pytest.raises(Refused) as refused:
        client.ask("textDocument/hover", client.at("a.tfg", {"line": 0, "character": 0}))
    assert refused.value.code == -32600
    client.note("exit", None)
    assert client.process.wait(60) == 0
