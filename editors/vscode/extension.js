// The client: starts `tfdsl lsp`, and starts it anew when its path changes.
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function start() {
  const command = vscode.workspace.getConfiguration("tfdsl").get("path") || "tfdsl";
  client = new LanguageClient(
    "tfdsl",
    "tfdsl",
    { command, args: ["lsp"] },
    {
      documentSelector: [{ language: "tfg" }],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{tfg,csv,parquet,npz,npy,txt}") },
    },
  );
  return client.start().catch((error) => {
    vscode.window.showErrorMessage(`tfdsl: '${command} lsp' does not start (${error.message}). Set tfdsl.path.`);
  });
}

async function restart() {
  if (client !== undefined && client.needsStop()) {
    await client.stop();
  }
  await start();
}

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand("tfdsl.restart", restart),
    vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("tfdsl.path") && restart()),
  );
  return start();
};

exports.deactivate = () => client?.stop();
