// Package storetest is what tests of stores, and of tools that use them,
// share: real S3 servers that a test starts (Versitygw, Minio), proxies that
// make them fail in a chosen way (Proxy for requests, Link for connections),
// and Conform, the conformance suite of archive.Store.
//
// Nothing here skips: a server that cannot be built or started fails the test.
package storetest
