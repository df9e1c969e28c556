"""A preview says what a change would cost."""

from __future__ import annotations

from tests.e2e.conftest import Project

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
models:
  embed: { model: "@cf/baai/bge-base-en-v1.5" }
indexes:
  docs: { model: embed }
expect:
  models: { embed: { requests: 1000000, input_tokens: 100 } }
"""


def test_the_difference_of_a_change_is_shown_by_both_previews(project: Project) -> None:
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    # 1,000,000 calls × 100 tokens × 30 days = 3,000 M tokens at 0.0666 USD = 199.80, less 10,000 free neurons a day
    # at 0.011 USD a thousand = 3.30; and Workers Paid is counted only with Workers.
    assert "Estimate: 0.00 → 196.50 USD a month" in project.run("preview", "dev")
    project.run("up", "dev")
    project.edit("stacks/dev.yaml", "requests: 1000000", "requests: 2000000")
    shown = project.run("preview", "dev")
    assert "Estimate: 196.50 → 396.30 USD a month\n    models.embed: 199.80 → 399.60 (+199.80)" in shown
    assert "399.6" in project.pulumi("preview", "-s", "dev", "--diff", "--non-interactive")
    project.run("down", "dev", "--yes")
