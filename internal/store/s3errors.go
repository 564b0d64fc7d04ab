package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/shell"
)

// errorReader turns the SDK's errors into causes for people and for the
// retry policy. It knows what was configured, so that hints can name it.
type errorReader struct {
	profile string
	keyFile string
	region  string
	renew   func() // fetches credentials anew with the next request
}

// apiCode returns the service's error code, or "".
func apiCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

func apiMessage(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	return ""
}

// httpStatus returns the answer's status, or 0 if there was no answer.
func httpStatus(err error) int {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

func httpHeader(err error, name string) string {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.Response != nil && response.Response.Response != nil {
		return response.Response.Header.Get(name)
	}
	return ""
}

// markedCredentials tells errors of fetching credentials from those of the
// request that needed them.
type markedCredentials struct{ provider aws.CredentialsProvider }

type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// Retrieve implements aws.CredentialsProvider.
func (m *markedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := m.provider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &credentialsError{err}
	}
	return keys, err
}

// is tells whether err wraps an error of a type.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// again is the failure of a request that may succeed later, or has.
func again(cause error) *failure {
	return &failure{cause: cause, retryable: true, ambiguous: true}
}

// read explains why a request failed. A nil error gives nil.
func (r errorReader) read(err error, bucket string) *failure {
	if err == nil {
		return nil
	}
	if credentials, ok := errors.AsType[*credentialsError](err); ok {
		return r.credentials(credentials.err)
	}
	status, code := httpStatus(err), apiCode(err)
	if status == 0 && code == "" {
		return transport(err)
	}
	if f := beyondLimits(err, status); f != nil {
		return f
	}
	if to := httpHeader(err, "Location"); to != "" && status >= 300 && status < 400 && apiMessage(err) == http.StatusText(status) {
		// Not S3's own error, which says in its body what is meant.
		return &failure{cause: cli.WithHint(redirected(to), "if that is the service, give its own address with --endpoint")}
	}
	if f := r.byCode(err, code, bucket); f != nil {
		return f
	}
	return r.byStatus(err, status, code, bucket)
}

// beyondLimits explains an answer of success that was given up. What a service
// that refuses goes on to say does not matter.
func beyondLimits(err error, status int) *failure {
	stalled, hasStalled := errors.AsType[errStalled](err)
	switch {
	case status >= 300:
		return nil
	case errors.Is(err, errTooLong):
		return &failure{cause: errTooLong, ambiguous: true}
	case errors.Is(err, errTooSlow):
		return again(errTooSlow)
	case hasStalled:
		return again(stalled)
	}
	return nil
}

// byCode knows the codes whose meaning is worth more than the service's text.
func (r errorReader) byCode(err error, code, bucket string) *failure {
	refused := func(text, hint string) *failure {
		return &failure{cause: cli.WithHint(&because{text, archive.ErrCredentials}, "%s", hint)}
	}
	switch code {
	case "NoSuchBucket":
		return &failure{cause: noBucket(bucket)}
	case "NoSuchKey":
		return &failure{cause: noObject()}
	case "BucketNotEmpty":
		return &failure{cause: notEmpty()}
	case "BucketAlreadyExists":
		return &failure{cause: cli.WithHint(&because{"the name belongs to somebody else", archive.ErrExist},
			"bucket names are shared by all users of the service; choose another")}
	case "InvalidBucketName":
		return &failure{cause: cli.WithHint(cli.WithCode(cli.Usage, fmt.Errorf("bucket %q: not a bucket name", bucket)),
			"use 3 to 63 lower-case letters, digits, `-` and `.`")}
	case "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException":
		return refused("the service does not know the access key", "check "+r.origin())
	case "SignatureDoesNotMatch":
		return refused("the secret key does not belong to the access key", "check "+r.origin())
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		f := refused("the credentials have expired", "renew "+r.origin())
		f.renew = r.renew
		return f
	case "InvalidToken":
		f := refused("the session token is not valid", "check "+r.origin())
		f.renew = r.renew
		return f
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return r.wrongRegion(err, bucket)
	case "RequestTimeTooSkewed":
		// The SDK learns the difference from the answer and uses it next.
		return &failure{retryable: true, cause: cli.WithHint(errors.New("this host's clock differs too much from the service's"),
			"set the clock, for instance with NTP")}
	case "TemporaryRedirect":
		// A new bucket that not every name server knows yet. It passes.
		return &failure{cause: cli.WithHint(answer(err), "no redirect is followed; with --region the bucket's own endpoint is asked"), retryable: true}
	}
	if passes(err, code) {
		return &failure{cause: answer(err), retryable: true, ambiguous: httpStatus(err) >= 500 || strings.HasPrefix(code, "RequestTimeout")}
	}
	return nil
}

// passes tells a code that the same request may not meet later: those that the
// SDK itself would try again, and those that it would not, because it knows
// neither that a conditional write that met another may win the next time nor that
// we send a damaged body anew.
func passes(err error, code string) bool {
	switch code {
	case "ConditionalRequestConflict", "OperationAborted", "TooManyRequests", "XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody":
		return true
	}
	sdk := retry.IsErrorRetryables{
		retry.RetryableErrorCode{Codes: retry.DefaultRetryableErrorCodes},
		retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes},
	}
	return sdk.IsErrorRetryable(err) == aws.TrueTernary
}

