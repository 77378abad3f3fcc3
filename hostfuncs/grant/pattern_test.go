package grant

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func prefix(text string, first, last uint16) Pattern {
	return Pattern{Prefix: netip.MustParsePrefix(text), First: first, Last: last}
}

func mustSet(t testing.TB, g Grants) *Set {
	t.Helper()
	set, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestCovers: nothing is covered but what a pattern says.
func TestCovers(t *testing.T) {
	set := mustSet(t, Grants{
		TCP: []Pattern{
			prefix("10.0.0.0/24", 502, 502), prefix("10.0.1.5/32", 1000, 2000), prefix("fd00::/64", 502, 502),
			{Name: "meter.lan", First: 5000, Last: 5010}, prefix("192.168.0.0/16", 1, 65535),
		},
		UDP: []Pattern{prefix("10.9.0.0/16", 47808, 47808)},
	})
	for text, want := range map[string]bool{
		"10.0.0.0:502": true, "10.0.0.255:502": true, "10.0.1.0:502": false, "10.0.0.5:503": false, "9.255.255.255:502": false,
		"10.0.1.5:1000": true, "10.0.1.5:2000": true, "10.0.1.5:999": false, "10.0.1.5:2001": false, "10.0.1.6:1000": false,
		"[fd00::ffff]:502": true, "[fd00:0:0:1::]:502": false, "[::ffff:10.0.0.5]:502": true, "[::ffff:10.0.1.0]:502": false,
		"[::10.0.0.5]:502": false, "[64:ff9b::10.0.0.5]:502": false, "[fd00::1%eth0]:502": true,
		"meter.lan:5000": true, "METER.lan.:5010": true, "meter.lan:5011": false, "xmeter.lan:5000": false, "meter.lan.x:5000": false,
		"10.0.0.5.:502": false, "010.0.0.5:502": false, "10.0.5:502": false, "0xa.0.0.5:502": false, "167772165:502": false,
		"10.9.0.1:47808": false, "192.168.255.255:65535": true,
	} {
		e, err := ParseEndpoint(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := set.Covers(NetworkTCP, e); got != want {
			t.Errorf("%s: covered is %t", text, got)
		}
	}
	if e, _ := ParseEndpoint("10.9.0.1:47808"); !set.Covers(NetworkUDP, e) {
		t.Error("a pattern for UDP does not cover it")
	}
}

// TestSpecialAddresses are covered by patterns of their own kind alone.
func TestSpecialAddresses(t *testing.T) {
	everything := mustSet(t, Grants{TCP: []Pattern{prefix("0.0.0.0/0", 1, 65535), prefix("::/0", 1, 65535)}})
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "169.254.169.254", "224.0.0.1", "239.255.255.250", "255.255.255.255",
		"::", "::1", "fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
	} {
		a := netip.MustParseAddr(text)
		if everything.CoversAddress(NetworkTCP, netip.AddrPortFrom(a, 80)) {
			t.Errorf("%s is covered by the pattern for everything", text)
		}
		own := mustSet(t, Grants{TCP: []Pattern{prefix(netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()).String(), 80, 80)}})
		if !own.CoversAddress(NetworkTCP, netip.AddrPortFrom(a, 80)) {
			t.Errorf("%s is not covered by a pattern for it", text)
		}
	}
	for _, text := range []string{"8.8.8.8", "126.255.255.255", "128.0.0.0", "fe00::1", "2001:db8::1", "255.255.255.254"} {
		if !everything.CoversAddress(NetworkTCP, netip.AddrPortFrom(netip.MustParseAddr(text), 80)) {
			t.Errorf("%s is not covered by the pattern for everything", text)
		}
	}
	loopback := mustSet(t, Grants{TCP: []Pattern{prefix("127.0.0.0/8", 80, 80)}})
	if !loopback.CoversAddress(NetworkTCP, netip.MustParseAddrPort("127.9.9.9:80")) {
		t.Error("a range of special addresses does not cover them")
	}
}

