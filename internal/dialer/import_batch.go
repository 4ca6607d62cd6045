package dialer

import (
	"maps"
	"slices"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// sameNumber is how many contacts with a row's number it is compared with, in the
	// search for one that says the same. A test's number may be that of thousands.
	sameNumber = 64
	// sameNumbers is the same for all rows of a chunk.
	sameNumbers = 16 * partRows
)

// rowBatch is some rows of a file, and what becomes of them.
type rowBatch struct {
	rows   []aftercall.ImportRow
	failed []aftercall.ImportError
	unread int // rows that were wrong before any contact was looked at
}

// readRows reads the rows of a part.
func readRows(p store.ImportPart, comma rune, o aftercall.ImportOptions) (b rowBatch) {
	for _, l := range linesOf(p, comma) {
		err := l.failed
		var row aftercall.ImportRow
		if err == nil {
			row, err = o.Row(l.number, l.cells)
		}
		if err != nil {
			b.failed = append(b.failed, aftercall.ImportErrors(l.number, err)...)
			b.unread++
			continue
		}
		b.rows = append(b.rows, row)
	}
	return b
}

// stored finds the contacts that rows may be about.
func (b rowBatch) stored(tx *store.Tx, accountID string) ([]aftercall.Contact, error) {
	externalIDs, numbers := map[string]bool{}, map[string]bool{}
	for _, row := range b.rows {
		switch id := row.ExternalID(); {
		case id != "" && possible(id):
			externalIDs[id] = true
		case id == "" && row.PhoneNumber() != "":
			numbers[row.PhoneNumber()] = true
		}
	}
	list, err := tx.ContactsByExternalID(accountID, slices.Sorted(maps.Keys(externalIDs)))
	if err != nil {
		return nil, err
	}
	more, err := tx.ContactsByPhone(accountID, slices.Sorted(maps.Keys(numbers)), sameNumbers)
	return append(list, more...), err
}

// book is the contacts that rows may be about, as they are stored and as rows before
// have left them.
type book struct {
	contacts   map[string]aftercall.Contact // by their ids
	externalID map[string]string            // ids by the customer's own
	phone      map[string][]string          // ids by numbers
	created    map[string]bool
	touched    []string // ids of those created and changed
	imported   []string // ids of all that rows were about
	aftercall.ImportCounts
	failed []aftercall.ImportError
}

// decide says what rows make of contacts. It changes nothing but its own book, so that
// what would happen can be told as well as done.
func decide(accountID string, contacts []aftercall.Contact, b rowBatch) *book {
	k := &book{
		contacts: map[string]aftercall.Contact{}, externalID: map[string]string{}, phone: map[string][]string{}, created: map[string]bool{},
		ImportCounts: aftercall.ImportCounts{Failed: b.unread}, failed: slices.Clone(b.failed),
	}
	for _, c := range contacts {
		k.put(c)
	}
	for _, row := range b.rows {
		k.take(accountID, row)
	}
	return k
}

func (k *book) put(c aftercall.Contact) {
	before, known := k.contacts[c.ID]
	k.contacts[c.ID] = c
	if c.ExternalID != "" {
		k.externalID[c.ExternalID] = c.ID
	}
	if (!known || before.PhoneNumber != c.PhoneNumber) && len(k.phone[c.PhoneNumber]) < sameNumber {
		k.phone[c.PhoneNumber] = append(k.phone[c.PhoneNumber], c.ID)
	}
}

// take decides one row: it changes the contact with its id; without one, it is skipped
// if somebody with its number is stored with all that it says; else it is a new contact.
func (k *book) take(accountID string, row aftercall.ImportRow) {
	if id, ok := k.externalID[row.ExternalID()]; ok {
		k.change(id, row)
		return
	}
	if row.ExternalID() == "" {
		for _, id := range k.phone[row.PhoneNumber()] {
			if _, changed := row.Apply(k.contacts[id]); !changed {
				k.Skip++
				k.imported = append(k.imported, id)
				return
			}
		}
	}
	c, _ := row.Apply(aftercall.Contact{AccountID: accountID, ID: aftercall.NewUUID()})
	if err := c.ValidateNew(); err != nil {
		k.fail(row, err)
		return
	}
	k.Create++
	k.created[c.ID] = true
	k.done(c)
}

func (k *book) change(id string, row aftercall.ImportRow) {
	c, changed := row.Apply(k.contacts[id])
	if !changed {
		k.Skip++
		k.imported = append(k.imported, id)
		return
	}
	if err := c.Validate(); err != nil {
		k.fail(row, err)
		return
	}
	k.Update++
	k.done(c)
}

func (k *book) fail(row aftercall.ImportRow, err error) {
	k.Failed++
	k.failed = append(k.failed, aftercall.ImportErrors(row.Line, err)...)
}

func (k *book) done(c aftercall.Contact) {
	k.put(c)
	k.touched = append(k.touched, c.ID)
	k.imported = append(k.imported, c.ID)
}

// changedIDs are the contacts that exist already and are changed.
func (k *book) changedIDs() (ids []string) {
	for _, id := range unique(k.touched) {
		if !k.created[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// apply stores what a batch makes of contacts. Contacts that it changes are read again
// when nobody else can change them any more. Insert stores new ones, and returns how many
// it could.
func (b rowBatch) apply(tx *store.Tx, accountID string, insert func([]aftercall.Contact) (int, error)) (*book, error) {
	contacts, err := b.stored(tx, accountID)
	if err != nil {
		return nil, err
	}
	k := decide(accountID, contacts, b)
	if ids := k.changedIDs(); len(ids) > 0 {
		taken, err := tx.TakeContacts(accountID, ids)
		if err != nil {
			return nil, err
		}
		contacts = slices.DeleteFunc(contacts, func(c aftercall.Contact) bool { return slices.Contains(ids, c.ID) })
		k = decide(accountID, slices.AppendSeq(contacts, maps.Values(taken)), b)
	}
	var created []aftercall.Contact
	for _, id := range unique(k.touched) {
		c := k.contacts[id]
		if k.created[id] {
			begin(&c, tx)
			created = append(created, c)
			continue
		}
		c.UpdatedAt = tx.Now()
		if err := tx.UpdateContact(c); err != nil {
			return nil, err
		}
	}
	stored, err := insert(created)
	if err == nil && stored < len(created) { // somebody else added one of them just now: it is found the next time
		err = errTaken()
	}
	return k, err
}
