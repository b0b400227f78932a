"""Life of a library: recording, counting, flushing, ending; threads and asyncio."""

import asyncio
import gc
import pickle
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

import stored
from otlp_arrow_library import OtlpError, OtlpExportError, OtlpIOError, OtlpLibrary, OtlpShutdownError


def balance(stats) -> bool:
    return stats.received == stats.stored + stats.in_flight + stats.expired + sum(stats.refused.values()) + sum(stats.invalid.values())


def test_what_was_exported_is_in_files_after_a_flush(library, directory):
    library.export_otlp("traces", stored.trace_request("a", "b"))
    library.export_otlp("traces", stored.trace_request("c"))
    assert stored.names(directory) == []
    library.flush()
    assert stored.names(directory) == ["a", "b", "c"]


def test_stats_tell_what_became_of_everything(library):
    library.export_otlp("traces", stored.trace_request("a", "b"))
    before = library.stats()
    assert (before.traces.received, before.traces.in_flight, before.traces.stored) == (2, 2, 0)
    library.flush()
    # A span whose trace id has three bytes.
    with pytest.raises(OtlpExportError, match="trace_id"):
        library.export_otlp("traces", b"\x0a\x09\x12\x07\x12\x05\x0a\x03\x01\x02\x03")
    library.shutdown()
    with pytest.raises(OtlpShutdownError):
        library.export_otlp("traces", stored.trace_request("late"))
    after = library.stats()
    assert (after.traces.received, after.traces.in_flight, after.traces.stored) == (3, 0, 2)
    assert sum(after.traces.invalid.values()) == 1
    assert after.queued_bytes == 0
    assert all(balance(stats) for stats in (before.traces, after.traces, after.metrics, after.logs))
    assert after.logs.received == 0


def test_repr_tells_directory_and_state(library, directory):
    assert repr(library) == f"<OtlpLibrary output_dir={str(directory)!r}>"
    library.shutdown()
    assert repr(library) == f"<OtlpLibrary output_dir={str(directory)!r}, shut down>"
    assert "received=0" in repr(library.stats())


def test_the_end_of_a_with_block_shuts_down(directory):
    with OtlpLibrary(output_dir=directory) as library:
        library.export_otlp("traces", stored.trace_request("inside"))
        assert not library.is_shut_down
    assert library.is_shut_down
    assert stored.names(directory) == ["inside"]
    assert stored.writers(directory) == 0


def test_a_with_block_shuts_down_after_an_error_too(directory):
    with pytest.raises(KeyError), OtlpLibrary(output_dir=directory) as library:
        library.export_otlp("traces", stored.trace_request("before the error"))
        raise KeyError
    assert stored.names(directory) == ["before the error"]


def test_after_shutdown_every_call_says_so(library, directory):
    library.export_otlp("traces", stored.trace_request("in time"))
    library.shutdown()
    for call in (
        lambda: library.export_otlp("traces", stored.trace_request("late")),
        lambda: library.export_traces([]),
        lambda: library.flush(),
    ):
        with pytest.raises(OtlpShutdownError, match="the library is shut down") as caught:
            call()
        assert isinstance(caught.value, OtlpExportError)
    library.shutdown()
    library.shutdown(timeout=0)
    assert stored.names(directory) == ["in time"]


def test_two_threads_may_shut_down_at_once(library, directory):
    library.export_otlp("traces", stored.trace_request("a"))
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(library.shutdown) for _ in range(8)]:
            done.result()
    assert stored.names(directory) == ["a"]


def test_a_library_that_is_collected_writes_what_it_has(directory):
    library = OtlpLibrary(output_dir=directory, write_interval_secs=3600)
    library.export_otlp("traces", stored.trace_request("kept"))
    gone = weakref.ref(library)
    del library
    gc.collect()
    assert gone() is None
    assert stored.names(directory) == ["kept"]
    assert stored.writers(directory) == 0


def test_several_libraries_share_a_directory(directory):
    with OtlpLibrary(output_dir=directory) as one, OtlpLibrary(output_dir=directory) as other:
        one.export_otlp("traces", stored.trace_request("one"))
        other.export_otlp("traces", stored.trace_request("other"))
    assert stored.names(directory) == ["one", "other"]


