"""What `inferstack init` writes for coding agents: AGENTS.md, a skill and the MCP server's entry.

The skill is where agentskills.io has those that any agent reads; `.mcp.json` is read by most clients, others copy its entry.
"""

from __future__ import annotations

AGENTS = """# For coding agents

- The stack files are `stacks/*.yaml`; their JSON Schema is `docs/stack.schema.json`. `__main__.py` is never edited.
- After each edit: `inferstack check`. It prints file:line:column, why, and the fix; exit code 0 is right, 2 is wrong.
- Add things by `inferstack add worker|index|database|gateway|queue|bucket|namespace NAME`, stacks by `inferstack add stack NAME`.
- Try it: `inferstack up dev` brings everything up on a local Cloudflare, free of cost. `inferstack preview dev` must then say
  that nothing changes.
- `inferstack mcp` gives check, explain, plan, apply, cost, logs and more as tools (`.mcp.json`); the skill
  `.agents/skills/inferstack/SKILL.md` says how a change goes, step by step.
- Never write a secret into a file that git has: `secrets:` hold references (`env:`, `file:.inferstack/…`, `command:`).
- Never run `up`, `down`, `promote` or `rollback` on a stack with `target: cloudflare` unless you were asked to.
- Applied files of `migrations/` are not edited: add one with the next number.
"""
SKILL = """---
name: inferstack
description: Change, check, price, deploy or debug AI inference on Cloudflare in this project (stacks/*.yaml, Workers, models,
  Vectorize, D1, AI Gateway). Use it for any edit of a stack file, a failing check, a cost question, logs, or a rollback.
---

# A change of a stack

1. Look: `inferstack config show dev` is the stack as its files make it together; `--origin` says which line each value is from.
2. Edit `stacks/*.yaml`. Keys and their bounds: `docs/stack.schema.json`. Models: `inferstack models --task text-generation`.
3. `inferstack check`. Each finding has file:line:column, why and the fix; `inferstack explain CODE` says more. Mend all.
4. `inferstack up dev`: everything runs on a local Cloudflare, offline and free. `inferstack ask dev "…"` or the addresses that
   `inferstack status dev` tells. Then `inferstack preview dev --expect-no-changes` must end with 0.
5. `inferstack cost STACK`, `inferstack cost STACK --what-if chat=MODEL`: what it costs a month, and what another model would.
6. For a stack on Cloudflare: `inferstack preview STACK --save-plan plan.json`, show what it would do to the person who asked,
   and only on their word `inferstack up STACK --plan plan.json`.

# When something is wrong

- `inferstack logs STACK --since 15m --level error`; `inferstack top STACK --once`; on a local stack `inferstack console`.
- `inferstack drift STACK`: what was changed by hand. `inferstack history STACK`, then `inferstack rollback STACK` if asked.
- `inferstack gateway test STACK --model NAME`: policy, limits, route and price of a call, without asking it.
- `inferstack doctor` when a program is missing.

Every command takes `--format json`; `inferstack COMMAND --help` has examples of its options.
"""
MCP = """{
  "mcpServers": {
    "inferstack": { "command": "inferstack", "args": ["mcp"] }
  }
}
"""
FOR_AGENTS = {"AGENTS.md": AGENTS, ".agents/skills/inferstack/SKILL.md": SKILL, ".mcp.json": MCP}
