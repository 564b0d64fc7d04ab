package archive

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

// TestTextOfSumsIsMadeAsItIsRead: in parts of any size, from any place.
func TestTextOfSumsIsMadeAsItIsRead(t *testing.T) {
	for _, n := range []int64{0, 1, 2, sumsBlock - 1, sumsBlock, sumsBlock + 1} {
		sums := new(sumList)
		var want bytes.Buffer
		for i := range n {
			sum := sha256.Sum256(fmt.Append(nil, i))
			sums.grow()
			copy(sums.at(i), sum[:])
			fmt.Fprintf(&want, "%x  %013d\n", sum, i)
		}
		text := sums.text()
		if text.Size() != int64(want.Len()) {
			t.Errorf("%d sums: %d bytes instead of %d", n, text.Size(), want.Len())
		}
		for range 2 {
			if err := iotest.TestReader(sums.text(), want.Bytes()); err != nil {
				t.Fatalf("%d sums: %v", n, err)
			}
		}
		parsed, err := parseSums(text, "key", n)
		if err != nil || parsed.n != n {
			t.Errorf("%d sums: read back %v", n, err)
		}
		if _, err := text.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBuffersMakeRoomForSums: one after the other, until one is left.
func TestBuffersMakeRoomForSums(t *testing.T) {
	const chunk, memory = 1 << 20, 4 << 20
	p := &put{PutOptions: PutOptions{ChunkSize: chunk, Budget: Budget{Memory: memory}}}
	free := newPool(4, chunk, "")
	if _, err := free.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	const inFree, perBuffer = freeSums / sha256.Size, chunk / sha256.Size
	for i, want := range []int{4, 3, 2, 1} {
		for _, p.chunks = range []int64{int64(inFree + (i-1)*perBuffer), int64(inFree + i*perBuffer - 1)} {
			if err := p.makeRoom(t.Context(), free); err != nil || free.buffers != want {
				t.Fatalf("%d chunks: %d buffers instead of %d, %v", p.chunks, free.buffers, want, err)
			}
		}
	}
	p.chunks = inFree + 3*perBuffer
	if err := p.makeRoom(t.Context(), free); err == nil {
		t.Error("the sums take the memory of the last buffer")
	}
}
