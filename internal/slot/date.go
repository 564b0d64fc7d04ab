package slot

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	secondsPerDay = 24 * 60 * 60
	dateLayout    = "2006-01-02"
)

// Date is a civil date: a day of the calendar, without time or zone. Its zero
// value is 1970-01-01. Dates compare with ==.
type Date struct{ day int64 }

// Today returns the civil date of t in t's own location.
func Today(t time.Time) Date {
	year, month, day := t.Date()
	// In UTC every day has the same length, so the division is exact.
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay}
}

// ParseDate reads a date written as 2006-01-02. A day that the calendar does
// not have, such as 2026-02-30, is an error.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		var parse *time.ParseError
		if errors.As(err, &parse) && strings.HasSuffix(parse.Message, "out of range") {
			return Date{}, fmt.Errorf("date %q: there is no such day", text)
		}
		return Date{}, fmt.Errorf("date %q: want YYYY-MM-DD", text)
	}
	if t.Year() < 1 {
		return Date{}, fmt.Errorf("date %q: there is no year 0", text)
	}
	return Today(t), nil
}

// Day returns the number of civil days from 1970-01-01 to d.
func (d Date) Day() int64 { return d.day }

// AddDays returns the date n days after d, or before it if n is negative.
func (d Date) AddDays(n int64) Date { return Date{d.day + n} }

// Sub returns the number of days from other to d.
func (d Date) Sub(other Date) int64 { return d.day - other.day }

// Weekday returns d's day of the week.
func (d Date) Weekday() time.Weekday { return d.time().Weekday() }

// Civil returns the year, the month and the day of the month of d.
func (d Date) Civil() (year int, month time.Month, day int) { return d.time().Date() }

// time is the first moment of d in UTC.
func (d Date) time() time.Time { return time.Unix(d.day*secondsPerDay, 0).UTC() }

// String writes the date as ParseDate reads it.
func (d Date) String() string {
	return d.time().Format(dateLayout)
}

// MarshalText is String, for JSON.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDate, for JSON and for command lines.
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// FirstDate and LastDate bound the dates that ParseDate reads: 0001-01-01 and
// 9999-12-31.
func FirstDate() Date { return Date{-719162} }

// LastDate is described at FirstDate.
func LastDate() Date { return Date{2932896} }
