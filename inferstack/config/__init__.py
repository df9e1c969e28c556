"""The stack language: YAML files in, one frozen `StackSpec` out; every wrong thing is a finding with its place."""

from inferstack.config._diagnostics import FORMATS, Finding, Place, closest, format_findings
from inferstack.config.codes import CODES
from inferstack.config.loading import Checked, check_stack, load_stack, stack_files, stack_names
from inferstack.config.models import StackSpec

__all__ = [
    "CODES",
    "FORMATS",
    "Checked",
    "Finding",
    "Place",
    "StackSpec",
    "check_stack",
    "closest",
    "format_findings",
    "load_stack",
    "stack_files",
    "stack_names",
]
