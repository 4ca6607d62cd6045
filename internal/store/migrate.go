package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/aftercall/aftercall"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema of a database up to this program's, and returns its
// version. Nodes that start together wait for one another. A schema newer than the
// program is refused: an old program would not keep what a new one relies on.
func Migrate(ctx context.Context, url string) (version int64, err error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, err
	}
	driver, dsn, dialect := "pgx", url, goose.DialectPostgres
	var options []goose.ProviderOption
	if IsPostgres(url) {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return 0, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	} else {
		driver, dsn, dialect, dir = "sqlite", sqliteURL(url, true), goose.DialectSQLite3, sqliteFS{dir}
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return 0, fmt.Errorf("open database: %w", err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(dialect, db, dir, options...)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	if current > target {
		return current, aftercall.Errorf(aftercall.Conflict,
			"the database's schema is version %d, but this program knows only %d: use a newer program", current, target)
	}
	if _, err := provider.Up(ctx); err != nil {
		return current, fmt.Errorf("migrate the database: %w", err)
	}
	return target, nil
}
