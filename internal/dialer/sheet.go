package dialer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// partRows is how many rows are applied in one transaction. On SQLite everybody
	// waits for it, hence few; it is one of the store's chunks.
	partRows = 64
	// partBytes ends a part of long rows.
	partBytes = 64 << 10
)

// sheet is a file of contacts as it was sent. It can be read again and again, and is
// never decoded as a whole.
type sheet struct {
	raw     []byte            // without a byte order mark
	charset encoding.Encoding // nil for UTF-8
	comma   rune
	columns []string
	rows    int // that are not blank
}

// piece is a part of a file and how many of its rows are not blank.
type piece struct {
	store.ImportPart
	rows int
}

// openSheet finds out how a file is written, and reads it once to its end: what is wrong
// with it as a whole is an error here, and nowhere later.
func openSheet(raw []byte) (*sheet, error) {
	if len(raw) > aftercall.MaxImportBytes {
		return nil, aftercall.Errorf(aftercall.TooLarge, "the file exceeds %d MB", aftercall.MaxImportBytes>>20)
	}
	s := &sheet{raw: raw}
	if err := s.findCharset(); err != nil {
		return nil, err
	}
	if err := s.findComma(); err != nil {
		return nil, err
	}
	for p, err := range s.parts() {
		if err != nil {
			return nil, err
		}
		if p.Number == 0 {
			s.columns = columnsOf(p.ImportPart, s.comma)
		}
		if s.rows += p.rows; s.rows > aftercall.MaxImportRows {
			return nil, fileError("has more than %d rows", aftercall.MaxImportRows)
		}
	}
	switch {
	case aftercall.Blank(s.columns):
		return nil, fileError("must name its columns in the first line")
	case len(s.columns) > aftercall.MaxColumns:
		return nil, fileError("has more than %d columns", aftercall.MaxColumns)
	}
	return s, nil
}

func fileError(format string, args ...any) error {
	return aftercall.InvalidField("file", format, args...)
}

// findCharset tells by its first bytes what the file is written in. Without a mark it is
// UTF-8 if it can be, and else what Windows wrote in western Europe.
func (s *sheet) findCharset() error {
	marked := func(mark string) bool {
		rest, ok := bytes.CutPrefix(s.raw, []byte(mark))
		if ok {
			s.raw = rest
		}
		return ok
	}
	switch {
	case marked("\xef\xbb\xbf"):
		if !utf8.Valid(s.raw) {
			return fileError("is not UTF-8, although its first bytes say so")
		}
	case marked("\xff\xfe"):
		s.charset = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case marked("\xfe\xff"):
		s.charset = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case bytes.HasPrefix(s.raw, []byte("PK\x03\x04")):
		return fileError("is a workbook: save it as CSV first")
	case bytes.IndexByte(s.raw, 0) >= 0:
		return fileError("is no text")
	case !utf8.Valid(s.raw):
		s.charset = charmap.Windows1252
	}
	return nil
}

// text is the file in UTF-8.
func (s *sheet) text() io.Reader {
	if s.charset == nil {
		return bytes.NewReader(s.raw)
	}
	return s.charset.NewDecoder().Reader(bytes.NewReader(s.raw))
}

// maxHeader bounds where the names of columns are looked for, in bytes.
const maxHeader = 256 << 10

// findComma takes what stands most often between the names of columns.
func (s *sheet) findComma() error {
	head, err := io.ReadAll(io.LimitReader(s.text(), maxHeader))
	if err != nil {
		return fileError("cannot be read")
	}
	counts, quoted := map[rune]int{}, false
	for _, r := range string(bytes.TrimLeft(head, "\r\n")) {
		if r == '"' {
			quoted = !quoted
		}
		if r == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[r]++
		}
	}
	s.comma = ','
	for _, r := range []rune{';', '\t'} {
		if counts[r] > counts[s.comma] {
			s.comma = r
		}
	}
	return nil
}

// newCSV reads cells. Quotation marks must be right: where they are not, nobody can tell
// where a cell ends, and guessing would put one person's data into another's.
func newCSV(r io.Reader, comma rune) *csv.Reader {
	c := csv.NewReader(r)
	c.Comma, c.FieldsPerRecord = comma, -1
	return c
}

// parts cuts the file between its rows. The first is the names of the columns.
func (s *sheet) parts() iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		var taken bytes.Buffer // what was read and is in no part yet
		in := newCSV(io.TeeReader(s.text(), &taken), s.comma)
		p, begun, cut := piece{ImportPart: store.ImportPart{Line: 1}}, 0, int64(0)
		emit := func() bool {
			p.Content = bytes.Clone(taken.Next(int(in.InputOffset() - cut)))
			cut = in.InputOffset()
			next := piece{ImportPart: store.ImportPart{Number: p.Number + 1, Line: p.Line + bytes.Count(p.Content, []byte("\n"))}}
			ok := yield(p, nil)
			p, begun = next, 0
			return ok
		}
		for {
			cells, err := in.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err = s.broken(err, p.Number); err != nil {
				yield(piece{}, err)
				return
			}
			begun++
			if cells == nil || !aftercall.Blank(cells) { // a row that cannot be read is told
				p.rows++
			}
			if p.Number == 0 {
				p.rows = 0
			} else if begun < partRows && in.InputOffset()-cut < partBytes {
				continue
			}
			if !emit() {
				return
			}
		}
		if begun > 0 {
			emit()
		}
	}
}

// broken returns what an error in one row says of the whole file: nothing, unless a
// quotation mark swallowed lines after its own, which may have been rows.
func (s *sheet) broken(err error, part int) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return fileError("cannot be read")
	case part == 0:
		return fileError("must name its columns in the first line, with quotation marks in pairs")
	case e.StartLine != e.Line:
		return fileError("has a row in line %d whose quotation marks do not end rightly: in line %d it cannot be read any more", e.StartLine, e.Line)
	}
	return nil
}

// columnsOf reads the names of columns.
func columnsOf(p store.ImportPart, comma rune) []string {
	columns, err := newCSV(bytes.NewReader(p.Content), comma).Read()
	if err != nil {
		return nil // it was read when the file came
	}
	return columns
}

// line is a row of a file, or what is wrong with it.
type line struct {
	number int
	cells  []string
	failed error
}

// linesOf reads the rows of a part, without blank ones.
func linesOf(p store.ImportPart, comma rune) (list []line) {
	in := newCSV(bytes.NewReader(p.Content), comma)
	for {
		cells, err := in.Read()
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			list = append(list, line{p.Line + e.StartLine - 1, nil, aftercall.InvalidField("row", "has a quotation mark where there must be none, or none where there must be one")})
			continue
		}
		if err != nil {
			return list
		}
		if !aftercall.Blank(cells) {
			number, _ := in.FieldPos(0)
			list = append(list, line{number: p.Line + number - 1, cells: cells})
		}
	}
}