@pytest.mark.parametrize("acknowledge", ["memory", "journal", "fsync"])
def test_every_level_of_acknowledgement(directory, acknowledge):
    with OtlpLibrary(output_dir=directory, acknowledge=acknowledge, write_interval_secs=3600) as library:
        library.export_otlp("traces", stored.trace_request("a"))
    assert stored.names(directory) == ["a"]


@pytest.mark.parametrize(
    "call, kind, message",
    [
        (lambda library: library.export_otlp("smoke", b""), OtlpExportError, "signal: 'smoke' is unknown; allowed are traces, metrics, logs"),
        (lambda library: library.export_otlp(1, b""), TypeError, "export_otlp"),
        (lambda library: library.export_otlp("traces", "text"), TypeError, "export_otlp"),
        (lambda library: library.export_otlp("traces", None), TypeError, "export_otlp"),
        (lambda library: library.export_otlp("traces", b"no protobuf"), OtlpExportError, "."),
        (lambda library: library.flush("soon"), TypeError, "timeout: 'soon' is of type str; give seconds"),
        (lambda library: library.flush(True), TypeError, "timeout: True is of type bool"),
        (lambda library: library.flush(-1), ValueError, "timeout: -1 is no time to wait"),
        (lambda library: library.flush(float("nan")), ValueError, "timeout: nan is no time to wait"),
        (lambda library: library.shutdown([]), TypeError, r"timeout: \[\] is of type list"),
    ],
)
def test_wrong_arguments_are_refused(library, call, kind, message):
    with pytest.raises(kind, match=message):
        call(library)
    library.export_otlp("traces", stored.trace_request("still alive"))
    library.flush(timeout=float("inf"))
    assert not library.is_shut_down


def test_errors_can_be_pickled():
    error = pickle.loads(pickle.dumps(OtlpIOError("the disk is full", retryable=True)))
    assert (type(error), error.message, error.retryable) == (OtlpIOError, "the disk is full", True)


# --- threads ---


def test_32_threads_export_at_once(library, directory):
    start = threading.Barrier(32)

    def work(thread: int) -> None:
        start.wait()
        for i in range(25):
            library.export_otlp("traces", stored.trace_request(*(f"{thread}-{i}-{span}" for span in range(10))))

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(work, range(32)))
    library.flush()
    assert stored.names(directory) == sorted(f"{thread}-{i}-{span}" for thread in range(32) for i in range(25) for span in range(10))
    assert library.stats().traces.stored == 8000


def test_threads_export_while_others_flush_and_one_shuts_down(library, directory):
    kept: list[str] = []
    go_on = threading.Event()

    def work(thread: int) -> None:
        for i in range(100_000):
            try:
                library.export_otlp("traces", stored.trace_request(f"{thread}-{i}"))
            except OtlpShutdownError:
                return
            kept.append(f"{thread}-{i}")
            if len(kept) > 300:
                go_on.set()

    def flush() -> None:
        while True:
            try:
                library.flush()
            except OtlpShutdownError:
                return

    with ThreadPoolExecutor(9) as pool:
        done = [pool.submit(work, thread) for thread in range(8)] + [pool.submit(flush)]
        assert go_on.wait(60)
        library.shutdown()
        for future in done:
            future.result()
    assert stored.names(directory) == sorted(kept)


# --- asyncio ---


def test_the_async_twins_do_what_the_others_do(directory):
    async def main() -> None:
        async with OtlpLibrary(output_dir=directory, write_interval_secs=3600) as library:
            await asyncio.gather(*(library.export_otlp_async("traces", stored.trace_request(f"task{i:02}")) for i in range(50)))
            await library.flush_async(timeout=30)
            assert library.stats().traces.stored == 50
            await library.export_otlp_async("traces", stored.trace_request("last"))
            with pytest.raises(OtlpExportError):
                await library.export_otlp_async("traces", b"no protobuf")
        with pytest.raises(OtlpShutdownError):
            await library.export_otlp_async("traces", stored.trace_request("late"))
        await library.shutdown_async()

    asyncio.run(main())
    assert stored.names(directory) == ["last", *(f"task{i:02}" for i in range(50))]


