"""What Pulumi says of a run that leaves its plan holds a Worker's secrets: nobody is shown them."""

from __future__ import annotations

import pytest

from inferstack.engine import output

SAID = (
    "    error: resource urn:pulumi:dev::shop::x violates plan: properties changed: "
    "~~bindings[{map[name:{KEY} text:{&{{hidden}}}]}!={map[name:{KEY} text:{&{{hidden}}}]}]"
)


@pytest.mark.parametrize("verbose", [False, True])
def test_values_of_a_left_plan_are_not_shown(monkeypatch: pytest.MonkeyPatch, verbose: bool) -> None:
    monkeypatch.setattr(output.settings, "verbose", verbose)
    [line] = output.Filter().lines(SAID)
    assert "violates plan" in line and "hidden" not in line
