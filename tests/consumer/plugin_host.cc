// plugin_host PLUGIN DIRECTORY: loads the plug-in, records, unloads it, three times; then forks, where handlers of an
// unloaded library would be called, and ends with exit(), where its destructors would.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int RecordOnce(const char* plugin, const char* directory, const std::string& name) {
  void* handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const auto record = reinterpret_cast<int (*)(const char*, const char*)>(dlsym(handle, "Record"));
  const int failed = record ? record(directory, name.c_str()) : 1;
  return dlclose(handle) || failed;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  for (int i = 0; i < 3; ++i) {
    if (RecordOnce(argv[1], argv[2], "load " + std::to_string(i))) return 1;
  }
  const pid_t child = fork();
  if (child == 0) exit(RecordOnce(argv[1], argv[2], "child"));
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) return 1;
  std::puts("done");
}
