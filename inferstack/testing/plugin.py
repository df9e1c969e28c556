"""pytest's plugin (`pytest11`): the fixtures `inferstack_stack`, for a session, `stack`, whose faults end with a test, and
`fresh_stack`, whose data does.

All workers of pytest-xdist share one local Cloudflare; for `fresh_stack` each has one of its own. Nothing but pytest is
imported before a test asks for a fixture.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inferstack.testing.fresh import FreshStack
    from inferstack.testing.running import RunningStack

FRESH = "fresh"
RUN = "INFERSTACK_PYTEST_RUN"  # the folder of this run, which workers of xdist inherit


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("inferstack_stack", "the stack that tests run against, a file under stacks/", default="dev")
    group = parser.getgroup("inferstack")
    group.addoption("--inferstack-stack", metavar="NAME", help="the stack that tests run against")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = str(Path(tempfile.gettempdir()) / f"inferstack-tests-{uuid.uuid4().hex[:12]}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """In the process that began: the workers of xdist have ended by then."""
    folder = os.environ.get(RUN)
    if hasattr(config, "workerinput") or not folder or not Path(folder).is_dir():
        return
    from inferstack.testing.running import taken_down

    for state in (Path(folder) / "state", *(Path(folder) / FRESH).glob("*")):
        taken_down(state)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def inferstack_stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """The stack, up on a local Cloudflare of this run."""
    from inferstack.errors import UserError
    from inferstack.testing.running import brought_up

    try:
        with brought_up(_name(pytestconfig), pytestconfig.rootpath, Path(os.environ[RUN]) / "state") as stack:
            yield stack
    except UserError as error:
        pytest.fail(str(error), pytrace=False)


def _name(config: pytest.Config) -> str:
    return str(config.getoption("--inferstack-stack") or config.getini("inferstack_stack"))


@pytest.fixture
def stack(inferstack_stack: RunningStack) -> Iterator[RunningStack]:
    """The same; faults that a test plans end with it."""
    yield inferstack_stack
    inferstack_stack.clear_faults()


@pytest.fixture(scope="session")
def inferstack_fresh(pytestconfig: pytest.Config) -> Iterator[FreshStack]:
    """The stack on a local Cloudflare of this process alone."""
    from inferstack.errors import UserError
    from inferstack.testing.fresh import brought_up_fresh

    state = Path(os.environ[RUN]) / FRESH / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    try:
        with brought_up_fresh(_name(pytestconfig), pytestconfig.rootpath, state) as fresh:
            yield fresh
    except UserError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def fresh_stack(inferstack_fresh: FreshStack) -> Iterator[RunningStack]:
    """As it was when it came up: what a test writes, no other test sees."""
    with inferstack_fresh.lent() as stack:
        yield stack
