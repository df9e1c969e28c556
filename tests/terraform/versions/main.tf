# A Worker by its versions and deployments, what runs beside it, and a consumer that pulls.
terraform {
  required_providers {
    cloudflare = {
      source = "cloudflare/cloudflare"
    }
  }
}

data "cloudflare_accounts" "of_the_token" {}

locals {
  account_id = data.cloudflare_accounts.of_the_token.result[0].id
}

variable "greeting" {
  type    = string
  default = "hello"
}

resource "cloudflare_worker" "hello" {
  account_id = local.account_id
  name       = "terraform-hello"
  subdomain  = { enabled = true }
  observability = {
    enabled            = true
    head_sampling_rate = 0.5
  }
}

resource "cloudflare_worker_version" "hello" {
  account_id         = local.account_id
  worker_id          = cloudflare_worker.hello.id
  main_module        = "hello.mjs"
  compatibility_date = "2026-08-01"
  modules = [{
    name         = "hello.mjs"
    content_file = "${path.module}/hello.mjs"
    content_type = "application/javascript+module"
  }]
  bindings = [
    { type = "plain_text", name = "GREETING", text = var.greeting },
    { type = "secret_text", name = "KEY", text = "a secret" },
    { type = "hyperdrive", name = "ORDERS", id = cloudflare_hyperdrive_config.orders.id },
  ]
}

resource "cloudflare_workers_deployment" "hello" {
  account_id  = local.account_id
  script_name = cloudflare_worker.hello.name
  strategy    = "percentage"
  versions    = [{ percentage = 100, version_id = cloudflare_worker_version.hello.id }]
}

resource "cloudflare_workflow" "orders" {
  account_id    = local.account_id
  workflow_name = "terraform-orders"
  class_name    = "Orders"
  script_name   = cloudflare_worker.hello.name
  depends_on    = [cloudflare_workers_deployment.hello]
}

resource "cloudflare_hyperdrive_config" "orders" {
  account_id = local.account_id
  name       = "terraform-orders"
  origin = {
    scheme   = "postgres"
    host     = "database.example.com"
    port     = 5432
    database = "orders"
    user     = "reader"
    password = "not a real one"
  }
  caching = { disabled = true }
}

resource "cloudflare_queue" "pulled" {
  account_id = local.account_id
  queue_name = "terraform-pulled"
  settings   = { delivery_delay = 5, delivery_paused = false, message_retention_period = 86400 }
}

resource "cloudflare_queue_consumer" "pulled" {
  account_id = local.account_id
  queue_id   = cloudflare_queue.pulled.id
  type       = "http_pull"
  settings   = { batch_size = 10, max_retries = 3, visibility_timeout_ms = 30000 }
}
