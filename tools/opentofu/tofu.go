//go:build tools

// Package tools pins the OpenTofu that the tests of Terraform projects run.
package tools

import _ "github.com/opentofu/opentofu/cmd/tofu"
