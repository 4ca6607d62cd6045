package store

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSealed is the cause of an error about something that was sealed with a master
// key which is not here.
var ErrSealed = errors.New("sealed with a master key that is not known")

// masterKeys seal what nobody may read who has only the database: secrets, and
// answers that may hold tokens. XChaCha20-Poly1305, since its nonces are long enough
// to be drawn at random.
//
// They are given or, beside an SQLite file, kept in a file of their own. That one is
// made when first needed.
type masterKeys struct {
	file string // empty when they are given
	also string // a file whose keys open what a command sealed that was given none; may not exist
	mu   sync.Mutex
	keys []masterKey // the first one seals
}

type masterKey struct {
	id   string // stands beside what it sealed
	text string // as it is given
	aead cipher.AEAD
}

// parseMasterKey reads base64 of 32 bytes.
func parseMasterKey(text string) (masterKey, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != chacha20poly1305.KeySize {
		return masterKey{}, fmt.Errorf("a master key must be base64 of %d bytes, as \"openssl rand -base64 %[1]d\" makes it", chacha20poly1305.KeySize)
	}
	aead, err := chacha20poly1305.NewX(key)
	sum := sha256.Sum256(key)
	return masterKey{id: hex.EncodeToString(sum[:4]), text: strings.TrimSpace(text), aead: aead}, err
}

func newMasterKey() string {
	key := make([]byte, chacha20poly1305.KeySize)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}

// openMasterKeys reads keys that are given, or those in the file beside an SQLite
// database. On PostgreSQL there may be none: then nothing is sealed.
func openMasterKeys(url string, given []string) (*masterKeys, error) {
	m := &masterKeys{}
	if len(given) > 0 {
		if !IsPostgres(url) {
			m.also = url + ".key"
		}
		return m, m.parse(given)
	}
	if !IsPostgres(url) {
		m.file = url + ".key"
		return m, m.read()
	}
	return m, nil
}

func (m *masterKeys) parse(texts []string) error {
	keys := make([]masterKey, 0, len(texts))
	for _, text := range texts {
		key, err := parseMasterKey(text)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	m.keys = keys
	return nil
}

// read takes the keys from the file, if there is one.
func (m *masterKeys) read() error {
	content, err := os.ReadFile(m.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the master keys: %w", err)
	}
	var texts []string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			texts = append(texts, line)
		}
	}
	if err := m.parse(texts); err != nil {
		return fmt.Errorf("read %s: %w", m.file, err)
	}
	return nil
}

// fileHead explains the file to who finds it.
const fileHead = "# Seals the secrets in the database beside it, the first key those to come.\n" +
	"# Without it they cannot be read: keep a copy, but not where the database's copies are.\n"

// write stores the keys, on disk when it returns, so that nothing is ever sealed with
// a key that a crash could lose. Place puts the file where it belongs: os.Rename
// replaces the one there, os.Link fails if there is one.
func (m *masterKeys) write(texts []string, place func(from, to string) error) error {
	temp, err := os.CreateTemp(filepath.Dir(m.file), filepath.Base(m.file)+".*") // for its owner only
	if err != nil {
		return fmt.Errorf("write the master keys: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(fileHead + strings.Join(texts, "\n") + "\n")
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = place(temp.Name(), m.file)
	}
	if err == nil {
		err = syncDir(filepath.Dir(m.file))
	}
	if err != nil {
		return fmt.Errorf("write the master keys: %w", err)
	}
	return m.parse(texts)
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = dir.Sync() // some systems cannot, and need not
	return dir.Close()
}

// renew puts a new key first, if the keys are in a file. No two may do so at once.
func (m *masterKeys) renew() error {
	if m.file == "" {
		return nil
	}
	if _, err := m.current(); err != nil { // so that no other process makes the file meanwhile
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(append([]string{newMasterKey()}, m.texts()...), os.Rename)
}

// prune drops keys from the file that nothing is sealed with. The one before the
// newest stays: a server that is running may be about to use it.
func (m *masterKeys) prune(used []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == "" {
		return nil
	}
	const kept = 2
	var texts []string
	for i, key := range m.keys {
		if i < kept || slices.Contains(used, key.id) {
			texts = append(texts, key.text)
		}
	}
	return m.write(texts, os.Rename)
}

func (m *masterKeys) texts() []string {
	texts := make([]string, len(m.keys))
	for i, key := range m.keys {
		texts[i] = key.text
	}
	return texts
}

// seals reports whether there is a key, or will be.
func (m *masterKeys) seals() bool { return m.file != "" || len(m.keys) > 0 }

// current is the key that seals. The file is read each time: a command may have put
// a new one first, and what is sealed with an old one would have to be sealed again.
func (m *masterKeys) current() (masterKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file != "" {
		if err := m.read(); err != nil {
			return masterKey{}, err
		}
		if len(m.keys) == 0 {
			if err := m.make(); err != nil {
				return masterKey{}, err
			}
		}
	}
	return m.keys[0], nil
}

// make writes the first key, unless another process was faster.
func (m *masterKeys) make() error {
	err := m.write([]string{newMasterKey()}, os.Link)
	if errors.Is(err, fs.ErrExist) {
		err = m.read()
	}
	if err == nil && len(m.keys) == 0 {
		err = fmt.Errorf("read the master keys: there is none in %s", m.file)
	}
	return err
}

// find returns the key of an id.
func (m *masterKeys) find(id string) (masterKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	is := func(key masterKey) bool { return key.id == id }
	i := slices.IndexFunc(m.keys, is)
	if i < 0 && m.file != "" {
		if err := m.read(); err != nil {
			return masterKey{}, err
		}
		i = slices.IndexFunc(m.keys, is)
	}
	if i < 0 && m.also != "" {
		beside := &masterKeys{file: m.also}
		if err := beside.read(); err != nil {
			return masterKey{}, err
		}
		if i := slices.IndexFunc(beside.keys, is); i >= 0 {
			return beside.keys[i], nil
		}
	}
	if i < 0 {
		return masterKey{}, fmt.Errorf("%w: %s", ErrSealed, id)
	}
	return m.keys[i], nil
}

// seal encrypts; without keys it does not, and the id is empty. What is sealed can be
// opened only under the same names: nobody can pass it off as another's.
func (m *masterKeys) seal(plain []byte, names ...string) (id string, sealed []byte, err error) {
	if !m.seals() {
		return "", plain, nil
	}
	key, err := m.current()
	if err != nil {
		return "", nil, err
	}
	nonce := make([]byte, key.aead.NonceSize(), key.aead.NonceSize()+len(plain)+key.aead.Overhead())
	rand.Read(nonce)
	return key.id, key.aead.Seal(nonce, nonce, plain, bound(names)), nil
}

// open decrypts what seal returned.
func (m *masterKeys) open(id string, sealed []byte, names ...string) ([]byte, error) {
	if id == "" {
		return sealed, nil
	}
	key, err := m.find(id)
	if err != nil {
		return nil, err
	}
	size := key.aead.NonceSize()
	if len(sealed) < size {
		return nil, fmt.Errorf("what was sealed with master key %s is cut off", id)
	}
	plain, err := key.aead.Open(nil, sealed[:size], sealed[size:], bound(names))
	if err != nil {
		return nil, fmt.Errorf("what was sealed with master key %s was changed: %w", id, err)
	}
	return plain, nil
}

// bound is what is authenticated beside the content.
func bound(names []string) []byte { return []byte(strings.Join(names, "\x00")) }
