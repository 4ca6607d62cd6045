package aftercall

import "testing"

func TestPhoneNumberValidate(t *testing.T) {
	good := Trunk{"trunk.example.com", "user", "secret"}
	for _, test := range []struct {
		name, wrong string
		n           PhoneNumber
	}{
		{"good", "", PhoneNumber{Number: "+49 151 12345678", Trunk: good}},
		{"nothing", "phoneNumber terminationUri authUsername authPassword", PhoneNumber{}},
		{"national", "phoneNumber", PhoneNumber{Number: "0151 12345678", Trunk: good}},
		{"two lines", "authPassword", PhoneNumber{Number: "+4915112345678", Trunk: Trunk{"trunk.example.com", "user", "a\r\nb"}}},
	} {
		if got := wrongFields(test.n.Validate()); got != test.wrong {
			t.Errorf("%s: wrong is %q, want %q", test.name, got, test.wrong)
		}
	}
	for uri, ok := range map[string]bool{
		"trunk.example.com": true, "trunk.example.com:5060": true, "sip:trunk.example.com": true, "sips:user@10.0.0.1:5061;transport=tls": true,
		"[2001:db8::1]:5060": true, "": false, "https://trunk.example.com": false, "trunk example": false, "sip:": false, "a@b@c": false,
		"trunk.example.com\n": false, "trunk.example.com;a=b\r\nVia: x": false,
	} {
		n := PhoneNumber{Number: "+4915112345678", Trunk: Trunk{uri, "user", "secret"}}
		if err := n.Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", uri, err)
		}
	}
	n := PhoneNumber{Number: "+49 (151) 1234-5678", Trunk: good}
	if err := n.Validate(); err != nil || n.Number != "+4915112345678" {
		t.Errorf("became %s, %v", n.Number, err)
	}
}

func TestPhoneNumberType(t *testing.T) {
	for number, want := range map[string]PhoneType{
		"+4915112345678": PhoneMobile, "+493012345678": PhoneLocal, "+14155552671": "", "+498001234567": "", "": "",
	} {
		if got := (PhoneNumber{Number: number}).Type(); got != want {
			t.Errorf("%s is %q, want %q", number, got, want)
		}
	}
}
