package embedded

import (
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// closeLeaves keeps calls out that come from the hubs of the leaf remotes, unless they are wanted. What would reach a
// command another way is kept out with them: a stream that republishes or a consumer that pushes into one is made
// through the JetStream API of this server.
func (c *Config) closeLeaves(options *server.Options) {
	// Each failed attempt is a line for Links; the logger thins them out.
	options.ConnectErrorReports, options.ReconnectErrorReports = 1, 1
	if c.LeafCalls {
		return
	}
	for _, r := range options.LeafNode.Remotes {
		if orDefault(r.LocalAccount, globalAccount) == orDefault(c.Account, globalAccount) || operatorMode(options) {
			r.DenyImports = append(r.DenyImports, c.callPrefix()+".>")
			for _, verb := range []string{"STREAM.CREATE", "STREAM.UPDATE", "STREAM.RESTORE"} {
				r.DenyImports = append(r.DenyImports, "$JS.API."+verb+".>", "$JS.*.API."+verb+".>")
			}
		}
	}
}

// Links returns the state of each leaf remote, in the order of the file.
func (s *Server) Links() []message.Link { return s.leaves.links() }

// leafTick is how often the server is asked for its leaf connections; it does not tell.
const leafTick = 500 * time.Millisecond

// watch follows the leaf connections until quit is closed.
func (l *leaves) watch(srv *server.Server, quit <-chan struct{}) {
	tick := time.NewTicker(leafTick)
	defer tick.Stop()
	for {
		l.update(spokes(srv))
		select {
		case <-tick.C:
		case <-quit:
			return
		}
	}
}

// spokes counts the leaf connections that the server made, by account.
func spokes(srv *server.Server) map[string]int {
	up := make(map[string]int)
	leafz, err := srv.Leafz(nil)
	if err != nil {
		return up
	}
	for _, leaf := range leafz.Leafs {
		if leaf.IsSpoke {
			up[leaf.Account]++
		}
	}
	return up
}

// leaves are what is known of the leaf remotes.
type leaves struct {
	to  *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	remotes []leaf
}

// leaf is a leaf remote: its account here, its addresses, and its state.
type leaf struct {
	account string
	hosts   []string
	link    message.Link
}

// set takes over the remotes of a server.
func (l *leaves) set(options *server.Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remotes = nil
	for _, r := range options.LeafNode.Remotes {
		one := leaf{account: orDefault(r.LocalAccount, globalAccount)}
		for _, u := range r.URLs {
			one.hosts = append(one.hosts, u.Host)
		}
		one.link = message.Link{Name: "leaf", URL: one.hosts[0], Since: message.Time{Time: l.now()}}
		one.link.Set(message.LinkConnecting)
		l.remotes = append(l.remotes, one)
	}
}

// update takes how many connections there are by account. Which one is of which remote the server does not say: those of
// an account are taken in order.
func (l *leaves) update(up map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.remotes {
		r := &l.remotes[i]
		connected := up[r.account] > 0
		if connected {
			up[r.account]--
		}
		r.link.Turn(connected, l.now())
	}
}

func (l *leaves) links() []message.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	var links []message.Link
	for _, r := range l.remotes {
		links = append(links, r.link)
	}
	return links
}

var leafFailed = regexp.MustCompile(`^Error trying to connect as leafnode to remote server "([^"]+)" \(attempt (\d+)\): (.*)$`)

// failed takes a line of the server that says that an attempt failed; false for any other line. Attempts 1, 2, 4, 8 and
// so on are logged.
func (l *leaves) failed(line string) bool {
	m := leafFailed.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	attempt, err := strconv.ParseUint(m[2], 10, 64)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.remotes {
		if slices.Contains(l.remotes[i].hosts, m[1]) {
			l.remotes[i].link.Attempt, l.remotes[i].link.LastError = attempt, m[3]
		}
	}
	if attempt&(attempt-1) == 0 {
		l.to.Warn("leaf node cannot connect", "url", m[1], "attempt", attempt, "error", m[3])
	}
	return true
}
