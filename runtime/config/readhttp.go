package config

// HTTP is where the node says how it is: /metrics, /healthz and /readyz.
type HTTP struct {
	// Listen is "host:port"; port 0 takes a free one. Empty: there is no listener.
	Listen string
}

func httpKeys(h *HTTP) keys {
	return keys{
		"listen": func(v value) { v.endpoint(&h.Listen, "an address to listen on, such as 127.0.0.1:9464", 0) },
	}
}

func (v value) http() HTTP {
	var h HTTP
	o, ok := v.object(httpKeys(&h), nil)
	if ok && !o.has("listen") {
		v.missing("listen", "an address to listen on, such as 127.0.0.1:9464")
	}
	return h
}
