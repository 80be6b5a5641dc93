"""`tfdsl lsp`: answers a language client over standard input and output, by the functions of this folder.

One thread changes and analyses the documents, in the order of the client's messages; the loop of messages never waits
for it. A change cancels the analyses that it makes outdated. Diagnostics follow a change after a short pause, and the
collection of garbage, which takes as long as several analyses, after a longer one.
"""

import asyncio
import gc
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, BinaryIO, TypeAlias, TypeVar, cast, get_args

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest, JsonRpcParseError
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.uris import from_fs_path, to_fs_path

from .. import __version__
from ..collector import paused
from ..diagnostics import Diagnostic, TfgError
from ..record import Record
from ..source import Span
from .callees import signature_help
from .completion import Item, ItemKind, complete
from .cursor import cursor
from .fixes import fixes
from .formatting import formatted
from .hints import hints
from .hover import hover
from .lookup import names, page_of
from .navigation import Location, definition, references
from .outline import Outline, OutlineKind, folds, outline
from .rename import Refused, renamable, rename
from .text import Edit, LinePosition, OpenText
from .tokens import Modifier, TokenKind, tokens
from .workspace import Cancelled, Document, Workspace, path_of

_PAUSE = 0.02  # seconds between a change and the analysis
_REST = 0.5  # seconds without a change after which garbage is collected
_MOST_ITEMS = 1000  # of a completion
_SEVERITY = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning}
_ITEMS: dict[ItemKind, lsp.CompletionItemKind] = {
    "keyword": lsp.CompletionItemKind.Keyword, "variable": lsp.CompletionItemKind.Variable,
    "constant": lsp.CompletionItemKind.Constant, "function": lsp.CompletionItemKind.Function,
    "module": lsp.CompletionItemKind.Module, "property": lsp.CompletionItemKind.Property,
    "argument": lsp.CompletionItemKind.Field, "type": lsp.CompletionItemKind.TypeParameter,
    "file": lsp.CompletionItemKind.File, "folder": lsp.CompletionItemKind.Folder,
    "value": lsp.CompletionItemKind.Value,
}  # fmt: skip
_SYMBOLS: dict[OutlineKind, lsp.SymbolKind] = {
    "param": lsp.SymbolKind.Constant, "data": lsp.SymbolKind.Array, "placeholder": lsp.SymbolKind.Field,
    "variable": lsp.SymbolKind.Variable, "value": lsp.SymbolKind.Variable, "function": lsp.SymbolKind.Function,
    "scope": lsp.SymbolKind.Namespace, "module": lsp.SymbolKind.Module, "graph": lsp.SymbolKind.Module,
    "session": lsp.SymbolKind.Event, "step": lsp.SymbolKind.Operator, "train": lsp.SymbolKind.Event,
    "loss": lsp.SymbolKind.Property,
}  # fmt: skip
TOKENS, MODIFIERS = list(get_args(TokenKind)), list(get_args(Modifier))  # as the protocol counts them

_Made = TypeVar("_Made")


class _RequestFailed(JsonRpcException):
    """A request that is refused. Clients show the message."""

    CODE = lsp.LSPErrorCodes.RequestFailed


_Message: TypeAlias = Any  # JSON, or an object that pygls makes of it by the method it names
_Result = TypeVar("_Result")
_Steps: TypeAlias = Generator[Any, Any, _Result]  # as pygls types its handlers


class _Json(Record):
    """The result of a request as it is in the message. The objects of the protocol are slow to make by the thousand."""

    value: object


