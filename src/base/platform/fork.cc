#include "base/platform/fork.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <vector>

namespace otlp_arrow::platform {
namespace {

// Never destroyed: a fork may come while the process ends.
struct State {
  std::mutex participants_mutex;
  std::vector<ForkParticipant*> participants;
  std::mutex descriptors_mutex;
  std::set<int> descriptors;
  int process = 0;  // forks between this process and the first one
};

State& TheState();

void Prepare() {
  State& state = TheState();
  state.participants_mutex.lock();
  for (ForkParticipant* p : state.participants) p->PrepareFork();
  state.descriptors_mutex.lock();
}

void InParent() {
  State& state = TheState();
  state.descriptors_mutex.unlock();
  for (ForkParticipant* p : state.participants) p->FinishForkInParent();
  state.participants_mutex.unlock();
}

void InChild() {
  State& state = TheState();
  for (const int fd : state.descriptors) ::close(fd);
  state.descriptors.clear();
  ++state.process;
  state.descriptors_mutex.unlock();
  for (ForkParticipant* p : state.participants) p->FinishForkInChild();
  state.participants_mutex.unlock();
}

State& TheState() {
  static State& state = *[] {
    auto* made = new State;
    (void)::pthread_atfork(&Prepare, &InParent, &InChild);
    return made;
  }();
  return state;
}

}  // namespace

void JoinForks(ForkParticipant* participant) {
  State& state = TheState();
  std::lock_guard lock(state.participants_mutex);
  state.participants.push_back(participant);
}

void LeaveForks(ForkParticipant* participant) {
  State& state = TheState();
  std::lock_guard lock(state.participants_mutex);
  std::erase(state.participants, participant);
}

std::unique_lock<std::mutex> OwnDescriptors::Hold() { return std::unique_lock(TheState().descriptors_mutex); }

int OwnDescriptors::Enter(int fd) {
  State& state = TheState();
  state.descriptors.insert(fd);
  return state.process;
}

void OwnDescriptors::Close(int fd, int process) {
  if (fd < 0) return;
  State& state = TheState();
  std::lock_guard lock(state.descriptors_mutex);
  if (process != state.process) return;
  state.descriptors.erase(fd);
  ::close(fd);
}

}  // namespace otlp_arrow::platform