def test_the_loop_goes_on_while_an_export_waits(directory):
    """There is no room until the store is mended: the export waits, the loop does not."""

    async def main() -> None:
        library = full(directory, admission_timeout_ms=60_000)
        waiting = asyncio.create_task(library.export_otlp_async("traces", stored.trace_request("waited", padding=60_000)))
        ticks = 0
        while ticks < 200:
            await asyncio.sleep(0.001)
            ticks += 1
        assert not waiting.done()
        stored.mend_store(directory)
        await waiting
        await library.shutdown_async()

    asyncio.run(main())
    assert stored.names(directory) == ["first", "second", "waited"]


# --- trouble with the disk, and no room ---


def full(directory, **settings) -> OtlpLibrary:
    """A library that cannot write files, with so much accepted that no further export finds room."""
    library = OtlpLibrary(output_dir=directory, write_interval_secs=3600, memory_budget=64 << 10, shutdown_timeout_secs=1, **settings)
    stored.break_store(directory)
    library.export_otlp("traces", stored.trace_request("first"))
    with pytest.raises(OtlpIOError):
        library.flush(timeout=0.05)
    library.export_otlp("traces", stored.trace_request("second", padding=60_000))
    return library


def test_a_full_buffer_refuses_for_now(directory):
    """The worker is busy with much data: there is no room for more at this moment."""
    with OtlpLibrary(output_dir=directory, memory_budget=64 << 10, admission_timeout_ms=0) as library:
        kept = 0
        with pytest.raises(OtlpExportError, match="memory_budget") as caught:
            large = stored.trace_request(*(f"{i}" for i in range(20_000)), padding=100)
            for _ in range(1000):
                library.export_otlp("traces", large)
                kept += 20_000
        assert caught.value.retryable
        assert not isinstance(caught.value, OtlpShutdownError)
        library.flush()
        library.export_otlp("traces", stored.trace_request("afterwards"))
        kept += 1
        library.flush()
        stats = library.stats().traces
        assert balance(stats)
        assert stats.stored == kept
        assert stats.refused == {"memory_budget": 20_000}
    assert len(stored.names(directory)) == kept


def test_no_room_because_the_disk_refuses(directory):
    library = full(directory, admission_timeout_ms=50)
    with pytest.raises(OtlpIOError) as caught:
        library.export_otlp("traces", stored.trace_request("refused", padding=60_000))
    assert caught.value.retryable
    assert str(directory) in caught.value.message
    assert isinstance(caught.value, OSError)
    stored.mend_store(directory)
    library.shutdown(timeout=30)
    assert stored.names(directory) == ["first", "second"]
    assert balance(library.stats().traces)


def test_a_flush_ends_in_time(directory):
    library = full(directory)
    begin = time.monotonic()
    with pytest.raises(OtlpError) as caught:
        library.flush(timeout=0.2)
    assert time.monotonic() - begin < 10
    assert caught.value.retryable
    stored.mend_store(directory)
    library.flush()
    assert stored.names(directory) == ["first", "second"]
    library.shutdown()


def test_a_shutdown_ends_in_time_and_loses_nothing(directory):
    library = full(directory)
    begin = time.monotonic()
    with pytest.raises(OtlpShutdownError, match="journal") as caught:
        library.shutdown(timeout=0.2)
    assert time.monotonic() - begin < 10
    assert caught.value.retryable
    with pytest.raises(OtlpShutdownError) as again:
        library.shutdown()
    assert again.value.message == caught.value.message
    stored.mend_store(directory)
    with OtlpLibrary(output_dir=directory):
        pass
    assert stored.names(directory) == ["first", "second"]
    assert stored.writers(directory) == 0


def test_a_directory_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OtlpIOError) as caught:
        OtlpLibrary(output_dir=tmp_path / "file")
    assert str(tmp_path / "file") in caught.value.message
    assert isinstance(caught.value, OSError)


def test_a_directory_of_any_name(tmp_path):
    place = tmp_path / "télémétrie \udcff"
    with OtlpLibrary(output_dir=place) as library:
        library.export_otlp("traces", stored.trace_request("a"))
    place.rename(tmp_path / "plain")  # pyarrow's Python functions take no other names
    assert stored.names(tmp_path / "plain") == ["a"]
