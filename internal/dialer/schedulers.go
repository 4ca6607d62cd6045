package dialer

import (
	"context"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

const (
	// maxSchedulers is how many an account may have: a contact is held against all.
	maxSchedulers = 50
	// maxEnrol is how many contacts are looked at in one transaction.
	maxEnrol = 128
)

// AddScheduler stores a new call scheduler; its ID and times are set. With existing it
// begins to enrol the contacts that are new already. Errors: Invalid.
func (d *Dialer) AddScheduler(ctx context.Context, s *aftercall.CallScheduler, existing bool) error {
	s.ID = aftercall.NewUUID()
	asked := *s
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		*s = asked
		s.CreatedAt = tx.Now()
		list, err := tx.Schedulers(s.AccountID, store.Page{Limit: maxSchedulers})
		if err != nil {
			return err
		}
		if len(list) == maxSchedulers {
			return aftercall.Errorf(aftercall.Invalid, "an account has at most %d call schedulers", maxSchedulers)
		}
		if err := checkScheduler(tx, s, "", existing); err != nil {
			return err
		}
		return tx.InsertScheduler(*s)
	})
	if err == nil && s.Enrolment.Running {
		ring(d.enrols)
	}
	return err
}

// checkScheduler checks what a caller has set, finds its agent, and begins the pass that
// is wanted. One that is not enabled may keep the agent that it had before, though that
// was deleted.
func checkScheduler(tx *store.Tx, s *aftercall.CallScheduler, before string, existing bool) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.AgentID == "" {
		return aftercall.InvalidField("agentId", `is required: an agent's id, or "default"`)
	}
	id, err := agentID(s.AgentID)
	var agent aftercall.Agent
	if err == nil {
		agent, err = tx.Agent(s.AccountID, id)
	}
	switch {
	case err == nil:
		s.AgentID = agent.ID
	case aftercall.KindOf(err) != aftercall.NotFound:
		return err
	case s.Enabled || s.AgentID != before:
		return aftercall.InvalidField("agentId", "is not the id of an agent")
	}
	s.UpdatedAt = tx.Now()
	if existing {
		*s, err = s.Enrol(tx.Now())
		return err
	}
	return nil
}

// UpdateScheduler changes a call scheduler and returns it as it is then. One that is
// disabled stops enrolling. With existing it begins to enrol the contacts that are new
// already. Apply may run more than once. Errors: Invalid, NotFound.
func (d *Dialer) UpdateScheduler(ctx context.Context, accountID, id string, apply func(*aftercall.CallScheduler), existing bool) (s aftercall.CallScheduler, err error) {
	id, ok := uuidOf(id)
	if !ok {
		return s, noScheduler()
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if s, err = tx.TakeScheduler(accountID, id); err != nil {
			return err
		}
		before := s.AgentID
		apply(&s)
		if !s.Enabled {
			s = s.Disable(tx.Now())
		}
		if err := checkScheduler(tx, &s, before, existing); err != nil {
			return err
		}
		return tx.UpdateScheduler(s)
	})
	if err == nil && s.Enrolment.Running {
		ring(d.enrols)
	}
	return s, err
}

// EnrolExisting begins to enrol the contacts that are new already. A pass that runs goes
// on. Errors: NotFound, Invalid when the call scheduler is not enabled.
func (d *Dialer) EnrolExisting(ctx context.Context, accountID, id string) (aftercall.CallScheduler, error) {
	return d.UpdateScheduler(ctx, accountID, id, func(*aftercall.CallScheduler) {}, true)
}

// Scheduler finds a call scheduler.
func (d *Dialer) Scheduler(ctx context.Context, accountID, id string) (s aftercall.CallScheduler, err error) {
	id, ok := uuidOf(id)
	if !ok {
		return s, noScheduler()
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		s, err = tx.Scheduler(accountID, id)
		return err
	})
	return s, err
}

// Schedulers lists call schedulers by id.
func (d *Dialer) Schedulers(ctx context.Context, accountID string, p store.Page) (list []aftercall.CallScheduler, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Schedulers(accountID, p)
		return err
	})
	return list, err
}

// DeleteScheduler removes a call scheduler. The runs that it opened go on. Error:
// NotFound.
func (d *Dialer) DeleteScheduler(ctx context.Context, accountID, id string) error {
	id, ok := uuidOf(id)
	if !ok {
		return noScheduler()
	}
	return d.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteScheduler(accountID, id) })
}

