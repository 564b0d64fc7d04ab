package source

import "context"

// Trying is a job whose archives are to be loaded into a place that is made for it
// and thrown away.
type Trying struct {
	Job
	Dir    string // empty, and for the trial alone
	Signed bool   // as of Load
	// Live tells that the job's source is here, and is what the archives are of.
	Live bool
}

// Trial is a place, such as a server of its own, into which archives are loaded to
// see that they can be. It is thrown away after that.
type Trial interface {
	Loader
	// Prove looks at what has been loaded, and says in words what is there. An
	// error tells what is not as it was backed up.
	Prove(ctx context.Context) (string, error)
	// End takes the place away, but for its directory.
	End()
}

// Absent is an error of Kind.Try: this host does not have what it takes.
type Absent struct{ What string }

func (e *Absent) Error() string { return e.What }
