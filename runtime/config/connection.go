package config

import "net/netip"

// Connection is something a channel's driver may open by name. Exactly one of Serial, TCP, UDP and Listener is set.
type Connection struct {
	Name     string
	Position Position
	Serial   *Serial
	TCP      *TCP
	UDP      *UDP
	Listener *Listener
}

// TCP is an endpoint to connect to.
type TCP struct {
	// Address is "host:port" or "[v6]:port".
	Address string
	// TLS is nil where the connection is in the clear.
	TLS *PeerTLS
}

// PeerTLS is how TLS is spoken with an endpoint. Cert and Key are set together or not at all; an empty CA means the
// system's; an empty ServerName is the endpoint's host.
type PeerTLS struct {
	// CA, Cert and Key are absolute paths of PEM files.
	CA, Cert, Key string
	ServerName    string
}

// UDP is an endpoint to exchange datagrams with.
type UDP struct {
	// Address is the endpoint, "host:port" or "[v6]:port".
	Address string
	// Local is the address of this machine to send from and to receive at, with its port. The zero value leaves both to
	// the operating system.
	Local netip.AddrPort

	at   Position
	path string
}

// Listener is an address of this machine that takes connections by TCP.
type Listener struct {
	// Address has its port.
	Address netip.AddrPort
	// From are the addresses that may connect; none are all.
	From []netip.Prefix

	at   Position
	path string
}

// Grants are what a channel's driver may reach besides its connections.
type Grants struct{ TCP, UDP []Pattern }