class _Protocol(LanguageServerProtocol):
    """Counts positions in UTF-16, which every client knows, and leaves the texts of documents to the workspace. Answers
    with an error a request that cannot be read, or that follows a shutdown; pygls would leave the client waiting."""

    def structure_message(self, data: dict[str, Any]) -> _Message:  # JSON of a client
        if "method" not in data:
            return super().structure_message(data)
        try:
            return super().structure_message({"params": None, **data})
        except JsonRpcException:
            refused = JsonRpcInvalidParams(f"Invalid params: {data['method']} cannot have these")
            if "id" in data:
                self.refuse(data["id"], refused)
            raise refused from None

    def handle_message(self, message: _Message) -> None:
        if isinstance(message, list | dict | str | int | float | None):  # JSON, but no message
            raise JsonRpcInvalidRequest("Invalid Request: not a message of JSON-RPC 2.0")
        if self._shutdown and hasattr(message, "id") and hasattr(message, "method"):  # pygls would not answer
            self.refuse(message.id, JsonRpcInvalidRequest("Invalid Request: the server has been shut down"))
            return
        super().handle_message(message)

    def _send_response(self, msg_id: _Message, result: _Message = None, error: _Message = None) -> None:
        if isinstance(result, _Json):
            result_types: dict[Any, Any] = cast(Any, self)._result_types  # pygls does not type it
            result_types.pop(msg_id, None)
            self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "result": result.value})
        else:
            super()._send_response(msg_id, result, error)

    def refuse(self, number: int | str | None, why: JsonRpcException) -> None:
        """Answer a request with an error. Its number is None if it cannot be known."""
        error = {"code": why.code, "message": why.message}
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": error})  # pygls leaves out an id of null

    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(self, params: lsp.InitializeParams) -> _Steps[lsp.InitializeResult]:
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = None
        return (yield from super().lsp_initialize(params))

    def _own(self, feature: str, params: object) -> _Steps[None]:
        features: dict[str, Any] = cast(Any, self.fm).features  # pygls does not type it
        yield features[feature], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> _Steps[None]:
        yield from self._own(lsp.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> _Steps[None]:
        yield from self._own(lsp.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> _Steps[None]:
        yield from self._own(lsp.TEXT_DOCUMENT_DID_CLOSE, params)


class TfgServer(LanguageServer):
    """The documents of a client, and what is in progress for them."""

    def __init__(self) -> None:
        cast(Any, super()).__init__("tfdsl", __version__, protocol_cls=_Protocol)  # pygls does not type it
        self.versions: dict[str, int | None] = {}  # of the texts, as the client counts them
        self.documents: Workspace = Workspace()
        self._worker = ThreadPoolExecutor(1)
        self._changes = 0
        self._pending: list[str] = []  # documents to check
        self._waiting: asyncio.Task[None] | None = None

    def report_server_error(self, error: Exception, source: object) -> None:
        """Write an error to the log of the client. One of the client itself is a line there."""
        if source is JsonRpcException:  # of the loop of messages
            if isinstance(error, ValueError):
                error = JsonRpcParseError(f"Parse Error: {error}")
            if isinstance(error, JsonRpcParseError | JsonRpcInvalidRequest):
                assert isinstance(self.protocol, _Protocol)
                self.protocol.refuse(None, error)
        if isinstance(error, JsonRpcException):
            if not isinstance(error, _RequestFailed):
                print(f"tfdsl lsp: {error.message}", file=sys.stderr)
        else:
            traceback.print_exception(error, file=sys.stderr)

    async def run(self, action: Callable[[], _Made]) -> _Made:
        """Do something on the thread of the documents. What a change interrupts begins anew after it."""
        while True:
            changes = self._changes

            def guarded(changes: int = changes) -> _Made:
                self.documents.outdated = lambda: self._changes != changes
                with paused():
                    return action()

            try:
                return await asyncio.get_running_loop().run_in_executor(self._worker, guarded)
            except Cancelled:
                continue

    def document(self, uri: str) -> Document:
        """The document with an address. One that is not open and cannot be read is empty."""
        path = _path(uri)
        try:
            self.documents.source(path)
        except TfgError:
            nothing = Workspace()
            nothing.change(path, OpenText(""))
            return nothing.document(path)
        return self.documents.document(path)

    # --- changes --------------------------------------------------------------------------

    async def change(self, uri: str, version: int | None, changed: Callable[[OpenText], OpenText | None]) -> None:
        """Change the text of a document, or close it, and check it again."""
        self._changes += 1
        path = _path(uri)
        await asyncio.get_running_loop().run_in_executor(self._worker, self._change, path, version, changed)
        self.check_soon(path)

    def _change(self, path: str, version: int | None, changed: Callable[[OpenText], OpenText | None]) -> None:
        known = self.documents.open.get(path)
        self.documents.change(path, changed(OpenText("") if known is None else known))
        self.versions[path] = version

    def check_soon(self, *paths: str) -> None:
        """Publish the diagnostics of documents, and of those that import them, after a pause without changes. Collect
        garbage if the pause goes on."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._pending += paths
        self._waiting = asyncio.get_running_loop().create_task(self._check())

    async def _check(self) -> None:
        await asyncio.sleep(_PAUSE)
        paths = await self.run(self._affected)
        for path in paths:
            self.text_document_publish_diagnostics(await self.run(partial(self._diagnosed, path)))
            await self.run(partial(self._resolve, path))
        self._pending = []
        await asyncio.sleep(_REST)
        await self.run(gc.collect)

    def _affected(self) -> list[str]:
        """The open documents to check, and the closed ones whose diagnostics go away."""
        paths = list(dict.fromkeys(self._pending))
        importers = [other for one in paths for other in self.documents.importers(one)]
        return list(dict.fromkeys([*paths, *(one for one in importers if one in self.documents.open)]))

    def _resolve(self, path: str) -> None:
        """Find the symbols of a document, so that it is known what it imports."""
        if path in self.documents.open:
            self.documents.symbols(path)

    def _diagnosed(self, path: str) -> lsp.PublishDiagnosticsParams:
        if path not in self.documents.open:
            return lsp.PublishDiagnosticsParams(_uri(path), [])
        document = self.documents.document(path)
        found = [diagnostic_of(document, one) for one in document.diagnostics]
        return lsp.PublishDiagnosticsParams(_uri(path), found, self.versions.get(path))


def _path(uri: str) -> str:
    """The path of a document. One that is no file has its address as path."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return os.path.normpath(path) if path else uri


def _uri(path: str) -> str:
    return (from_fs_path(path) if path.startswith("/") else None) or path


# --- what the protocol calls things ---------------------------------------------------------------


def _position(position: LinePosition) -> lsp.Position:
    return lsp.Position(position.line, position.unit)


def _offset(document: Document, position: lsp.Position) -> int:
    return document.text.offset(LinePosition(position.line, position.character))


def _range(text: OpenText, start: int, end: int) -> lsp.Range:
    return lsp.Range(_position(text.position(start)), _position(text.position(end)))


def _location(documents: Workspace, one: Location) -> lsp.Location:
    return lsp.Location(_uri(one.path), _range(documents.text(one.path), one.start, one.end))


def _edits(text: OpenText, edits: list[Edit]) -> list[lsp.TextEdit]:
    return [lsp.TextEdit(_range(text, one.start, one.end), one.text.replace("\n", text.newline)) for one in edits]


def diagnostic_of(document: Document, one: Diagnostic) -> lsp.Diagnostic:
    """A diagnostic at its place in the document. A diagnostic in another file is reported at the import or call that
    leads there."""
    text = document.text
    spans = [span for _, span in one.chain if span.source.path == document.path]
    span = one.span if one.span is not None and one.span.source.path == document.path else next(iter(spans), None)
    related = [] if one.span is None or span is one.span else [("the error is here", one.span)]
    related += [(what, place) for what, place in one.chain if place is not span]
    related += [(note.text.replace("{line}", str(note.span.line)), note.span) for note in one.notes if note.span]
    others = [note.text for note in one.notes if note.span is None]
    message = "\n".join(filter(None, (one.headline, *others, f"help: {one.help_line}" if one.help_line else "")))
    return lsp.Diagnostic(
        _range(text, 0, 0) if span is None else _range(text, span.start, max(span.start, span.end)),
        message,
        _SEVERITY[one.severity],
        one.code,
        lsp.CodeDescription(_uri(page)) if (page := page_of(one.code)) is not None else None,
        source="tfdsl",
        related_information=[
            lsp.DiagnosticRelatedInformation(_location(document.workspace, Location.of(place)), what)
            for what, place in related
            if _is_file(document, path_of(place.source))
        ],
    )


def _is_file(document: Document, path: str) -> bool:
    return path in document.workspace.open or os.path.isfile(path)


def _item(text: OpenText, at: int, item: Item) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        item.label,
        kind=_ITEMS[item.kind],
        detail=item.detail or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, item.documentation) if item.documentation else None,
        sort_text=f"{item.rank}{item.label}",
        text_edit=lsp.TextEdit(_range(text, item.start, at), item.text),
    )


