"""`inferstack gitops`: pipelines from the stacks that are there, by the same commands that a person runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from inferstack.author.permissions import needed
from inferstack.config import StackSpec, find_file, load_stack
from inferstack.errors import ConfigError

STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+@-]*")
ADDRESS = re.compile(r"[A-Za-z0-9+.-]+://[A-Za-z0-9._~:/?@!&*+,;=%-]+")
FILES = {
    "github": {".github/workflows/inferstack.yml": "github.yml.j2"},
    "gitlab": {".gitlab-ci.yml": "gitlab.yml.j2"},
    "k8s": {"deploy/inferstack-stacks.yaml": "k8s.yaml.j2"},
}


@dataclass(frozen=True, slots=True)
class Login:
    """How a GitHub workflow gets to Pulumi's state by OpenID Connect; `inputs` name repository variables.

    Actions are named by commit: a tag can be moved by whoever takes an action over.
    """

    action: str
    inputs: dict[str, str]

    @property
    def variables(self) -> list[str]:
        return re.findall(r"vars\.(\w+)", " ".join(self.inputs.values()))


def _variable(name: str) -> str:
    return "${{ vars." + name + " }}"


LOGINS = {
    "s3": Login(
        "aws-actions/configure-aws-credentials@a03048d87541d1d9fcf2ecf528a4a65ba9bd7838 # v5.0.0",
        {"role-to-assume": _variable("AWS_ROLE_ARN"), "aws-region": _variable("AWS_REGION")},
    ),
    "gs": Login(
        "google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0",
        {
            "workload_identity_provider": _variable("GCP_WORKLOAD_IDENTITY_PROVIDER"),
            "service_account": _variable("GCP_SERVICE_ACCOUNT"),
        },
    ),
    "azblob": Login(
        "azure/login@a457da9ea143d694b1b9c7c869ebb04ebe844ef5 # v2.3.0",
        {
            "client-id": _variable("AZURE_CLIENT_ID"),
            "tenant-id": _variable("AZURE_TENANT_ID"),
            "subscription-id": _variable("AZURE_SUBSCRIPTION_ID"),
        },
    ),
    "https": Login(
        "pulumi/auth-actions@1c89817aab0c66407723cdef72b05266e7376640 # v1.0.1",
        {
            "organization": _variable("PULUMI_ORGANIZATION"),
            "requested-token-type": "urn:pulumi:token-type:access_token:organization",
        },
    ),
}  # by the scheme of the backend's address


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Which stack stands for which step, where the state lies, and how often drift is looked for."""

    staging: str
    prod: str
    branch: str
    backend: str
    repository: str

    def check(self) -> None:
        """Raises `ConfigError`: what stands here goes into files that others' shells and parsers read."""
        for name, form, such in (
            ("staging", STACK, "staging"),
            ("prod", STACK, "prod"),
            ("branch", BRANCH, "main"),
            ("backend", ADDRESS, "s3://state"),
            ("repository", ADDRESS, "https://git.example.com/p"),
        ):
            given = getattr(self, name)
            if not form.fullmatch(given):
                raise ConfigError(f"--{name} {given!r} cannot stand in a pipeline\n  fix: such as {such}")


def write(kind: str, root: Path, options: Options, *, force: bool) -> list[str]:
    """Returns the paths. Raises `ConfigError` before anything is written."""
    options.check()
    specs = {name: load_stack(name, root) for name in (options.staging, options.prod)}
    for path in FILES[kind]:
        if (root / path).exists() and not force:
            raise ConfigError(f"{path} is there already\n  fix: --force writes it anew")
    for path, template in FILES[kind].items():
        text = _render(template, root, specs, options)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return list(FILES[kind])


def _render(template: str, root: Path, specs: dict[str, StackSpec], options: Options) -> str:
    file = find_file(f"templates/gitops/{template}", root)
    assert file is not None, "it comes with this tool"
    environment = Environment(  # noqa: S701 - YAML, and no value comes from outside the project
        loader=FileSystemLoader(file.parent),
        undefined=StrictUndefined,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = sorted({name for spec in specs.values() for name in _environment_secrets(spec)})
    values = {
        "staging": options.staging,
        "prod": options.prod,
        "branch": options.branch,
        "backend": options.backend,
        "login": LOGINS.get(options.backend.partition("://")[0]),
        "repository": options.repository,
        "secrets": names,
        "deploy": [name for _, name, _ in needed(specs[options.prod], read_only=False)],
        "look": [name for _, name, _ in needed(specs[options.prod], read_only=True)],
        "account": specs[options.prod].account or "",
    }
    return environment.get_template(file.name).render(values)


def _environment_secrets(spec: StackSpec) -> list[str]:
    """Variables that the stack's secrets come from."""
    return [reference.removeprefix("env:") for _, reference in spec.secret_references() if reference.startswith("env:")]
