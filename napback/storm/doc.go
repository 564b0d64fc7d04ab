// Package storm shakes backups of several hosts for hundreds of simulated days
// and then asks for everything back. It holds tests only.
//
// A world (world_test.go) has a store, a directory or a versitygw, and hosts:
// each with a source, a DiffDir, a configuration, a clock, a name and a
// machine-id of its own. The tools are the real ones, built with a standard
// library in which the clock and the identity of the machine are told by a file
// beside the binary (machine_test.go). A round is:
//
//  1. Something happens to a host: its clock jumps, it is cloned or renamed, its
//     state is lost, its schedule or bucket changes (history_test.go).
//  2. Its source changes (mutate_test.go), and a copy of it is made with cp: the
//     oracle of this attempt.
//  3. napback runs, and perhaps a process of its chain is killed (kill_test.go).
//  4. Everything that is new in the store is restored with s3get, zstd and tar, and
//     compared with the copy of the attempt that it comes from (promise_test.go).
//     A file in the source names the attempt.
//  5. Of everything that was acknowledged before, what is promised must be there
//     still.
//
// The same words tell the directed histories of scenario_test.go, one for each
// promise that was broken once.
//
// make storm is the long form. STORM_ROUNDS, STORM_SEED and STORM_STORE (dir or
// s3) choose; each run prints its seed.
package storm
