;; What the attacks have in common, after the imports and types of the world, which the tests write before it. Unless an
;; attack has its own, $describe to $run do nothing and end well, and $realloc gives everything the same place.

(global $done i32 (i32.const 1024))    ;; zeros: a result that is ok, an empty handle, the outcome disconnected
(global $out i32 (i32.const 512))      ;; where imports leave their results
(global $answer i32 (i32.const 1536))  ;; where $fail leaves a failure
(global $end i32 (i32.const 131072))   ;; the end of the memory
(global $main i32 (i32.const 4096))    ;; the text "main", the name of the one connection there is
(global $broken i32 (i32.const 4112))  ;; four bytes that are no UTF-8
(global $home i32 (i32.const 4128))    ;; the text "127.0.0.1:4222", an address that is not granted
(global $sample i32 (i32.const 8192))  ;; a good sample of point 0
(global $heap i32 (i32.const 16384))   ;; what $realloc gives

;; describe's metadata: name, version, summary, codes, schemas of settings, of device settings and of addresses
(data (i32.const 64) "\50\10\00\00\07\00\00\00\57\10\00\00\05\00\00\00")
(data (i32.const 4096) "main")
(data (i32.const 4112) "ab\ff\c0")
(data (i32.const 4128) "127.0.0.1:4222")
(data (i32.const 4176) "hostile1.0.0")
;; point, value: some, unsigned, 7; quality good, no reason, the host's time
(data (i32.const 8192) "\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\07")

;; $must traps unless what an attack was answered is what it expected.
(func $must (param i32)
  (if (i32.eqz (local.get 0)) (then unreachable)))

;; $tag returns the first byte of what the last import left.
(func $tag (result i32) (i32.load8_u (global.get $out)))

;; $fail returns a phase's failure with a cause of the given io-error.
(func $fail (param $error i32) (result i32)
  (i32.store8 (global.get $answer) (i32.const 1))
  (i32.store offset=8 (global.get $answer) (global.get $main))
  (i32.store offset=12 (global.get $answer) (i32.const 4))
  (i32.store8 offset=16 (global.get $answer) (i32.const 1))
  (i32.store8 offset=20 (global.get $answer) (local.get $error))
  (global.get $answer))

;; $open connects to "main" and returns the stream's handle.
(func $open (result i32)
  (call $socket_connect (i32.const 0) (global.get $main) (i32.const 4) (global.get $out))
  (call $must (i32.eqz (call $tag)))
  (i32.load offset=4 (global.get $out)))

;; $publish publishes the samples from there on.
(func $publish (param $list i32) (param $length i32)
  (call $data_publish (local.get $list) (local.get $length) (global.get $out)))

;; $read reads a byte of a stream.
(func $read (param $stream i32)
  (call $io_stream_read (local.get $stream) (i32.const 1) (i64.const 0) (global.get $out)))

;; $nap waits 20 ms.
(func $nap
  (call $control_wait (i32.const 0) (i32.const 0) (i64.const 20000000) (global.get $out)))

;; $spin never returns, and calls nobody.
(func $spin (loop $again (br $again)))
