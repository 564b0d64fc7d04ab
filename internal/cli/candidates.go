package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// longestHelp is where the text beside a candidate ends, in bytes.
const longestHelp = 70

// print prints the candidates for the last of the words. It leaves out what could
// make a terminal do something.
func (s Syntax) print(w io.Writer, words []string) error {
	found, last := s.candidates(words)
	for _, c := range found {
		line := c.Word
		if c.Word != Files.Word {
			if c.Word == "" || Safe(c.Word) != c.Word || !strings.HasPrefix(c.Word, last) {
				continue
			}
			help, _, _ := strings.Cut(Safe(c.Help), ". ")
			line += "\t" + Shorten(strings.TrimSuffix(help, "."), longestHelp)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// candidates are what the last of the words could become, and how it begins.
func (s Syntax) candidates(words []string) (found []Candidate, last string) {
	typed := Typed{Values: map[string][]string{}}
	last = words[len(words)-1]
	var open *Flag // whose value comes next
	for _, word := range words[:len(words)-1] {
		switch {
		case open != nil && word == "=": // bash cuts --flag=value into three words
		case open != nil:
			typed.set(open, word)
			open = nil
		case word == "--":
			return []Candidate{Files}, last
		case len(word) > 1 && word[0] == '-':
			name, value, has := strings.Cut(word, "=")
			switch f := s.flag(name); {
			case f == nil || f.Value == "":
			case has:
				typed.set(f, value)
			default:
				open = f
			}
		default:
			if i := slices.IndexFunc(s.Commands, func(c Command) bool { return c.Name == word }); i >= 0 {
				s, typed.Before, typed.Args = s.Commands[i].Syntax, typed.Args, nil
			} else {
				typed.Args = append(typed.Args, word)
			}
		}
	}
	if open != nil {
		return open.values(typed), strings.TrimPrefix(last, "=")
	}
	return s.next(typed, last), last
}

func (t Typed) set(f *Flag, value string) {
	t.Values[f.Names[0]] = append(t.Values[f.Names[0]], value)
}

// next are the candidates for a word that is no option's value, unless it holds one.
func (s Syntax) next(typed Typed, last string) []Candidate {
	if name, _, has := strings.Cut(last, "="); has && strings.HasPrefix(name, "-") {
		f := s.flag(name)
		if f == nil || f.Value == "" {
			return nil
		}
		all := f.values(typed)
		for i := range all {
			if all[i].Word != Files.Word {
				all[i].Word = name + "=" + all[i].Word
			}
		}
		return all
	}
	var all []Candidate
	if strings.HasPrefix(last, "-") {
		for _, f := range s.Flags {
			for _, name := range f.Names {
				all = append(all, Candidate{name, f.Help})
			}
		}
		return all
	}
	for _, c := range s.Commands {
		all = append(all, Candidate{c.Name, c.Help})
	}
	if s.Args != nil {
		all = append(all, s.Args(typed)...)
	}
	return all
}

// flag finds an option. Of short ones in one word only the last takes a value.
func (s Syntax) flag(name string) *Flag {
	if !strings.HasPrefix(name, "--") {
		name = "-" + name[len(name)-1:]
	}
	i := slices.IndexFunc(s.Flags, func(f Flag) bool { return slices.Contains(f.Names, name) })
	if i < 0 {
		return nil
	}
	return &s.Flags[i]
}

// values are what an option's value could be.
func (f *Flag) values(typed Typed) []Candidate {
	switch {
	case f.Values != nil:
		return f.Values(typed)
	case f.Value == "FILE" || f.Value == "DIR":
		return []Candidate{Files}
	}
	return nil
}
