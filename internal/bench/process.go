package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is another process of this program: what is measured shares no scheduler and
// no garbage collector with what loads it.
type child struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

// start runs this program. The child ends when its standard output closes, or when
// the context ends.
func start(ctx context.Context, log *os.File, args ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{cmd, bufio.NewReader(out)}, nil
}

// stop ends a child in order.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return c.cmd.Wait()
}

// read decodes what a child says.
func (c *child) read(answer any) error {
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s ended early: %w", c.cmd, err)
	}
	return json.Unmarshal(line, answer)
}

// usage is what a process has used so far.
type usage struct {
	cpu    time.Duration
	memory int64 // bytes that are in memory, and at most were
}

// clockTick is the unit of /proc/[pid]/stat, which Linux fixes for user space.
const clockTick = 10 * time.Millisecond

// usage reads Linux's /proc, proc(5). Elsewhere it knows nothing.
func (c *child) usage() usage {
	dir := fmt.Sprintf("/proc/%d/", c.cmd.Process.Pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return usage{}
	}
	// The name, in brackets, may hold spaces; after it, user time is the 12th field and system time the 13th.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	var u usage
	for _, field := range fields[11:13] {
		ticks, _ := strconv.Atoi(string(field))
		u.cpu += time.Duration(ticks) * clockTick
	}
	status, _ := os.ReadFile(dir + "status")
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
			u.memory = kilobytes << 10
		}
	}
	return u
}

// server is a server under measurement.
type server struct {
	*child
	url string
}

// startServer runs a server on a database and waits until it serves.
func startServer(ctx context.Context, database string, flags ...string) (*server, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c, err := start(ctx, write, append([]string{
		"serve", "--db", database, "--listen", "127.0.0.1:0", "--operator-key", operatorKey, "--allow-networks", "127.0.0.0/8",
	}, flags...)...)
	write.Close()
	if err != nil {
		return nil, err
	}
	log := bufio.NewScanner(read)
	var said strings.Builder
	for log.Scan() {
		said.WriteString(log.Text() + "\n")
		var line struct{ Address string }
		if json.Unmarshal(log.Bytes(), &line) == nil && line.Address != "" {
			go warn(log, read)
			return &server{c, line.Address}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("the server did not start:\n%s", said.String()), c.cmd.Wait())
}

// warn shows what is wrong with a server while it is measured.
func warn(log *bufio.Scanner, read io.Closer) {
	defer read.Close()
	for log.Scan() {
		var line struct{ Level string }
		if json.Unmarshal(log.Bytes(), &line) != nil || line.Level == "WARN" || line.Level == "ERROR" {
			fmt.Fprintln(os.Stderr, log.Text())
		}
	}
}

// output runs a child to its end and decodes what it says.
func output(ctx context.Context, answer any, args ...string) error {
	c, err := start(ctx, os.Stderr, args...)
	if err != nil {
		return err
	}
	readErr := c.read(answer)
	_, _ = io.Copy(io.Discard, c.out)
	return errors.Join(c.cmd.Wait(), readErr)
}
