package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dumpdir"
	"napback/napback/tools"
)

// unpackStages read an archive, decrypt and decompress it.
func (e *engine) unpackStages(a catalog.Entry, set *config.Settings, key *secretKey) ([]chain.Stage, error) {
	get, err := e.kit.Store(set, e.hear).Get(a)
	if err != nil {
		return nil, err
	}
	stages := []chain.Stage{get}
	if a.Encryption() != "" {
		decrypt, err := key.stages(e.kit)
		if err != nil {
			return nil, err
		}
		stages = append(stages, decrypt...)
	}
	more, err := e.kit.Decompress(a.Compression(), fmt.Sprintf("%s of run %s", a.Name, a.Run))
	return append(stages, more...), err
}

// guardedStages are unpackStages and the guard, for what tar is going to read.
func (e *engine) guardedStages(a catalog.Entry, set *config.Settings, key *secretKey, notDirs []string) ([]chain.Stage, error) {
	stages, err := e.unpackStages(a, set, key)
	if err != nil {
		return nil, err
	}
	source, _ := isDirectory(a)
	var args []string
	for _, name := range notDirs {
		args = append(args, "--not-dir="+name)
	}
	guard, err := e.kit.Hidden(tools.Guard, append(args, "--", source)...)
	return append(stages, guard), err
}

// stages decrypt: pgpipe with a key file, else gpg.
func (k *secretKey) stages(kit tools.Kit) ([]chain.Stage, error) {
	if k.file == "" {
		return kit.DecryptWithGPG()
	}
	s, err := kit.DecryptWithFile(k.file, k.passphrase)
	return []chain.Stage{s}, err
}

// unpack runs a chain that opens an archive. If it turns out that the key needs
// a passphrase and there is somebody to ask, it asks and runs the chain again:
// nothing has come out of it before.
func (e *engine) unpack(ctx context.Context, key *secretKey, attempt func() ([]chain.Status, error)) ([]chain.Status, error) {
	for {
		status, err := attempt()
		if err == nil || ctx.Err() != nil || !key.wanted(err) {
			return status, explain(ctx, err)
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

// isDirectory reports whether an archive was made of a Directory.
func isDirectory(a catalog.Entry) (dir string, ok bool) {
	return strings.CutPrefix(a.Source(), string(config.Directory)+" ")
}
