// node make.mjs <tool>: writes the manifest of this folder's documents to manifest.json, by the tool itself.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { generate } from "@graphql-codegen/cli";

function run(script, ...words) {
  const ended = spawnSync(process.execPath, [`node_modules/${script}`, ...words], { stdio: "inherit" });
  if (ended.status !== 0) process.exit(1);
}

function relay(algorithm) {
  mkdirSync("artifacts");
  writeFileSync("manifest.json", "{}"); // the compiler adds to a file that is there
  const persistConfig = { file: "./manifest.json", algorithm };
  const config = { src: ".", schema: "./schema.graphql", language: "javascript", artifactDirectory: "./artifacts" };
  writeFileSync("relay.config.json", JSON.stringify({ ...config, excludes: ["**/apollo.js"], persistConfig }));
  run("relay-compiler/cli.js", "relay.config.json");
}

async function codegen(persistedDocuments) {
  const generates = { "generated/": { preset: "client", presetConfig: { persistedDocuments } } };
  await generate({ schema: "schema.graphql", documents: ["codegen.graphql"], silent: true, generates }, true);
  copyFileSync("generated/persisted-documents.json", "manifest.json");
}

const tools = {
  apollo: () => {
    const config = { documents: ["apollo.js"], output: "manifest.json" };
    writeFileSync("persisted-query-manifest.config.json", JSON.stringify(config));
    run("@apollo/generate-persisted-query-manifest/cli.js");
  },
  "relay md5": () => relay("MD5"),
  "relay sha256": () => relay("SHA256"),
  codegen: () => codegen(true),
  "codegen sha1": () => codegen({ hashAlgorithm: "sha1" }),
};
await tools[process.argv[2]]();