// byStatus explains the rest by the class of the HTTP status. The SDK tries
// again after 500, 502, 503 and 504 alone; gateways and caches before a service
// have codes of their own for the same trouble.
func (r errorReader) byStatus(err error, status int, code, bucket string) *failure {
	switch {
	case status == http.StatusNotFound:
		if code == "NotFound" || code == "" { // HEAD has no body that says what is missing
			return &failure{cause: noObject()}
		}
		return &failure{cause: cli.WithCode(cli.NotFound, answer(err))}
	case status == http.StatusMovedPermanently:
		return r.wrongRegion(err, bucket)
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		text := archive.ErrPermission.Error()
		if code != "AccessDenied" && code != "Forbidden" && code != "" {
			text = answer(err).Error()
		}
		return &failure{cause: cli.WithHint(&because{text, archive.ErrPermission},
			"check what %s may do with the bucket %q", r.origin(), bucket)}
	case status == http.StatusTemporaryRedirect:
		return &failure{cause: answer(err), retryable: true}
	case status == http.StatusNotImplemented:
		return &failure{cause: answer(err)}
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		return again(answer(err))
	case status >= 200 && status < 300:
		// An answer that is cut or is not S3's. The request may be done.
		return again(fmt.Errorf("an answer that cannot be read (HTTP %d)", status))
	}
	return &failure{cause: answer(err)}
}

// wrongRegion: the bucket lives elsewhere.
func (r errorReader) wrongRegion(err error, bucket string) *failure {
	cause := fmt.Errorf("bucket %q: not in region %q", bucket, r.region)
	if right := httpHeader(err, "X-Amz-Bucket-Region"); right != "" && right != r.region {
		return &failure{cause: cli.WithHint(cause, "use --region %s", shell.Word(right))}
	}
	if message := apiMessage(err); message != "" {
		cause = fmt.Errorf("%w: %s", cause, oneLine(message))
	}
	return &failure{cause: cli.WithHint(cause, "give the bucket's region with --region")}
}

// origin names where the credentials came from.
func (r errorReader) origin() string {
	switch {
	case r.keyFile != "":
		return fmt.Sprintf("the keys in %s", shell.Word(r.keyFile))
	case r.profile != "":
		return fmt.Sprintf("the keys of the profile %s", shell.Word(r.profile))
	}
	return "the AWS credentials in use"
}

// credentials explains why there are none.
func (r errorReader) credentials(err error) *failure {
	text := err.Error()
	if strings.Contains(text, "no EC2 IMDS role found") || strings.Contains(text, "EC2 IMDS") || strings.Contains(text, "static credentials are empty") {
		return &failure{cause: cli.WithHint(&because{"no credentials found", archive.ErrCredentials},
			"give -K FILE, or --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")}
	}
	if code := apiCode(err); code != "" {
		text = code + ": " + apiMessage(err)
	}
	if i := strings.LastIndex(text, "request ID"); i >= 0 {
		text = text[:i]
	}
	cause := &because{"no credentials: " + oneLine(text), archive.ErrCredentials}
	passing := is[*net.OpError](err) || httpStatus(err) >= 500
	return &failure{cause: cli.WithHint(cause, "renew %s", r.origin()), retryable: passing}
}

// answer is an error of the service in one line: status, code, message.
func answer(err error) error {
	status, code, message := httpStatus(err), apiCode(err), oneLine(apiMessage(err))
	text := fmt.Sprintf("the service answered %d", status)
	if code == "" || code == "UnknownError" {
		return errors.New(strings.TrimSpace(text + " " + http.StatusText(status)))
	}
	text += " " + oneLine(code)
	if message != "" && strings.ReplaceAll(message, " ", "") != code {
		text += ": " + message
	}
	return errors.New(text)
}

// transport explains a request that got no answer. A certificate that is not
// trusted will not be so in a minute; everything else may be. The SDK's rule
// (retry.RetryableConnectionError) gives up where a name is not found, as it is
// not while a host's network is down at night.
func transport(err error) *failure {
	stalled, hasStalled := errors.AsType[errStalled](err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !hasStalled:
		return again(contextCause(err))
	case hasStalled:
		return again(stalled)
	case is[x509.UnknownAuthorityError](err), is[x509.HostnameError](err), is[x509.CertificateInvalidError](err), is[*tls.CertificateVerificationError](err):
		text := oneLine(err.Error())
		if i := strings.LastIndex(text, "x509: "); i >= 0 {
			text = text[i+len("x509: "):]
		}
		return &failure{cause: cli.WithHint(fmt.Errorf("the service's certificate: %s", text),
			"name the certificate authority's file in AWS_CA_BUNDLE")}
	case is[tls.RecordHeaderError](err), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &failure{cause: cli.WithHint(errors.New("the service does not speak TLS"), "is it http:// instead of https://?")}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return again(errors.New("connection broke"))
	}
	op, isOp := errors.AsType[*net.OpError](err)
	if isOp || is[*net.DNSError](err) {
		return &failure{cause: networkCause(err), retryable: true, ambiguous: isOp && op.Op != "dial"}
	}
	if sendErr, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return again(networkCause(sendErr.Err))
	}
	// Nothing was sent: the SDK itself refused the request.
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		err = op.Err
	}
	return &failure{cause: errors.New(oneLine(err.Error()))}
}

func contextCause(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return errors.New("no answer in time")
}
