"""Pulumi components: one for each thing that a stack file names."""

from inferstack.resources.stack import InferenceStack, declare_stack

__all__ = ["InferenceStack", "declare_stack"]
