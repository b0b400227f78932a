// What happens to our things when the process forks. The child has a copy of the memory but only the thread that forked:
// locks that others held stay held, and what other threads worked on stays as it was at that moment.
#pragma once

#include <mutex>

namespace otlp_arrow::platform {

// Something that has to be whole on both sides of a fork.
class ForkParticipant {
 public:
  virtual ~ForkParticipant() = default;
  // Before the fork, on the thread that forks: takes its locks. They must be held for short times only by everyone.
  virtual void PrepareFork() = 0;
  // After it, on the same thread of the parent and on the only one of the child: lets go of them. The child must not
  // touch what other threads of the parent may have been at.
  virtual void FinishForkInParent() = 0;
  virtual void FinishForkInChild() = 0;
};

// From here on, and until it leaves, the participant takes part in forks. Not to be called from within one, nor with a
// lock held that a participant takes.
void JoinForks(ForkParticipant* participant);
void LeaveForks(ForkParticipant* participant);

// Descriptors of files that belong to the process that opened them: forked children close them at once, so that a lock
// ends with its holder and deleted files give back their space.
class OwnDescriptors {
 public:
  // Held while a descriptor is opened and entered, so that no fork comes in between.
  static std::unique_lock<std::mutex> Hold();
  // Enters an open descriptor; the result says in which process. The lock of Hold() is held.
  static int Enter(int fd);
  // Closes it, unless this is a child of the process that entered it. Negative descriptors are passed over.
  static void Close(int fd, int process);
};

}  // namespace otlp_arrow::platform
