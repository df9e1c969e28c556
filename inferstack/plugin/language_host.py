"""A small Pulumi language host for Python, for CLIs that were built without one.

It runs a program as the official host does, by Pulumi's own `pulumi-language-python-exec`, which must be on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2

from inferstack.plugin.protocol import language_pb2, language_pb2_grpc, plugin_pb2, serve
from inferstack.versions import PULUMI

EXEC = "pulumi-language-python-exec"


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Handshake, GetPluginInfo, GetRequiredPackages, Run, and RunPlugin for policy packs."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=PULUMI)

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def InstallDependencies(self, request: Any, context: Any) -> Any:
        return iter(())

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        script = shutil.which(EXEC)
        if script is None:
            return language_pb2.RunResponse(
                error=f"{EXEC} is not on PATH; run `inferstack setup`, then use `inferstack env`"
            )
        program = Path(request.info.program_directory or request.pwd) / (request.info.entry_point or ".")
        arguments = ["--project", request.project, "--stack", request.stack, "--parallel", str(request.parallel)]
        arguments += ["--dry_run", "true" if request.dryRun else "false", "--pwd", request.pwd]
        arguments += ["--monitor", request.monitor_address, "--engine", self._engine]
        arguments += ["--organization", request.organization, "--root_directory", request.info.root_directory]
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = [_python(request.info), "-u", script, *arguments, str(program), *request.args]
        process = subprocess.Popen(command, cwd=request.pwd, env=environment)
        context.add_callback(lambda: _end(process))
        # The SDK has shown the reason itself; `bail` keeps the engine from adding a second one.
        return language_pb2.RunResponse(bail=process.wait() != 0)

    def RunPlugin(self, request: Any, context: Any) -> Any:
        program = str(request.info.program_directory or request.pwd)
        if request.kind == "analyzer":
            command = [_python(request.info), "-u", "-m", "pulumi.policy", *request.args, program]
        else:
            command = [_python(request.info), "-u", program, *request.args]
        environment = {**os.environ, **dict(item.split("=", 1) for item in request.env)}
        process = subprocess.Popen(command, cwd=request.pwd, env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        for line in process.stdout:
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()


def _python(info: Any) -> str:
    """The interpreter of the `virtualenv` option, else this one."""
    options = info.options.fields
    name = options["virtualenv"].string_value if "virtualenv" in options else ""
    candidate = Path(info.root_directory) / name / "bin" / "python"
    return str(candidate) if name and candidate.exists() else sys.executable


def main() -> None:
    engine = sys.argv[-1] if len(sys.argv) > 1 else ""
    host = LanguageHost(engine)
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server), threads=8)


if __name__ == "__main__":
    main()
