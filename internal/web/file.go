package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

// maxFormValue is how long a field of a form may be that is no file, in bytes.
const maxFormValue = 64 << 10

// upload sets the field File to what was sent: the body, or the part "file" of a
// multipart/form-data, whose other parts are returned and stand for parameters of the
// query.
func (b *binder[In]) upload(in *In, contentType string, body []byte) (url.Values, error) {
	file := reflect.ValueOf(in).Elem().FieldByIndex(b.file)
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		file.SetBytes(body)
		return nil, nil
	}
	form := url.Values{}
	parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(part)
		}
		switch {
		case err != nil:
			return nil, aftercall.InvalidField("body", "is not valid multipart/form-data")
		case part.FormName() == "file":
			file.SetBytes(content)
		case len(content) > maxFormValue:
			return nil, aftercall.InvalidField("body", "has a field of more than %d bytes beside the file", maxFormValue)
		default:
			form.Add(part.FormName(), string(content))
		}
	}
}

// HandleDownload makes a handler of a verb that writes its answer bit by bit, to be saved as a
// file. An error before the first byte is answered as any; after it, the connection
// breaks off, so that nobody takes a part for the whole.
func HandleDownload[In any](api *API, contentType, name string, verb func(context.Context, auth.Caller, *In, io.Writer) error) *Operation {
	bind := newBinder[In]()
	o := &Operation{Status: http.StatusOK, In: reflect.TypeFor[In](), Out: reflect.TypeFor[string](), Type: contentType}
	o.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		in := new(In)
		caller, _, err := read(api, bind, in, w, r)
		if err != nil {
			api.Fail(w, r, err)
			return
		}
		d := NewDownload(w, contentType, name)
		if err := verb(r.Context(), caller, in, d); err != nil {
			d.Fail(func() { api.Fail(w, r, err) })
		}
	}
	return o
}

// Download sends a file whose end is not known yet.
type Download struct {
	w                 http.ResponseWriter
	contentType, name string
	begun             bool
}

// NewDownload sends what is written to it as a file with this name.
func NewDownload(w http.ResponseWriter, contentType, name string) *Download {
	return &Download{w: w, contentType: contentType, name: name}
}

func (d *Download) Write(b []byte) (int, error) {
	if !d.begun {
		d.begun = true
		h := d.w.Header()
		h.Set("Content-Type", d.contentType)
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.name}))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
	}
	return d.w.Write(b)
}

// Fail answers with an error while nothing has been sent, and else breaks off.
func (d *Download) Fail(answer func()) {
	if d.begun {
		panic(http.ErrAbortHandler)
	}
	answer()
}

// mediaType is a type without its parameters.
func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return kind
}
