package dump

import (
	"context"

	"napback/napback/source"
)

func tryMySQL(context.Context, source.Host, source.Trying) (source.Trial, error) {
	return nil, &source.Absent{What: "no server is started on this system"}
}

func tryPostgreSQL(context.Context, source.Host, source.Trying) (source.Trial, error) {
	return nil, &source.Absent{What: "no server is started on this system"}
}
