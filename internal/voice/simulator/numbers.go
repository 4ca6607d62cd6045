package simulator

import "strings"

// Fictional reports whether a number, in E.164, is set aside for fiction, so that
// nobody can be meant by it:
//
//   - North America: 555-0100 to 555-0199 in every area code of the North American
//     Numbering Plan Administration, so not in the toll-free ones, which others give
//     out, https://en.wikipedia.org/wiki/555_(telephone_number);
//   - Germany: Bundesnetzagentur, Mitteilung 148/2021, Amtsblatt 7/2021, "Rufnummern
//     für Medienproduktionen (Drama Numbers)": five towns and twelve mobile ranges;
//   - United Kingdom: Ofcom, "Telephone numbers for use in TV and radio drama
//     programmes", https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
func Fictional(number string) bool {
	for _, pattern := range reserved() {
		if matches(pattern, number) {
			return !tollFree(number)
		}
	}
	return false
}

// reserved lists the ranges; x is any digit, n one from 2 to 9.
func reserved() []string {
	return []string{
		"+1nxx55501xx",

		"+493023125xxx", "+496990009xxx", "+494066969xxx", "+492214710xxx", "+498999998xxx",
		"+4915228817386", "+4915228895456", "+4915254599371", "+4917139200xx", "+491729925904", "+491729968532",
		"+491729973185", "+491729973186", "+491729980752", "+491749091317", "+491749464308", "+49176040690xx",

		"+441134960xxx", "+441144960xxx", "+441154960xxx", "+441164960xxx", "+441174960xxx", "+441184960xxx",
		"+441214960xxx", "+441314960xxx", "+441414960xxx", "+441514960xxx", "+441614960xxx", "+441914980xxx",
		"+442079460xxx", "+442896496xxx", "+442920180xxx", "+441632960xxx",
		"+447700900xxx", "+448081570xxx", "+449098790xxx", "+443069990xxx",
	}
}

func matches(pattern, number string) bool {
	if len(pattern) != len(number) {
		return false
	}
	for i := range len(pattern) {
		least := byte('0')
		switch pattern[i] {
		case 'n':
			least = '2'
			fallthrough
		case 'x':
			if number[i] < least || number[i] > '9' {
				return false
			}
		default:
			if number[i] != pattern[i] {
				return false
			}
		}
	}
	return true
}

// tollFree knows the area codes 800, 822, 833 ... 888 of North America.
func tollFree(number string) bool {
	area, ok := strings.CutPrefix(number, "+18")
	return ok && area[0] == area[1] && area[0] != '1' && area[0] != '9'
}
