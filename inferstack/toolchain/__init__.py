"""What is no Python package: the Pulumi CLI, workerd, esbuild, jose for rendered Workers, and weights of models."""

from inferstack.toolchain.engine_packages import IMAGES, LLAMA, ONNX, SENTIMENT, SPEECH, TRANSLATION, VOICE
from inferstack.toolchain.environments import Environment
from inferstack.toolchain.folders import cache_folder
from inferstack.toolchain.node_tools import find_esbuild, find_simulators, find_workerd, packages_folder
from inferstack.toolchain.record import Toolchain, read_toolchain
from inferstack.toolchain.weights import EMBEDDINGS, Package
from inferstack.toolchain.weights import is_installed as weights_are_here

__all__ = [
    "EMBEDDINGS",
    "IMAGES",
    "LLAMA",
    "ONNX",
    "SENTIMENT",
    "SPEECH",
    "TRANSLATION",
    "VOICE",
    "Environment",
    "Package",
    "Toolchain",
    "cache_folder",
    "find_esbuild",
    "find_simulators",
    "find_workerd",
    "packages_folder",
    "read_toolchain",
    "weights_are_here",
]
