package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dumpdir"
)

// getStage reads an archive. Every chunk is verified before it is written.
func (e *engine) getStage(a catalog.Entry, set *config.Settings, more ...string) (chain.Stage, error) {
	program, err := e.kit.Sibling("s3get")
	if err != nil {
		return chain.Stage{}, err
	}
	f := flags(storeFlags(set))
	f.number("-c", int64(set.Concurrency))
	f.number("--memory", set.Memory)
	args := append(f, "--progress", "never")
	return e.kit.StoreStage("s3get", program, append(append(args, more...), a.Address())), nil
}

// unpackStages read an archive, decrypt and decompress it.
func (e *engine) unpackStages(a catalog.Entry, set *config.Settings, key *secretKey) ([]chain.Stage, error) {
	get, err := e.getStage(a, set)
	if err != nil {
		return nil, err
	}
	stages := []chain.Stage{get}
	if a.Encryption() != "" {
		decrypt, err := e.decryptStages(key)
		if err != nil {
			return nil, err
		}
		stages = append(stages, decrypt...)
	}
	switch how := a.Compression(); how {
	case "none":
	case "zstd", "gzip", "xz":
		program, ok := e.kit.Program(how)
		if !ok {
			return nil, cli.WithHint(fmt.Errorf("%s is compressed with %s, which is not in PATH", a.Name, how), "install %s", how)
		}
		stages = append(stages, e.kit.Stage(how, program, []string{"-q", "-d", "-c"}))
	default:
		return nil, cli.Errorf(cli.Integrity, "%s of run %s: its manifest says it is compressed with %q, which is unknown", a.Name, a.Run, how)
	}
	return stages, nil
}

// guardedStages are unpackStages and the guard, for what tar is going to read.
func (e *engine) guardedStages(a catalog.Entry, set *config.Settings, key *secretKey, notDirs []string) ([]chain.Stage, error) {
	stages, err := e.unpackStages(a, set, key)
	if err != nil {
		return nil, err
	}
	path, err := e.kit.Sibling("napback")
	if err != nil {
		return nil, err
	}
	source, _ := isDirectory(a)
	args := []string{guardCommandName}
	for _, name := range notDirs {
		args = append(args, "--not-dir="+name)
	}
	return append(stages, e.kit.Stage("napback", path, append(args, "--", source))), nil
}

// decryptStages are pgpipe with a key file, else gpg, which knows agents and
// cards, but has to be kept from what is not encrypted.
func (e *engine) decryptStages(key *secretKey) ([]chain.Stage, error) {
	if key.file == "" {
		program, ok := e.kit.Program("gpg", "gpg2")
		if !ok {
			return nil, cli.WithHint(errors.New("the archive is encrypted, and gpg is not in PATH"), "give the secret key: --secret-key FILE")
		}
		self, err := e.kit.Sibling("napback")
		if err != nil {
			return nil, err
		}
		return []chain.Stage{
			e.kit.Stage("napback", self, []string{sealedCommandName}),
			e.kit.Stage("gpg", program, []string{"--batch", "--quiet", "--decrypt"}),
		}, nil
	}
	program, err := e.kit.Sibling("pgpipe")
	if err != nil {
		return nil, err
	}
	args := []string{"-d", "-k", key.file}
	if key.passphrase != "" {
		args = append(args, "--passphrase-file", key.passphrase)
	}
	s := e.kit.Stage("pgpipe", program, args)
	s.NoTerminal = true // secretKey asks
	return []chain.Stage{s}, nil
}

// unpack runs a chain that opens an archive. If it turns out that the key needs
// a passphrase and there is somebody to ask, it asks and runs the chain again:
// nothing has come out of it before.
func (e *engine) unpack(ctx context.Context, key *secretKey, attempt func() ([]chain.Status, error)) ([]chain.Status, error) {
	for {
		status, err := attempt()
		if err == nil || ctx.Err() != nil || !key.wanted(err) {
			return status, forget(ctx, toolError(err))
		}
		if err := key.ask(ctx); err != nil {
			return status, err
		}
	}
}

// members calls each for every member of an archive of a Directory, and checks
// that the archive is whole, to its last byte, and one that tar may extract.
// Only if lists is set have directories their contents, which take memory.
func (e *engine) members(ctx context.Context, a catalog.Entry, set *config.Settings, key *secretKey, lists bool, each func(*dumpdir.Member) error) error {
	var damage error
	_, err := e.unpack(ctx, key, func() ([]chain.Status, error) {
		stages, err := e.guardedStages(a, set, key, nil)
		if err != nil {
			return nil, err
		}
		read, write, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("make pipe: %w", err)
		}
		answer := make(chan error, 1)
		go func() {
			err := dumpdir.Read(read, lists, each)
			// After an error the chain still has to tell whether the
			// stream was whole; it must not fail for want of a reader.
			_, _ = io.Copy(io.Discard, read)
			read.Close()
			answer <- err
		}()
		c := chain.Chain{Stages: stages, Stdout: write, Log: e.hear}
		status, err := c.Run(ctx)
		write.Close()
		damage = <-answer
		return status, err
	})
	if err == nil && damage != nil {
		err = cli.WithCode(cli.Integrity, damage)
	}
	if err != nil {
		return fmt.Errorf("read %s of run %s: %w", a.Name, a.Run, err)
	}
	return nil
}

// isDirectory reports whether an archive is tar's, of a directory.
func isDirectory(a catalog.Entry) (dir string, ok bool) {
	kind, dir := kindOf(a.Source())
	return dir, kind.Tree
}