func noScheduler() error {
	return aftercall.Errorf(aftercall.NotFound, "call scheduler not found")
}

// disableSchedulers disables those of an agent.
func disableSchedulers(tx *store.Tx, ref store.AgentRef) error {
	list, err := tx.TakeSchedulersOf(ref)
	if err != nil {
		return err
	}
	for _, s := range list {
		s = s.Disable(tx.Now())
		s.UpdatedAt = tx.Now()
		if err := tx.UpdateScheduler(s); err != nil {
			return err
		}
	}
	return nil
}

// enrolNew opens runs for contacts that were just added, each by the first call scheduler
// that picks it. Who cannot be scheduled, for a number that is blocked or an agent that
// does not dial, stays new: that keeps nobody from being added.
func (d *Dialer) enrolNew(tx *store.Tx, accountID string, added []aftercall.Contact) ([]aftercall.Run, error) {
	if len(added) == 0 {
		return nil, nil
	}
	schedulers, err := tx.EnabledSchedulers(accountID)
	if err != nil || len(schedulers) == 0 {
		return nil, err
	}
	var wanted []Wanted
	for _, c := range added {
		if s, ok := aftercall.SchedulerFor(schedulers, c); ok {
			wanted = append(wanted, wantedBy(s, c, tx.Now()))
		}
	}
	return d.openRuns(tx, accountID, wanted)
}

func wantedBy(s aftercall.CallScheduler, c aftercall.Contact, now time.Time) Wanted {
	return Wanted{ContactID: c.ID, AgentID: s.AgentID, NotBefore: now.Add(s.Delay)}
}

// openRuns opens those of some runs that can be, and returns them.
func (d *Dialer) openRuns(tx *store.Tx, accountID string, wanted []Wanted) (opened []aftercall.Run, err error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	runs, failed, err := d.schedule(tx, accountID, wanted)
	if err != nil {
		return nil, err
	}
	for i, r := range runs {
		if failed[i] == nil {
			opened = append(opened, r)
		}
	}
	return opened, nil
}

// runSchedulers goes on with the passes of call schedulers until the context ends.
func (d *Dialer) runSchedulers(ctx context.Context) {
	for {
		more, err := d.enrolSome(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.log.Warn("cannot enrol contacts, trying again", "cause", err)
			sleep(ctx, nil, time.Now().Add(retryPause))
		case !more:
			if !sleep(ctx, d.enrols, time.Now().Add(d.pollCalls())) {
				return
			}
		}
	}
}

// enrolSome goes a step on with every pass, and reports whether one is not at its end.
// Steps are small, so that what people do comes in between.
func (d *Dialer) enrolSome(ctx context.Context) (more bool, err error) {
	var running []store.SchedulerRef
	err = d.store.View(ctx, func(tx *store.Tx) (err error) {
		running, err = tx.Enrolling()
		return err
	})
	for _, ref := range running {
		goesOn := false
		failed := d.update(ctx, func(tx *store.Tx) (err error) {
			goesOn, err = d.enrolStep(tx, ref)
			return err
		})
		if failed != nil {
			err = failed
		}
		more = more || goesOn
	}
	return more, err
}

// enrolStep looks at the next contacts of a pass. That it did, and the runs that it opens,
// are stored together: a pass that was broken off goes on where it was.
func (d *Dialer) enrolStep(tx *store.Tx, ref store.SchedulerRef) (more bool, err error) {
	s, err := tx.TakeScheduler(ref.AccountID, ref.SchedulerID)
	if aftercall.KindOf(err) == aftercall.NotFound || err == nil && !s.Enrolment.Running {
		return false, nil // removed meanwhile, or ended by another node
	}
	if err != nil {
		return false, err
	}
	contacts, err := tx.ContactList(s.AccountID, store.ContactFilter{Status: aftercall.ContactNew}, store.Page{Limit: maxEnrol, After: s.Enrolment.After})
	if err != nil {
		return false, err
	}
	var wanted []Wanted
	for _, c := range contacts {
		if s.Filter.Matches(c) {
			wanted = append(wanted, wantedBy(s, c, tx.Now()))
		}
	}
	opened, err := d.openRuns(tx, s.AccountID, wanted)
	if err != nil {
		return false, err
	}
	s = s.Enrolled(contacts, maxEnrol, len(opened), tx.Now())
	return s.Enrolment.Running, tx.UpdateScheduler(s)
}
