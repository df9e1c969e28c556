"""Generated pipelines, read by the tools of those who run them; and the permissions that they need."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from inferstack.cli import main
from tests.conftest import ROOT

STACKS = {
    "staging": "environment: staging\naccount: 0123456789abcdef0123456789abcdef\n",
    "prod": """environment: prod
account: 0123456789abcdef0123456789abcdef
models: { c: { model: gpt-4o, provider: openai, gateway: g } }
gateways: { g: { keys: { openai: { secret: env:OPENAI_KEY } } } }
queues: { q: {} }
workers:
  w:
    source: w.js
    compatibility_date: "2026-06-01"
    secrets: { TOKEN: env:W_TOKEN }
    routes: [{ pattern: example.com/api/*, zone: fedcba9876543210fedcba9876543210 }]
""",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: p\n")
    (tmp_path / "w.js").write_text("export default {};\n")
    for name, text in STACKS.items():
        (tmp_path / "stacks" / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Of a Stack of the operator 2.9.0; source: facts `pulumi.md`, from operator/api/pulumi/shared/stack_types.go.
OPERATOR_FIELDS = {
    *("stack", "projectRepo", "branch", "repoDir", "fluxSource", "programRef", "backend", "envRefs", "secretsProvider"),
    *("config", "configRef", "refresh", "preview", "continueResyncOnCommitMatch", "resyncFrequencySeconds"),
    *("destroyOnFinalize", "prerequisites", "retryMaxBackoffDurationSeconds", "workspaceTemplate"),
}
ACTIONLINT = ["go", "-C", str(ROOT / "tools" / "actionlint"), "run", "github.com/rhysd/actionlint/cmd/actionlint"]


@pytest.mark.parametrize(
    ("backend", "variables"),
    [
        ("s3://state", ["AWS_REGION", "AWS_ROLE_ARN"]),
        ("gs://state", ["GCP_SERVICE_ACCOUNT", "GCP_WORKLOAD_IDENTITY_PROVIDER"]),
        ("azblob://state", ["AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"]),
        ("https://api.pulumi.com", ["PULUMI_ORGANIZATION"]),
        ("file:///state", []),
    ],
)
def test_github_s_workflow_passes_actionlint(project: Path, backend: str, variables: list[str]) -> None:
    """State is reached by OpenID Connect; no key of the backend is asked for."""
    assert main(["gitops", "github", "--backend", backend]) == 0
    file = project / ".github" / "workflows" / "inferstack.yml"
    done = subprocess.run([*ACTIONLINT, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    workflow = yaml.safe_load(file.read_text())
    oidc = {"id-token": "write"} if variables else {}
    assert workflow["permissions"] == {"contents": "read", **oidc}
    assert workflow["jobs"]["plan"]["permissions"] == {"contents": "read", "pull-requests": "write", **oidc}
    jobs = {"plan", "environment", "environment-closed", "staging", "prod", "nightly", "models"}
    assert set(workflow["jobs"]) == jobs
    assert set(workflow["env"]) == {"PULUMI_BACKEND_URL"}
    assert sorted(set(re.findall(r"\{ vars\.(\w+)", file.read_text()))) == variables
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert "inferstack promote staging prod" in commands
    assert "inferstack drift prod" in commands


SECRET = re.compile(r"\$\{\{ *secrets\.")
RUN = {"CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "PULUMI_CONFIG_PASSPHRASE"}
STACK = {*RUN, "OPENAI_KEY", "W_TOKEN"}
NEEDED = {
    "inferstack preview": STACK,
    "inferstack up": STACK,
    "inferstack promote": STACK,
    "inferstack ephemeral up": STACK,
    "inferstack ephemeral": RUN,
    "inferstack drift": RUN,
    "inferstack eval": STACK,
    "inferstack status": RUN,
    "inferstack check": {"CLOUDFLARE_ACCOUNT_ID"},
    "git diff": {"GH_TOKEN"},
}


@pytest.mark.parametrize("backend", ["s3://state", "gs://state", "azblob://state", "https://api.pulumi.com"])
def test_secrets_stand_in_the_steps_that_need_them_and_actions_by_commit(project: Path, backend: str) -> None:
    assert main(["gitops", "github", "--backend", backend]) == 0
    workflow = yaml.safe_load((project / ".github" / "workflows" / "inferstack.yml").read_text())
    assert not SECRET.search(json.dumps({**workflow, "jobs": {}}))
    for job in workflow["jobs"].values():
        assert not SECRET.search(json.dumps({**job, "steps": []}))
        for step in job["steps"]:
            run, secrets = step.get("run", ""), {k for k, v in step.get("env", {}).items() if SECRET.search(str(v))}
            assert secrets == next((need for start, need in NEEDED.items() if run.startswith(start)), set()), run
            assert not SECRET.search(run)
            if "uses" in step:
                assert re.search(r"@[0-9a-f]{40}$", step["uses"])


def test_a_plan_of_a_pull_request_runs_no_command_of_its_stack_files(project: Path) -> None:
    for kind, file in (("github", ".github/workflows/inferstack.yml"), ("gitlab", ".gitlab-ci.yml")):
        assert main(["gitops", kind, "--backend", "s3://state"]) == 0
        plan = yaml.safe_load((project / file).read_text())
        plan = plan["jobs"]["plan"]["steps"] if kind == "github" else [{"run": line} for line in plan["plan"]["script"]]
        previews = [step["run"] for step in plan if "inferstack preview" in step.get("run", "")]
        assert previews and all("--no-commands" in run for run in previews)


@pytest.mark.parametrize("kind", ["github", "gitlab", "k8s"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--branch", "main\n  pull_request_target:"),
        ("--branch", 'a"b'),
        ("--branch", "$(id)"),
        ("--branch", ""),
        ("--backend", "s3://state; rm -rf /"),
        ("--backend", "state"),
        ("--repository", "https://x\ny: z"),
    ],
)
def test_what_could_become_yaml_or_shell_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], kind: str, option: str, value: str
) -> None:
    arguments = {"--backend": "s3://state", option: value}
    assert main(["gitops", kind, *(word for pair in arguments.items() for word in pair)]) == 2
    assert f"{option} {value!r} cannot stand in a pipeline" in capsys.readouterr().err
    assert not list(project.glob(".g*")) and not (project / "deploy").exists()


@pytest.mark.parametrize("branch", ["on", "no", "1.10", "release/2.x"])
def test_a_branch_stays_the_text_that_it_is(project: Path, branch: str) -> None:
    assert main(["gitops", "github", "--backend", "s3://state", "--branch", branch]) == 0
    workflow = yaml.safe_load((project / ".github" / "workflows" / "inferstack.yml").read_text())
    assert workflow[True]["push"]["branches"] == [branch]  # YAML 1.1's `on`


def test_gitlab_s_pipeline_fits_its_schema(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert main(["gitops", "gitlab", "--backend", "s3://state"]) == 0
    tool = tmp_path_factory.mktemp("gitlab")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / "tools" / "gitlab" / name, tool / name)
    subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=tool, check=True, capture_output=True)
    for command in (["init", "-q"], ["remote", "add", "origin", "https://gitlab.example.com/g/p.git"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    listing = [str(tool / "node_modules" / ".bin" / "gitlab-ci-local"), "--list-all"]
    done = subprocess.run(listing, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "json schema validated" in done.stdout + done.stderr
    for job in ("plan", "environment", "environment-closed", "staging", "prod", "nightly"):
        assert f"\n{job} " in done.stdout


def test_the_operator_s_stacks_have_what_the_run_needs(project: Path) -> None:
    """The operator's CRD is in no package registry, so only its documented fields are held against it."""
    assert main(["gitops", "k8s", "--backend", "s3://state", "--repository", "https://git.example.com/p"]) == 0
    text = (project / "deploy" / "inferstack-stacks.yaml").read_text()
    staging, prod = yaml.safe_load_all(text)
    assert (staging["apiVersion"], staging["kind"]) == ("pulumi.com/v1", "Stack")
    assert prod["spec"]["prerequisites"] == [{"name": "staging", "requirement": {"succeededWithinDuration": "1h"}}]
    assert prod["spec"]["envRefs"]["OPENAI_KEY"]["secret"] == {"name": "inferstack", "key": "OPENAI_KEY"}
    assert prod["spec"]["resyncFrequencySeconds"] >= 60
    assert {key for stack in (staging, prod) for key in stack["spec"]} <= OPERATOR_FIELDS


def test_what_is_there_is_not_overwritten(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".gitlab-ci.yml").write_text("mine: {}\n")
    assert main(["gitops", "gitlab", "--backend", "s3://state"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (project / ".gitlab-ci.yml").read_text() == "mine: {}\n"
    assert main(["gitops", "gitlab", "--backend", "s3://state", "--force"]) == 0


@pytest.mark.usefixtures("project")
def test_permissions_are_the_least_that_the_stack_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["permissions", "prod", "--format", "json"]) == 0
    found = {(entry["scope"], entry["name"]) for entry in json.loads(capsys.readouterr().out)}
    assert found == {
        ("Account", "Workers Scripts Write"),
        ("Account", "AI Gateway Write"),
        ("Account", "Queues Write"),
        ("Account", "Secrets Store Write"),
        ("Zone fedcba9876543210fedcba9876543210", "Workers Routes Write"),
    }
    known = {
        group
        for path in json.loads((ROOT / "tests/data/openapi-subset.json").read_text())["paths"].values()
        for operation in path.values()
        for group in operation.get("x-api-token-group", [])
    }
    assert {name for _, name in found} <= known
    assert main(["permissions", "prod", "--read-only"]) == 0
    assert "Write" not in capsys.readouterr().out
