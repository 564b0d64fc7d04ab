package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"napback/internal/address"
	"napback/internal/archive"
	"napback/internal/cli"
)

// dirService is a directory whose sub-directories are the buckets.
type dirService struct {
	path   string
	root   *os.Root
	policy *policy
	limit  *limiter
	log    *cli.Log
	link   func(bucket *os.Root, from, to string) error // link(2); tests break it

	mu      sync.Mutex
	cleaned map[string]bool // buckets whose old temporary files are gone
}

// dirBucket is one of them.
type dirBucket struct {
	*dirService
	name string
}

var (
	_ Service       = (*dirService)(nil)
	_ archive.Store = dirBucket{}
)

// tmpDir holds a bucket's unfinished files. No key may begin with it, and no
// listing shows it.
const tmpDir = ".napback-tmp"

// tmpLife is how old a file in tmpDir is when its writer must have died.
const tmpLife = 48 * time.Hour

func openDir(dir string, p *policy, l *limiter, log *cli.Log) (Service, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return nil, cli.Errorf(cli.Usage, "directory store %q: not a directory", dir)
	}
	var root *os.Root
	if err == nil {
		root, err = os.OpenRoot(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cli.WithHint(cli.WithCode(cli.NotFound,
			fmt.Errorf("directory store %q: %w", dir, archive.ErrNotExist)), "mount it, or create it with mkdir")
	}
	if err != nil {
		return nil, fmt.Errorf("directory store %q: %w", dir, dirCause(err))
	}
	return &dirService{
		path: dir, root: root, policy: p, limit: l, log: log,
		link:    func(bucket *os.Root, from, to string) error { return bucket.Link(from, to) },
		cleaned: map[string]bool{},
	}, nil
}

// dirCause makes an error of the file system fit for people and for callers
// that branch on it.
func dirCause(err error) error {
	cause := plainCause(err)
	switch {
	case isFull(err):
		return cli.WithHint(cause, "make room on the disk")
	case errors.Is(err, fs.ErrPermission):
		return &because{cause.Error(), archive.ErrPermission}
	case errors.Is(err, fs.ErrNotExist):
		return noObject()
	}
	return cause
}

// failure of a try on the file system. A full disk is waited for only when
// the user asked never to die; otherwise it is told at once.
func (s *dirService) failure(err error) *failure {
	if err == nil {
		return nil
	}
	return &failure{cause: dirCause(err), retryable: isPassing(err) || isFull(err) && s.policy.neverDie}
}

// Bucket implements Service.
func (s *dirService) Bucket(name string) archive.Store { return dirBucket{s, name} }

// Buckets implements Service. Directories that no bucket would be called
// after, such as lost+found, are left out.
func (s *dirService) Buckets(ctx context.Context) ([]Bucket, error) {
	var found []Bucket
	err := s.policy.do(ctx, request{verb: "list buckets"}, func(ctx context.Context) *failure {
		found = nil
		entries, err := fs.ReadDir(s.root.FS(), ".")
		for _, e := range entries {
			if !e.IsDir() || !address.IsBucket(e.Name()) {
				continue
			}
			if info, err := s.root.Lstat(e.Name()); err == nil {
				found = append(found, Bucket{Name: e.Name(), Created: info.ModTime()})
			}
		}
		return s.failure(err)
	})
	slices.SortFunc(found, func(a, b Bucket) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}

// CreateBucket implements Service.
func (s *dirService) CreateBucket(ctx context.Context, name string) error {
	return s.policy.do(ctx, request{"create bucket", name}, func(ctx context.Context) *failure {
		if !address.IsBucket(name) {
			return &failure{cause: cli.WithHint(cli.WithCode(cli.Usage, errors.New("not a bucket name")),
				"use letters, digits, `-`, `.` and `_`, beginning with a letter or digit")}
		}
		err := s.root.Mkdir(name, 0o700)
		if errors.Is(err, fs.ErrExist) {
			info, statErr := s.root.Stat(name)
			if statErr == nil && !info.IsDir() {
				return &failure{cause: errors.New("not a directory")}
			}
			return s.failure(statErr)
		}
		if err == nil {
			err = syncPath(s.root, ".")
		}
		return s.failure(err)
	})
}

// DeleteBucket implements Service.
func (s *dirService) DeleteBucket(ctx context.Context, name string) error {
	return s.policy.do(ctx, request{"delete bucket", name}, func(ctx context.Context) *failure {
		bucket, f := s.open(name)
		if f != nil {
			return f
		}
		defer bucket.Close()
		entries, err := fs.ReadDir(bucket.FS(), ".")
		if err != nil {
			return s.failure(err)
		}
		for _, e := range entries {
			if e.Name() != tmpDir {
				return &failure{cause: notEmpty()}
			}
		}
		s.removeOld(bucket)
		bucket.Remove(tmpDir + "/" + lockFile)
		if err := bucket.Remove(tmpDir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &failure{cause: errors.New("an upload to it is not finished")}
		}
		err = s.root.Remove(name)
		if err == nil {
			err = syncPath(s.root, ".")
		}
		return s.failure(err)
	})
}

func notEmpty() error {
	return cli.WithHint(errors.New("not empty"), "remove what it holds first")
}

// RecoverCommand implements Service.
func (s *dirService) RecoverCommand(bucket, keyPrefix string) string {
	return recoverFromDir(s.path, bucket, keyPrefix)
}

// open opens a bucket for one operation.
func (s *dirService) open(name string) (*os.Root, *failure) {
	if !address.IsBucket(name) {
		return nil, &failure{cause: noBucket(name)}
	}
	info, err := s.root.Stat(name)
	if err == nil && !info.IsDir() {
		err = errNotDir // opening a named pipe would wait for its writer
	}
	var bucket *os.Root
	if err == nil {
		bucket, err = s.root.OpenRoot(name)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return nil, &failure{cause: noBucket(name)}
	}
	if err != nil {
		return nil, &failure{cause: fmt.Errorf("bucket %q: %w", name, dirCause(err)), retryable: isPassing(err)}
	}
	return bucket, nil
}

// keyPath returns the path in its bucket of the file that holds key: the same
// bytes. It refuses keys that no path can have.
func keyPath(key string) (string, error) {
	if key == "" {
		return "", errors.New("an empty key")
	}
	for _, part := range strings.Split(key, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return "", fmt.Errorf("a directory cannot hold a key with the component %q", part)
		case strings.ContainsRune(part, 0):
			return "", errors.New("a file name holds no NUL")
		case runtime.GOOS == "windows" && strings.ContainsAny(part, `:\<>"|?*`):
			return "", cli.WithHint(fmt.Errorf("windows allows none of %s in a file name", `:\<>"|?*`),
				"use an S3 service, or keep the directory on another system")
		}
	}
	if key == tmpDir || strings.HasPrefix(key, tmpDir+"/") {
		return "", fmt.Errorf("%q is for unfinished files", tmpDir)
	}
	return filepath.FromSlash(key), nil
}

// syncPath makes the names in a directory of root durable.
func syncPath(root *os.Root, name string) error {
	dir, err := openDirectory(root, name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return syncDir(dir)
}