def _outline(text: OpenText, one: Outline) -> dict[str, object]:
    """A `DocumentSymbol`."""
    return {
        "name": one.name,
        "kind": _SYMBOLS[one.kind].value,
        "range": _json_range(text, one.whole),
        "selectionRange": _json_range(text, one.span),
        "detail": one.detail,
        "children": [_outline(text, child) for child in one.children],
    }


def _json_range(text: OpenText, span: Span) -> dict[str, dict[str, int]]:
    start, end = text.position(span.start), text.position(span.end)
    return {
        "start": {"line": start.line, "character": start.unit},
        "end": {"line": end.line, "character": end.unit},
    }


# --- the features ---------------------------------------------------------------------------------


def make_server() -> TfgServer:
    """The server with all its features."""
    server = TfgServer()
    _add_changes(server)
    _add_answers(server)
    _add_navigation(server)
    _add_changes_of_text(server)
    return server


def _add_changes(server: TfgServer) -> None:
    @server.feature(lsp.INITIALIZED)
    async def initialized(params: lsp.InitializedParams) -> None:
        folders = server.workspace.folders.values()
        paths = [_path(one.uri) for one in folders] or (
            [server.workspace.root_path] if server.workspace.root_path else []
        )
        await server.run(lambda: server.documents.folders.extend(paths))
        await server.run(names)  # the first completion need not wait for the reference

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        await server.change(
            params.text_document.uri, params.text_document.version, lambda _: OpenText(params.text_document.text)
        )

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        await server.change(params.text_document.uri, params.text_document.version, lambda text: _changed(text, params))

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        await server.change(params.text_document.uri, None, lambda _: None)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        server.check_soon(_path(params.text_document.uri))

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(params: lsp.DidChangeWatchedFilesParams) -> None:
        await server.run(server.documents.forget_all)
        server.check_soon(*server.documents.open)


