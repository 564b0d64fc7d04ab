package state

// noFollow is nothing: on Windows only administrators make symbolic links.
const noFollow = 0
