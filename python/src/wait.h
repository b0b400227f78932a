// Waiting for something in C++ so that Ctrl-C still ends it.
#pragma once

#include <Python.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <nanobind/nanobind.h>

#include "gil.h"

namespace otlp_arrow::python {

// One value that another thread sets. Shared by both, so that the one that waits may leave.
template <class T>
class Pending {
 public:
  void Set(T value) {
    {
      std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    set_.notify_one();
  }

  // Called with the GIL, waits without it. Throws what a signal's handler raised (KeyboardInterrupt); handlers run on the
  // main thread alone.
  T Wait() {
    while (true) {
      {
        GilRelease release;
        std::unique_lock lock(mutex_);
        if (set_.wait_for(lock, kSignalCheck, [this] { return value_.has_value(); })) return *std::move(value_);
      }
      if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
    }
  }

 private:
  static constexpr auto kSignalCheck = std::chrono::milliseconds(50);
  std::mutex mutex_;
  std::condition_variable set_;
  std::optional<T> value_;
};

// Runs `call` on a thread of its own and waits for its value; after a KeyboardInterrupt it goes on by itself.
template <class Call>
auto RunInterruptibly(Call call) {
  using T = decltype(call());
  auto pending = std::make_shared<Pending<T>>();
  std::thread([pending, call = std::move(call)] { pending->Set(call()); }).detach();
  return pending->Wait();
}

}  // namespace otlp_arrow::python
