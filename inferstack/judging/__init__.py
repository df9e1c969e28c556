"""Answers of Workers, and whether they are right: asked by a person's `eval`, and by a rollout before its next step."""
