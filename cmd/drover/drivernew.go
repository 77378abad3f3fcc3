package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// kit is the module that has the kit to write drivers with.
const kit = "github.com/droverhq/drover"

// project is the project that `drover driver new` makes. A file's name ends in .tmpl here.
//
//go:embed template
var project embed.FS

// driverNewOptions are the flags of `drover driver new`.
type driverNewOptions struct {
	lang   string
	dir    string
	module string
	sdk    string
}

// AddFlags adds the flags to a set.
func (o *driverNewOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.lang, "lang", "go", "`language` of the driver: go")
	f.StringVar(&o.dir, "dir", "", "`folder` to make, NAME if not given")
	f.StringVar(&o.module, "module", "", "Go module `path` of the project, example.com/NAME if not given")
	f.StringVar(&o.sdk, "sdk", "", "`folder` of a checkout of drover to take the kit from, instead of a released version")
}

func newDriverNewCommand(g *globals) *cobra.Command {
	var o driverNewOptions
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a driver",
		Long: `Begin a driver: a small project that builds and passes its tests, with a protocol of one line each way, a simulator of the
device, and a configuration to run both. Put your device's protocol in its place.

The project takes the kit in the version of this command, which needs the network once, or from a checkout by --sdk. A
development version of this command takes it from the checkout around the working folder or around itself.`,
		Example: "  drover driver new thermo\n  drover driver new thermo --sdk ~/src/drover",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return runDriverNew(cmd.Context(), args[0], o, g) },
	}
	o.AddFlags(cmd.Flags())
	_ = cmd.MarkFlagDirname("dir") // the flags are there
	_ = cmd.MarkFlagDirname("sdk")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]cobra.Completion{"go"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// driverName is what lifecycle.wit takes for a driver's name.
var driverName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// projectData is what the templates are filled with.
type projectData struct {
	Name, Module, Kit string
	// Binary is the file that `drover driver build` makes in the project's folder.
	Binary string
	// Version is that of the kit, with a leading v. SDK is a checkout as go.mod writes it, or empty.
	Version, SDK string
}

func runDriverNew(ctx context.Context, name string, o driverNewOptions, g *globals) error {
	if !driverName.MatchString(name) {
		return usagef("%q is no name of a driver, expected [a-z0-9][a-z0-9-]*, at most 64 characters", name)
	}
	if o.lang != "go" {
		return usagef("there is no kit for %q, expected --lang go (docs/abi.md says how modules in other languages are built)", o.lang)
	}
	if o.dir == "" {
		o.dir = name
	}
	if o.module == "" {
		o.module = "example.com/" + name
	}
	absolute, err := filepath.Abs(o.dir)
	if err != nil {
		return fmt.Errorf("make the project: %w", err)
	}
	data := projectData{Name: name, Module: o.module, Kit: kit, Binary: binaryName(absolute)}
	if err := data.findKit(o.sdk); err != nil {
		return err
	}
	files, err := data.write(o.dir)
	if err != nil {
		return err
	}
	if data.SDK == "" {
		if err := goCommand(ctx, g, o.dir, nil, "mod", "tidy"); err != nil {
			return fmt.Errorf("get the kit %s %s (--sdk takes it from a checkout): %w", kit, data.Version, err)
		}
	}
	if g.json {
		return g.printJSON(map[string]any{"name": name, "dir": o.dir, "module": o.module, "files": files})
	}
	fmt.Fprintf(g.out, "%s: a driver that builds and passes its tests. Next:\n\n", o.dir)
	fmt.Fprintf(g.out, "  cd %s\n  go test ./...\n  drover driver build\n  drover driver test\n", o.dir)
	return nil
}

// findKit says where the kit comes from: a checkout that is named, the version of this command, or, where that is none
// that others could have, a checkout near by.
func (d *projectData) findKit(checkout string) error {
	d.Version = "v" + currentVersion().Version
	if checkout == "" && released(d.Version) {
		return nil
	}
	d.Version = "v0.0.0"
	if checkout == "" {
		var found bool
		if checkout, found = findCheckout(); !found {
			return usagef("this is a development version of drover, which has no kit of its version: expected --sdk with the folder of a checkout")
		}
	}
	absolute, err := filepath.Abs(checkout)
	if err != nil {
		return fmt.Errorf("find the checkout: %w", err)
	}
	if !isCheckout(absolute) {
		return usagef("--sdk %s: expected a checkout of drover, whose go.mod says `module %s`", checkout, kit)
	}
	d.SDK = modPath(absolute)
	return nil
}

// pseudo is the end of a version that the go command made of a commit that has no tag, and dirty that of one that was
// changed (https://go.dev/ref/mod#pseudo-versions).
var (
	pseudo = regexp.MustCompile(`[-.]\d{14}-[0-9a-f]{12}(\+.*)?$`)
	semver = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)
)

// released says whether a version is one that the network has.
func released(version string) bool {
	return semver.MatchString(version) && !pseudo.MatchString(version) && !strings.HasSuffix(version, "-devel")
}

// findCheckout looks for a checkout around the working folder, then around this program.
func findCheckout() (string, bool) {
	var from []string
	if dir, err := os.Getwd(); err == nil {
		from = append(from, dir)
	}
	if file, err := os.Executable(); err == nil {
		from = append(from, filepath.Dir(file))
	}
	for _, dir := range from {
		for ; ; dir = filepath.Dir(dir) {
			if isCheckout(dir) {
				return dir, true
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", false
}

func isCheckout(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return fields[1] == kit
		}
	}
	return false
}

// modPath is a folder as go.mod names it: quoted where it has what a bare word cannot.
func modPath(dir string) string {
	dir = filepath.ToSlash(dir)
	if strings.ContainsAny(dir, " \t\"'`(),[]{}") || strings.Contains(dir, "//") {
		return strconv.Quote(dir)
	}
	return dir
}

// write makes the project in dir, which must not be there, or be empty. It returns the names of the files.
func (d projectData) write(dir string) ([]string, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is there and not empty: expected a folder to make", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("make the project: %w", err)
	}
	var files []string
	err := fs.WalkDir(project, "template", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := d.fill(name)
		if err != nil {
			return err
		}
		name = strings.TrimSuffix(strings.TrimPrefix(name, "template/"), ".tmpl")
		if name == "gitignore" {
			name = ".gitignore"
		}
		files = append(files, name)
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, text, 0o644)
	})
	if err != nil {
		return nil, fmt.Errorf("make the project: %w", err)
	}
	return files, nil
}

// fill fills a template in. Its marks are double square brackets, which neither Go nor JSON nor YAML has in there.
func (d projectData) fill(name string) ([]byte, error) {
	text, err := project.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t, err := template.New(path.Base(name)).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
