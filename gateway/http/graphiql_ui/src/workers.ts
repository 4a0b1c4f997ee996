// Monaco, the editor inside GraphiQL, does its language work in web workers. `graphiql/setup-workers/vite` does
// the same, but writes to the console and is not meant for Vite applications: https://github.com/graphql/graphiql/pull/4473
import type {} from "monaco-editor"; // declares window.MonacoEnvironment
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

import { createTrustedTypesPolicy } from "./styles";

window.MonacoEnvironment = {
  createTrustedTypesPolicy,
  getWorker(_moduleId: string, language: string): Worker {
    switch (language) {
      case "graphql":
        return new GraphQLWorker();
      case "json":
        return new JsonWorker();
      default:
        return new EditorWorker();
    }
  },
};
