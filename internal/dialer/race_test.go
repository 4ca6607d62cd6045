//go:build race

package dialer_test

const raceDetector = true
