#include "sdk/observers.h"

#include <algorithm>
#include <exception>

#include <spdlog/spdlog.h>

#include "sdk/instrument_core.h"

namespace otlp_arrow::sdk {
namespace {

thread_local bool is_asking_thread = false;

// An attribute set as a key: each of them with its length, in the order that its callback has.
void AppendText(std::string_view text, std::string* key) { key->append(std::to_string(text.size())).append(":").append(text); }

void AppendValue(const ring::Value& value, std::string* key) {
  using Type = ring::Value::Type;
  *key += static_cast<char>('A' + static_cast<int>(value.type));
  switch (value.type) {
    case Type::kString:
    case Type::kBytes: AppendText(value.bytes(), key); break;
    case Type::kArray:
      for (size_t i = 0; i < value.size; ++i) AppendValue(value.array[i], key);
      break;
    case Type::kMap:
      for (size_t i = 0; i < value.size; ++i) AppendValue(value.map[i].value, key);
      break;
    case Type::kBool: *key += value.boolean ? '1' : '0'; break;
    case Type::kEmpty: break;
    default: AppendText(std::to_string(value.integer), key);  // the bits of a double too
  }
}

class RecordingObserver final : public Observer {
 public:
  RecordingObserver(const InstrumentCore& instrument, ObservedSums* sums) : instrument_(instrument), sums_(*sums) {}

  void Observe(int64_t value, AttributeList attributes) noexcept override { ObserveNumber(value, attributes); }
  void Observe(double value, AttributeList attributes) noexcept override { ObserveNumber(value, attributes); }

 private:
  void ObserveNumber(const Number& value, AttributeList attributes) noexcept {
    if (const auto* number = std::get_if<double>(&value); number && *number != *number) return;
    Guarded([&] {
      for (size_t i = 0; i < instrument_.streams.size(); ++i) {
        const Stream& stream = instrument_.streams[i];
        if (stream.definition->stream().aggregation == AggregationKind::kSum) {
          RecordSum(i, stream, value, attributes);
        } else {
          instrument_.RecordInto(stream, value, attributes, nullptr);
        }
      }
    });
  }

  // A ring's sums grow by differences. The sum is kept as the collector has it, so that rounding does not add up.
  void RecordSum(size_t index, const Stream& stream, const Number& value, AttributeList attributes) {
    std::string key = std::to_string(index);
    for (const AttributeView& attribute : attributes) {
      AppendText(attribute.key, &key);
      AppendValue(attribute.value.view(), &key);
    }
    const auto known = sums_.find(key);
    const Number sum = known == sums_.end() ? Number(int64_t{0}) : known->second;
    const auto* whole = std::get_if<int64_t>(&value);
    const auto* whole_sum = std::get_if<int64_t>(&sum);
    Number difference, next;
    int64_t exact = 0;
    if (whole && whole_sum && !__builtin_sub_overflow(*whole, *whole_sum, &exact)) {
      difference = exact;
      next = *whole;
    } else {
      const double now = AsDouble(sum), step = AsDouble(value) - now;
      difference = step;
      next = now + step;
    }
    if (instrument_.RecordInto(stream, difference, attributes, nullptr)) sums_.insert_or_assign(std::move(key), next);
  }

  static double AsDouble(const Number& number) {
    const auto* whole = std::get_if<int64_t>(&number);
    return whole ? static_cast<double>(*whole) : std::get<double>(number);
  }

