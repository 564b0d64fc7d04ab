package config

import (
	"fmt"
	"slices"
	"strings"

	"napback/napback/source"
)

// scope is the file, a Cycle or a source. A source may be written as a block
// or as a directive; the latter is a scope that sets nothing.
type scope struct {
	place    place
	kind     source.Kind // of a source
	value    string      // of a Cycle, its name; of a source, what the file says
	tag      string      // as messages show it: <Cycle daily>
	at       position
	parent   *scope // nil for the file
	entries  []entry
	sources  []*scope
	name     *entry // a source's Name directive
	tolerant bool   // a block that is not known: what it holds is not judged
}

// entry is a directive that stands in a scope.
type entry struct {
	directive
	words []string
	at    position
}

// parser makes a tree of scopes from a file and those it includes.
type parser struct {
	problems
	files  files
	kinds  []source.Kind // of sources
	known  map[string]directive
	top    *scope
	cycles map[string]position // their names must be unique
	read   int                 // how many files so far
	nested []string            // the files being read, outermost first

	garbled bool // some file is no text, so that what is missing says nothing
}

const (
	cycleBlock  = "Cycle"
	nameSetting = "Name"
	includeLine = "Include"
)

// file parses the text of one file into a scope. Blocks that it opens it must
// close.
func (p *parser) file(path string, data []byte, into *scope) {
	order := p.read
	p.read++
	at := func(number int) position { return position{file: path, line: number, order: order} }
	lines, isText := scan(data, func(number int, format string, args ...any) { p.addf(at(number), format, args...) })
	p.garbled = p.garbled || !isText
	current := into
	for _, l := range lines {
		switch l.block {
		case openTag:
			current = p.open(at(l.number), l.words, current)
		case closeTag:
			current = p.close(at(l.number), l.words, current, into)
		default:
			p.line(at(l.number), l.words, current)
		}
	}
	for ; current != into; current = current.parent {
		p.addf(current.at, "%s is never closed: want </%s>", current.tag, current.block())
	}
}

// block is the name of the scope's block.
func (sc *scope) block() string {
	name, _, _ := strings.Cut(strings.Trim(sc.tag, "<>"), " ")
	return name
}

// open begins a block. It returns its scope even if the block is wrong, so
// that what it holds is read as well.
func (p *parser) open(at position, words []string, in *scope) *scope {
	sc := &scope{at: at, parent: in, tag: "<" + strings.Join(words, " ") + ">"}
	name := words[0]
	kind, isSource := p.sourceKind(name)
	switch {
	case strings.EqualFold(name, cycleBlock):
		sc.place = inCycle
		if in.place != atTop && !in.tolerant {
			p.addf(at, "Cycle cannot stand in %s: it belongs at the top level", in.tag)
		}
	case isSource:
		sc.place, sc.kind = inSource, kind
		if !p.sourceAllowed(at, kind, in) {
			isSource = false
		}
	default:
		sc.place, sc.tolerant = inSource, true
		p.unknownBlock(at, name)
		return sc
	}
	if len(words) != 2 || words[1] == "" {
		then := "quote a value with blanks"
		if isSource && kind.Program != "" {
			then = "the program has a line of its own in the block, " + kind.Program + " PROGRAM [ARGUMENT...]"
		}
		p.addf(at, "%s takes one value: want <%s VALUE>; %s", words[0], words[0], then)
		return sc
	}
	sc.value = words[1]
	if isSource {
		in.sources = append(in.sources, sc)
	}
	if sc.place == inCycle {
		p.cycle(at, sc, in)
	}
	return sc
}

// cycle puts a Cycle into the tree.
func (p *parser) cycle(at position, sc, in *scope) {
	if first, taken := p.cycles[sc.value]; taken {
		p.addf(at, "the name of %s is taken by the one at %v: each Cycle needs its own", sc.tag, first)
	} else {
		p.cycles[sc.value] = at
	}
	in.sources = append(in.sources, sc)
}

// close ends a block. A block of the file that includes this one (base) is
// not this file's to close.
func (p *parser) close(at position, words []string, current, base *scope) *scope {
	if len(words) != 1 {
		p.addf(at, "text in the line that closes a block: want </%s>", words[0])
	}
	for sc := current; sc != base; sc = sc.parent {
		if !strings.EqualFold(sc.block(), words[0]) {
			continue
		}
		for ; current != sc; current = current.parent {
			p.addf(current.at, "%s is not closed before the </%s> at line %d", current.tag, words[0], at.line)
		}
		return sc.parent
	}
	if current == base {
		p.addf(at, "</%s> closes nothing: no block is open", words[0])
	} else {
		p.addf(at, "</%s> closes nothing: the open block is %s of line %d", words[0], current.tag, current.at.line)
	}
	return current
}

