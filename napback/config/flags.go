package config

import "strconv"

// Tools is a set of the tools that talk to the store.
type Tools int

// The tools.
const (
	Put  Tools = 1 << iota // s3put
	Get                    // s3get
	List                   // s3ls and s3rm

	anyTool = Put | Get | List
)

// Told are the values of the directives that have a flag, by their names: as tools
// take them, in the order of the file.
type Told map[string][]string

// Flags are what a tool is told, in the order of the table. What is not set is
// left to the tool's default.
func (s *Settings) Flags(of Tools) []string {
	var flags []string
	for _, d := range storeDirectives() {
		if d.tools&of == 0 {
			continue
		}
		for _, value := range s.Told[d.name] {
			flags = append(flags, d.flag, value)
		}
		if d.name == "VerifyKey" && s.AcceptUnsigned && len(s.VerifyKeys()) > 0 {
			flags = append(flags, "--accept-unsigned")
		}
	}
	return flags
}

// Endpoint is where the store is; "" = as the environment or the profile says.
func (s *Settings) Endpoint() string { return s.told("Endpoint") }

// Profile is the one of AWS's files that has the credentials; "" = none is named.
func (s *Settings) Profile() string { return s.told("Profile") }

// StorageClass is that of chunks; "" = the bucket's.
func (s *Settings) StorageClass() string { return s.told("StorageClass") }

// SignKey is the file of the secret key that signs manifests; "" = they are not
// signed.
func (s *Settings) SignKey() string { return s.told("SignKey") }

// VerifyKeys are files of public keys; none: signatures are not looked at.
func (s *Settings) VerifyKeys() []string { return s.Told["VerifyKey"] }

// told is the value of a directive that has one, or "".
func (s *Settings) told(name string) string {
	if values := s.Told[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// bytes is the value of a directive that is a size, or 0.
func (s *Settings) bytes(name string) int64 {
	n, _ := strconv.ParseInt(s.told(name), 10, 64) // it was written from a number
	return n
}
