package telli_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// number is a phone number as it is imported.
func number(change object) object {
	n := object{"phoneNumber": "+49 151 12345678", "terminationUri": "sip:trunk.example.com:5060", "authUsername": "user", "authPassword": "hunter2"}
	for name, v := range change {
		n[name] = v
	}
	return n
}

func TestPhoneNumbers(t *testing.T) {
	each(t, func(c, other *caller) {
		if got := c.ask(200, "GET", "/v1/phone-numbers", nil); fmt.Sprint(got) != "map[data:[]]" {
			c.Errorf("of none: %v", got)
		}
		mobile := c.ask(200, "POST", "/v1/phone-numbers/import", number(nil))
		id, _ := mobile["id"].(string)
		want := object{"id": id, "phoneNumber": "+4915112345678", "inOutboundPool": true, "phoneNumberType": "mobile", "createdAt": mobile["createdAt"]}
		if at, _ := mobile["createdAt"].(string); !reflect.DeepEqual(mobile, want) || !aftercall.ValidUUID(id) || len(at) != len("2026-11-23T10:00:00.000Z") {
			c.Errorf("imported %v", mobile)
		}
		local := c.ask(200, "POST", "/v1/phone-numbers/import", number(object{"phoneNumber": "+493012345678"}))
		either := c.ask(200, "POST", "/v1/phone-numbers/import", number(object{"phoneNumber": "+14155552671"}))
		if local["phoneNumberType"] != "local" || either["phoneNumberType"] != nil {
			c.Errorf("types of %v and %v", local, either)
		}
		if got := c.ask(200, "GET", "/v1/phone-numbers", nil); !reflect.DeepEqual(got["data"], []any{mobile, local, either}) {
			c.Errorf("listed %v", got)
		}
		if taken := c.ask(409, "POST", "/v1/phone-numbers/import", number(object{"phoneNumber": "+4915112345678"})); taken["code"] != "CONFLICT" {
			c.Errorf("the same again: %v", taken)
		}
		other.ask(200, "POST", "/v1/phone-numbers/import", number(nil))
		storetest.View(c, c.store, func(tx *store.Tx) error {
			if password, err := tx.TrunkPassword(c.account.ID, id); password != "hunter2" || err != nil {
				c.Errorf("the password is %q, %v", password, err)
			}
			return nil
		})
		other.ask(404, "DELETE", "/v1/phone-numbers/"+id, nil)
		if got := c.ask(200, "DELETE", "/v1/phone-numbers/"+strings.ToUpper(id), nil); !strings.EqualFold(got["id"].(string), id) {
			c.Errorf("answered %v", got)
		}
		c.ask(404, "DELETE", "/v1/phone-numbers/"+id, nil)
		c.ask(404, "DELETE", "/v1/phone-numbers/nonsense", nil)
		if got := c.ask(200, "GET", "/v1/phone-numbers", nil); !reflect.DeepEqual(got["data"], []any{local, either}) {
			c.Errorf("left are %v", got)
		}
		c.ask(200, "POST", "/v1/phone-numbers/import", number(nil)) // may come back
	})
}

func TestBadPhoneNumbers(t *testing.T) {
	each(t, func(c, _ *caller) {
		for _, test := range []struct {
			fields string
			body   any
		}{
			{"body", `[`},
			{"phoneNumber terminationUri authUsername authPassword", object{}},
			{"phoneNumber", number(object{"phoneNumber": "0151"})},
			{"terminationUri", number(object{"terminationUri": "https://trunk.example.com/"})},
			{"authUsername", number(object{"authUsername": "a\nb"})},
			{"authPassword", number(object{"authPassword": strings.Repeat("x", 257)})},
			{"authPassword", number(object{"authPassword": 7})},
		} {
			c.wrong(test.fields, "POST", "/v1/phone-numbers/import", test.body)
		}
		storetest.Update(c, c.store, func(tx *store.Tx) error {
			for i := range 1000 {
				n := aftercall.PhoneNumber{AccountID: c.account.ID, ID: aftercall.NewUUID(), Number: fmt.Sprintf("+4930%06d", i)}
				if err := tx.InsertPhoneNumber(n); err != nil {
					return err
				}
			}
			return nil
		})
		c.wrong("phoneNumber", "POST", "/v1/phone-numbers/import", number(nil))
	})
}
