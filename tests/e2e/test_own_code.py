"""Workers of one's own code: JavaScript as written, TypeScript with a package through esbuild, Python refused by name."""

from __future__ import annotations

import httpx

from tests.conftest import ROOT
from tests.e2e.conftest import Project

STACK = """
workers:
  plain:
    source: workers/plain
    compatibility_date: "2026-06-01"
    vars: { GREETING: { words: [hello], loud: false } }
  typed:
    source: workers/typed
    compatibility_date: "2026-06-01"
    bindings: { AI: { ai: true } }
queues: { jobs: { consumer: { worker: plain, retry_delay: 30, max_concurrency: 2 } } }
"""
PLAIN = {
    "index.js": """import { greet } from "./lib/greet.js";
export default { fetch: (_, env) => greet(env.GREETING.words[0]), queue() {} };
""",
    "lib/greet.js": "export const greet = (word) => new Response(`${word} from plain`);\n",
}
TYPED = {
    "package.json": '{ "name": "typed", "main": "src/main.ts" }\n',
    "src/main.ts": """import { words } from "words";
import note from "./note.txt";

export default {
  async fetch(_request: Request, env: { AI: { run(model: string, input: object): Promise<{ shape: number[] }> } }) {
    const { shape } = await env.AI.run("@cf/baai/bge-base-en-v1.5", { text: words });
    return Response.json({ shape, note });
  },
};
""",
    "src/note.txt": "a note",
    "node_modules/words/package.json": '{ "name": "words", "type": "module", "main": "index.js" }\n',
    "node_modules/words/index.js": 'export const words = ["one", "two"];\n',
}


def write(project: Project, folder: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = project.root / "workers" / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def get(project: Project, worker: str) -> httpx.Response:
    host = {"host": f"{worker}-dev.local.localhost"}
    return httpx.get(f"http://127.0.0.1:{project.running.port}/", headers=host)


def test_own_code_is_deployed_bundled_where_it_must_be_and_followed(project: Project) -> None:
    file = project.root / "stacks" / "dev.yaml"
    file.write_text("environment: dev\ntarget: local\nlocal: { port: 0, api_port: 0 }\n" + STACK)
    (project.root / "node_modules").symlink_to(ROOT / "node_modules")
    write(project, "plain", PLAIN)
    write(project, "typed", TYPED)
    project.run("up", "dev")
    assert get(project, "plain").text == "hello from plain"
    assert get(project, "typed").json() == {"shape": [2, 768], "note": "a note"}
    [queue] = project.api("GET", "/queues")
    [consumer] = project.api("GET", f"/queues/{queue['queue_id']}/consumers")
    assert (consumer["settings"]["retry_delay"], consumer["settings"]["max_concurrency"]) == (30, 2)
    project.run("preview", "dev", "--expect-no-changes")

    write(project, "plain", {"lib/greet.js": PLAIN["lib/greet.js"].replace("from", "again from")})
    changed = project.operations(project.run("up", "dev"))
    assert get(project, "plain").text == "hello again from plain"
    assert (
        sum(count for name, count in changed.items() if name != "unchanged") == 2
    )  # the version is new, the deployment points at it

    write(project, "typed", {"src/main.ts": 'import { gone } from "./gone";\nexport default gone;\n'})
    refused = project.run("up", "dev", code=None)
    assert 'Could not resolve "./gone"' in refused
    assert "Traceback" not in refused
    project.run("down", "dev", "--yes")
