// Command bindgen writes Go bindings for a WIT world: the types, the host's side over wazero, and the guest's side for
// plain Go.
//
//	bindgen -wit DIR -world NAME -types DIR -host DIR -guest DIR
//
// The output depends on the WIT alone. What the generators cannot do is refused by name and place.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	var o options
	flag.StringVar(&o.wit, "wit", "", "folder of the WIT package")
	flag.StringVar(&o.world, "world", "", "name of the world")
	flag.StringVar(&o.types, "types", "", "folder of the package that gets the types")
	flag.StringVar(&o.host, "host", "", "folder of the package that gets the host's side")
	flag.StringVar(&o.guest, "guest", "", "folder of the package that gets the guest's side")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bindgen:", err)
		os.Exit(1)
	}
}
