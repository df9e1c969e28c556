"""`inferstack mcp`: what an agent may look at, and change, by the Model Context Protocol on standard input and output.

A change is a saved plan that the agent has been shown: it names it by its id, and Pulumi refuses it when the world has moved
since. Stacks on Cloudflare change only where `--apply all` says so. What prints tokens (`env`) or destroys (`down`, `reset`)
is not among the tools.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from inferstack import __version__
from inferstack.agents import commands
from inferstack.agents.kept_plans import KeptPlans
from inferstack.config import check_stack, load_stack, stack_names
from inferstack.errors import UserError
from inferstack.shipped import HOME

Apply = Literal["none", "local", "all"]
WORD = r"^[^-]"  # never an option of the command that it is handed to
Stack = Annotated[
    str, Field(description="A stack: the name of a file stacks/NAME.yaml; `stacks` lists them.", pattern=WORD)
]
Since = Annotated[str, Field(description="How far back, such as 15m or 24h.", pattern=r"^\d+(\.\d+)?(ms|s|m|h|d)$")]
Progress = Context[Any, Any]

INSTRUCTIONS = """\
inferstack deploys AI inference on Cloudflare from YAML stack files (stacks/*.yaml), and runs the whole stack on a local
Cloudflare, offline and free. Edit the YAML (its JSON Schema is the resource inferstack://schema), then `check`; `explain` a
finding's code. On stacks with target local, `local_up` brings everything up. To change any stack: `plan`, read what it would
do, then `apply` with its plan_id. Secrets never stand in YAML, only references to them."""

LOOKS = ToolAnnotations(readOnlyHint=True, openWorldHint=False)
CHANGES = ToolAnnotations(readOnlyHint=False, destructiveHint=True, idempotentHint=True)


class Desk:
    """The tools of one project; each method is one, its docstring what the agent reads."""

    def __init__(self, root: Path, apply: Apply) -> None:
        self.root = root
        self.may = apply
        self.plans = KeptPlans(root)

    async def stacks(self) -> dict[str, Any]:
        """List the project's stacks: name, target (local or cloudflare), whether it is protected."""
        found = []
        for name in stack_names(self.root):
            spec = check_stack(name, self.root).spec
            facts = {"target": spec.target, "protected": spec.protected} if spec else {"wrong": "see `check`"}
            found.append({"stack": name, **facts})
        return {"stacks": found}

    async def check(self, stack: Stack | None = None) -> dict[str, Any]:
        """Validate a stack file, or all: findings with file, line, column, why and the fix."""
        return {"findings": await self._told("check", *([stack] if stack else []))}

    async def explain(self, code: Annotated[str, Field(description="Such as IS045.", pattern=WORD)]) -> dict[str, Any]:
        """Tell more of a finding's code."""
        return dict(await self._told("explain", code))

    async def config_show(self, stack: Stack) -> dict[str, Any]:
        """Show a stack as its files make it together; values of environment variables by their names."""
        return dict(await self._told("config", "show", stack, "--named"))

    async def cost(
        self,
        stack: Stack,
        what_if: Annotated[
            dict[str, str] | None, Field(description="Another model by the stack's name of it: {chat: '@cf/…'}.")
        ] = None,
    ) -> dict[str, Any]:
        """Estimate a stack's cost per month by product and model, in USD, beside its budget."""
        others = [f"--what-if={name}={model}" for name, model in (what_if or {}).items()]
        return dict(await self._told("cost", stack, *others))

    async def plan(self, stack: Stack, progress: Progress) -> dict[str, Any]:
        """Tell what `apply` would change: resources, code, data that would be lost, cost. Changes nothing; keeps the plan."""
        plan_id, file = self.plans.new(stack)
        found = dict(await self._told("preview", stack, "--save-plan", str(file), say=_to(progress)))
        return {**found, "plan_id": plan_id if file.exists() else None}

    async def apply(
        self, plan_id: Annotated[str, Field(description="As `plan` gave it.")], progress: Progress
    ) -> dict[str, Any]:
        """Carry out a plan as it was shown, or refuse when anything has moved since."""
        with _told_to_the_agent():
            stack, file = self.plans.find(plan_id)
        if self.may == "none" or (self.may == "local" and self._target(stack) != "local"):
            hand = f"a person carries it out: inferstack up {stack} --plan {file.relative_to(self.root)}"
            raise ToolError(f"this server does not change `{stack}`\n  fix: {hand}; or starts it with --apply all")
        done = await self._told("up", stack, "--plan", str(file), say=_to(progress))
        file.unlink(missing_ok=True)
        return dict(done)

    async def local_up(self, stack: Stack, progress: Progress) -> dict[str, Any]:
        """Bring a stack with target local up: everything runs on this machine, free and offline."""
        if self._target(stack) != "local":
            raise ToolError(f"`{stack}` is on Cloudflare\n  fix: `plan`, then `apply`")
        if self.may == "none":
            raise ToolError("this server changes nothing\n  fix: start it without --apply none")
        return dict(await self._told("up", stack, say=_to(progress)))

    async def status(self, stack: Stack) -> dict[str, Any]:
        """Tell what is live: versions, traffic, addresses."""
        return dict(await self._told("status", stack))

    async def drift(self, stack: Stack) -> dict[str, Any]:
        """Compare the account with the state."""
        return dict(await self._told("drift", stack))

    async def logs(
        self,
        stack: Stack,
        since: Since = "15m",
        worker: Annotated[str | None, Field(description="This one alone.", pattern=WORD)] = None,
        level: Literal["debug", "info", "log", "warn", "error"] = "debug",
        grep: Annotated[str | None, Field(description="A regular expression that the event holds.")] = None,
        limit: Annotated[int, Field(ge=1, le=1000, description="The newest so many.")] = 100,
    ) -> dict[str, Any]:
        """Read requests, logs and exceptions of the time before."""
        words = ["logs", stack, *([worker] if worker else []), "--since", since, "--level", level]
        with _told_to_the_agent():
            found = await commands.lines(self.root, *words, *([f"--grep={grep}"] if grep else []))
        return {"events": found[-limit:], "left_off": max(0, len(found) - limit)}

    async def models(
        self,
        task: Annotated[str | None, Field(description="Such as text-generation, embeddings, speech.")] = None,
        name: Annotated[str | None, Field(description="One model, whole.", pattern=WORD)] = None,
    ) -> dict[str, Any]:
        """List Workers AI's models with price, context and capabilities, or show one."""
        return {"models": await self._told("models", *([name] if name else []), *([f"--task={task}"] if task else []))}

    async def models_plan(self, stack: Stack) -> dict[str, Any]:
        """Tell which models of a stack are deprecated, when they go, and what stands in for them."""
        return dict(await self._told("models", "plan", stack))

    async def gateway_test(
        self,
        stack: Stack,
        model: Annotated[str, Field(description="The stack's name of a model.")],
        user: Annotated[str | None, Field(description="Who asks.")] = None,
        prompt: Annotated[str | None, Field(description="For the local guards to judge.")] = None,
    ) -> dict[str, Any]:
        """Tell how a call would go through AI Gateway: policy, limits, guards, route, price. Asks nothing."""
        more = [*([f"--as={user}"] if user else []), *([f"--prompt={prompt}"] if prompt else [])]
        return dict(await self._told("gateway", "test", stack, f"--model={model}", *more))

    async def _told(self, *words: str, say: commands.Say = commands.nothing) -> Any:
        with _told_to_the_agent():
            return await commands.told(self.root, *words, say=say)

    def _target(self, stack: str) -> str:
        with _told_to_the_agent():
            return load_stack(stack, self.root).target


@contextmanager
def _told_to_the_agent() -> Iterator[None]:
    """What a person would see, as the answer of the tool."""
    try:
        yield
    except UserError as error:
        raise ToolError(str(error)) from None


def _to(progress: Progress) -> commands.Say:
    """Each line of the run as progress of the call, counted, since nobody knows how many come."""
    count = 0

    async def say(line: str) -> None:
        nonlocal count
        count += 1
        await progress.report_progress(count, message=line)

    return say


def serve(root: Path, apply: Apply) -> None:
    """Until the client closes standard input."""
    desk = Desk(root, apply)
    server = MCPServer("inferstack", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING")
    looks: list[Callable[..., Awaitable[Any]]] = [
        desk.stacks,
        desk.check,
        desk.explain,
        desk.config_show,
        desk.cost,
        desk.plan,
        desk.status,
        desk.drift,
        desk.logs,
        desk.models,
        desk.models_plan,
        desk.gateway_test,
    ]
    for tool in looks:
        server.add_tool(tool, annotations=LOOKS)
    for tool in (desk.apply, desk.local_up):
        server.add_tool(tool, annotations=CHANGES)

    @server.resource("inferstack://schema", mime_type="application/schema+json")
    def schema() -> str:
        """The JSON Schema of stack files."""
        return (HOME / "docs" / "stack.schema.json").read_text()

    server.run("stdio")
