package telli

import (
	"errors"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	defaultPage = 50
	maxPage     = 100
)

// Paging is the query of lists that come in pages.
type Paging struct {
	Limit  *int   `query:"limit" doc:"1 to 100; 50 unless it is said."`
	Cursor string `query:"cursor" doc:"The next cursor that the page before gave."`
}

// limit is how many there may be on a page.
func (p Paging) limit() (int, error) {
	if p.Limit == nil {
		return defaultPage, nil
	}
	if *p.Limit < 1 || *p.Limit > maxPage {
		return 0, aftercall.InvalidField("limit", "must be 1 to %d", maxPage)
	}
	return *p.Limit, nil
}

// page reads the query of a list whose cursor is the id of the last item of the page
// before.
func (p Paging) page() (store.Page, error) {
	limit, err := p.limit()
	if err != nil {
		return store.Page{}, err
	}
	if p.Cursor != "" && !aftercall.ValidUUID(p.Cursor) {
		return store.Page{}, wrongCursor()
	}
	return store.Page{Limit: limit + 1, After: p.Cursor, Descending: true}, nil // one more tells whether the list goes on
}

func wrongCursor() error { return aftercall.InvalidField("cursor", "is not one that a list gave") }

// Paged is a page of a list.
type Paged[T any] struct {
	Type     string   `json:"type" enum:"list"`
	Data     []T      `json:"data"`
	PageInfo PageInfo `json:"pageInfo"`
	Meta     PageMeta `json:"meta"`
}

// PageInfo tells how a list goes on.
type PageInfo struct {
	HasNextPage bool    `json:"hasNextPage"`
	NextCursor  *string `json:"nextCursor" doc:"null at the end of the list"`
}

// PageMeta counts.
type PageMeta struct {
	Limit int `json:"limit" doc:"how many there may be on a page"`
	Count int `json:"count" doc:"how many there are on this one"`
}

// pagedOf turns the rows of a page into the answer.
func pagedOf[Row, Out any](rows []Row, page store.Page, id func(Row) string, out func(Row) Out) Paged[Out] {
	limit := page.Limit - 1
	paged := Paged[Out]{Type: "list", Data: []Out{}, Meta: PageMeta{Limit: limit, Count: min(len(rows), limit)}}
	if len(rows) > limit {
		rows = rows[:limit]
		next := id(rows[limit-1])
		paged.PageInfo = PageInfo{true, &next}
	}
	for _, row := range rows {
		paged.Data = append(paged.Data, out(row))
	}
	return paged
}

// All is a list that comes whole.
type All[T any] struct {
	Data []T `json:"data"`
}

func allOf[Row, Out any](rows []Row, out func(Row) Out) All[Out] {
	list := All[Out]{Data: []Out{}}
	for _, row := range rows {
		list.Data = append(list.Data, out(row))
	}
	return list
}

// listOut shows no list as an empty one.
func listOut[T any](list []T) []T { return append([]T{}, list...) }

// orNull shows an empty string as null.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// nameV2 is what v2 calls a field of a contact.
func nameV2(path string) string {
	switch path {
	case "external_contact_id":
		return "externalId"
	case "external_url":
		return "externalUrl"
	case "first_name":
		return "firstName"
	case "last_name":
		return "lastName"
	case "phone_number":
		return "phoneNumber"
	case "timezone":
		return "timezoneIana"
	case "contact_details":
		return "properties"
	}
	return path
}

// errorV2 tells an error by the names of v2.
func errorV2(err error) error {
	if e, ok := errors.AsType[*aftercall.Error](err); ok {
		return e.Renamed(nameV2)
	}
	return err
}
