"""`inferstack load-test`."""

from pathlib import Path
from typing import Annotated

import typer

from inferstack.cli import printing, redrawn
from inferstack.cli.app import RUN, command
from inferstack.cli.parameters import Format, Stack, Worker, Yes
from inferstack.cli.projects import project
from inferstack.errors import ConfigError


@command(RUN, "load-test")
def load_test(
    stack: Stack,
    worker: Worker = None,
    request: Annotated[str | None, typer.Option(metavar='"POST /ask"', help="Else what its template is for.")] = None,
    body: Annotated[str | None, typer.Option(metavar="JSON|@FILE", help="Of each request.")] = None,
    secret: Annotated[
        str | None, typer.Option(metavar="NAME", help="The Worker's secret that callers are known by.")
    ] = None,
    requests: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 200,
    seconds: Annotated[float, typer.Option("--for", min=0.1, max=600, help="And at most so long.")] = 60,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=256, help="So many on the way together.")] = 8,
    warm_up: Annotated[int, typer.Option("--warm-up", min=0, max=1000, help="Before, not counted.")] = 3,
    limits: Annotated[
        Path | None, typer.Option("--thresholds", metavar="FILE", help="YAML: p95: 800ms, error_rate: 0.01, …")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with plots, too.")] = None,
    url: Annotated[str | None, typer.Option(help="The Worker's address (stacks on Cloudflare).")] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="On Cloudflare: the most that it may cost.")
    ] = None,
    yes: Yes = False,
    style: Format = "text",
) -> int:
    """Send many requests to a Worker; times, errors, cost.

    Time to the first token and to the end, tokens a second, errors, USD. Exits with 1 when a threshold is passed, or when
    nothing is answered well.
    """
    from inferstack.live.load import verdict
    from inferstack.live.load.asked import Wish
    from inferstack.live.load.bounded import load_test as run
    from inferstack.live.load.measured import Bounds

    if budget is not None and not yes:
        raise ConfigError("a budget is money\n  fix: say --yes, too")
    bounds = verdict.thresholds(limits) if limits else {}
    wish = Wish(worker, request, body, secret, url)
    with redrawn.counting("requests", requests) as follow:
        done = run(stack, project(), wish, Bounds(requests, seconds, at_once, warm_up), budget, follow)
    broken = verdict.passed_over(done.figures, bounds)
    if html is not None:
        html.write_text(verdict.page(f"Load test of {stack}: {done.asked.worker}", done.run, done.figures, broken))
    lines = [done.asked.shown, *(f"{name:22}{value}" for name, value in verdict.rows(done.figures))]
    text = "\n".join([*lines, *(f"threshold: {each}" for each in broken)])
    said = verdict.document(stack, done.asked.worker, done.asked.shown, done.figures, broken)
    printing.emit(style, said, text)
    return 1 if broken else 0
