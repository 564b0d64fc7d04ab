package storetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Hostile is a service that answers as a test wants it to, with what no real
// server can be made to say. The client need not keep to any order: answer is
// called by several goroutines.
func Hostile(t testing.TB, answer http.HandlerFunc) *Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		answer(w, r)
	}))
	server.Config.ErrorLog = quietLog()
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return &Server{Endpoint: server.URL, AccessKey: "testaccess", SecretKey: "testsecret0123456789", Region: "us-east-1", t: t}
}

// Endless writes text to an answer for as long as the client reads it.
func Endless(w io.Writer, text string) {
	for {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}
