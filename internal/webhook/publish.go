package webhook

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// publishers is how many batches may be on their way to the store at once: one
	// waits for its commit while the next gathers.
	publishers = 2
	// maxPublications bounds a batch.
	maxPublications = 256
)

// publication is a message on its way into the store.
type publication struct {
	message *aftercall.Message
	once    *store.Once // the request that it comes by, if that may be sent again
	err     error
	done    chan struct{}
}

// Publish stores a message and its deliveries. When it returns nil they are
// committed and will arrive. Messages published at the same time share statements
// and a commit. Its errors are Invalid, NotFound for an unknown account, Conflict
// for an event id that is taken, and Unavailable.
//
// A message that comes by a request which was made before, see [store.Once], is not
// stored again: it becomes the one that was stored then.
//
// The message's AccountID may be the account's uid; Publish sets its id, and the
// message's ID.
func (e *Engine) Publish(ctx context.Context, m *aftercall.Message) error {
	if err := m.Validate(time.Now()); err != nil {
		return err
	}
	p := &publication{message: m, once: store.OnceOf(ctx), done: make(chan struct{})}
	select {
	case e.publishing <- p:
	case <-ctx.Done():
		return &aftercall.Error{Kind: aftercall.Unavailable, Message: "the request was cancelled", Err: ctx.Err()}
	}
	select { // whatever becomes of the caller, the batch goes on
	case <-p.done:
		return p.err
	case <-e.ended:
		return aftercall.Errorf(aftercall.Unavailable, "the server is stopping")
	}
}

// runPublisher gathers publications into batches. Those that came before the
// context ended are still stored.
func (e *Engine) runPublisher(ctx context.Context) {
	for {
		select {
		case p := <-e.publishing:
			e.publishBatch(ctx, store.Gather(p, e.publishing, maxPublications))
		case <-ctx.Done():
			for {
				select {
				case p := <-e.publishing:
					e.publishBatch(ctx, store.Gather(p, e.publishing, maxPublications))
				default:
					return
				}
			}
		}
	}
}

func (e *Engine) publishBatch(ctx context.Context, batch []*publication) {
	batch, again := distinct(batch)
	err := e.store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		fresh, err := unmade(tx, batch)
		if err != nil {
			return err
		}
		messages := make([]*aftercall.Message, 0, len(fresh))
		for _, p := range fresh {
			p.err = accept(tx, p.message)
			switch aftercall.KindOf(p.err) {
			case aftercall.NotFound, aftercall.Conflict, aftercall.Invalid: // concerns this one alone
				if err := giveUp(tx, p); err != nil {
					return err
				}
				continue
			}
			if p.err != nil {
				return p.err
			}
			messages = append(messages, p.message)
		}
		return tx.Publish(messages...)
	})
	for _, p := range batch {
		if err != nil {
			p.err = err
		}
		if p.once != nil && p.err == nil {
			p.once.Kept = true
		}
		close(p.done)
	}
	if len(again) > 0 {
		e.publishBatch(ctx, again)
	}
}

// distinct takes the requests out that are in the batch twice: what comes of the
// first has to be stored before the second is answered.
func distinct(batch []*publication) (first, again []*publication) {
	seen := make(map[[sha256.Size]byte]bool, len(batch))
	for _, p := range batch {
		if p.once == nil || !seen[p.once.Key] {
			first = append(first, p)
		} else {
			again = append(again, p)
		}
		if p.once != nil {
			seen[p.once.Key] = true
		}
	}
	return first, again
}

// unmade names the messages and returns those that were not made before by the same
// requests; the others become what they were then.
func unmade(tx *store.Tx, batch []*publication) ([]*publication, error) {
	claims := make([]store.OnceClaim, 0, len(batch))
	for _, p := range batch {
		p.err = nil
		p.message.ID, p.message.CreatedAt = aftercall.NewID(aftercall.MessagePrefix, tx.Now()), tx.Now()
		if p.once != nil {
			claims = append(claims, store.OnceClaim{Once: p.once, MessageID: p.message.ID})
		}
	}
	if len(claims) == 0 {
		return batch, nil
	}
	made, err := tx.ClaimOnce(claims)
	if err != nil {
		return nil, err
	}
	fresh := make([]*publication, 0, len(batch))
	for _, p := range batch {
		if p.once == nil {
			fresh = append(fresh, p)
			continue
		}
		done := made[0]
		made = made[1:]
		switch {
		case done == nil:
			fresh = append(fresh, p)
		case done.Other:
			p.err = store.ReusedKey()
		default:
			if err := tx.ResolveAccount(&p.message.AccountID); err != nil {
				return nil, err
			}
			if *p.message, err = tx.Message(p.message.AccountID, done.MessageID); err != nil {
				return nil, err
			}
		}
	}
	return fresh, nil
}

// giveUp lets a request be tried again that was refused.
func giveUp(tx *store.Tx, p *publication) error {
	if p.once == nil {
		return nil
	}
	return tx.GiveUpOnce(p.once)
}

// accept claims a message's event id.
func accept(tx *store.Tx, m *aftercall.Message) error {
	if err := tx.ResolveAccount(&m.AccountID); err != nil {
		return err
	}
	if m.EventID == "" {
		return nil
	}
	fresh, err := tx.ClaimEventID(m.AccountID, m.EventID, m.ID)
	if err == nil && !fresh {
		return aftercall.Errorf(aftercall.Conflict, "a message with this eventId exists").WithCode("conflict")
	}
	return err
}
