package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// completion is what a cobra command completes its arguments with.
type completion = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective)

// noFiles: names of files are never meant.
const noFiles = cobra.ShellCompDirectiveNoFileComp

// completePoint completes CHANNEL and DEVICE.POINT, with the points of the published handles whose access is wanted.
func (g *globals) completePoint(wanted func(access string) bool) completion {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return g.completeChannel(cmd, args, begun)
		}
		snapshot, ok := asked(cmd, g, func(ctx context.Context, node *remote) (message.Snapshot, error) { return node.snapshot(ctx) })
		if !ok {
			return nil, noFiles
		}
		return pointNames(snapshot.Channels[args[0]], begun, wanted)
	}
}

// pointNames are the devices, each with a dot to come, until one is begun: then its points.
func pointNames(channel message.Channel, begun string, wanted func(access string) bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	device, _, hasDevice := strings.Cut(begun, ".")
	if !hasDevice {
		var devices []cobra.Completion
		for _, name := range slices.Sorted(maps.Keys(channel.Handles)) {
			devices = append(devices, name+".")
		}
		return devices, noFiles | cobra.ShellCompDirectiveNoSpace
	}
	var points []cobra.Completion
	handle := channel.Handles[device]
	for _, name := range slices.Sorted(maps.Keys(handle.Points)) {
		if wanted(handle.Points[name].Access) {
			points = append(points, device+"."+name)
		}
	}
	return points, noFiles
}

// completeAction completes CHANNEL and DEVICE.ACTION.
func (g *globals) completeAction(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return g.completeChannel(cmd, args, begun)
	}
	all, ok := asked(cmd, g, func(ctx context.Context, node *remote) (out message.Actions, err error) {
		return out, node.client.Get(ctx, node.node, "actions", nil, &out)
	})
	var names []cobra.Completion
	for _, a := range all.Channels[args[0]] {
		device := a.Device
		if device == "" {
			device = "_"
		}
		names = append(names, device+"."+a.Name)
	}
	if !ok {
		return nil, noFiles
	}
	return names, noFiles
}

// completeTarget completes CHANNEL[/DEVICE[.POINT]].
func (g *globals) completeTarget(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	channel, rest, hasChannel := strings.Cut(begun, "/")
	if !hasChannel {
		names, directive := g.completeChannel(cmd, args, begun)
		return names, directive
	}
	points, directive := g.completePoint(func(string) bool { return true })(cmd, []string{channel}, rest)
	for i := range points {
		points[i] = channel + "/" + points[i]
	}
	return points, directive
}

// asked is what a node answers to a shell that waits; false when it does not.
func asked[T any](cmd *cobra.Command, g *globals, ask func(context.Context, *remote) (T, error)) (T, bool) {
	var none T
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	node, err := g.connect(ctx)
	if err != nil {
		return none, false
	}
	defer node.close()
	got, err := ask(ctx, node)
	return got, err == nil
}
