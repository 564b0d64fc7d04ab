// Package setup makes the first configuration of a host:
//
//  1. What the command line did not say is asked, where there is a terminal (Ask).
//  2. What is to be made is checked before anything is: no file of it may exist, since
//     nothing is ever overwritten (Make).
//  3. Keys, directories and files are made, the configuration last. It is read as
//     napback reads it. If anything of that fails, what was made is taken away again.
//
// The secret key that it can make is not for this host: whoever calls has to say so.
package setup
