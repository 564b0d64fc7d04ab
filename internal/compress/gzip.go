package compress

func gzip() Method {
	args := []string{"-c", "-n", "-6"}
	return Method{Name: "gzip", Common: true, Programs: []Program{{"pigz", args}, {"gzip", args}}}
}
