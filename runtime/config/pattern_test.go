package config

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for text, want := range map[string]Pattern{
		"10.0.0.5:502":           {Prefix: netip.MustParsePrefix("10.0.0.5/32"), First: 502, Last: 502},
		"10.0.0.0/24:502":        {Prefix: netip.MustParsePrefix("10.0.0.0/24"), First: 502, Last: 502},
		"0.0.0.0/0:1-65535":      {Prefix: netip.MustParsePrefix("0.0.0.0/0"), First: 1, Last: 65535},
		"[fd00::5]:502":          {Prefix: netip.MustParsePrefix("fd00::5/128"), First: 502, Last: 502},
		"[fd00::/8]:1-1024":      {Prefix: netip.MustParsePrefix("fd00::/8"), First: 1, Last: 1024},
		"meter.lan:5000-5010":    {Name: "meter.lan", First: 5000, Last: 5010},
		"PLC_1.Example.:502":     {Name: "plc_1.example", First: 502, Last: 502},
		"localhost:502":          {Name: "localhost", First: 502, Last: 502},
		"xn--zhler-0ra.lan:502":  {Name: "xn--zhler-0ra.lan", First: 502, Last: 502},
		"10.0.0.5.example:65535": {Name: "10.0.0.5.example", First: 65535, Last: 65535},
	} {
		p, err := parsePattern(text)
		if err != nil || p != want {
			t.Errorf("%s: %+v, %v; want %+v", text, p, err, want)
		}
	}
}

// What a resolver of some system takes for an address is no name.
func TestNoPattern(t *testing.T) {
	for _, text := range []string{
		"", ":", ":502", "10.0.0.5:", "10.0.0.5", "10.0.0.5:x", "10.0.0.5:+502", "10.0.0.5:0502", "10.0.0.5:65536", "10.0.0.5:5-5",
		"10.0.0.5:5-", "10.0.0.5:-5", "10.0.0.5:1-2-3", "10.0.0.5:0x10", "10.0.0.5: 502", "10.0.0.0/:502", "10.0.0.0/33:502",
		"10.0.0.0/-1:502", "10.0.0.0/024:502", "10.0.0:502", "10.1:502", "127.1:502", "0x7f.0.0.1:502", "0x7f000001:502",
		"2130706433:502", "010.0.0.1:502", "10.0.0.5.:502", "[10.0.0.5]:502", "[::1:502", "::1]:502", "::1:502", "[::1%1]:502",
		"[::ffff:1.2.3.4]:502", "[::ffff:0:0/96]:502", "[fd00::1/8]:502", "a..b:502", "-a:502", "a-:502", "a b:502", "*:502", "é.lan:502",
		strings.Repeat("a", 64) + ":502", strings.Repeat("a.", 127) + "com:502", "a/24:502", "meter.lan:502\n", "tcp://a:502",
	} {
		if p, err := parsePattern(text); err == nil {
			t.Errorf("%q: %+v", text, p)
		}
	}
}

// FuzzPattern: what is taken for a pattern has one meaning, which its own text gives back, and none that the standard
// library would read in another way.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"10.0.0.0/24:502", "[fd00::/8]:1-1024", "meter.lan.:5000-5010", "[::ffff:1.2.3.4]:5", "127.1:80"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePattern(text)
		if err != nil {
			if err.Error() == "" || p != (Pattern{}) {
				t.Fatalf("%q: %+v, %v", text, p, err)
			}
			return
		}
		again, err := parsePattern(p.String())
		if err != nil || again != p {
			t.Fatalf("%q is %+v, whose text %q is %+v, %v", text, p, p, again, err)
		}
		if p.First == 0 || p.First > p.Last || (p.Name == "") != p.Prefix.IsValid() {
			t.Fatalf("%q is no whole pattern: %+v", text, p)
		}
		if p.Name != "" {
			if _, err := netip.ParseAddr(p.Name); err == nil || net.ParseIP(p.Name) != nil {
				t.Fatalf("%q names an address: %+v", text, p)
			}
			return
		}
		if p.Prefix != p.Prefix.Masked() || p.Prefix.Addr().Is4In6() || p.Prefix.Addr().Zone() != "" {
			t.Fatalf("%q is no plain range: %+v", text, p)
		}
	})
}