// TestPermits: where a name may lead.
func TestPermits(t *testing.T) {
	set := mustSet(t, Grants{TCP: []Pattern{prefix("127.0.0.2/32", 502, 502), {Name: "plc.lan", First: 502, Last: 502}}})
	for _, tt := range []struct {
		name, address string
		want          bool
	}{
		{"plc.lan", "10.0.0.5", true}, {"plc.lan", "fd00::5", true}, {"plc.lan", "127.0.0.1", false}, {"plc.lan", "::1", false},
		{"plc.lan", "127.0.0.2", true}, {"plc.lan", "::ffff:127.0.0.2", true}, {"plc.lan", "::ffff:127.0.0.1", false},
		{"plc.lan", "169.254.1.1", false}, {"plc.lan", "fe80::1", false}, {"plc.lan", "0.0.0.0", false}, {"plc.lan", "ff02::1", false},
		{"localhost", "127.0.0.1", true}, {"LocalHost.", "::1", true}, {"a.localhost", "127.0.0.1", true},
		{"localhost", "0.0.0.0", false}, {"localhost", "fe80::1", false}, {"localhost.example", "127.0.0.1", false},
		{"127.0.0.1.example", "127.0.0.1", false}, {"notlocalhost", "127.0.0.1", false},
	} {
		err := set.Permits(NetworkTCP, Endpoint{Name: tt.name, Port: 502}, netip.MustParseAddr(tt.address))
		if (err == nil) != tt.want || err != nil && !errors.Is(err, ErrDenied) {
			t.Errorf("%s at %s: %v", tt.name, tt.address, err)
		}
	}
	if set.Permits(NetworkUDP, Endpoint{Name: "plc.lan", Port: 502}, netip.MustParseAddr("127.0.0.2")) == nil {
		t.Error("a pattern for TCP permits UDP")
	}
}

func TestBadPatterns(t *testing.T) {
	for want, p := range map[string]Pattern{
		"not one of":     {First: 1, Last: 1},
		"no plain range": prefix("10.0.0.1/24", 1, 1),
		"lower case":     {Name: "Meter.lan", First: 1, Last: 1},
		"out of order":   prefix("10.0.0.0/24", 2, 1),
	} {
		if _, err := New(Grants{UDP: []Pattern{p}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// FuzzEndpoint: an address that a driver gives has one meaning, and what is granted is only what a pattern says.
func FuzzEndpoint(f *testing.F) {
	for _, text := range []string{
		"10.0.0.5:502", "[fd00::5%eth0]:502", "meter.lan.:502", "[::ffff:127.0.0.1]:80", "0x7f.1:80", "127.1:80", ":80", "[]:80",
		"10.0.0.5:+80", "a:0", "[a]:1", "a\x00b:1",
	} {
		f.Add(text)
	}
	set := mustSet(f, Grants{TCP: []Pattern{prefix("10.0.0.0/8", 1, 1024), {Name: "meter.lan", First: 502, Last: 502}}})
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseEndpoint(text)
		if err != nil {
			return
		}
		if e.Port == 0 || (e.Name == "") != e.IP.IsValid() || e.IP.Is4In6() {
			t.Fatalf("%q is no whole endpoint: %+v", text, e)
		}
		again, err := ParseEndpoint(e.String())
		if err != nil || again.String() != e.String() || e.Name == "" && again != e {
			t.Fatalf("%q is %+v, whose text %q is %+v, %v", text, e, e, again, err)
		}
		if !set.Covers(NetworkTCP, e) {
			return
		}
		ours := e.IP.Is4() && e.IP.As4()[0] == 10 && e.Port <= 1024
		named := strings.EqualFold(strings.TrimSuffix(e.Name, "."), "meter.lan") && e.Port == 502
		if !ours && !named {
			t.Fatalf("%q is covered: %+v", text, e)
		}
	})
}
