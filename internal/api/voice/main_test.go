package voice_test

import (
	"os"
	"testing"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
