package archive

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"napback/internal/cli"
)

// sumsLine is the length of a line of SHA256SUMS: 64 hex digits, two spaces,
// the chunk's number and a line feed.
const sumsLine = 2*sha256.Size + 2 + chunkDigits + 1

// sumsBlock is how many sums are held in one piece of memory.
const sumsBlock = 4096

// sumList is a SHA256SUMS in the least memory: 32 bytes a chunk. It grows
// piece by piece, so that an object that is not what its size promises costs
// no more than what it holds.
type sumList struct {
	blocks [][]byte
	n      int64
}

func (s *sumList) add(hexSum []byte) error {
	s.grow()
	_, err := hex.Decode(s.at(s.n-1), hexSum)
	return err
}

// grow adds a sum that is not known yet.
func (s *sumList) grow() {
	if s.n%sumsBlock == 0 {
		s.blocks = append(s.blocks, make([]byte, 0, sumsBlock*sha256.Size))
	}
	last := &s.blocks[len(s.blocks)-1]
	*last = (*last)[:len(*last)+sha256.Size]
	s.n++
}

// text reads as the SHA256SUMS of the list, which is never held as a whole.
func (s *sumList) text() *io.SectionReader {
	return io.NewSectionReader(sumsText{s}, 0, s.n*sumsLine)
}

// sumsText makes parts of a SHA256SUMS as they are asked for.
type sumsText struct{ sums *sumList }

// ReadAt implements io.ReaderAt.
func (t sumsText) ReadAt(p []byte, off int64) (n int, err error) {
	var line []byte
	for number := off / sumsLine; number < t.sums.n && n < len(p); number++ {
		line = hex.AppendEncode(line[:0], t.sums.at(number))
		line = append(line, "  "+chunkNumber(number)+"\n"...)
		n += copy(p[n:], line[(off+int64(n))%sumsLine:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// at returns the sum of chunk number n, which must be in the list.
func (s *sumList) at(n int64) []byte {
	start := n % sumsBlock * sha256.Size
	return s.blocks[n/sumsBlock][start : start+sha256.Size]
}

// freeSums is how much the sums may take beside the memory that was asked for,
// in bytes: those of 262,144 chunks. More count against it.
const freeSums = 8 << 20

// sumsCost is what the sums of an archive take of the memory for its chunks.
func sumsCost(chunks int64) int64 { return max(chunks-freeSums/sha256.Size, 0) * sha256.Size }

// readSums reads SHA256SUMS line by line and checks it against the manifest.
// What it costs has to fit into memory bytes.
func readSums(ctx context.Context, st Store, m *Manifest, memory int64) (*sumList, error) {
	key := sumsKey(m.Name, m.Run)
	if m.Chunks > (freeSums+memory)/sha256.Size {
		return nil, cli.WithHint(cli.Errorf(cli.Usage, "the sums of %d chunks do not fit into %s of memory", m.Chunks, cli.FormatSize(memory)),
			"give more --memory: the sums take 32 bytes a chunk")
	}
	body, size, err := st.Get(ctx, key)
	if errors.Is(err, ErrNotExist) {
		return nil, cli.Errorf(cli.Integrity, "%q is missing", key)
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if want := m.Chunks * sumsLine; size != want {
		return nil, cli.Errorf(cli.Integrity, "%q has %d bytes instead of %d", key, size, want)
	}
	hash := sha256.New()
	sums, err := parseSums(io.TeeReader(io.LimitReader(body, size), hash), key, m.Chunks)
	if err != nil {
		return nil, err
	}
	if hex.EncodeToString(hash.Sum(nil)) != m.Sums {
		return nil, cli.Errorf(cli.Integrity, "%q is damaged: its SHA-256 is not the manifest's", key)
	}
	return sums, nil
}

// parseSums reads the lines of that many chunks.
func parseSums(r io.Reader, key string, chunks int64) (*sumList, error) {
	sums := new(sumList)
	lines := bufio.NewReaderSize(r, sumsBlock)
	line := make([]byte, sumsLine)
	for n := range chunks {
		if _, err := io.ReadFull(lines, line); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, cli.Errorf(cli.Integrity, "%q ends before the line of chunk %s", key, chunkNumber(n))
		} else if err != nil {
			return nil, err
		}
		sum, rest := line[:2*sha256.Size], line[2*sha256.Size:]
		if string(rest) != "  "+chunkNumber(n)+"\n" || !bytes.Equal(sum, bytes.ToLower(sum)) || sums.add(sum) != nil {
			return nil, cli.Errorf(cli.Integrity, "%q: line %d is not that of chunk %s", key, n+1, chunkNumber(n))
		}
	}
	return sums, nil
}
