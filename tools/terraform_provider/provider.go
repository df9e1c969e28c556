//go:build tools

// Package tools pins the Cloudflare provider that the tests of Terraform projects run.
package tools

import _ "github.com/cloudflare/terraform-provider-cloudflare"
