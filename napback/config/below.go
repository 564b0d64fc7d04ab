package config

// Below is what the names of archives with these settings begin with, a path or "".
func (s *Settings) Below(host string) string {
	below, err := expandPrefix(s.Prefix, host)
	if err != nil { // which was reported where it stands
		return ""
	}
	return below
}
