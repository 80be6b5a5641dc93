// Copies what the extension shares with the rest of the project: the grammar and the licence.
const { copyFileSync } = require("node:fs");
const { join } = require("node:path");

copyFileSync(join(__dirname, "..", "tfg.tmLanguage.json"), join(__dirname, "tfg.tmLanguage.json"));
copyFileSync(join(__dirname, "..", "..", "LICENSE"), join(__dirname, "LICENSE"));
