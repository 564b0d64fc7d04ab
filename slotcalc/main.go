// Slotcalc tells which slot of a backup rotation a day uses, and what a
// rotation keeps. It is arithmetic only: it reads nothing but its options and,
// if no date is given, the clock. The schedules of a configuration it has napback
// tell.
package main

import "napback/internal/cli"

func main() { cli.Main("slotcalc", run) }
