"""The errors of inferstack; a leaf that every room may import.

InferstackError
├── UserError            a user's fault or an outside condition: shown as one clear message, never with a traceback
│   ├── ConfigError      a stack file, a reference or an argument (exit 2)
│   ├── AuthenticationError   the token is refused (exit 3)
│   ├── StackNotFound    no such stack (exit 6)
│   ├── ToolchainError   Pulumi, workerd or another program is missing (exit 1)
│   └── CancelledError   the person said no (exit 8)
└── anything else        our bug: the traceback is wanted

Exit codes are Pulumi's own (pulumi 3.227 and newer, pkg/cmd/pulumi/cmd/exit_codes.go).
"""

from __future__ import annotations


class InferstackError(Exception):
    """The root of all errors raised on purpose."""


class UserError(InferstackError):
    """Shown to the user as it is: what, where, why, and how to fix it."""

    exit_code = 1


class ConfigError(UserError):
    """A stack file, a reference in it, or an argument is wrong."""

    exit_code = 2


class AuthenticationError(UserError):
    """Cloudflare refuses the token."""

    exit_code = 3


class StackNotFound(UserError):
    """The stack does not exist."""

    exit_code = 6


class ToolchainError(UserError):
    """A program that inferstack drives is missing or broken."""


class CancelledError(UserError):
    """The person who was asked said no."""

    exit_code = 8
