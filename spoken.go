package aftercall

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// What counts as a conversation; a hang-up after "hello" does not.
const (
	conversationTurns = 2
	conversationWords = 5 // beyond a greeting
)

// greetings are words by which people answer a phone, and which say nothing more.
var greetings = []string{
	"hello", "hi", "hey", "yes", "yeah", "good", "morning", "afternoon", "evening", "this", "is", "speaking",
	"hallo", "ja", "guten", "tag", "morgen", "abend", "bitte", "hier", "ist", "am", "apparat",
}

// doNotCall are the ways in which people say that they do not want to be called, as
// opposed to not now: "don't call me before noon" is none of them.
var doNotCall = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`\b(don'?t|do not|never)( you)?( ever)? (call|phone|ring|contact)( me| us| here| this number)?( ever)? (again|any ?more)\b`,
	`\bstop (calling|phoning|ringing|contacting)\b`,
	`\bnever (call|phone|ring|contact) (me|us|here|this number)\b`,
	`\b(no more|no further) (phone )?calls\b`,
	`\b(take|remove|delete|strike) (me|us|my (phone )?number|this number|our number)\b.{0,20}\b(off|from|list)\b`,
	`\bdo[- ]not[- ]call list\b`,
	`\bruf(en|t|e)?\b[^.?!]{0,40}\b(nicht (mehr|wieder|nochmal|noch einmal)|nie (mehr|wieder))\b[^.?!]{0,20}\ban\b`,
	`\b(nicht (mehr|wieder|nochmal|noch einmal)|nie (mehr|wieder))\b[^.?!]{0,20}\ban(zu)?(ge)?rufen\b`,
	`\bkeine (weiteren )?anrufe( mehr)?\b`,
	`\b(lösch|streich|entfern)[^\s]*\b[^.?!]{0,20}\b(meine|unsere|diese)\b ?(telefon|handy)?nummer\b`,
	`\bvon (ihrer|der|eurer) (anruf|telefon)?liste\b`,
}, "|"))

// wrongPerson are the ways in which people say that somebody else was meant.
var wrongPerson = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`\bwrong (number|person)\b`, `\bno ?(one|body) (here )?(by|of|with) that name\b`, `\b(don'?t|do not) know (anyone|anybody|a person) (by|of|with) that name\b`,
	`\bfalsch(e)? (verbunden|nummer|person)\b`, `\bverwählt\b`, `\b(niemand|keine[nr]?)\b[^.?!]{0,20}\b(dieses|diesem|mit dem|mit diesem) namens?\b`,
}, "|"))

// said reports whether the contact said something of a kind.
func said(turns []Turn, kind *regexp.Regexp) bool {
	return slices.ContainsFunc(turns, func(turn Turn) bool {
		return turn.Role == RoleUser && kind.MatchString(strings.ReplaceAll(turn.Content, "’", "'"))
	})
}

// turnsSaid are the call's turns, read from the transcript if there are no others.
func (c Call) turnsSaid() []Turn {
	if len(c.Turns) > 0 {
		return c.Turns
	}
	return turnsOf(c.Transcript)
}

// AsksNotToBeCalled reports whether the contact said so.
func (c Call) AsksNotToBeCalled() bool { return c.DoNotCall || said(c.turnsSaid(), doNotCall) }

// Conversation reports whether the contact took part in one. Of a call without any
// words it can only tell how long it was.
func (c Call) Conversation() bool {
	if !c.FollowUpAt.IsZero() { // to be called again is all that the contact wanted
		return false
	}
	timed := !c.StartedAt.IsZero() && !c.EndedAt.IsZero()
	long := c.EndedAt.Sub(c.StartedAt) >= conversationTime
	turns := c.turnsSaid()
	if timed && !long || len(turns) == 0 {
		return timed && long
	}
	if said(turns, wrongPerson) {
		return false
	}
	spoken, words := 0, 0
	for _, turn := range turns {
		if turn.Role == RoleUser {
			spoken++
			words += countWords(turn.Content)
		}
	}
	return spoken >= conversationTurns || words >= conversationWords
}

// countWords counts words that are no greeting.
func countWords(text string) int {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
	return len(slices.DeleteFunc(words, func(word string) bool { return slices.Contains(greetings, word) }))
}
