"""Sizes of a ring file, unless its maker says otherwise (`WriterOptions` of the C++ library)."""

RING_SIZES = {
    "events_slots": 4096,
    "events_slot_bytes": 1024,
    "spans_slots": 16384,
    "spans_slot_bytes": 512,
    "measurements_slots": 16384,
    "measurements_slot_bytes": 256,
    "dictionary_max_bytes": 64 << 20,
}
