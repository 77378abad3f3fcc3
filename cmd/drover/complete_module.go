package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
)

// completeModules completes references with those of the modules that were added. Without an answer there are none.
func (g *globals) completeModules(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	l, err := g.connectLibrary(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer l.close()
	all, err := l.all(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var references []cobra.Completion
	for _, m := range all {
		if name := moduleName(m); !m.ByDigest && !slices.Contains(args, name) {
			references = append(references, cobra.CompletionWithDesc(name, shortDigest(m.Digest)))
		}
	}
	return references, cobra.ShellCompDirectiveNoFileComp
}
