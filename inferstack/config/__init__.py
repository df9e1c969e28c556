"""The stack language: YAML files in, one frozen `StackSpec` out; every wrong thing is a finding with its place."""

from inferstack.config._joining import FOR_EACH
from inferstack.config._merge import OVERRIDES
from inferstack.config.asset_models import AssetsSpec
from inferstack.config.bucket_rules import cors_rules, event_rules, lifecycle_rules, lock_rules
from inferstack.config.bundle_models import BundleRule, BundleSpec
from inferstack.config.checks.policies import budget_severity
from inferstack.config.env_files import env_file, split_reference
from inferstack.config.env_use import env_uses
from inferstack.config.eval_suites import Case, Suite, embedding_models, read_suite, unfit
from inferstack.config.expectations import ModelTraffic, ObjectTraffic
from inferstack.config.file_text import text_given, text_in
from inferstack.config.findings.codes import CODES
from inferstack.config.findings.diagnostics import FORMATS, Finding, Place, closest, format_findings, lacking
from inferstack.config.gateway_models import GatewaySpec, RouteSpec, SpendLimitSpec, policy_inputs
from inferstack.config.loading import Checked, check_stack, load_stack, stack_files, stack_names
from inferstack.config.named_sql import numbered
from inferstack.config.object_models import ObjectSpec
from inferstack.config.observability_models import ObservabilitySpec
from inferstack.config.paths import leaves, real_path
from inferstack.config.priced import Share, maker, outside_name, price_name, priced_model, shares
from inferstack.config.prompt_models import prompt_in, prompt_value, prompt_variable
from inferstack.config.rollout_models import SmokeSpec, parse_seconds, seconds
from inferstack.config.schema import json_schema
from inferstack.config.scorers import scorers_of
from inferstack.config.search_models import DEFAULT_NAMESPACE, SearchSpec
from inferstack.config.seed_files import seed_values, wrong_key
from inferstack.config.sources import find_entry
from inferstack.config.spec import (
    ModelSpec,
    StackSpec,
    WorkerSpec,
    gateway_variable,
    provider_variable,
)
from inferstack.config.storage_models import DatabaseSpec
from inferstack.config.templates import (
    FILE_SUFFIX,
    SERVICE_OPTIONS,
    Option,
    Template,
    find_file,
    find_template,
    template_names,
)
from inferstack.config.tree import Node, locate, plain
from inferstack.config.tree import read as read_yaml
from inferstack.config.usual import caller_secret, usual_request, usual_worker
from inferstack.config.worker_models import SECTIONS, BindingSpec, EmailBindingSpec, PlacementSpec, RateLimitBindingSpec
from inferstack.config.writing import yaml_text
from inferstack.config.yaml_text import bounded, yaml_values

__all__ = [
    "CODES",
    "DEFAULT_NAMESPACE",
    "FILE_SUFFIX",
    "FORMATS",
    "FOR_EACH",
    "OVERRIDES",
    "SECTIONS",
    "SERVICE_OPTIONS",
    "AssetsSpec",
    "BindingSpec",
    "BundleRule",
    "BundleSpec",
    "Case",
    "Checked",
    "DatabaseSpec",
    "EmailBindingSpec",
    "Finding",
    "GatewaySpec",
    "ModelSpec",
    "ModelTraffic",
    "Node",
    "ObjectSpec",
    "ObjectTraffic",
    "ObservabilitySpec",
    "Option",
    "Place",
    "PlacementSpec",
    "RateLimitBindingSpec",
    "RouteSpec",
    "SearchSpec",
    "Share",
    "SmokeSpec",
    "SpendLimitSpec",
    "StackSpec",
    "Suite",
    "Template",
    "WorkerSpec",
    "bounded",
    "budget_severity",
    "caller_secret",
    "check_stack",
    "closest",
    "cors_rules",
    "embedding_models",
    "env_file",
    "env_uses",
    "event_rules",
    "find_entry",
    "find_file",
    "find_template",
    "format_findings",
    "gateway_variable",
    "json_schema",
    "lacking",
    "leaves",
    "lifecycle_rules",
    "load_stack",
    "locate",
    "lock_rules",
    "maker",
    "numbered",
    "outside_name",
    "parse_seconds",
    "plain",
    "policy_inputs",
    "price_name",
    "priced_model",
    "prompt_in",
    "prompt_value",
    "prompt_variable",
    "provider_variable",
    "read_suite",
    "read_yaml",
    "real_path",
    "scorers_of",
    "seconds",
    "seed_values",
    "shares",
    "split_reference",
    "stack_files",
    "stack_names",
    "template_names",
    "text_given",
    "text_in",
    "unfit",
    "usual_request",
    "usual_worker",
    "wrong_key",
    "yaml_text",
    "yaml_values",
]
