"""The Pulumi program: declare what the selected stack's file says."""

import gc
from pathlib import Path

import pulumi

from inferstack.engine.program import declare
from inferstack.errors import UserError

gc.freeze()  # what was imported lives as long as the program: looking it over at exit would cost 70 ms
try:
    declare(pulumi.get_stack(), Path(__file__).resolve().parent)
except UserError as error:
    raise pulumi.RunError(str(error)) from None
