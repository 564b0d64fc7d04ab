package main

import (
	"testing"

	"napback/internal/tooltest"
)

func TestMain(m *testing.M) { tooltest.Own(m, "s3put", main, "s3get", "s3ls", "s3rm") }
