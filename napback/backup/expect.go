package backup

import "napback/napback/catalog"

// expected is about how much the backup is going to store: as much as the last one of
// its type, whose size the bucket tells; -1 if there is none.
func (b *Backup) expected() int64 {
	var last *catalog.Entry
	for i := range b.Contents.Runs {
		r := &b.Contents.Runs[i]
		if r.IsArchive() && r.Type() == b.decision.Kind && r.Owner == b.Self.Owner && (last == nil || r.Run > last.Run) {
			last = r
		}
	}
	if last == nil {
		return -1
	}
	return last.Bytes
}
