package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// syntaxOf tells what kong's command line can hold.
func syntaxOf(node *kong.Node) Syntax {
	var s Syntax
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			s.Flags = append(s.Flags, syntaxOfFlag(f))
		}
	}
	for _, c := range node.Children {
		if !c.Hidden {
			s.Commands = append(s.Commands, Command{c.Name, c.Help, syntaxOf(c)})
		}
	}
	for _, arg := range node.Positional {
		if strings.EqualFold(arg.Name, "file") {
			s.Args = func(Typed) []Candidate { return []Candidate{Files} }
		}
	}
	return s
}

func syntaxOfFlag(f *kong.Flag) Flag {
	flag := Flag{Names: []string{"--" + f.Name}, Help: f.Help}
	if f.Short != 0 {
		flag.Names = append(flag.Names, "-"+string(f.Short))
	}
	if f.IsBool() || f.IsCounter() {
		return flag
	}
	flag.Value = strings.ToUpper(f.Name)
	if f.PlaceHolder != "" {
		flag.Value = f.PlaceHolder
	}
	if f.Enum != "" {
		flag.Values = func(Typed) []Candidate {
			var all []Candidate
			for _, value := range f.EnumSlice() {
				all = append(all, Candidate{Word: value})
			}
			return all
		}
	}
	return flag
}
