"""The OTLP-MMAP file format, version 1, once more: written from its description and sharing nothing with src/ring.

Plays a writer and a consumer of others: no marks, no locks, no extension fields.
"""

import mmap
import os
import struct

RINGS = ("events", "spans", "measurements")


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def read_varint(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return n, at


def signed(n):
    return n - (1 << 64) if n >> 63 else n


def number(field, n):
    return varint(field << 3) + varint(n)


def fixed64(field, n):
    return varint(field << 3 | 1) + struct.pack("<Q", n)


def double(field, x):
    return varint(field << 3 | 1) + struct.pack("<d", x)


def fixed32(field, n):
    return varint(field << 3 | 5) + struct.pack("<I", n)


def blob(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def fields(message):
    """{field number: [values]}: integers, or bytes of what is length-delimited."""
    found, at = {}, 0
    while at < len(message):
        tag, at = read_varint(message, at)
        if tag & 7 == 0:
            value, at = read_varint(message, at)
        elif tag & 7 == 1:
            value, at = struct.unpack_from("<Q", message, at)[0], at + 8
        elif tag & 7 == 5:
            value, at = struct.unpack_from("<I", message, at)[0], at + 4
        else:
            assert tag & 7 == 2, f"wire type {tag & 7}"
            size, at = read_varint(message, at)
            value, at = bytes(message[at : at + size]), at + size
            assert len(value) == size
        found.setdefault(tag >> 3, []).append(value)
    return found


def as_double(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


class RingFile:
    """An open file. `slots` and `slot_bytes` are those of each ring."""

    @classmethod
    def create(cls, path, slots=16, slot_bytes=512, dictionary_bytes=1024):
        ring = 32 + 4 * slots + slots * slot_bytes
        offsets = [64 + i * ring for i in range(3)]
        dictionary = 64 + 3 * ring
        data = bytearray(dictionary + dictionary_bytes)
        struct.pack_into("<6q", data, 0, 1, *offsets, dictionary, 123456789)
        for offset in offsets:
            struct.pack_into("<4q", data, offset, slots, slot_bytes, -1, -1)
            struct.pack_into(f"<{slots}i", data, offset + 32, *[-1] * slots)
        struct.pack_into("<2q", data, dictionary, dictionary + 64, 0)
        with open(path, "xb") as file:
            file.write(data)
        return cls(path)

    def __init__(self, path):
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 0)
        version, *self.offsets, self.dictionary, self.time = struct.unpack_from("<6q", self.map, 0)
        assert version == 1
        self.strings = {}

    def close(self):
        self.map.close()
        self.file.close()

    def ring(self, name):
        """(offset, slots, slot bytes, reader index, writer index)"""
        offset = self.offsets[RINGS.index(name)]
        return (offset, *struct.unpack_from("<4q", self.map, offset))

    # --- writing

    def put(self, name, message):
        offset, slots, slot_bytes, reader, writer = self.ring(name)
        sequence = writer + 1
        assert sequence - slots < reader + 1, "the ring is full"
        assert len(varint(len(message)) + message) <= slot_bytes
        struct.pack_into("<q", self.map, offset + 24, sequence)
        at = offset + 32 + 4 * slots + (sequence % slots) * slot_bytes
        data = varint(len(message)) + message
        self.map[at : at + len(data)] = data
        lap = sequence >> (slots.bit_length() - 1)
        struct.pack_into("<I", self.map, offset + 32 + 4 * (sequence % slots), lap & 0xFFFFFFFF)
        return sequence

    def add_entry(self, data):
        data = varint(len(data)) + data
        end, entries = struct.unpack_from("<2q", self.map, self.dictionary)
        if end + len(data) > len(self.map):
            size = os.fstat(self.file.fileno()).st_size
            self.file.truncate(max(2 * size - self.dictionary, end + len(data)))
            self.map.close()
            self.map = mmap.mmap(self.file.fileno(), 0)
        self.map[end : end + len(data)] = data
        struct.pack_into("<2q", self.map, self.dictionary, end + len(data), entries + 1)
        return end

    def string(self, text):
        if text not in self.strings:
            self.strings[text] = self.add_entry(text.encode())
        return self.strings[text]

    def any(self, value):
        if value is None:
            return b""
        if isinstance(value, bool):
            return number(2, value)
        if isinstance(value, int):
            return number(3, value)
        if isinstance(value, float):
            return double(4, value)
        if isinstance(value, str):
            return blob(1, value)
        if isinstance(value, bytes):
            return blob(7, value)
        if isinstance(value, list):
            return blob(5, b"".join(blob(1, self.any(v)) for v in value))
        return blob(6, self.pairs(1, value))

    def pairs(self, field, attributes):
        return b"".join(blob(field, number(1, self.string(k)) + blob(2, self.any(v))) for k, v in attributes.items())

    # --- reading

    def take(self, name):
        """All records that can be read; the slots are freed."""
        offset, slots, slot_bytes, reader, _ = self.ring(name)
        records = []
        while True:
            sequence = reader + 1
            flag = struct.unpack_from("<i", self.map, offset + 32 + 4 * (sequence % slots))[0]
            wanted = sequence >> (slots.bit_length() - 1)
            if flag != (wanted & 0xFFFFFFFF) - ((wanted & 0x80000000) << 1):
                return records
            at = offset + 32 + 4 * slots + (sequence % slots) * slot_bytes
            size, begin = read_varint(self.map, at)
            assert begin + size <= at + slot_bytes
            records.append(self.map[begin : begin + size])
            reader = sequence
            struct.pack_into("<q", self.map, offset + 16, reader)

    def entry(self, ref):
        if ref == 0:
            return b""
        end = struct.unpack_from("<q", self.map, self.dictionary)[0]
        assert self.dictionary + 64 <= ref < end
        if end > len(self.map):
            self.map.close()
            self.map = mmap.mmap(self.file.fileno(), 0)
        size, begin = read_varint(self.map, ref)
        assert begin + size <= end
        return self.map[begin : begin + size]

    def value(self, message):
        """What an AnyValue holds."""
        for field, values in fields(message).items():
            value = values[-1]
            if field == 1:
                return value.decode()
            if field == 2:
                return value == 1
            if field == 3:
                return signed(value)
            if field == 4:
                return as_double(value)
            if field == 5:
                return [self.value(v) for v in fields(value).get(1, [])]
            if field == 6:
                return self.attributes(fields(value).get(1, []))
            if field == 7:
                return bytes(value)
            raise AssertionError(f"field {field} of AnyValue")
        return None

    def attributes(self, messages):
        found = {}
        for message in messages:
            pair = fields(message)
            assert set(pair) == {1, 2}
            found[self.entry(pair[1][0]).decode()] = self.value(pair[2][0])
        return found
