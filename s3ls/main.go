// s3ls lists buckets, archives and their runs. It costs requests in
// proportion to archives, never to chunks, several at a time.
package main

import "napback/internal/cli"

func main() { cli.MainCollecting("s3ls", run) }
