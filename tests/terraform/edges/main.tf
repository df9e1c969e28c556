# A Worker with files and objects that keep their state, the addresses that lead to it, and a search beside it.
terraform {
  required_providers {
    cloudflare = {
      source = "cloudflare/cloudflare"
    }
  }
}

data "cloudflare_accounts" "of_the_token" {}

data "cloudflare_zone" "shop" {
  filter = { name = "example.com" }
}

locals {
  account_id = data.cloudflare_accounts.of_the_token.result[0].id
}

variable "pattern" {
  type    = string
  default = "shop.example.com/api/*"
}

resource "cloudflare_workers_script" "edges" {
  account_id         = local.account_id
  script_name        = "terraform-edges"
  content_file       = "${path.module}/worker.mjs"
  content_sha256     = filesha256("${path.module}/worker.mjs")
  main_module        = "worker.mjs"
  compatibility_date = "2026-08-01"
  assets             = { directory = "${path.module}/public" }
  migrations         = { new_tag = "v1", new_sqlite_classes = ["Counter"] }
  bindings = [
    { type = "durable_object_namespace", name = "COUNTER", class_name = "Counter" },
  ]
}

resource "cloudflare_workers_script_subdomain" "edges" {
  account_id       = local.account_id
  script_name      = cloudflare_workers_script.edges.script_name
  enabled          = true
  previews_enabled = false
}

resource "cloudflare_workers_route" "api" {
  zone_id = data.cloudflare_zone.shop.zone_id
  pattern = var.pattern
  script  = cloudflare_workers_script.edges.script_name
}

resource "cloudflare_workers_custom_domain" "files" {
  account_id = local.account_id
  zone_id    = data.cloudflare_zone.shop.zone_id
  hostname   = "files.example.com"
  service    = cloudflare_workers_script.edges.script_name
}

resource "cloudflare_r2_bucket" "texts" {
  account_id = local.account_id
  name       = "terraform-texts"
}

resource "cloudflare_ai_search_token" "reader" {
  account_id = local.account_id
  name       = "terraform-reader"
  cf_api_id  = "an id"
  cf_api_key = "not a real one"
}

resource "cloudflare_ai_search_namespace" "shop" {
  account_id  = local.account_id
  name        = "terraform-shop"
  description = "Texts of the shop"
}

resource "cloudflare_ai_search_instance" "texts" {
  account_id = local.account_id
  id         = "terraform-texts"
  type       = "r2"
  source     = cloudflare_r2_bucket.texts.name
  token_id   = cloudflare_ai_search_token.reader.id
  chunk_size = 512
}