  const InstrumentCore& instrument_;
  ObservedSums& sums_;
};

void Ask(const ObservableCore& observable, const ObservableCallback& callback) {
  RecordingObserver observer(*observable.instrument, observable.sums.get());
  try {
    callback(observer);
  } catch (const std::exception& exception) {
    spdlog::warn("a callback of the instrument '{}' threw: {}", observable.instrument->name, exception.what());
  } catch (...) {
    spdlog::warn("a callback of the instrument '{}' threw", observable.instrument->name);
  }
}

}  // namespace

Observers::Observers(std::chrono::milliseconds interval) : interval_(std::max(interval, std::chrono::milliseconds(1))) { platform::JoinForks(this); }

Observers::~Observers() {
  Stop(Clock::now() + std::chrono::seconds(5));
  platform::LeaveForks(this);
}

uint64_t Observers::Add(const std::shared_ptr<ObservableCore>& observable, ObservableCallback callback) {
  if (!callback) return 0;
  auto kept = std::make_shared<ObservableCallback>(std::move(callback));
  std::lock_guard lock(mutex_);
  if (is_stopped_) return 0;
  std::erase_if(observables_, [](const auto& known) { return known.expired(); });
  const bool is_new = std::none_of(observables_.begin(), observables_.end(), [&](const auto& known) { return known.lock() == observable; });
  if (is_new) observables_.push_back(observable);
  observable->callbacks.emplace_back(++last_callback_, std::move(kept));
  StartWorker();
  return last_callback_;
}

void Observers::Remove(ObservableCore* observable, uint64_t callback) {
  std::vector<std::pair<uint64_t, std::shared_ptr<ObservableCallback>>> removed;
  std::shared_ptr<Worker> worker;
  {
    std::lock_guard lock(mutex_);
    auto& callbacks = observable->callbacks;
    const auto from = std::stable_partition(callbacks.begin(), callbacks.end(), [&](const auto& known) { return callback != 0 && known.first != callback; });
    removed.assign(std::make_move_iterator(from), std::make_move_iterator(callbacks.end()));
    callbacks.erase(from, callbacks.end());
    worker = worker_;
  }
  if (!worker || is_asking_thread || removed.empty()) return;
  std::unique_lock lock(worker->mutex);
  worker->changed.wait(lock, [&] { return !worker->is_asking || worker->has_ended; });
}

// The lock is held.
std::shared_ptr<Observers::Worker> Observers::StartWorker() {
  if (worker_ || is_stopped_) return worker_;
  auto worker = std::make_shared<Worker>();
  worker->thread = std::thread([worker, observers = weak_from_this(), interval = interval_] { Run(worker, observers, interval); });
  return worker_ = std::move(worker);
}

void Observers::Run(const std::shared_ptr<Worker>& worker, const std::weak_ptr<Observers>& observers, std::chrono::milliseconds interval) {
  is_asking_thread = true;
  auto next = Clock::now() + interval;
  std::unique_lock lock(worker->mutex);
  while (!worker->is_stopping) {
    worker->changed.wait_until(lock, next, [&] { return worker->is_stopping || worker->wanted > worker->done; });
    if (worker->is_stopping) break;
    const uint64_t round = worker->wanted;
    worker->is_asking = true;
    lock.unlock();
    if (const auto all = observers.lock()) all->AskAll();
    lock.lock();
    worker->is_asking = false;
    worker->done = round;
    worker->changed.notify_all();
    if (Clock::now() >= next) next = Clock::now() + interval;
  }
  worker->has_ended = true;
  worker->changed.notify_all();
}

void Observers::AskAll() {
  struct Question {
    std::shared_ptr<ObservableCore> observable;
    std::shared_ptr<ObservableCallback> callback;
  };
  Guarded([&] {
    std::vector<Question> questions;
    {
      std::lock_guard lock(mutex_);
      for (const auto& known : observables_) {
        const auto observable = known.lock();
        if (!observable) continue;
        for (const auto& [number, callback] : observable->callbacks) questions.push_back({observable, callback});
      }
    }
    for (const Question& question : questions) Ask(*question.observable, *question.callback);
  });
}

bool Observers::ObserveAll(Clock::time_point deadline) noexcept {
  if (is_asking_thread) return true;
  bool done = false;
  Guarded([&] {
    std::shared_ptr<Worker> worker;
    {
      std::lock_guard lock(mutex_);
      const bool is_asked = std::any_of(observables_.begin(), observables_.end(), [](const auto& known) {
        const auto observable = known.lock();
        return observable && !observable->callbacks.empty();
      });
      if (!is_asked || is_stopped_) {
        done = true;
        return;
      }
      worker = StartWorker();
    }
    std::unique_lock lock(worker->mutex);
    const uint64_t round = ++worker->wanted;
    worker->changed.notify_all();
    done = worker->changed.wait_until(lock, deadline, [&] { return worker->done >= round || worker->has_ended; });
  });
  return done;
}

void Observers::Stop(Clock::time_point deadline) noexcept {
  std::shared_ptr<Worker> worker;
  {
    std::lock_guard lock(mutex_);
    is_stopped_ = true;
    worker = std::move(worker_);
    worker_ = nullptr;
  }
  if (!worker) return;
  std::unique_lock lock(worker->mutex);
  worker->is_stopping = true;
  worker->changed.notify_all();
  const bool ended = !is_asking_thread && worker->changed.wait_until(lock, deadline, [&] { return worker->has_ended; });
  lock.unlock();
  if (ended) {
    worker->thread.join();
  } else {
    worker->thread.detach();
  }
}

// The parent's worker and sums may be half changed: they are left where they are, and never looked at again.
void Observers::FinishForkInChild() {
  if (worker_) new std::shared_ptr<Worker>(std::move(worker_));
  worker_ = nullptr;
  is_asking_thread = false;
  for (const auto& known : observables_) {
    const auto observable = known.lock();
    if (!observable) continue;
    (void)observable->sums.release();
    observable->sums = std::make_unique<ObservedSums>();
  }
  mutex_.unlock();
}

// --- Observable ---

uint64_t Observable::Add(ObservableCallback callback) const noexcept {
  uint64_t number = 0;
  if (core_) Guarded([&] { number = core_->observers->Add(core_->shared_from_this(), std::move(callback)); });
  return number;
}

void Observable::Remove(uint64_t callback) const noexcept {
  if (core_ && callback != 0) Guarded([&] { core_->observers->Remove(core_.get(), callback); });
}

}  // namespace otlp_arrow::sdk
