//go:build tools

// Package tools pins the Pulumi CLI that inferstack builds where it cannot be installed.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
