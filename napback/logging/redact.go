package logging

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"napback/internal/shell"
)

const (
	mask = "***"
	// minSecret is the length below which a text is no secret: masking it
	// would only make the log unreadable.
	minSecret = 4
	// maxText bounds a message and each text among the attributes.
	maxText = 16 << 10
)

// Redactor masks secrets in texts. A nil Redactor masks only what secrets look
// like.
type Redactor struct{ known *strings.Replacer }

// NewRedactor returns what masks these secrets, each also as JSON, URLs, shells
// and base64 write it, and each line of those that have several. What is
// shorter than 4 bytes is not masked. The user information of URLs and what
// signs an S3 request are masked whatever they are.
func NewRedactor(secrets []string) *Redactor {
	var all []string
	for _, secret := range secrets {
		for line := range strings.Lines(secret) {
			all = append(all, written(strings.TrimSpace(line))...)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, secret := range slices.Compact(all) {
		if len(secret) >= minSecret {
			pairs = append(pairs, secret, mask)
		}
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// written returns the forms in which a secret may occur in what programs say.
func written(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	inner := func(quoted string) string { return quoted[1 : len(quoted)-1] }
	forms := []string{
		secret, inner(strconv.Quote(secret)), strings.Trim(shell.Quote(secret), "'"),
		url.QueryEscape(secret), url.PathEscape(secret), strings.TrimPrefix(url.UserPassword("", secret).String(), ":"),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	if asJSON, err := json.Marshal(secret); err == nil {
		forms = append(forms, inner(string(asJSON)))
	}
	return forms
}

var (
	userinfo  = regexp.MustCompile(`(://)[^/?#\s"'<>]*@`)
	signature = regexp.MustCompile(`(?i)(x-amz-(?:security-token|signature|credential)["']?\s*[=:]\s*["'\[]*)[^\s&"'\]]+`)
)

// String returns the text with its secrets masked.
func (r *Redactor) String(text string) string {
	if r != nil {
		text = r.known.Replace(text)
	}
	if strings.Contains(text, "://") {
		text = userinfo.ReplaceAllString(text, "${1}"+mask+"@")
	}
	// The expressions are slow, and lines are many.
	if strings.Contains(text, "mz-") || strings.Contains(text, "MZ-") {
		text = signature.ReplaceAllString(text, "${1}"+mask)
	}
	return text
}

// line is String, bounded in length.
func (r *Redactor) line(text string) string {
	text = r.String(text)
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

// Environment returns the values among an environment, as os.Environ returns
// it, that are secrets by the names of their variables.
func Environment(env []string) []string {
	var secrets []string
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if secretName.MatchString(name) && !locationName.MatchString(name) && value != "" {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

var (
	secretName = regexp.MustCompile(`(?i)(SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|_PWD$|API_?KEY)`)
	// locationName is for variables that only say where a secret is, which logs
	// should show.
	locationName = regexp.MustCompile(`(?i)_(FILE|PATH|DIR|DIRECTORY|URI|URL)$`)
)
