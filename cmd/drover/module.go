package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

func newModuleCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "module",
		Short: "Keep, inspect and sign driver modules",
		Long: `Keep driver modules where nodes find them, look at what they are, and sign them.

FILE is a module's file. REF names one that was added: NAME@VERSION, or sha256: and the digits of its digest, of which the
first 8 will do.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModuleAddCommand(g), newModuleListCommand(g), newModuleInspectCommand(g), newModuleRemoveCommand(g))
	cmd.AddCommand(newModuleKeygenCommand(g), newModuleSignCommand(g), newModuleVerifyCommand(g))
	return cmd
}

func newModuleKeygenCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a pair of keys to sign modules with",
		Long: `Make a pair of ed25519 keys: the private one in FILE (PKCS #8, PEM, mode 0600), the public one in FILE.pub
(SubjectPublicKeyInfo, PEM), for those who check. openssl reads and writes the same.`,
		Example: "  drover module keygen release.pem",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeFile("pem"),

		RunE: func(_ *cobra.Command, args []string) error { return runModuleKeygen(args[0], g) },
	}
}

func runModuleKeygen(file string, g *globals) error {
	private, public, err := signature.GenerateKey()
	if err != nil {
		return err
	}
	if err := writeNew(file, private, 0o600); err != nil {
		return err
	}
	if err := writeNew(file+".pub", public, 0o644); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	key, err := signature.ParsePublicKey(public)
	if err != nil {
		return err
	}
	id, err := signature.KeyID(key)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(map[string]string{"key": id, "private": file, "public": file + ".pub"})
	}
	fmt.Fprintf(g.out, "key %s: %s (keep it to yourself) and %s.pub (for those who check)\n", id, file, file)
	return nil
}

// writeNew writes a file that is not there yet.
func writeNew(file string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	return nil
}

func newModuleSignCommand(g *globals) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:     "sign FILE",
		Short:   "Sign a module",
		Long:    "Sign a module by its digest. The signature is added to FILE.sig, which goes where the module goes.",
		Example: "  drover module sign --key release.pem modbus.wasm",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeFile("wasm"),

		RunE: func(_ *cobra.Command, args []string) error { return runModuleSign(args[0], key, g) },
	}
	cmd.Flags().StringVar(&key, "key", "", "`file` of the private key")
	return cmd
}

func runModuleSign(file, keyFile string, g *globals) error {
	if keyFile == "" {
		return usagef("sign: expected --key with the file of the private key")
	}
	digest, err := digestOf(file)
	if err != nil {
		return err
	}
	s, err := signWith(keyFile, digest)
	if err != nil {
		return err
	}
	if err := signature.AddFile(file, s); err != nil {
		return err
	}
	if g.json {
		return g.printJSON(s)
	}
	fmt.Fprintf(g.out, "%s: signed by key %s in %s\n", digest, s.Key, file+signature.Suffix)
	return nil
}

// signWith signs a module by its digest with the private key in a file.
func signWith(keyFile, digest string) (signature.Signature, error) {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return signature.Signature{}, fmt.Errorf("read the key: %w", err)
	}
	key, err := signature.ParsePrivateKey(text)
	if err != nil {
		return signature.Signature{}, coded(exitUsage, fmt.Errorf("%s: %w", keyFile, err))
	}
	return signature.Sign(key, digest)
}

func digestOf(file string) (string, error) {
	binary, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the module: %w", err)
	}
	return store.Digest(binary), nil
}

func newModuleVerifyCommand(g *globals) *cobra.Command {
	var keys []string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a module's signatures",
		Long: `Check whether one of the given public keys has signed a module, by FILE.sig. The exit code is 5 when none has.
What a node takes is decided by the keys in its configuration (trust).`,
		Example: "  drover module verify --key release.pem.pub modbus.wasm",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeFile("wasm"),

		RunE: func(_ *cobra.Command, args []string) error { return runModuleVerify(args[0], keys, g) },
	}
	cmd.Flags().StringArrayVar(&keys, "key", nil, "`file` of a public key; may be given more than once")
	return cmd
}

func runModuleVerify(file string, keyFiles []string, g *globals) error {
	if len(keyFiles) == 0 {
		return usagef("verify: expected --key with the file of a public key")
	}
	trusted := signature.Keys{}
	for _, name := range keyFiles {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the key: %w", err)
		}
		key, err := signature.ParsePublicKey(text)
		if err != nil {
			return coded(exitUsage, fmt.Errorf("%s: %w", name, err))
		}
		if _, err := trusted.Add(key); err != nil {
			return err
		}
	}
	digest, err := digestOf(file)
	if err != nil {
		return err
	}
	signatures, err := signature.ReadFile(file)
	if err != nil {
		return err
	}
	id, err := trusted.Verify(digest, signatures)
	if err != nil {
		return coded(exitRefused, fmt.Errorf("%s: %w", file, err))
	}
	if g.json {
		return g.printJSON(map[string]string{"digest": digest, "key": id})
	}
	fmt.Fprintf(g.out, "%s: signed by key %s\n", digest, id)
	return nil
}
