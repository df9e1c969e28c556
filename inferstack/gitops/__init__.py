"""Pipelines, written for GitHub, GitLab and Kubernetes."""
