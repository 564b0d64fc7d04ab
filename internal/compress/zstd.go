package compress

func zstd() Method {
	return Method{Name: "zstd", Common: true, Programs: []Program{{"zstd", []string{"-q", "-3", "-T2"}}}}
}