// line reads a directive.
func (p *parser) line(at position, words []string, in *scope) {
	name, values := words[0], words[1:]
	if strings.EqualFold(name, includeLine) {
		if p.oneValue(at, includeLine, values) {
			p.include(at, values[0], in)
		}
		return
	}
	if in.tolerant {
		return
	}
	if strings.EqualFold(name, nameSetting) {
		p.nameLine(at, values, in)
		return
	}
	if kind, ok := p.sourceKind(name); ok {
		p.sourceLine(at, kind, values, in)
		return
	}
	if strings.EqualFold(name, cycleBlock) {
		p.addf(at, "Cycle is a block: want <Cycle NAME> ... </Cycle>")
		return
	}
	d, ok := p.known[strings.ToLower(name)]
	if !ok {
		p.add(problem{at: at, reason: fmt.Sprintf("unknown directive %q%s", name, p.nearest(name)), hint: hintOnOld(name)})
		return
	}
	if p.allowed(at, d, in) && p.countOK(at, d, values) && p.firstOK(at, d, in) {
		in.entries = append(in.entries, entry{d, values, at})
	}
}

// nameLine reads a job's Name.
func (p *parser) nameLine(at position, values []string, in *scope) {
	switch {
	case in.place != inSource:
		p.addf(at, "Name cannot stand %s: it belongs in the block of one source, as <Directory PATH>", in.describe())
	case !p.oneValue(at, nameSetting, values):
	case in.name != nil:
		p.addf(at, "Name is set twice here, first at %v", in.name.at)
	default:
		in.name = &entry{words: values, at: at}
	}
}

// describe says where something stands.
func (sc *scope) describe() string {
	if sc.place == atTop {
		return "at the top level"
	}
	return "in " + sc.tag
}

// sourceKind finds the kind that a directive or block names.
func (p *parser) sourceKind(name string) (source.Kind, bool) {
	for _, kind := range p.kinds {
		if strings.EqualFold(kind.Name, name) {
			return kind, true
		}
	}
	return source.Kind{}, false
}

// sourceLine reads a source that is a line.
func (p *parser) sourceLine(at position, kind source.Kind, values []string, in *scope) {
	if !p.sourceAllowed(at, kind, in) {
		return
	}
	sc := &scope{place: inSource, kind: kind, at: at, parent: in}
	switch {
	case kind.Program == "":
		if !p.oneValue(at, kind.Name, values) {
			return
		}
	case len(values) < 2 || values[0] == "":
		p.addf(at, "%s takes a name and a program: want %s NAME PROGRAM [ARGUMENT...]", kind, kind)
		return
	default:
		sc.entries = []entry{{p.known[strings.ToLower(kind.Program)], values[1:], at}}
	}
	sc.value, sc.tag = values[0], fmt.Sprintf("%s %s", kind, values[0])
	in.sources = append(in.sources, sc)
}

func (p *parser) sourceAllowed(at position, kind source.Kind, in *scope) bool {
	if in.place == inSource && !in.tolerant {
		p.addf(at, "%s cannot stand in %s: it belongs at the top level or in a <Cycle>", kind, in.tag)
		return false
	}
	return true
}

// allowed reports a directive that has no meaning in its scope.
func (p *parser) allowed(at position, d directive, in *scope) bool {
	switch {
	case d.where&in.place == 0:
		p.addf(at, "%s cannot stand in %s: it belongs at the top level, outside every block", d.name, in.tag)
		return false
	case d.own && in.place != inSource:
		p.addf(at, "%s cannot stand %s: it belongs in the block of a %s", d.name, in.describe(), alternatives(d.kinds))
		return false
	case in.place == inSource && d.kinds != nil && !slices.Contains(d.kinds, in.kind.Name):
		p.addf(at, "%s cannot stand in %s: it belongs to %s", d.name, in.tag, alternatives(d.kinds))
		return false
	}
	return true
}

// countOK reports a wrong number of values.
func (p *parser) countOK(at position, d directive, values []string) bool {
	if !d.words {
		return p.oneValue(at, d.name, values)
	}
	if len(values) == 0 {
		p.addf(at, "%s takes at least one value, not 0", d.name)
	}
	return len(values) > 0
}

func (p *parser) oneValue(at position, name string, values []string) bool {
	switch len(values) {
	case 1:
		return true
	case 0:
		p.addf(at, "%s takes one value, not 0", name)
	default:
		p.addf(at, "%s takes one value, not %d: quote a value with blanks", name, len(values))
	}
	return false
}

// firstOK reports a directive that its scope has already and cannot have twice.
func (p *parser) firstOK(at position, d directive, in *scope) bool {
	for _, other := range in.entries {
		switch {
		case other.name == d.name && !d.repeat:
			p.addf(at, "%s is set twice here, first at %v", d.name, other.at)
			return false
		case other.name == d.excludes:
			p.addf(at, "%s and %s exclude each other, the first is at %v", d.name, other.name, other.at)
			return false
		}
	}
	return true
}

func (p *parser) unknownBlock(at position, name string) {
	if d, ok := p.known[strings.ToLower(name)]; ok {
		p.addf(at, "%s is no block: want %s VALUE", d.name, d.name)
		return
	}
	p.addf(at, "unknown block <%s>%s", name, p.nearest(name))
}
