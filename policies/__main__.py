"""The policy set as a Pulumi policy pack: `pulumi preview --policy-pack policies`.

It judges the planned resources, so that it also sees what `raw:` changes and what a program declares beside the stack file.
`inferstack check` and `inferstack preview` judge the stack file by the same rules and the budget, and need no policy host.
"""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, PolicyPack, ReportViolation, StackValidationArgs, StackValidationPolicy
from rules import RULES, Rule, settings_of

# How severe a breach is stands in the stack file, and a policy has one level: so each rule is two policies.
LEVELS = {"error": EnforcementLevel.MANDATORY, "warning": EnforcementLevel.ADVISORY}


def _policy(name: str, rule: Rule, severity: str) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        settings = settings_of(args.resources)
        if settings.severity(name) == severity:
            for breach in rule.breaches(args.resources, settings):
                if (name, breach.resource) not in settings.exceptions:
                    report(breach.text, breach.urn)

    label = name if severity == "error" else f"{name}-warning"
    return StackValidationPolicy(
        name=label, description=rule.about, validate=validate, enforcement_level=LEVELS[severity]
    )


PolicyPack("inferstack", policies=[_policy(name, rule, level) for name, rule in RULES.items() for level in LEVELS])
