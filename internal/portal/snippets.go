package portal

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aftercall/aftercall"
)

// snippet is code to be copied.
type snippet struct{ Language, Code string }

// secretName is what an endpoint's secret is called in the environment of its receiver.
func secretName(e aftercall.Endpoint) string {
	host := "endpoint"
	if u, err := url.Parse(e.URL); err == nil {
		host = u.Hostname()
	}
	return "WEBHOOK_SECRET_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, host)
}

// snippets verify an endpoint's messages, by Svix's libraries or, where its public key is
// all that a receiver has, by what each language brings.
func snippets(e aftercall.Endpoint) []snippet {
	list := hmacSnippets()
	if e.Signature == aftercall.SignEd25519 {
		list = ed25519Snippets()
	}
	for i := range list {
		list[i].Code = strings.ReplaceAll(strings.TrimSpace(list[i].Code), "SECRET_NAME", secretName(e))
	}
	return list
}

func hmacSnippets() []snippet {
	return []snippet{
		{"JavaScript", `
import { Webhook } from "svix"; // npm install svix
import express from "express";

const app = express();
app.post("/webhook", express.raw({ type: "*/*" }), (req, res) => {
  const webhook = new Webhook(process.env.SECRET_NAME);
  let event;
  try {
    event = webhook.verify(req.body, req.headers); // throws unless it came from here, unchanged
  } catch {
    return res.status(400).end();
  }
  // ... update the CRM record of event.contact.external_contact_id
  res.status(204).end();
});`},
		{"Python", `
import os
from svix.webhooks import Webhook, WebhookVerificationError  # pip install svix

@app.post("/webhook")
async def webhook(request):
    body = await request.body()
    try:
        event = Webhook(os.environ["SECRET_NAME"]).verify(body, request.headers)
    except WebhookVerificationError:
        return Response(status_code=400)
    # ... update the CRM record of event["contact"]["external_contact_id"]
    return Response(status_code=204)`},
		{"Go", `
import svix "github.com/svix/svix-webhooks/go"

func webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return
	}
	wh, err := svix.NewWebhook(os.Getenv("SECRET_NAME"))
	if err == nil {
		err = wh.Verify(body, r.Header)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	// ... update the CRM record
	w.WriteHeader(http.StatusNoContent)
}`},
		{"PHP", `
use Svix\Webhook; // composer require svix/svix

$body = file_get_contents('php://input');
try {
    $event = (new Webhook(getenv('SECRET_NAME')))->verify($body, getallheaders());
} catch (\Exception $e) {
    http_response_code(400);
    exit;
}
// ... update the CRM record
http_response_code(204);`},
		{"Java", `
import com.svix.Webhook; // com.svix:svix

Webhook webhook = new Webhook(System.getenv("SECRET_NAME"));
try {
    webhook.verify(body, headers); // body: a String as received; headers: java.net.http.HttpHeaders
} catch (com.svix.exceptions.WebhookVerificationException e) {
    return 400;
}
// ... update the CRM record
return 204;`},
	}
}

