"""The programs that are no Python packages: the Pulumi CLI, workerd, esbuild, and jose for rendered Workers."""

from inferstack.toolchain.folders import cache_folder
from inferstack.toolchain.node_tools import find_esbuild, find_simulators, find_workerd, packages_folder
from inferstack.toolchain.record import Toolchain, read_toolchain

__all__ = [
    "Toolchain",
    "cache_folder",
    "find_esbuild",
    "find_simulators",
    "find_workerd",
    "packages_folder",
    "read_toolchain",
]
