package store

import (
	"bytes"
	"io"
	"io/fs"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// sqliteFS rewrites the migrations, written for PostgreSQL, as they are read.
// Tables become STRICT, so that SQLite refuses what PostgreSQL would.
type sqliteFS struct{ fs.FS }

func (f sqliteFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return &rewritten{Reader: bytes.NewReader(sqliteDDL(text)), info: info}, nil
}

// wideTables are those whose rows are too large to live in the tree of their key.
var wideTables = regexp.MustCompile(`CREATE TABLE (message|call|contact|endpoint|agent|live_call|voice_event|import_file) `)

func sqliteDDL(text []byte) []byte {
	types := strings.NewReplacer(
		` COLLATE "C"`, "", "BIGINT", "INTEGER", "SMALLINT", "INTEGER", "BOOLEAN", "INTEGER", "BYTEA", "BLOB")
	statements := strings.SplitAfter(types.Replace(string(text)), ";")
	for i, statement := range statements {
		if !strings.Contains(statement, "CREATE TABLE") {
			continue
		}
		options := ") STRICT, WITHOUT ROWID;"
		if wideTables.MatchString(statement) {
			options = ") STRICT;"
		}
		statements[i] = strings.TrimSuffix(statement, ");") + options
	}
	return []byte(strings.Join(statements, ""))
}

type rewritten struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f *rewritten) Stat() (fs.FileInfo, error) { return sized{f.info, f.Reader.Size()}, nil }
func (f *rewritten) Close() error               { return nil }

type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }

// sqliteURL is the driver's address of a database file. FULL syncs the log at
// every commit: what was answered 2xx survives a power failure. The checkpoint is
// made beside the writer (see group), so SQLite's own comes only when that fails.
// Automatic indexes are off because where the planner hopes for one it reads the whole
// table to build it, and without statistics it has hoped for that in Record.
func sqliteURL(path string, write bool) string {
	q := url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
		"wal_autocheckpoint(16384)", "case_sensitive_like(ON)", "automatic_index(OFF)", "cache_size(-32768)", "temp_store(MEMORY)",
	}}
	if !write {
		q.Add("_pragma", "query_only(ON)")
	}
	return fileURL(path, q)
}

func fileURL(path string, q url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// anonymous replaces the placeholders of a statement that uses each once and in
// order by "?". The driver looks numbered ones up by name, which takes time in the
// square of their number: in a statement of 256 rows, most of it.
func anonymous(query string) string {
	var b strings.Builder
	rest, number := query, 1
	for {
		i := strings.IndexByte(rest, '$')
		if i < 0 {
			return b.String() + rest
		}
		digits := len(rest[i+1:]) - len(strings.TrimLeft(rest[i+1:], "0123456789"))
		if rest[i+1:i+1+digits] != strconv.Itoa(number) {
			return query
		}
		b.WriteString(rest[:i])
		b.WriteByte('?')
		rest = rest[i+1+digits:]
		number++
	}
}
