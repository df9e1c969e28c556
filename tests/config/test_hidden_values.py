"""Values of environment variables never stand in findings; links in a project show and take along no other file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.config import FORMATS, load_stack
from inferstack.config._hidden import Hidden
from inferstack.errors import ConfigError
from inferstack.render import render_worker

LOCAL = "environment: test\ntarget: local\n"
DATE = 'compatibility_date: "2026-06-01"'
SECRET = "gh\"p_S3cr3t\\T0ken-'quoted'-ünïcode"
LONG = "sk-" + "0123456789abcdef" * 8
WRONG = {
    "account": "account: ${HELD}",
    "prefix": "prefix: A_${HELD}",
    "inside other text": "prefix: Before-${HELD}-after",
    "one of a few words": "environment: x\ntarget: ${HELD}",
    "no number": "local: { port: x }\nbudget: { usd_a_month: '${HELD}' }",
    "model": "models: { m: { model: '${HELD}' } }",
    "reference": "queues: { q: { consumer: { worker: '${HELD}' } } }",
    "template": f"workers:\n  w:\n    template: '${{HELD}}'\n    {DATE}",
    "source": f"workers:\n  w:\n    source: '${{HELD}}'\n    {DATE}",
    "migrations": "databases: { d: { migrations: '${HELD}' } }",
    "date": 'workers:\n  w:\n    source: w.js\n    compatibility_date: "${HELD}"',
    "time": f"workers:\n  w:\n    source: w.js\n    {DATE}\n    rollout: {{ steps: [50], hold: '${{HELD}}' }}",
    "cron": f"workers:\n  w:\n    source: w.js\n    {DATE}\n    crons: ['${{HELD}}']",
    "where a secret belongs": f"workers:\n  w:\n    source: w.js\n    {DATE}\n    secrets: {{ T: '${{HELD}}' }}",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: p\n")
    return tmp_path


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize("value", [SECRET, LONG, "87654", "tok"], ids=["odd signs", "long", "number", "short"])
@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_no_finding_shows_what_a_variable_holds(
    root: Path, monkeypatch: pytest.MonkeyPatch, text: str, value: str, style: str
) -> None:
    monkeypatch.setenv("HELD", value)
    (root / "stacks" / "s.yaml").write_text((LOCAL if "target" not in text else "") + text + "\n")
    shown = check(["s"], root).show(style)
    assert shown not in ("", "[]")  # something was found
    for part in {value, value[:12], json.dumps(value)[1:-1], repr(value)[1:-1]}:
        assert part not in shown


def test_a_value_is_called_by_its_variable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELD", LONG)
    (root / "stacks" / "s.yaml").write_text(LOCAL + "account: ${HELD}\n")
    assert "`account` is `${HELD}…`, which does not fit" in check(["s"], root).show("text")


def test_what_only_begins_like_a_value_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELD", "workers-of-mine")
    (root / "stacks" / "s.yaml").write_text(LOCAL + "prefix: ${HELD}\nworkers-of-yours: 1\n")
    assert "unknown key `workers-of-yours`" in check(["s"], root).show("text")


OUTSIDE = "export default 'the-file-of-somebody-else';\n"
CODE = {
    "the entry": {"w/index.js": None},
    "a module": {"w/index.js": "import x from './lib/x.js';\nexport default x;\n", "w/lib/x.js": None},
    "a text": {"w/index.js": "import x from './x.txt';\nexport default x;\n", "w/x.txt": None},
    "a folder": {"w/index.js": "import x from './lib/outside.js';\nexport default x;\n", "w/lib": None},
    "bundled": {"w/index.ts": "import x from './x.txt';\nexport default x as string;\n", "w/x.txt": None},
    "Python beside": {"w/index.py": "x = 1\n", "w/x.py": None},
    "main of package.json": {"w/package.json": '{"main": "m.js"}', "w/m.js": None},
}


@pytest.mark.parametrize("files", CODE.values(), ids=CODE)
def test_a_link_in_a_source_takes_no_file_of_the_machine_along(
    root: Path, tmp_path_factory: pytest.TempPathFactory, files: dict[str, str | None]
) -> None:
    head = f"environment: test\ntarget: cloudflare\naccount: '{'0' * 32}'\n"  # which Python is for
    (root / "stacks" / "s.yaml").write_text(head + f"workers:\n  w:\n    source: w\n    {DATE}\n")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "outside.js").write_text(OUTSIDE)
    (root / "node_modules").symlink_to(Path(__file__).resolve().parents[2] / "node_modules")
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.symlink_to(outside if name == "w/lib" else outside / "outside.js")
        else:
            file.write_text(text)
    with pytest.raises(ConfigError, match=r"leads out of the project|leaves the project"):
        render_worker(load_stack("s", root), "w", root)


@pytest.mark.parametrize("name", ["stacks/s.yaml", "Pulumi.s.yaml", "mig/0001.sql"])
def test_a_link_to_a_file_of_the_machine_is_refused_and_not_shown(
    root: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "credentials"
    outside.write_text("aws_secret_access_key = s3cr3t-of-the-machine\n")
    (root / "stacks" / "s.yaml").write_text(LOCAL + "databases: { d: { migrations: mig } }\n")
    (root / "mig").mkdir()
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to(outside)
    for style in FORMATS:
        shown = check(["s"], root).show(style)
        assert "IS017" in shown
        assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("value", "text", "wanted"),
    [
        ("12345678", "a 12345678 b", "a ${N} b"),
        ("12345678", "12345678, 12345678", "${N}, ${N}"),
        ("123456789", "a 12345678… b", "a ${N}… b"),
        ("123456789", "a 12345678 b", "a 12345678 b"),
        ("123456789", "1234567890", "${N}0"),
        ("1234567", "1234567 and `1234567`", "1234567 and `${N}`"),
        ("1234567", "`a-1234567-b` `a1234567` `12345678`", "`a-${N}-b` `a1234567` `12345678`"),
        ('say "it" now', 'a say \\"it\\" now b', "a ${N} b"),
        ("größer als", "a gr\\u00f6\\u00dfer als b", "a ${N} b"),
        ("größer als", "a größer als b", "a ${N} b"),
        ('der "größte"', 'a der \\"gr\\u00f6\\u00dfte\\" b', "a ${N} b"),
        ('der "größte"', 'a der \\"größte\\" b', "a ${N} b"),
        ('it\'s "both"', 'a it\\\'s "both" b', "a ${N} b"),
        ("back\\slash", "a back\\\\slash b", "a ${N} b"),
        ("", "a b", "a b"),
    ],
)
def test_a_value_is_concealed_in_every_form(value: str, text: str, wanted: str) -> None:
    hidden = Hidden()
    hidden.add("N", value)
    assert hidden.conceal(text) == wanted


def test_the_longest_value_is_concealed_first_and_the_first_name_stays() -> None:
    hidden = Hidden()
    for name, value in (("SHORT", "12345678"), ("LONG", "123456789abc"), ("AGAIN", "12345678")):
        hidden.add(name, value)
    assert hidden.conceal("123456789abc 12345678") == "${LONG} ${SHORT}"
