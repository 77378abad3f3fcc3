package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover"
)

// version is what a release is stamped with by the linker, without a leading v; empty in any other build.
var version string

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
		Long: `Show the version of drover, of the package drover:driver that its drivers are built for, of Go, and what it was built for.
A development version has the commit, and whether the sources were changed, with --json.`,
		Example: "  drover version --json | jq -r .revision",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runVersion(g) },
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
	switch {
	case version != "":
		v.Version = version
	case ok && info.Main.Version != "" && info.Main.Version != "(devel)":
		v.Version = strings.TrimPrefix(info.Main.Version, "v")
	}
	if !ok {
		return v
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
