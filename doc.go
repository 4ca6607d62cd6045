// Package aftercall holds the vocabulary of the system and its rules: pure
// values and pure transitions, nothing that does I/O.
//
// An [Account] is the tenant. Its people are [Contact]s, who are called; a
// finished [Call] moves its contact's status by one rule, [Contact.After].
// A [Property] is a typed field of contacts, a [PhoneNumber] one of the account's own,
// an [Import] a file of contacts on its way in.
// What happened is told to the account's customers as messages.
//
// An [Agent] calls contacts until they are reached: a [Run] is its campaign for one
// of them, [Dialing] its rules, [Hours] when they allow a call. [Run.Decide] has the
// last word before each call, and [Run.After] says what follows from its end. A
// [LiveCall] is a call from that decision until its end was taken, and [Line] what its
// voice engine can carry.
//
// An [EventType] names a kind of fact. A [Message] is one published fact: an id,
// a type, a time and payload bytes, which never change once stored. An
// [Endpoint] is where an account wants messages, with the [Secret]s that sign
// them. A [Delivery] is one message on its way to one endpoint: pending,
// succeeded or failed, and when it is next due. An [Attempt] is one HTTP try.
// [Delivery.After] is the only place that decides what follows an attempt, and
// [Schedule] how long to wait.
//
// Whoever does I/O asks these rules what to do and records the answer: the
// store never decides, and the faces (HTTP, command line) only translate.
package aftercall
