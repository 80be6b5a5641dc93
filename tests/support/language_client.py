"""A client of `tfdsl lsp`: a process, and the messages of the protocol as JSON."""

import json
import os
import queue
import subprocess
import sys
import threading

WAIT = 600  # seconds for an answer, on a busy machine


class Refused(Exception):
    """The server answered with an error, which has a code."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


class Client:
    """Talks to a server that it starts. `kept` has the messages that nobody has taken yet."""

    def __init__(self, folder, command=(sys.executable, "-m", "tfdsl", "lsp")):
        self.folder = folder
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.messages = queue.Queue()
        self.kept = []
        self.versions = {}
        self.number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        out = self.process.stdout
        while True:
            length = None
            while (line := out.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                assert name in (b"Content-Length", b"Content-Type"), line  # nothing but the protocol
                length = int(value) if name == b"Content-Length" else length
            if length is None:
                self.messages.put(None)
                return
            self.messages.put(json.loads(out.read(length)))

    def _send(self, message):
        self.write(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def write(self, data):
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self.process.stdin.flush()

    def note(self, method, params):
        self._send({"method": method, "params": params})

    def begin(self, method, params):
        """Ask without waiting; return the number of the request."""
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        return self.number

    def _take(self, is_wanted):
        """The first message that is wanted. Others are kept."""
        for at, message in enumerate(self.kept):
            if is_wanted(message):
                return self.kept.pop(at)
        while True:
            message = self.messages.get(timeout=WAIT)
            assert message is not None, self.process.stderr.read().decode()
            if is_wanted(message):
                return message
            self.kept.append(message)

    def answer(self, number):
        message = self._take(lambda one: one.get("id", 0) == number and "method" not in one)
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    def ask(self, method, params):
        return self.answer(self.begin(method, params))

    def diagnostics(self, name, count=None):
        """The diagnostics of the last version of a document. They may come several times, as what it imports changes;
        with a `count`, those that are so many."""
        uri = self.uri(name)

        def is_wanted(message):
            params = message.get("params", {})
            is_of = message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri
            is_last = is_of and params.get("version") == self.versions.get(uri)
            return is_last and (count is None or len(params["diagnostics"]) == count)

        return self._take(is_wanted)["params"]["diagnostics"]

    # --- documents --------------------------------------------------------------------------

    def uri(self, name):
        return f"file://{self.folder}/{name}"

    def document(self, name):
        return {"uri": self.uri(name)}

    def start(self, **capabilities):
        folders = [{"uri": f"file://{self.folder}", "name": "programs"}]
        params = {"processId": os.getpid(), "rootUri": f"file://{self.folder}", "workspaceFolders": folders}
        result = self.ask("initialize", {**params, "capabilities": capabilities})
        self.note("initialized", {})
        return result["capabilities"]

    def open(self, name, text):
        uri = self.uri(name)
        self.versions[uri] = 1
        document = {"uri": uri, "languageId": "tfg", "version": 1, "text": text}
        self.note("textDocument/didOpen", {"textDocument": document})

    def change(self, name, *changes):
        """Changes are (start, end, text), or a whole text."""
        uri = self.uri(name)
        self.versions[uri] += 1
        edits = [
            {"text": one} if isinstance(one, str) else {"range": {"start": one[0], "end": one[1]}, "text": one[2]}
            for one in changes
        ]
        document = {"uri": uri, "version": self.versions[uri]}
        self.note("textDocument/didChange", {"textDocument": document, "contentChanges": edits})

    def close(self, name):
        self.versions.pop(self.uri(name))
        self.note("textDocument/didClose", {"textDocument": self.document(name)})

    def at(self, name, position, **more):
        return {"textDocument": self.document(name), "position": position, **more}

    def end(self):
        """End the server as the protocol says; return its exit code."""
        self.ask("shutdown", None)
        self.note("exit", None)
        return self.process.wait(WAIT)


def place(text, piece, plus=0, number=0):
    """The position of a piece of a text of ASCII, as the protocol writes it."""
    at = -1
    for _ in range(number + 1):
        at = text.index(piece, at + 1)
    at += plus
    line = text.count("\n", 0, at)
    return {"line": line, "character": at - (text.rfind("\n", 0, at) + 1)}


def edited(text, edits):
    """A text of ASCII after edits of the protocol."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(position):
        return starts[position["line"]] + position["character"]

    for one in sorted(edits, key=lambda edit: offset(edit["range"]["start"]), reverse=True):
        text = text[: offset(one["range"]["start"])] + one["newText"] + text[offset(one["range"]["end"]) :]
    return text
