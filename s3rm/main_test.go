package main

import (
	"testing"

	"napback/internal/tooltest"
)

func TestMain(m *testing.M) { tooltest.Own(m, "s3rm", main, "s3put", "s3get", "s3ls") }