func ed25519Snippets() []snippet {
	return []snippet{
		{"JavaScript", `
import { createPublicKey, verify } from "node:crypto";

const raw = Buffer.from(process.env.SECRET_NAME.replace("whpk_", ""), "base64");
const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") } });

function genuine(body, headers) { // body: a Buffer as received
  const sent = Number(headers["webhook-timestamp"]);
  if (Math.abs(Date.now() / 1000 - sent) > 300) return false;
  const signed = Buffer.concat([Buffer.from(headers["webhook-id"] + "." + sent + "."), body]);
  return headers["webhook-signature"].split(" ").some((s) =>
    s.startsWith("v1a,") && verify(null, signed, key, Buffer.from(s.slice(4), "base64")));
}`},
		{"Python", `
import base64, os, time
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

key = Ed25519PublicKey.from_public_bytes(base64.b64decode(os.environ["SECRET_NAME"].removeprefix("whpk_")))

def genuine(body: bytes, headers) -> bool:
    sent = headers["webhook-timestamp"]
    if abs(time.time() - int(sent)) > 300:
        return False
    signed = f'{headers["webhook-id"]}.{sent}.'.encode() + body
    for signature in headers["webhook-signature"].split(" "):
        if signature.startswith("v1a,"):
            try:
                key.verify(base64.b64decode(signature[4:]), signed)
                return True
            except InvalidSignature:
                pass
    return False`},
		{"Go", `
import "github.com/aftercall/aftercall/signature"

verifier, err := signature.NewVerifier(os.Getenv("SECRET_NAME"))
// ...
if err := verifier.Verify(r.Header, body, time.Now()); err != nil {
	w.WriteHeader(http.StatusBadRequest)
	return
}`},
		{"PHP", `
$key = base64_decode(substr(getenv('SECRET_NAME'), strlen('whpk_')));
$headers = array_change_key_case(getallheaders());
$signed = $headers['webhook-id'] . '.' . $headers['webhook-timestamp'] . '.' . file_get_contents('php://input');
$genuine = false;
foreach (explode(' ', $headers['webhook-signature']) as $signature) {
    if (str_starts_with($signature, 'v1a,')) {
        $genuine = $genuine || sodium_crypto_sign_verify_detached(base64_decode(substr($signature, 4)), $signed, $key);
    }
}
$genuine = $genuine && abs(time() - (int) $headers['webhook-timestamp']) <= 300;`},
		{"Java", `
// The key as Java takes it: the prefix of an Ed25519 key in X.509, then its 32 bytes.
byte[] raw = Base64.getDecoder().decode(System.getenv("SECRET_NAME").substring("whpk_".length()));
byte[] x509 = ByteBuffer.allocate(44).put(HexFormat.of().parseHex("302a300506032b6570032100")).put(raw).array();
PublicKey key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(x509));
String sent = headers.get("webhook-timestamp");
boolean genuine = false;
for (String signature : headers.get("webhook-signature").split(" ")) {
    Signature verifier = Signature.getInstance("Ed25519");
    verifier.initVerify(key);
    verifier.update((headers.get("webhook-id") + "." + sent + ".").getBytes());
    verifier.update(body); // byte[] as received
    genuine |= signature.startsWith("v1a,") && verifier.verify(Base64.getDecoder().decode(signature.substring(4)));
}
genuine &= Math.abs(Instant.now().getEpochSecond() - Long.parseLong(sent)) <= 300;`},
	}
}

// curl is a script that sends a message again by hand, signed anew where the receiver's
// secret can sign. Values that are shown to nobody come from the environment.
func curl(e aftercall.Endpoint, m aftercall.Message) string {
	body, contentType := m.Body()
	var b strings.Builder
	b.WriteString("ID=" + quote(m.ID) + "; NOW=$(date +%s)\nBODY=" + quote(string(body)) + "\n")
	signed := e.Signature != aftercall.SignEd25519
	if signed {
		b.WriteString("KEY=$(printf %s \"${" + secretName(e) + "#whsec_}\" | base64 -d | od -An -v -tx1 | tr -d ' \\n')\n" +
			"SIGNATURE=$(printf %s \"$ID.$NOW.$BODY\" | openssl dgst -sha256 -mac HMAC -macopt \"hexkey:$KEY\" -binary | base64)\n")
	}
	b.WriteString("curl -i " + quote(e.URL) + " --data-raw \"$BODY\" -H " + quote("content-type: "+contentType))
	if signed {
		b.WriteString(" \\\n  -H \"svix-id: $ID\" -H \"svix-timestamp: $NOW\" -H \"svix-signature: v1,$SIGNATURE\"")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if aftercall.SensitiveHeader(name) {
			b.WriteString(" \\\n  -H \"" + name + ": $" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "\"")
		} else {
			b.WriteString(" \\\n  -H " + quote(name+": "+e.Headers[name]))
		}
	}
	return b.String()
}

// quote makes text one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
