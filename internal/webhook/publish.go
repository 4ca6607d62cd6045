package webhook

import (
	"context"

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
	err     error
	done    chan struct{}
}

// Publish stores a message and its deliveries. When it returns nil they are
// committed and will arrive. Messages published at the same time share statements
// and a commit. Its errors are Invalid, NotFound for an unknown account, Conflict
// for an event id that is taken, and Unavailable.
//
// The message's AccountID may be the account's uid; Publish sets its id, and the
// message's ID.
func (e *Engine) Publish(ctx context.Context, m *aftercall.Message) error {
	if err := m.Validate(); err != nil {
		return err
	}
	p := &publication{message: m, done: make(chan struct{})}
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
	err := e.store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		messages := make([]*aftercall.Message, 0, len(batch))
		for _, p := range batch {
			p.err = accept(tx, p.message)
			switch aftercall.KindOf(p.err) {
			case aftercall.NotFound, aftercall.Conflict: // concerns this one alone
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
		close(p.done)
	}
}

// accept names a message and claims its event id.
func accept(tx *store.Tx, m *aftercall.Message) error {
	if err := tx.ResolveAccount(&m.AccountID); err != nil {
		return err
	}
	m.ID = aftercall.NewID(aftercall.MessagePrefix, tx.Now())
	m.CreatedAt = tx.Now()
	if m.EventID == "" {
		return nil
	}
	fresh, err := tx.ClaimEventID(m.AccountID, m.EventID, m.ID)
	if err == nil && !fresh {
		return aftercall.Errorf(aftercall.Conflict, "a message with this eventId exists").WithCode("conflict")
	}
	return err
}
