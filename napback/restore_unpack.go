package main

import (
	"context"
	"fmt"
	"io"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dumpdir"
	"napback/napback/programs"
	"napback/napback/tools"
)

// unpackStages read an archive, decrypt and decompress it.
func (e *engine) unpackStages(a catalog.Entry, set *config.Settings, key *secretKey) ([]chain.Stage, error) {
	get, err := tools.Open(e.kit, set, e.hear).Get(a)
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
	guard, err := e.kit.Hidden(programs.Guard, append(args, "--", source)...)
	return append(stages, guard), err
}

// stages decrypt: pgpipe with a key file, else gpg.
func (k *secretKey) stages(kit programs.Kit) ([]chain.Stage, error) {
	if k.file == "" {
		return tools.DecryptWithGPG(kit)
	}
	s, err := tools.DecryptWithFile(kit, k.file, k.passphrase)
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
		c := chain.Chain{Stages: stages, Log: e.hear}
		return c.Reading(ctx, func(from io.Reader) error {
			damage = dumpdir.Read(from, lists, each)
			// The chain still has to tell whether the stream was whole; it
			// must not fail for want of a reader.
			_, err := io.Copy(io.Discard, from)
			return err
		})
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
