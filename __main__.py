"""The Pulumi program: declare what the selected stack's file says."""

from pathlib import Path

import pulumi

from inferstack.config import load_stack
from inferstack.errors import UserError
from inferstack.resources import declare_stack

root = Path(__file__).resolve().parent
try:
    declare_stack(load_stack(pulumi.get_stack(), root), root)
except UserError as error:
    raise pulumi.RunError(str(error)) from None
