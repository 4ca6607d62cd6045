package aftercall

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ExportColumns are the names of an export's columns: fields, where the contact stands,
// and the details with these keys. Imports know those that they may change by their
// names.
func ExportColumns(keys []string) []string {
	columns := slices.Concat([]string{"contact_id"}, ImportFields(), []string{"status", "call_attempts", "next_call_at", "reached_at", "created_at"})
	for _, key := range keys {
		columns = append(columns, DetailPrefix+key)
	}
	return columns
}

// ExportRow is a contact in these columns, each cell defused.
func (c Contact) ExportRow(keys []string) []string {
	row := make([]string, 0, len(keys)+16)
	row = append(row, c.ID)
	for _, field := range ImportFields() {
		row = append(row, *c.importField(field))
	}
	row = append(row, string(c.Status), strconv.Itoa(c.CallAttempts), exportTime(c.NextCallAt), exportTime(c.ReachedAt), exportTime(c.CreatedAt))
	if len(keys) > 0 {
		details := c.detailMap()
		for _, key := range keys {
			row = append(row, detailText(details[key]))
		}
	}
	for i, text := range row {
		row[i] = Defused(text)
	}
	return row
}

func exportTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(isoMillis)
}

// DetailKeys are the names of the contact's details, in order.
func (c Contact) DetailKeys() []string { return slices.Sorted(maps.Keys(c.detailMap())) }

// formulaStarts begin what spreadsheets take for a formula.
const formulaStarts = "=+-@\t\r"

// Defused is a text that no spreadsheet takes for a formula: one that might be begins
// with an apostrophe then. That goes for phone numbers, too, which spreadsheets
// otherwise make numbers of, without their "+". A text that looks as if it had been
// defused gets one more, so that Undefused always returns what was there.
func Defused(text string) string {
	if armed(text) {
		return "'" + text
	}
	return text
}

// Undefused takes back what Defused did.
func Undefused(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && armed(rest) {
		return rest
	}
	return text
}

// armed reports whether a text begins as a formula does, after any apostrophes.
func armed(text string) bool {
	text = strings.TrimLeft(text, "'")
	return text != "" && strings.IndexByte(formulaStarts, text[0]) >= 0
}
