module github.com/droverhq/drover/interop

go 1.26.0

require (
	github.com/droverhq/drover v0.0.0
	github.com/nats-io/nats.go v1.55.0
	github.com/tbrandon/mbserver v0.0.0-20170611213546-993e1772cc62
	github.com/tetratelabs/wazero v1.12.0
)

require (
	github.com/creack/pty v1.1.24 // indirect
	github.com/goburrow/modbus v0.1.0 // indirect
	github.com/goburrow/serial v0.1.0 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/nats-io/nkeys v0.4.16 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/droverhq/drover => ../
