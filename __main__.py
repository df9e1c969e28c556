"""The Pulumi program: declare what the selected stack's file says."""

import gc

gc.disable()  # imports leave no garbage: looking for it costs 50 ms in an interpreter that holds Pulumi already

from pathlib import Path  # noqa: E402

import pulumi  # noqa: E402

from inferstack.engine.program import declare  # noqa: E402
from inferstack.errors import UserError  # noqa: E402

try:
    declare(pulumi.get_stack(), Path(__file__).resolve().parent)
except UserError as error:
    raise pulumi.RunError(str(error)) from None
gc.freeze()  # what is there lives as long as the program: looking it over at exit would cost 70 ms
gc.enable()
