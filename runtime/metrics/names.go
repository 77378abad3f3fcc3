package metrics

// metric is a family of figures: docs/observability.md lists them.
type metric struct {
	name   string
	help   string
	labels []string
}

// all returns every family.
func all() []metric {
	channel := func(more ...string) []string { return append([]string{"channel"}, more...) }
	stream := []string{"stream"}
	return []metric{
		{"drover_build_info", "Always 1; the labels say what runs.", []string{"version", "abi"}},

		{"drover_channel_info", "Always 1; the labels say which driver the channel runs.", channel("driver", "version", "digest")},
		{"drover_channel_state", "State of the channel: 0 disconnected, 1 connecting, 2 initializing, 3 connected, " +
			"4 reconnecting, 5 failed, 6 stopped, 7 quarantined.", channel()},
		{"drover_channel_attempts_total", "Attempts that were started.", channel()},
		{"drover_channel_generation", "Generation of the handle that was published last.", channel()},
		{"drover_channel_failures_total", "Failures by phase and code.", channel("phase", "code")},
		{"drover_channel_quarantines_total", "How often the channel was quarantined.", channel()},
		{"drover_channel_polls_total", "Batches of readings taken from the driver, one a poll cycle.", channel()},
		{"drover_channel_overruns_total", "Poll cycles that the driver skipped because the one before was not over.", channel()},
		{"drover_channel_points_total", "Readings of points by quality, before filters.", channel("quality")},
		{"drover_channel_devices", "Devices by their status.", channel("status")},
		{"drover_channel_commands_waiting", "Commands that no session has taken yet.", channel()},
		{"drover_channel_commands_taken", "Commands that the driver has and has not answered.", channel()},
		{"drover_channel_received_bytes_total", "Bytes received over the channel's connections.", channel()},
		{"drover_channel_sent_bytes_total", "Bytes sent over the channel's connections.", channel()},
		{"drover_channel_dropped_total", "Datagrams and connections that nobody got: denied came from where the grants do not reach, " +
			"full found no room.", channel("reason")},
		{"drover_channel_cpu_seconds_total", "Time for which the driver's code ran.", channel()},
		{"drover_channel_memory_bytes", "Memory of the driver's instance, as its limit counts it; what it shares with other instances is in it.", channel()},
		{"drover_channel_memory_highest_bytes", "The most memory that an instance of the channel ever had.", channel()},
		{"drover_channel_log_dropped_total", "Lines of the driver beyond its rate.", channel()},

		{"drover_calls_total", "Answered calls by verb and code; the code of what went well is ok.", []string{"verb", "code"}},

		{"drover_nats_connected", "1 while there is a connection to the NATS server.", nil},
		{"drover_nats_reconnects_total", "How often the connection to the NATS server came back.", nil},
		{"drover_nats_violations_total", "What the NATS server did not permit.", nil},
		{"drover_nats_published_total", "Messages and answers handed to NATS.", nil},
		{"drover_nats_refused_total", "Messages that can never be published.", nil},
		{"drover_nats_dropped_total", "Messages that found no room, by class: data, control (states, devices, handles), reply.",
			[]string{"class"}},
		{"drover_nats_publish_seconds", "Time from a message being said to NATS having it.", nil},
		{"drover_nats_ring_messages", "Messages that wait to be published.", nil},
		{"drover_nats_ring_bytes", "Bytes that wait to be published.", nil},
		{"drover_nats_ring_limit_bytes", "Bytes that may wait to be published.", nil},

		{"drover_stream_waiting_messages", "Messages that the stream has not acknowledged yet.", stream},
		{"drover_stream_unacked_messages", "Messages that were sent to the stream and are not acknowledged yet.", stream},
		{"drover_stream_waiting_bytes", "Bytes that the stream has not acknowledged yet.", stream},
		{"drover_stream_limit_bytes", "Bytes that may wait for the stream.", stream},
		{"drover_stream_stalled", "1 while the stream takes no messages.", stream},
		{"drover_stream_acked_total", "Messages that the stream has acknowledged.", stream},
		{"drover_stream_ack_seconds_total", "Sum of the times from sending to the acknowledgement.", stream},
		{"drover_stream_duplicates_total", "Messages that the stream said to have had already.", stream},
		{"drover_stream_retried_total", "Messages sent again.", stream},
		{"drover_stream_failed_total", "Refusals and missing answers of the stream.", stream},
		{"drover_stream_dropped_total", "Messages that found no room.", stream},
		{"drover_stream_refused_total", "Messages that the stream can never take.", stream},

		{"drover_states_kept", "1 while the bucket with the states is there, and its heartbeat is this node's.", nil},
		{"drover_states_waiting", "States that are to be written into the bucket.", nil},
		{"drover_states_written_total", "States written into the bucket.", nil},
		{"drover_states_failed_total", "Writes into the bucket that failed.", nil},
	}
}
