"""The stack language: YAML files in, one frozen `StackSpec` out; every wrong thing is a finding with its place."""

from inferstack.config._diagnostics import Finding, closest, format_findings
from inferstack.config.loading import load_stack, stack_names
from inferstack.config.models import StackSpec

__all__ = ["Finding", "StackSpec", "closest", "format_findings", "load_stack", "stack_names"]
