package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store"
)

func newModuleListCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the modules of the bucket and of the nodes",
		Long: `List the modules that the nodes of a server share in their bucket and keep in their own stores, who is said to have signed
them, and which channels need them. One without @ in its name was not added: a channel ran it from a file, and it is found
by its digest alone. "not kept" is said of a node whose channel needs it while the node's store does not have it.`,
		Example: "  drover module ls\n  drover module ls --json | jq '.modules[] | select(.nodes == null).digest'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runModuleList(cmd.Context(), g) },
	}
}

func runModuleList(ctx context.Context, g *globals) error {
	l, err := g.connectLibrary(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	all, err := l.all(ctx)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(message.Library{Domain: l.domain, Modules: all})
	}
	fmt.Fprintln(g.out, moduleTable(g.palette(), all, time.Now()))
	return nil
}

// all are the modules of the bucket and of the nodes, each once, by name, version and digest.
func (l *library) all(ctx context.Context) ([]message.SharedModule, error) {
	entries, err := l.shared(ctx)
	if err != nil {
		return nil, err
	}
	all := listed(entries)
	for _, n := range l.nodes {
		for _, m := range n.Modules {
			all = withModule(all, n.Node, m)
		}
	}
	slices.SortFunc(all, func(a, b message.SharedModule) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Digest, b.Digest))
	})
	return all, nil
}

// listed are modules of the bucket.
func listed(entries []store.Entry) []message.SharedModule {
	out := make([]message.SharedModule, len(entries))
	for i, e := range entries {
		out[i] = message.SharedModule{
			Digest: e.Digest, Name: e.Name, Version: e.Version, ABI: e.ABI, Size: e.Size, Added: message.Time{Time: e.Added},
			ByDigest: e.Path != "", SignedBy: e.SignedBy(), Bucket: true,
		}
	}
	return out
}

// withModule adds what a node has.
func withModule(all []message.SharedModule, node string, m message.Module) []message.SharedModule {
	i := slices.IndexFunc(all, func(s message.SharedModule) bool { return s.Digest == m.Digest })
	if i < 0 {
		i = len(all)
		all = append(all, message.SharedModule{
			Digest: m.Digest, Name: m.Name, Version: m.Version, ABI: m.ABI, Size: m.Size, Added: m.Added, ByDigest: true,
		})
	}
	s := &all[i]
	s.ByDigest = s.ByDigest && (m.Kept || m.Missing)
	s.Nodes = append(s.Nodes, message.ModuleNode{Node: node, Missing: m.Missing, Channels: m.Channels})
	for _, key := range m.SignedBy {
		if !slices.Contains(s.SignedBy, key) {
			s.SignedBy = append(s.SignedBy, key)
		}
	}
	return all
}

func moduleTable(p palette, all []message.SharedModule, now time.Time) string {
	t := newTable(p, "MODULE", "DIGEST", "SIZE", "ADDED", "SIGNED BY", "USED BY", "WHERE")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(3), rightAligned(4)})
	for _, m := range all {
		t.AppendRow(table.Row{
			printable(moduleName(m)), shortDigest(m.Digest), bytesText(uint64(max(0, m.Size))), age(now, m.Added.Time),
			orDash(printable(strings.Join(m.SignedBy, " "))), orDash(strings.Join(users(m), " ")), places(m),
		})
	}
	return t.Render()
}

// moduleName is what a module is called; with @ where that is a reference to it.
func moduleName(m message.SharedModule) string {
	if m.ByDigest {
		return m.Name + " " + m.Version
	}
	return m.Name + "@" + m.Version
}

// users are the channels that need a module, as node/channel.
func users(m message.SharedModule) []string {
	var out []string
	for _, n := range m.Nodes {
		for _, channel := range n.Channels {
			out = append(out, printable(n.Node+"/"+channel))
		}
	}
	return out
}

// places are where a module is: the bucket, and the nodes that have it themselves.
func places(m message.SharedModule) string {
	var out []string
	if m.Bucket {
		out = append(out, "bucket")
	}
	for _, n := range m.Nodes {
		place := printable(n.Node)
		if n.Missing {
			place += " (not kept)"
		}
		out = append(out, place)
	}
	return strings.Join(out, ", ")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
