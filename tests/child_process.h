// Forked children of a test.
#pragma once

#include <csignal>
#include <functional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace otlp_arrow::testing {

// Runs `body` in a forked child, which ends with its value at once (no destructors, no exit functions). One that hangs is
// ended after a minute.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<int()>& body) {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::alarm(60);
      ::_exit(body());
    }
  }
  ~ChildProcess() {
    if (pid_ > 0) (void)Wait();
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Its exit code, or minus the signal that ended it.
  int Wait() {
    int status = 0;
    const bool waited = pid_ > 0 && ::waitpid(pid_, &status, 0) == pid_;
    pid_ = -1;
    if (!waited) return -1000;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  void Detach() { pid_ = -1; }
  void Kill() { ::kill(pid_, SIGKILL); }

 private:
  pid_t pid_;
};

// Lets one process wait for another.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_) != 0) ADD_FAILURE() << "no pipe";
  }
  ~Pipe() {
    for (const int end : ends_) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void Write() { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  void Read() {
    char byte;
    EXPECT_EQ(::read(ends_[0], &byte, 1), 1);
  }

 private:
  int ends_[2];
};

}  // namespace otlp_arrow::testing
