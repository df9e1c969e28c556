// The members of interfaces and classes in Cloudflare's types, as JSON: `node members.mjs <Interface> ...`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import ts from "typescript";

const file = createRequire(import.meta.url).resolve("@cloudflare/workers-types/index.d.ts");
const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
const found = {};
const add = (name, members) => {
  found[name] ??= [];
  for (const member of members) {
    const text = member.name?.getText();
    if (text && !found[name].includes(text)) found[name].push(text);
  }
};
for (const node of source.statements) {
  if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) add(node.name.text, node.members);
  // `type Fetcher = (...) & { fetch(...): ... }`
  if (ts.isTypeAliasDeclaration(node) && ts.isIntersectionTypeNode(node.type)) {
    for (const part of node.type.types) if (ts.isTypeLiteralNode(part)) add(node.name.text, part.members);
  }
}
console.log(JSON.stringify(Object.fromEntries(process.argv.slice(2).map((name) => [name, found[name] ?? []]))));
