"""Whatever stands in a stack file: findings or a stack, never a traceback, never long, never large."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferstack.author.check import check
from tests.conftest import ROOT

REAL = [file.read_text() for file in sorted((ROOT / "stacks").glob("*.yaml"))]
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
KEYS = [
    "environment",
    "target",
    "models",
    "m",
    "model",
    "workers",
    "w",
    "bindings",
    "extends",
    "expect",
    "split",
    "null",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["${", "${X", "@cf/"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), inner, max_size=5)
    ),
    max_leaves=30,
)


def findings_of(raw: bytes, root: Path) -> str:
    (root / "stacks").mkdir(exist_ok=True)
    (root / "stacks" / "base.yaml").write_text(REAL[0])
    (root / "stacks" / "s.yaml").write_bytes(raw)
    return check(["s"], root).show("text")


@SETTINGS
@given(raw=st.binary(max_size=400))
def test_random_bytes(tmp_path_factory: object, raw: bytes) -> None:
    assert findings_of(raw, shared_folder(tmp_path_factory))


@SETTINGS
@given(data=VALUES)
def test_random_yaml(tmp_path_factory: object, data: object) -> None:
    assert findings_of(yaml.safe_dump(data).encode("utf-8", "surrogatepass"), shared_folder(tmp_path_factory))


@SETTINGS
@given(
    text=st.sampled_from(REAL),
    cuts=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), st.text(max_size=8)), min_size=1, max_size=4),
)
def test_real_files_with_something_cut_out_or_put_in(
    tmp_path_factory: object, text: str, cuts: list[tuple[int, int, str]]
) -> None:
    for start, length, put in cuts:
        text = text[:start] + put + text[start + length :]
    assert findings_of(text.encode("utf-8", "replace"), shared_folder(tmp_path_factory))


def shared_folder(factory: object) -> Path:
    base: Path = factory.getbasetemp()  # type: ignore[attr-defined]
    folder = base / "fuzz"
    folder.mkdir(exist_ok=True)
    return folder


HOSTILE = {
    "keys": "environment: t\n" + "".join(f"k{i}: {i}\n" for i in range(70_000)),
    "list": "environment: t\ntags:\n" + "- x\n" * 250_000,
    "brackets": "environment: t\ntags: " + "[" * 500_000,
    "dashes": "environment: t\ntags:\n" + "- " * 500_000,
    "indents": "\n".join(" " * i + "a:" for i in range(1_400)),
    "anchors": "a: &a [x]\n" + "".join(f"k{i}: *a\n" for i in range(90_000)),
    "one line": "environment: " + "x" * 1_000_000,
    "variables": "environment: t\ntags: ['" + "${A:-b}" * 140_000 + "']\n",
    "quotes": 'environment: "' + "\\n" * 500_000 + '"\n',
    "models": "environment: t\nmodels:\n" + "".join(f"  m{i}: {{ model: '@cf/nope/{i}' }}\n" for i in range(20_000)),
}
PROBE = """
import re, sys, time
from pathlib import Path
from inferstack.author.check import check
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1)) / 1024
started, before = time.process_time(), peak()
check(["s"], Path(sys.argv[1])).show("text")
print(time.process_time() - started, peak() - before)
"""


def test_a_mebibyte_of_hostile_yaml_costs_little(tmp_path: Path) -> None:
    """At most 2 s of CPU and 200 MB over the start, with 3 times that as the alarm, for slow and shared machines."""
    (tmp_path / "stacks").mkdir()
    for name, text in HOSTILE.items():
        (tmp_path / "stacks" / "s.yaml").write_text(text[: 1024 * 1024])
        done = subprocess.run(
            [sys.executable, "-c", PROBE, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stderr[-2000:]}"
        seconds, megabytes = map(float, done.stdout.split())
        print(f"{name}: {seconds:.2f} s, {megabytes:.0f} MB")
        assert seconds < 6, name
        assert megabytes < 600, name
