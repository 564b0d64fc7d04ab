package guard

import "strconv"

// regions adds up what tar reads of a sparse file: for each region its bytes, in
// whole blocks. They must be as many as the member has, or tar would look for
// the next header elsewhere than the guard.
type regions struct {
	end    int64 // of the last region in the file
	stored int64 // bytes of all, in whole blocks but for the last
	ragged bool  // the last one with contents did not end with a block
}

func (r *regions) add(offset, n int64) bool {
	if offset < r.end || n > maxSize-offset || n > 0 && r.ragged {
		return false
	}
	r.end = offset + n
	r.stored += n
	r.ragged = r.ragged || n%blockSize != 0
	return r.stored <= maxSize
}

// sparse passes on the contents of a sparse file in posix format: the regions as
// lines of decimal numbers, filled up to a block, then what they hold.
func (s *stream) sparse(m *member, realSize int64) error {
	begin := s.pos
	count, err := s.line(m, begin)
	if err != nil {
		return err
	}
	var all regions
	for range count {
		offset, err := s.line(m, begin)
		if err != nil {
			return err
		}
		n, err := s.line(m, begin)
		if err != nil {
			return err
		}
		if !all.add(offset, n) {
			return s.refuse(m.name, "a sparse file with regions that cannot be")
		}
	}
	fill := padded(s.pos-begin) - (s.pos - begin)
	if err := s.copy(fill); err != nil {
		return err
	}
	if s.pos-begin+all.stored != m.size || all.end > realSize {
		return s.refuse(m.name, "a sparse file whose regions are not what it holds")
	}
	if err := s.copy(all.stored); err != nil {
		return err
	}
	return s.padding(all.stored)
}

// line passes on a line with a number.
func (s *stream) line(m *member, begin int64) (int64, error) {
	p, err := s.slice('\n')
	if err != nil {
		return 0, err
	}
	text := string(p[:len(p)-1])
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxSize || strconv.FormatInt(n, 10) != text || s.pos-begin > m.size {
		return 0, s.refuse(m.name, "a sparse file with a list of regions that tar does not write")
	}
	return n, s.pass(p)
}

// oldSparse passes on what follows the header of a sparse file in GNU's format:
// more blocks of regions, then what they hold. block is the header.
func (s *stream) oldSparse(m *member, block []byte) error {
	var all regions
	table, more := block[386:482], block[482]
	realSize, ok := number(block[483:495])
	if !ok || !isZero(block[495:]) {
		return s.refuse(m.name, "a sparse file with a size that cannot be")
	}
	for {
		if !all.table(table, more) {
			return s.refuse(m.name, "a sparse file with regions that cannot be")
		}
		if more == 0 {
			break
		}
		next := make([]byte, blockSize)
		if err := s.read(next); err != nil {
			return err
		}
		if !isZero(next[505:]) {
			return s.refuse(m.name, "a sparse file with regions that cannot be")
		}
		if err := s.pass(next); err != nil {
			return err
		}
		table, more = next[:504], next[504]
	}
	if all.stored != m.size || all.end > realSize {
		return s.refuse(m.name, "a sparse file whose regions are not what it holds")
	}
	if err := s.copy(m.size); err != nil {
		return err
	}
	return s.padding(m.size)
}

// table adds the regions of a block. Only the last block may have room left.
func (r *regions) table(table []byte, more byte) bool {
	if more > 1 {
		return false
	}
	for ; len(table) > 0; table = table[24:] {
		if table[12] == 0 {
			return more == 0 && isZero(table)
		}
		offset, good := number(table[:12])
		n, alsoGood := number(table[12:24])
		if !good || !alsoGood || !r.add(offset, n) {
			return false
		}
	}
	return true
}
