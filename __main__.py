"""The Pulumi program: declare what the selected stack's file says."""

import gc
from pathlib import Path

import pulumi

from inferstack.config import load_stack
from inferstack.errors import UserError
from inferstack.resources import declare_stack

gc.freeze()  # what was imported lives as long as the program: looking it over at exit would cost 70 ms
root = Path(__file__).resolve().parent
try:
    declare_stack(load_stack(pulumi.get_stack(), root), root)
except UserError as error:
    raise pulumi.RunError(str(error)) from None
