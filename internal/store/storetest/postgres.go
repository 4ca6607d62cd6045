package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Main runs the tests of a package with a PostgreSQL server of their own, unless
// the environment names one. It returns the exit code for TestMain.
func Main(m *testing.M) int {
	if os.Getenv(postgresEnv) == "" {
		server, err := StartPostgres()
		switch {
		case errors.Is(err, exec.ErrNotFound): // Postgres skips or fails, test by test
		case err != nil:
			fmt.Fprintln(os.Stderr, "PostgreSQL for tests:", err)
			return 1
		default:
			defer server.Close()
			os.Setenv(postgresEnv, server.URL)
		}
	}
	return m.Run()
}

// Server is a PostgreSQL server in a temporary directory, reached by a socket file.
type Server struct {
	URL string
	dir string
	bin string
	cmd *exec.Cmd
}

// StartPostgres makes and starts a server. Its error is exec.ErrNotFound when the
// machine has no PostgreSQL.
func StartPostgres() (*Server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "aftercall-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, URL: (&url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {dir}, "user": {"postgres"}}.Encode()}).String()}
	if os.Getuid() == 0 { // the server refuses to run as root
		uid, gid, err := postgresUser()
		if err != nil {
			return nil, err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	initdb := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := s.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// Start starts a stopped server and waits until it answers.
func (s *Server) Start() error {
	s.cmd = s.command("postgres", "-D", s.data(), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300", "-c", "shared_buffers=128MB")
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", s.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	for db.PingContext(ctx) != nil {
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("the server does not answer: %s", text)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// Stop ends the server at once, as an operator in a hurry would: connections
// break, what is committed stays.
func (s *Server) Stop() {
	s.cmd.Process.Signal(syscall.SIGQUIT)
	s.cmd.Wait()
}

// Close stops the server and removes its files.
func (s *Server) Close() {
	s.Stop()
	os.RemoveAll(s.dir)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command prepares a program of PostgreSQL's to run as a user that it accepts.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() == 0 {
		if uid, gid, err := postgresUser(); err == nil {
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return cmd
}

// postgresBin finds the directory of initdb, which Debian keeps out of the path.
func postgresBin() (string, error) {
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.Sort(versions)
	if len(versions) > 0 {
		return filepath.Dir(versions[len(versions)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", exec.ErrNotFound
	}
	return filepath.Dir(path), nil
}

func postgresUser() (uid, gid int, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, err
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

// withDatabase replaces the database in a server's address.
func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("%s: %w", postgresEnv, err)
	}
	u.Path = "/" + name
	return u.String(), nil
}
