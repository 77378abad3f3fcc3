package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

// inspectOptions are the flags of `drover module inspect`.
type inspectOptions struct {
	channel string
	config  string
}

// AddFlags adds the flags to a set.
func (o *inspectOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.channel, "channel", "", "say what this `channel` would grant it")
	f.StringVarP(&o.config, "config", "c", "", "the channel is one of this configuration `file`, rather than of the node")
}

func newModuleInspectCommand(g *globals) *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect FILE|REF",
		Short: "Show what a module is, and what it would be granted",
		Long: `Show what a module is: its name and version, the ABI that it was built for, what it imports and exports, its memory, what
metering does to it, its settings and failures, and who is said to have signed it. Of its code nothing runs but what says
this, on this machine, with nothing granted.

Without --channel it says which kinds of connections the module may ask for; with it, those that it would get, and of a node's
channel without FILE or REF, what the channel runs.`,
		Example: "  drover module inspect modbus.wasm\n  drover module inspect modbus@1.3.0 --channel boiler\n" +
			"  drover module inspect modbus.wasm --channel boiler -c drover.yaml\n" +
			"  drover module inspect --json modbus.wasm | jq .settings",
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			references, _ := g.completeModules(cmd, args, begun)
			return references, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runModuleInspect(cmd.Context(), o, args, g) },
	}
	o.AddFlags(cmd.Flags())
	_ = cmd.RegisterFlagCompletionFunc("channel", func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return g.completeChannel(cmd, nil, begun)
	}) // fails for a flag that is not there
	return cmd
}

// check says what is wrong with the arguments.
func (o *inspectOptions) check(args []string) error {
	switch {
	case o.config != "" && o.channel == "":
		return usagef("expected --channel as well: one of %s", o.config)
	case len(args) == 0 && o.channel == "":
		return usagef("expected a module's file or reference, or --channel")
	case len(args) == 0 && o.config == "", len(args) == 1:
		return nil
	case len(args) == 0:
		return usagef("expected a module's file or reference")
	}
	return usagef("expected one module, found %d", len(args))
}

func runModuleInspect(ctx context.Context, o inspectOptions, args []string, g *globals) error {
	var at granting
	var err error
	if o.channel != "" {
		if at, err = g.granting(ctx, o); err != nil {
			return err
		}
	}
	reference := at.digest
	if len(args) > 0 {
		reference = args[0]
	}
	about, err := g.inspection(ctx, reference)
	if err != nil {
		return err
	}
	about.Channel, about.Grants = o.channel, at.grants
	if g.json {
		return g.printJSON(about)
	}
	fmt.Fprint(g.out, inspectionText(g.palette(), about))
	return nil
}

// granting is what a channel grants, and what it runs; no digest where that is not known.
type granting struct {
	grants []message.Grant
	digest string
}

// granting asks the configuration or the node for a channel's.
func (g *globals) granting(ctx context.Context, o inspectOptions) (granting, error) {
	if o.config == "" {
		var s message.Show
		node, err := g.connect(ctx)
		if err != nil {
			return granting{}, err
		}
		defer node.close()
		if err := node.client.Get(ctx, node.node, "show", map[string]string{"channel": o.channel}, &s); err != nil {
			return granting{}, unreachable(err)
		}
		if s.Digest == "" {
			return granting{s.Grants, s.Driver}, nil
		}
		return granting{s.Grants, s.Digest}, nil
	}
	c, err := config.Load(o.config)
	if err != nil {
		return granting{}, coded(exitUsage, err)
	}
	for _, ch := range c.Channels {
		if ch.Name == o.channel {
			return granting{grants: drover.Grants(ch)}, nil
		}
	}
	return granting{}, coded(exitNotFound, fmt.Errorf("%s has no channel %q", o.config, o.channel))
}

// inspection looks at a module: at a file here, at what the bucket has, or by what a node says of one that it runs.
func (g *globals) inspection(ctx context.Context, reference string) (*message.Inspection, error) {
	if isModuleFile(reference) {
		return g.inspectFile(ctx, reference)
	}
	l, err := g.connectLibrary(ctx)
	if err != nil {
		return nil, err
	}
	defer l.close()
	all, err := l.all(ctx)
	if err != nil {
		return nil, err
	}
	m, err := findModule(all, reference)
	switch {
	case err != nil:
		return nil, err
	case m.Bucket:
		return g.inspectShared(ctx, l, m)
	}
	return l.inspectRunning(ctx, m)
}

// isModuleFile says whether an argument is a file rather than a reference.
func isModuleFile(arg string) bool {
	info, err := os.Stat(arg)
	return err == nil && !info.IsDir() || strings.HasSuffix(arg, ".wasm") || strings.ContainsRune(arg, filepath.Separator)
}

func (g *globals) inspectFile(ctx context.Context, file string) (*message.Inspection, error) {
	binary, err := drover.ReadModule(file)
	if err != nil {
		return nil, refusedModule(file, err)
	}
	signatures, err := signature.ReadFile(file)
	if err != nil {
		return nil, coded(exitUsage, err)
	}
	done := g.progress("compiling " + printable(file))
	about, err := inspectModule(ctx, file, binary)
	done()
	if err != nil {
		return nil, err
	}
	about.SignedBy = store.Entry{Signatures: signatures}.SignedBy()
	return about, nil
}

func (g *globals) inspectShared(ctx context.Context, l *library, m message.SharedModule) (*message.Inspection, error) {
	var binary []byte
	err := l.bucket(ctx, false, func(ctx context.Context, b *modules.Bucket) (err error) {
		binary, _, err = b.Get(ctx, m.Digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	done := g.progress("compiling " + printable(moduleName(m)))
	about, err := inspectModule(ctx, moduleName(m), binary)
	done()
	if err != nil {
		return nil, err
	}
	about.SignedBy = m.SignedBy
	return about, nil
}

// inspectRunning asks the nodes that have a module for what they know of it: those of which a channel runs it.
func (l *library) inspectRunning(ctx context.Context, m message.SharedModule) (*message.Inspection, error) {
	for _, n := range m.Nodes {
		var about message.Inspection
		err := l.client.Get(ctx, n.Node, "module", message.ModuleRequest{Digest: m.Digest}, &about)
		if errors.Is(err, message.ErrNoModule) {
			continue
		}
		if err != nil {
			return nil, unreachable(err)
		}
		about.SignedBy = m.SignedBy
		return &about, nil
	}
	return nil, fmt.Errorf("%s is in the store of %s alone, and no channel runs it: inspect its file there", moduleName(m), places(m))
}
