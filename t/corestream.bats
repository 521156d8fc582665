#!/usr/bin/env bats
# What a core crosses the network with: stream/crc32c, net/tcp, the core stream
# and the PROXY protocol, without the programs that use them.

load helper

FIX=$BATS_TEST_DIRNAME/fixtures

# A peer written from usercrash-stream(5) alone: "write" a stream of stdin, in which
# every second block of 512 bytes that is empty is a hole, and "read" one.
peer()
{
	needs_tool python3
	python3 -c '
import struct, sys
def crc32c(data):
    c = 0xffffffff
    for b in data:
        c ^= b
        for _ in range(8):
            c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
    return c ^ 0xffffffff
def frame(kind, offset, payload):
    h = struct.pack("<4sIQI", kind, len(payload), offset, crc32c(payload))
    return h + struct.pack("<I", crc32c(h)) + payload
i, o = sys.stdin.buffer, sys.stdout.buffer
if sys.argv[1] == "write":
    core, sent = i.read(), 0
    o.write(b"usercrash-core 1\nhost: peer\npid: 7\nnews: none\n\n")
    for at in range(0, len(core), 512):
        block = core[at:at + 512]
        if any(block) or at % 1024:
            o.write(frame(b"DATA", at, block))
            sent += len(block)
    o.write(frame(b"END.", len(core),
        b"state: complete\nchecksum: %08x\ndata: %d\nnews: none\n" %
        (crc32c(core), sent)))
else:
    assert i.readline() == b"usercrash-core 1\n"
    for line in i:
        if line == b"\n":
            break
        assert b": " in line
    core, sent = bytearray(), 0
    while True:
        h = i.read(24)
        kind, n, offset, crc = struct.unpack("<4sIQI", h[:20])
        assert struct.unpack("<I", h[20:])[0] == crc32c(h[:20])
        payload = i.read(n)
        assert len(payload) == n and crc32c(payload) == crc
        assert offset >= len(core)
        core += bytes(offset - len(core))
        if kind == b"END.":
            break
        assert kind == b"DATA" and 1 <= n <= 1 << 20
        core += payload
        sent += n
    assert not i.read()
    end = dict(l.split(": ", 1) for l in payload.decode().splitlines())
    assert end["state"] == "complete" and int(end["data"]) == sent
    assert end["checksum"] == "%08x" % crc32c(core)
    o.write(core)' "$1"
}

@test "crc32c: RFC 3720, by the instruction and by the table" {
	unit unit_crc32c
}

@test "crc32c: the same on aarch64" {
	[ "$(uname -m)" != aarch64 ] || return 0
	needs_tool aarch64-linux-gnu-gcc qemu-aarch64
	on_arm unit_crc32c src/stream/crc32c
}

@test "lz4: blocks there and back, cut, flipped, forged; xxHash" {
	unit unit_lz4
}

@test "lz4: frames that lz4(1) reads" {
	needs_tool lz4
	local f
	cd "$BATS_TEST_TMPDIR"
	head -c 3000000 /dev/urandom >noise
	head -c 3000000 /dev/zero >zeros
	cat "$BIN"/* "$FIX"/* zeros 2>/dev/null >mixed || :
	: >none
	for f in noise zeros mixed none "$FIX/core.x86_64"; do
		unit unit_lz4 frame <"$f" >packed
		lz4 -dc <packed | cmp - "$f"
	done
}

@test "corestream: header, frames, end, reply; each cut, each flipped bit" {
	unit unit_streamhead
	unit unit_corestream
}

@test "corestream: a genuine stream, a cut one, forged ones" {
	cd "$BATS_TEST_TMPDIR"
	run unit unit_corestream check <"$FIX/stream"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"board7 crash 4711: complete, 0 bytes behind it" ]]
	unit unit_corestream core <"$FIX/stream" | cmp - "$FIX/core.x86_64"
	unit unit_corestream make <"$FIX/core.x86_64" | cmp - "$FIX/stream"
	run unit unit_corestream check <"$FIX/stream-cut"
	[ "$status" -eq 1 ]
	[[ $output == *": cut short, "* ]]
	run unit unit_corestream check <"$FIX/stream-forged-overlap"
	[ "$status" -eq 1 ]
	[[ $output == *": a frame out of order, "* ]]
	run unit unit_corestream check <"$FIX/stream-forged-end"
	[ "$status" -eq 1 ]
	[[ $output == *": the checksum differs, "* ]]
	run unit unit_corestream check <"$FIX/stream-forged-name"
	[ "$status" -eq 0 ]
	[[ $output == *"../../x crash 4711: complete"* ]]
}

@test "corestream: another's peer, made after usercrash-stream(5), both ways" {
	local core=$FIX/core.x86_64
	cd "$BATS_TEST_TMPDIR"
	peer read <"$FIX/stream" | cmp - "$core"
	peer write <"$core" >stream
	run unit unit_corestream check <stream
	[ "$status" -eq 0 ]
	[[ $output == *"peer  7: complete, 0 bytes behind it" ]]
	unit unit_corestream core <stream | cmp - "$core"
}

@test "corestream: the example in usercrash-stream(5) is one" {
	needs_tool python3
	python3 -c '
import sys
out, on, data = sys.stdout.buffer, 0, False
for line in open(sys.argv[1]):
    if line == ".Sh A STREAM, BYTE BY BYTE\n":
        on = 1
    elif on == 1 and line.startswith(".Bd"):
        on = 2
    elif on == 2 and line == ".Ed\n":
        break
    elif on == 2:
        data = data or line.startswith("44 ")
        words = line.split()
        while data and words and len(words[0]) == 2:
            out.write(bytes([int(words.pop(0), 16)]))
        out.write(" ".join(words).encode() if data and len(words) == 1
            else b"" if data and not words else line.encode())
' "$TOP/man/usercrash-stream.5" >"$BATS_TEST_TMPDIR/example"
	run unit unit_corestream check <"$BATS_TEST_TMPDIR/example"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"END 4099 data 6 "*"board7 worker 4711: complete, 0 "* ]]
}

@test "tcp: IPv4, IPv6, names; refused, silent, unknown places; deadlines" {
	unit unit_tcp
}

@test "proxyhdr: both versions, each cut, forged ones" {
	unit unit_proxyhdr
	unit unit_proxyhdr make v1 | cmp - "$FIX/proxy-v1"
	unit unit_proxyhdr make v2 | cmp - "$FIX/proxy-v2"
}
