package compress

func xz() Method {
	return Method{Name: "xz", Programs: []Program{{"xz", []string{"-q", "-c", "-6", "-T2"}}}}
}
