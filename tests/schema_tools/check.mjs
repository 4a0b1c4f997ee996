// Reads a schema file the way its users will: `node check.mjs path/to/schema.graphql` exits 1 with what is wrong.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { generate } from "@graphql-codegen/cli";
import { ESLint } from "eslint";
import { buildSchema, validateSchema } from "graphql";
import { lintConfig } from "./lint-config.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const EXAMPLES = resolve(HERE, "../../gateway/http/graphiql_ui/examples");

/** graphql-js accepts the schema. Returns the mistakes. */
async function mistakesOfGraphqlJs(schemaPath) {
  try {
    return validateSchema(buildSchema(await readFile(schemaPath, "utf8"))).map(String);
  } catch (mistake) {
    return [String(mistake)];
  }
}

/** Every rule of lint-config.mjs holds; a warning counts as a mistake. Returns the mistakes. */
async function mistakesOfEslint(schemaPath) {
  const eslint = new ESLint({
    cwd: dirname(schemaPath), // ESLint refuses files outside of its working directory
    overrideConfigFile: true, // do not look for a configuration beside the schema
    overrideConfig: lintConfig(schemaPath),
  });
  const results = await eslint.lintFiles([schemaPath]);
  return results.flatMap((result) =>
    result.messages.map(({ line, column, message, ruleId }) => `${line}:${column} ${message} (${ruleId})`),
  );
}

/** The types generated for the schema and for the example operations of GraphiQL compile. Returns the mistakes. */
async function mistakesOfCodegen(schemaPath) {
  const folder = await mkdtemp(join(tmpdir(), "schema-tools-"));
  try {
    const generated = await generate(codegenConfig(schemaPath, folder), false);
    await Promise.all(generated.map(({ filename, content }) => writeFile(filename, content)));
    return mistakesOfTypescript(generated.map(({ filename }) => filename));
  } catch (mistake) {
    return [mistake.message];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function codegenConfig(schemaPath, folder) {
  return {
    cwd: HERE,
    silent: true,
    schema: schemaPath,
    documents: join(EXAMPLES, "*.graphql"),
    config: { strictScalars: true, scalars: { DateTime: "string", JSON: "unknown" } },
    generates: {
      [join(folder, "schema.ts")]: { plugins: ["typescript"] },
      [join(folder, "operations.ts")]: { plugins: ["typescript-operations"] },
    },
  };
}

function mistakesOfTypescript(files) {
  const compiler = join(HERE, "node_modules/typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [compiler, "--ignoreConfig", "--noEmit", "--strict", ...files],
    { cwd: HERE, encoding: "utf8" },
  );
  return status === 0 ? [] : [stdout + stderr];
}

const [given, ...rest] = process.argv.slice(2);
if (given === undefined || rest.length > 0) {
  console.error("usage: node check.mjs path/to/schema.graphql");
  process.exit(2);
}
const schemaPath = resolve(given);
// In order: what graphql-js cannot build, the others only complain about in worse words.
for (const [tool, findMistakes] of [
  ["graphql-js", mistakesOfGraphqlJs],
  ["eslint", mistakesOfEslint],
  ["codegen", mistakesOfCodegen],
]) {
  const mistakes = await findMistakes(schemaPath);
  if (mistakes.length > 0) {
    console.error(`${given}: ${tool} found ${mistakes.length}:\n${mistakes.map((mistake) => `  ${mistake}`).join("\n")}`);
    process.exit(1);
  }
  console.log(`${given}: ${tool} is satisfied`);
}
