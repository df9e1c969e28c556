//go:build tools

// Package tools pins actionlint, which reads the generated workflow in a test.
package tools

import _ "github.com/rhysd/actionlint"