def _changed(text: OpenText, params: lsp.DidChangeTextDocumentParams) -> OpenText:
    for change in params.content_changes:
        if isinstance(change, lsp.TextDocumentContentChangePartial):
            start, end = change.range.start, change.range.end
            first, last = LinePosition(start.line, start.character), LinePosition(end.line, end.character)
            text = text.changed(first, last, change.text)
        else:
            text = OpenText(change.text)
    return text


def _add_answers(server: TfgServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def on_hover(params: lsp.HoverParams) -> lsp.Hover | None:
        def answer() -> lsp.Hover | None:
            document = server.document(params.text_document.uri)
            found = hover(document, _offset(document, params.position))
            if found is None:
                return None
            text = lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text)
            return lsp.Hover(text, _range(document.text, found.start, found.end))

        return await server.run(answer)

    options = lsp.CompletionOptions(trigger_characters=[".", '"', "(", ",", "|", "{", "/"])

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, options)
    async def on_completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        def answer() -> lsp.CompletionList:
            document = server.document(params.text_document.uri)
            at = _offset(document, params.position)
            found = complete(document, at)
            items = [_item(document.text, at, one) for one in found[:_MOST_ITEMS]]
            return lsp.CompletionList(len(found) > _MOST_ITEMS, items)

        return await server.run(answer)

    @server.feature(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(trigger_characters=["(", ","]))
    async def on_signature(params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        def answer() -> lsp.SignatureHelp | None:
            document = server.document(params.text_document.uri)
            calls = cursor(document.source.text, _offset(document, params.position)).calls()
            found = next((one for call in reversed(calls) if (one := signature_help(document, call))), None)
            if found is None:
                return None
            callee = found.callee
            parameters = [lsp.ParameterInformation(text) for _, text in callee.parameters]
            text = lsp.MarkupContent(lsp.MarkupKind.Markdown, callee.text) if callee.text else None
            active = found.active if found.active is not None else len(parameters)
            return lsp.SignatureHelp([lsp.SignatureInformation(callee.signature, text, parameters)], 0, active)

        return await server.run(answer)

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, lsp.SemanticTokensLegend(TOKENS, MODIFIERS))
    async def on_tokens(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return await server.run(lambda: lsp.SemanticTokens(token_data(server.document(params.text_document.uri))))

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    async def on_hints(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        def answer() -> list[lsp.InlayHint]:
            document = server.document(params.text_document.uri)
            start, end = _offset(document, params.range.start), _offset(document, params.range.end)
            return [
                lsp.InlayHint(_position(document.text.position(one.offset)), one.text, lsp.InlayHintKind.Type)
                for one in hints(document, start, end)
            ]

        return await server.run(answer)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def on_outline(params: lsp.DocumentSymbolParams) -> _Json:
        def answer() -> _Json:
            document = server.document(params.text_document.uri)
            return _Json([_outline(document.text, one) for one in outline(document)])

        return await server.run(answer)

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    async def on_folds(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        found = await server.run(lambda: folds(server.document(params.text_document.uri)))
        comment = lsp.FoldingRangeKind.Comment
        return [lsp.FoldingRange(one.first, one.last, kind=comment if one.is_comment else None) for one in found]


def token_data(document: Document) -> list[int]:
    """The tokens of a document as the protocol writes them: each relative to the one before."""
    data: list[int] = []
    text, line, unit = document.text, 0, 0
    for one in tokens(document):
        start, end = text.position(one.start), text.position(one.end)
        if start.line != end.line or start == end:
            continue
        modifiers = sum(1 << MODIFIERS.index(name) for name in one.modifiers)
        begun = start.unit - unit if start.line == line else start.unit
        data += [start.line - line, begun, end.unit - start.unit, TOKENS.index(one.kind), modifiers]
        line, unit = start.line, start.unit
    return data


def _add_navigation(server: TfgServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def on_definition(params: lsp.DefinitionParams) -> lsp.Location | None:
        def answer() -> lsp.Location | None:
            document = server.document(params.text_document.uri)
            found = definition(document, _offset(document, params.position))
            return None if found is None else _location(server.documents, found)

        return await server.run(answer)

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    async def on_references(params: lsp.ReferenceParams) -> list[lsp.Location]:
        def answer() -> list[lsp.Location]:
            document = server.document(params.text_document.uri)
            found = references(document, _offset(document, params.position), params.context.include_declaration)
            return [_location(server.documents, one) for one in found]

        return await server.run(answer)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def on_highlight(params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        def answer() -> list[lsp.DocumentHighlight]:
            document = server.document(params.text_document.uri)
            occurrence = document.symbols.at(_offset(document, params.position))
            found = [] if occurrence is None else document.symbols.by_key[occurrence.symbol.key]
            kinds = {True: lsp.DocumentHighlightKind.Write, False: lsp.DocumentHighlightKind.Read}
            return [
                lsp.DocumentHighlight(_range(document.text, one.start, one.end), kinds[one.is_binding]) for one in found
            ]

        return await server.run(answer)


def _add_changes_of_text(server: TfgServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    async def on_prepare(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
        def answer() -> lsp.PrepareRenamePlaceholder:
            document = server.document(params.text_document.uri)
            found = renamable(document, _offset(document, params.position))
            place = _range(document.text, found.start, found.end)
            return lsp.PrepareRenamePlaceholder(place, found.symbol.name)

        return await _refusing(server.run(answer))

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    async def on_rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        def answer() -> lsp.WorkspaceEdit:
            document = server.document(params.text_document.uri)
            found = rename(document, _offset(document, params.position), params.new_name)
            texts = server.documents.text
            return lsp.WorkspaceEdit({_uri(path): _edits(texts(path), edits) for path, edits in found.edits.items()})

        return await _refusing(server.run(answer))

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def on_format(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        def answer() -> list[lsp.TextEdit] | None:
            document = server.document(params.text_document.uri)
            try:
                return _edits(document.text, formatted(document))
            except TfgError:  # the diagnostics say why
                return None

        return await server.run(answer)

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix]))
    async def on_fixes(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        def answer() -> list[lsp.CodeAction]:
            document = server.document(params.text_document.uri)
            start, end = _offset(document, params.range.start), _offset(document, params.range.end)
            return [
                lsp.CodeAction(
                    one.title,
                    lsp.CodeActionKind.QuickFix,
                    [diagnostic_of(document, one.diagnostic)],
                    is_preferred=True,
                    edit=lsp.WorkspaceEdit({_uri(document.path): _edits(document.text, list(one.edits))}),
                )
                for one in fixes(document, start, end)
            ]

        return await server.run(answer)


async def _refusing(answer: Awaitable[_Made]) -> _Made:
    """An answer, or the reason why it is refused as the client shows it."""
    try:
        return await answer
    except Refused as reason:
        raise _RequestFailed(str(reason)) from None


def serve(reads: BinaryIO, writes: BinaryIO) -> None:
    """Serve a client until it says that it ends, or is gone."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # errors are reported below
    make_server().start_io(reads, writes)
