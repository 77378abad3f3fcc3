package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover"
)

// versionInfo is what `drover version` tells.
type versionInfo struct {
	// Version is SemVer, without a leading v.
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	ABI      string `json:"abi"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersionCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of drover and of the driver ABI",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return runVersion(g) },
	}
}

func runVersion(g *globals) error {
	v := currentVersion()
	if g.json {
		return g.printJSON(v)
	}
	fmt.Fprintf(g.out, "drover %s, drover:driver@%s, %s %s/%s\n", v.Version, v.ABI, v.Go, v.OS, v.Arch)
	return nil
}

func currentVersion() versionInfo {
	v := versionInfo{Version: "0.0.0-devel", ABI: drover.ABIVersion, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = strings.TrimPrefix(info.Main.Version, "v")
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}
