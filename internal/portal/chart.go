package portal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aftercall/aftercall/internal/store"
)

// chartData is a chart of counts over time, stacked.
type chartData struct {
	Label  string
	Times  []time.Time
	Series []chartSeries
	clock  clock
}

type chartSeries struct {
	Label  string `json:"label"`
	Tone   string `json:"tone"` // "good", "warn", "bad", or none
	Values []int  `json:"values"`
}

// json is what the script draws.
func (c chartData) json() (string, error) {
	times := make([]int64, len(c.Times))
	for i, t := range c.Times {
		times[i] = t.Unix()
	}
	b, err := json.Marshal(struct {
		Times  []int64       `json:"times"`
		Series []chartSeries `json:"series"`
		Zone   string        `json:"zone"`
	}{times, c.Series, c.clock.zone.String()})
	return string(b), err
}

// at names a part of the time in the chart's table by when it begins. A day of a month's
// chart ends with the present hour, so that its hour must be told as well.
func (c chartData) at(i int) string {
	return c.Times[i].In(c.clock.zone).Format("Mon 2 Jan 15:04")
}

func newChart(c clock, label string, begin time.Time, part time.Duration, n int) chartData {
	out := chartData{Label: label, clock: c}
	for i := range n {
		out.Times = append(out.Times, begin.Add(time.Duration(i)*part))
	}
	return out
}

func deliveryChart(c clock, over span24, parts []store.Stats) chartData {
	out := newChart(c, "Deliveries over "+over.Name, beginOf(c.now, over.Part, over.N), over.Part, over.N)
	out.Series = []chartSeries{
		{"Delivered", "good", nil}, {"Waiting", "", nil}, {"Retrying", "warn", nil}, {"Failed", "bad", nil},
	}
	for _, part := range parts {
		for i, n := range []int{part.Succeeded, part.Waiting, part.Retrying, part.Failed} {
			out.Series[i].Values = append(out.Series[i].Values, n)
		}
	}
	return out
}

// sparkBar is a bar of a sparkline.
type sparkBar struct{ Tone, X, Y, Height string }

// sparkHeight is how high a sparkline is.
const sparkHeight = 30

// sparkBars stacks what arrived, what is on its way and what failed.
func sparkBars(parts []store.Stats) (bars []sparkBar) {
	most := 1
	for _, part := range parts {
		most = max(most, part.Succeeded+part.Waiting+part.Retrying+part.Failed)
	}
	for i, part := range parts {
		x, y := strconv.Itoa(6*i), float64(sparkHeight)
		for _, piece := range []struct {
			tone string
			n    int
		}{{"good", part.Succeeded}, {"warn", part.Waiting + part.Retrying}, {"bad", part.Failed}} {
			if piece.n == 0 {
				continue
			}
			height := max(2, float64(piece.n)/float64(most)*(sparkHeight-2))
			y -= height
			bars = append(bars, sparkBar{piece.tone, x, decimal(y), decimal(height)})
		}
		if part == (store.Stats{}) {
			bars = append(bars, sparkBar{"nothing", x, decimal(sparkHeight - 1), "1"})
		}
	}
	return bars
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// sparkText says what a sparkline shows.
func sparkText(parts []store.Stats) string {
	all := sum(parts)
	return fmt.Sprintf("Deliveries of the last day by the hour: %d delivered, %d on their way, %d failed",
		all.Succeeded, all.Waiting+all.Retrying, all.Failed)
}
