terraform {
  required_providers {
    cloudflare = {
      source = "cloudflare/cloudflare"
    }
  }
}

# CLOUDFLARE_BASE_URL and CLOUDFLARE_API_TOKEN say where: `inferstack run STACK -- tofu apply`.
provider "cloudflare" {}

data "cloudflare_accounts" "of_the_token" {}

locals {
  account_id = data.cloudflare_accounts.of_the_token.result[0].id
}

variable "greeting" {
  type    = string
  default = "hello"
}

resource "cloudflare_workers_kv_namespace" "settings" {
  account_id = local.account_id
  title      = "terraform-settings"
}

resource "cloudflare_workers_kv" "greeting" {
  account_id   = local.account_id
  namespace_id = cloudflare_workers_kv_namespace.settings.id
  key_name     = "words/greeting"
  value        = var.greeting
}

resource "cloudflare_d1_database" "notes" {
  account_id       = local.account_id
  name             = "terraform-notes"
  read_replication = { mode = "disabled" }
}

resource "cloudflare_r2_bucket" "files" {
  account_id = local.account_id
  name       = "terraform-files"
}

resource "cloudflare_r2_bucket_cors" "files" {
  account_id  = local.account_id
  bucket_name = cloudflare_r2_bucket.files.name
  rules = [{
    id              = "site"
    allowed         = { methods = ["GET", "PUT"], origins = ["https://example.com"], headers = ["content-type"] }
    expose_headers  = ["etag"]
    max_age_seconds = 600
  }]
}

resource "cloudflare_r2_bucket_lifecycle" "files" {
  account_id  = local.account_id
  bucket_name = cloudflare_r2_bucket.files.name
  rules = [{
    id                        = "logs go after 30 days"
    enabled                   = true
    conditions                = { prefix = "logs/" }
    delete_objects_transition = { condition = { type = "Age", max_age = 2592000 } }
  }]
}

resource "cloudflare_queue" "jobs" {
  account_id = local.account_id
  queue_name = "terraform-jobs"
}

resource "cloudflare_queue" "failed" {
  account_id = local.account_id
  queue_name = "terraform-failed"
}

resource "cloudflare_queue_consumer" "jobs" {
  account_id        = local.account_id
  queue_id          = cloudflare_queue.jobs.id
  type              = "worker"
  script_name       = cloudflare_workers_script.site.script_name
  dead_letter_queue = cloudflare_queue.failed.queue_name
  settings = {
    batch_size       = 5
    max_retries      = 2
    max_wait_time_ms = 1000
    retry_delay      = 1
  }
}

resource "cloudflare_ai_gateway" "models" {
  account_id                 = local.account_id
  id                         = "terraform-models"
  cache_invalidate_on_update = true
  cache_ttl                  = 60
  collect_logs               = true
  rate_limiting_interval     = 60
  rate_limiting_limit        = 100
  rate_limiting_technique    = "fixed"
  authentication             = false
}

resource "cloudflare_workers_script" "site" {
  account_id         = local.account_id
  script_name        = "terraform-site"
  content_file       = "${path.module}/worker.mjs"
  content_sha256     = filesha256("${path.module}/worker.mjs")
  main_module        = "worker.mjs"
  compatibility_date = "2026-08-01"
  bindings = [
    { type = "kv_namespace", name = "SETTINGS", namespace_id = cloudflare_workers_kv_namespace.settings.id },
    { type = "d1", name = "NOTES", id = cloudflare_d1_database.notes.id },
    { type = "r2_bucket", name = "FILES", bucket_name = cloudflare_r2_bucket.files.name },
    { type = "queue", name = "JOBS", queue_name = cloudflare_queue.jobs.queue_name },
    { type = "ai", name = "AI" },
    { type = "plain_text", name = "GREETING", text = var.greeting },
  ]
}

resource "cloudflare_workers_script_subdomain" "site" {
  account_id       = local.account_id
  script_name      = cloudflare_workers_script.site.script_name
  enabled          = true
  previews_enabled = true
}

resource "cloudflare_workers_cron_trigger" "site" {
  account_id  = local.account_id
  script_name = cloudflare_workers_script.site.script_name
  schedules   = [{ cron = "0 3 * * *" }]
}
