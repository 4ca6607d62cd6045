package signature_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aftercall/aftercall/signature"
)

func ExampleVerifier_Verify() {
	verifier, err := signature.NewVerifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		panic(err)
	}
	// In a handler these are r.Header, the body as it came, and time.Now().
	header := http.Header{}
	header.Set("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set("svix-timestamp", "1614265330")
	header.Set("svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	now := time.Unix(1614265331, 0)

	fmt.Println(verifier.Verify(header, []byte(`{"test": 2432232314}`), now))
	fmt.Println(verifier.Verify(header, []byte(`{"test": 2432232314}`), now.Add(time.Hour)))
	// Output:
	// <nil>
	// signature: the timestamp is too old
}
