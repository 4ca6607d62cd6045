package portal

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"time"
)

//go:embed assets
var embedded embed.FS

// assets are the files that pages load. Their addresses hold what they contain, so
// that browsers may keep them for ever.
type assets struct {
	files map[string]asset
}

type asset struct {
	name    string
	content []byte
	version string
}

func newAssets(files fs.FS) (*assets, error) {
	a := &assets{files: map[string]asset{}}
	return a, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		sum := sha256.Sum256(content)
		a.files[name] = asset{name, content, hex.EncodeToString(sum[:6])}
		return err
	})
}

// address is where a page loads a file from.
func (a *assets) address(name string) string {
	return "/portal/assets/" + name + "?v=" + a.files[name].version
}

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") == a.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
}
